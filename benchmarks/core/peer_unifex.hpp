// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_PEER_UNIFEX_HPP
#define SETTLE_BENCHMARKS_CORE_PEER_UNIFEX_HPP

#include <cstddef>
#include <exception>
#include <optional>
#include <unifex/get_stop_token.hpp>
#include <unifex/receiver_concepts.hpp>
#include <unifex/sender_concepts.hpp>
#include <unifex/spawn_detached.hpp>
#include <unifex/sync_wait.hpp>
#include <unifex/then.hpp>
#include <unifex/v2/async_scope.hpp>
#include <utility>

#include "benchmark_case.hpp"
#include "completion.hpp"

namespace bench {

/// The sender of what is completed by hand.
struct unifex_wait {
  template <template <class...> class Variant, template <class...> class Tuple>
  using value_types = Variant<Tuple<int>>;
  template <template <class...> class Variant>
  using error_types = Variant<std::exception_ptr>;
  static constexpr bool sends_done = true;

  template <class Receiver>
  class operation final : completion::waiter {
   public:
    operation(completion& of, Receiver r) : of_(of), receiver_(std::move(r)) {}
    operation(operation&&) = delete;

    void start() noexcept {
      callback_.emplace(unifex::get_stop_token(receiver_), on_stop{of_});
      of_.wait(*this);
    }

   private:
    struct on_stop {
      void operator()() const noexcept { of.stop(); }
      completion& of;
    };
    using token = unifex::stop_token_type_t<Receiver>;

    void completed(int v) noexcept override {
      callback_.reset();
      unifex::set_value(std::move(receiver_), std::move(v));
    }
    void stopped() noexcept override {
      callback_.reset();
      unifex::set_done(std::move(receiver_));
    }

    completion& of_;
    Receiver receiver_;
    std::optional<typename token::template callback_type<on_stop>> callback_;
  };

  template <class Receiver>
  auto connect(Receiver&& r) const {
    return operation<unifex::remove_cvref_t<Receiver>>(*of, std::forward<Receiver>(r));
  }

  completion* of;
};

/// Whatever is detached lives in a scope, which is joined in the end.
class unifex_scope {
 public:
  unifex_scope() = default;
  unifex_scope(unifex_scope&&) = delete;
  ~unifex_scope() { unifex::sync_wait(scope_.join()); }

  template <class Sender>
  void detach(Sender&& sender) {
    unifex::spawn_detached(std::forward<Sender>(sender), scope_);
  }

 private:
  unifex::v2::async_scope scope_;
};

/// Operation and all are on the caller's stack: there is no handle, and nothing is left to do in the end.
struct unifex_end {
  void set_value() noexcept {}
  void set_error(std::exception_ptr) noexcept {}
  void set_done() noexcept {}
};
inline void unifex_born(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    completion c;
    auto operation = unifex::connect(unifex_wait{&c} | unifex::then([&total](int v) noexcept { total += v; }), unifex_end());
    unifex::start(operation);
    escape(c);
    c.complete(42);
    escape(operation);
  }
}
inline void unifex_moved(std::size_t n) {
  long& total = sum;
  unifex_scope scope;
  for (; n != 0; --n) {
    completion c;
    scope.detach(unifex_wait{&c} | unifex::then([&total](int v) noexcept { total += v; }));
    escape(c);
    c.complete(42);
    escape(c);
  }
}

}  // namespace bench

#endif
