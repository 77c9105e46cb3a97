// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_PEER_STDEXEC_HPP
#define SETTLE_BENCHMARKS_CORE_PEER_STDEXEC_HPP

#include <cstddef>
#include <exception>
#include <exec/split.hpp>
#include <exec/start_detached.hpp>
#include <optional>
#include <stdexec/execution.hpp>
#include <utility>

#include "benchmark_case.hpp"
#include "completion.hpp"

namespace bench {

/// The sender of what is completed by hand.
struct stdexec_wait {
  using sender_concept = stdexec::sender_t;
  using completion_signatures = stdexec::completion_signatures<stdexec::set_value_t(int), stdexec::set_stopped_t()>;

  template <class Receiver>
  class operation final : completion::waiter {
   public:
    operation(completion& of, Receiver r) : of_(of), receiver_(std::move(r)) {}
    operation(operation&&) = delete;

    void start() & noexcept {
      callback_.emplace(stdexec::get_stop_token(stdexec::get_env(receiver_)), on_stop{of_});
      of_.wait(*this);
    }

   private:
    struct on_stop {
      void operator()() const noexcept { of.stop(); }
      completion& of;
    };
    using token = stdexec::stop_token_of_t<stdexec::env_of_t<Receiver>>;

    void completed(int v) noexcept override {
      callback_.reset();
      stdexec::set_value(std::move(receiver_), v);
    }
    void stopped() noexcept override {
      callback_.reset();
      stdexec::set_stopped(std::move(receiver_));
    }

    completion& of_;
    Receiver receiver_;
    std::optional<stdexec::stop_callback_for_t<token, on_stop>> callback_;
  };

  template <class Receiver>
  auto connect(Receiver r) const {
    return operation<Receiver>(*of, std::move(r));
  }

  completion* of;
};

/// Starts it on the heap. What may throw there is ours, and does not.
template <class Sender>
void stdexec_detach(Sender&& sender) {
  exec::start_detached(std::forward<Sender>(sender) | stdexec::upon_error([](auto const&) noexcept { std::terminate(); }));
}

struct stdexec_adds {
  using receiver_concept = stdexec::receiver_t;
  void set_value(int v) noexcept { total += v; }
  void set_stopped() noexcept {}
  long& total;
};
/// Operation and all are on the caller's stack: there is no handle.
inline void stdexec_born(std::size_t n) {
  for (; n != 0; --n) {
    completion c;
    auto operation = stdexec::connect(stdexec_wait{&c}, stdexec_adds{sum});
    stdexec::start(operation);
    escape(c);
    c.complete(42);
    escape(operation);
  }
}
inline void stdexec_moved(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    completion c;
    stdexec_detach(stdexec_wait{&c} | stdexec::then([&total](int v) noexcept { total += v; }));
    escape(c);
    c.complete(42);
    escape(c);
  }
}
inline void stdexec_shared(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    completion c;
    auto kept = exec::split(stdexec_wait{&c});
    escape(kept);
    stdexec_detach(kept | stdexec::then([&total](int v) noexcept { total += v; }));
    escape(c);
    c.complete(42);
    escape(kept);
  }
}

}  // namespace bench

#endif
