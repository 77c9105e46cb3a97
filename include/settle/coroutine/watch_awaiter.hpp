// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COROUTINE_WATCH_AWAITER_HPP
#define SETTLE_COROUTINE_WATCH_AWAITER_HPP

#include <coroutine>
#include <type_traits>
#include <utility>

#include "../detail/ancestry.hpp"
#include "../pin.hpp"
#include "../pinned_outcome.hpp"
#include "../resolver.hpp"
#include "../watcher.hpp"
#include "join_awaiter.hpp"

namespace settle::inline v0::detail {

/// An operation that completes when another one has come to a moment, and lets go of it when it is asked to cancel: a
/// coroutine joins it, as its child, where it only watches the other.
template <class C>
struct relay {
  /// One that is given up for want of memory is nobody's business.
  struct policy : plain<void, error, inline_executor, C> {
    using error_sink = ignore_sink;
  };

  /// Lets go of it when it goes itself: asked to cancel, or because there was no memory to be told of that.
  class watching {
   public:
    explicit watching(basic_registration<C> r) noexcept : hook_(std::move(r)) {}
    watching(watching&&) noexcept = default;
    ~watching() { hook_.withdraw(); }
    void operator()() const noexcept {}

   private:
    basic_registration<C> hook_;
  };

  /// `at_moment(f)` registers f; `first()` runs before the relay completes. Throws std::bad_alloc.
  template <class Register, class First>
  static handle<policy> make(Register at_moment, First first) {
    resolver<policy> r;
    handle<policy> h = r.get_handle();
    basic_operation<C> const op = r.op();
    auto complete = [r = std::move(r), first]() mutable {
      first();
      r.complete();
    };
    op.on_cancel(watching(at_moment(std::move(complete))));
    return h;
  }
};

/// co_await of something the coroutine does not take over: it resumes at settled (or released), and ends as cancelled when
/// it is asked to meanwhile. Allocates the relay; throws std::bad_alloc from co_await.
template <class P, looking How>
class watch_awaiter {
  using C = typename P::terminal;
  using T = typename P::value_type;
  using E = typename P::error_type;

 public:
  explicit watch_awaiter(basic_operation<C> op) noexcept : op_(std::move(op)) {}
  watch_awaiter(watch_awaiter&&) = delete;

  static constexpr bool await_ready() noexcept { return false; }

  template <own_promise Pr>
  void await_suspend(std::coroutine_handle<Pr> me) {
    auto& s = me.promise().state();
    if (op_) {
      if constexpr (How == looking::released) trap_wait_for_itself(s);
      relay_ = make_relay();
    }
    if constexpr (How == looking::taken) state_access::ref<C>(s).adopt(op_);
    joining<C>::begin(s, state_access::get(relay_), this, &watch_awaiter::template go_on<Pr>);
  }

  decltype(auto) await_resume() {
    if constexpr (How == looking::value) return std::as_const(result()).value();
    else if constexpr (How == looking::outcome) return std::as_const(result());
    else if constexpr (How == looking::pinned) return pinned_outcome<P>(result(), std::move(pin_));
    else if constexpr (How == looking::taken) return outcome_for_taker(looked_at());
  }

 private:
  void trap_wait_for_itself(state_base<C>& s) const noexcept {
    if (ancestry<C>::cleans_up_for(s, *state_access::get(op_)))
      s.report(nullptr, monitor_event::misuse,
               "a cleanup waits for the release of the operation it belongs to, or of one above: it would wait for itself");
  }

  handle<typename relay<C>::policy> make_relay() {
    if constexpr (How == looking::released) return relay<C>::make([this](auto f) { return op_.on_released(std::move(f)); }, [] {});
    else return relay<C>::make([this](auto f) { return op_.on_done(std::move(f)); }, [this] { before_it(pin_); });
  }
  void before_it(basic_pin<C>& pin) noexcept { pin = op_.pin(); }
  static void before_it(std::monostate) noexcept {}

  outcome<T, E>& result() noexcept { return looked_at().result; }
  typed_state<T, E, C>& looked_at() noexcept {
    state_base<C>& s = *state_access::get(op_);
    s.seen.store(true, std::memory_order_relaxed);
    return static_cast<typed_state<T, E, C>&>(s);
  }

  template <class Pr>
  static void go_on(state_base<C>& st) {
    auto& s = static_cast<typename Pr::state_type&>(st);
    auto& self = *static_cast<watch_awaiter*>(s.coro.awaiter);
    if (s.is(word::settled)) return Pr::end_cancelled(s, cancellation{});
    if (ending_with<Pr>::cancelled(s, state_access::get(self.relay_))) return;
    if constexpr (How == looking::value) {
      state_base<C>* const a = state_access::get(self.op_);
      if (ending_with<Pr>::cancelled(s, a)) return;
      if constexpr (ending_with<Pr>::propagates) {
        if (a->is(word::failure)) return Pr::end_failed(s, typename Pr::E(self.result().error()));
      }
    }
    std::coroutine_handle<>::from_address(s.frame()).resume();
  }

  basic_operation<C> op_;
  handle<typename relay<C>::policy> relay_;
  [[no_unique_address]] std::conditional_t<How == looking::pinned, basic_pin<C>, std::monostate> pin_;
};

}  // namespace settle::inline v0::detail

#endif
