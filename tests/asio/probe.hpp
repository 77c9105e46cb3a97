// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_ASIO_PROBE_HPP
#define SETTLE_TESTS_ASIO_PROBE_HPP

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace test {

/// An asynchronous operation of Asio's kind that ends when the test says so, and writes down how it was asked to stop.
template <class... A>
class probe {
 public:
  std::function<void()> during;      // called by the initiation
  std::function<void()> when_asked;  // called inside the emission
  std::vector<asio::cancellation_type> asked;
  std::thread::id asked_by;
  bool asked_while_initiating = false;

  explicit probe(asio::any_io_executor ex) : ex_(std::move(ex)) {}

  template <class Token>
  auto start(Token&& token) {
    return asio::async_initiate<Token, void(A...)>(initiation{this}, token);
  }

  bool is_started() const { return handler_ != nullptr; }
  /// Calls the handler, here.
  void end(A... a) {
    auto const h = std::move(handler_);
    h->call(std::move(a)...);
  }
  /// Destroys it, as a context does that goes down.
  void lose() { handler_.reset(); }

 private:
  struct any_handler {
    virtual ~any_handler() = default;
    virtual void call(A... a) = 0;
  };
  template <class Handler>
  struct holder final : any_handler {
    Handler h;
    explicit holder(Handler&& g) : h(std::move(g)) {}
    void call(A... a) override { std::move(h)(std::move(a)...); }
  };

  struct initiation {
    probe* self;

    using executor_type = asio::any_io_executor;
    executor_type get_executor() const noexcept { return self->ex_; }

    template <class Handler>
    void operator()(Handler&& h) const {
      using stored = std::decay_t<Handler>;
      auto slot = asio::get_associated_cancellation_slot(h);
      if (slot.is_connected()) {
        slot.assign([p = self](asio::cancellation_type t) {
          p->asked.push_back(t);
          p->asked_by = std::this_thread::get_id();
          p->asked_while_initiating |= p->initiating_;
          if (p->when_asked) p->when_asked();
        });
      }
      self->initiating_ = true;
      self->handler_ = std::make_unique<holder<stored>>(std::forward<Handler>(h));
      auto const f = self->during;
      if (f) f();
      self->initiating_ = false;
    }
  };

  asio::any_io_executor ex_;
  bool initiating_ = false;
  std::unique_ptr<any_handler> handler_;
};

}  // namespace test

#endif
