// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COROUTINE_PROMISE_HPP
#define SETTLE_COROUTINE_PROMISE_HPP

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "../detail/coroutine_state.hpp"
#include "../detail/thrown.hpp"
#include "../handle.hpp"

namespace settle::inline v0::detail {

template <class P, class Ex>
class promise_base {
 public:
  using policy_type = P;
  using T = typename P::value_type;
  using E = typename P::error_type;
  using C = typename P::terminal;
  using state_type = coroutine_state<P, Ex>;

  state_type& state() noexcept { return state_type::in_front_of(self().address()); }

  static handle<P> get_return_object_on_allocation_failure() noexcept { return {}; }

  /// Settles, the frame being gone: user code in its destructors has run, on the coroutine's executor.
  struct finish : std::suspend_always {
    void await_suspend(std::coroutine_handle<> h) const noexcept {
      state_type& s = state_type::in_front_of(h.address());
      outcome_head::kind_t const kind = result;
      cancellation const why = ended_by;
      h.destroy();
      if (kind == outcome_head::cancelled) engine<C>::end_cancelled(s, why);
      else announce(s, kind);
    }

    finish(outcome_head::kind_t k, cancellation const& c) noexcept : result(k), ended_by(c) {}
    outcome_head::kind_t result;
    cancellation ended_by;
  };
  finish final_suspend() noexcept { return {result_, ended_by_}; }

  void unhandled_exception() noexcept {
    if (result_ == outcome_head::value) std::destroy_at(outcome_access::value(state().result));  // a local's destructor threw
    guarded([&] { sort_out(); }, [&](std::exception_ptr p) { fail(error_from<P>(std::move(p))); });
  }

  /// The body ends here: the frame goes, then the operation settles.
  static void end_cancelled(state_type& s, cancellation const& why) noexcept {
    std::coroutine_handle<>::from_address(s.frame()).destroy();
    engine<C>::end_cancelled(s, why);
  }
  static void end_failed(state_type& s, E e) noexcept {
    std::coroutine_handle<>::from_address(s.frame()).destroy();
    std::construct_at(outcome_access::error(s.result), std::move(e));
    announce(s, outcome_head::failure);
  }

  basic_operation<C> op() noexcept { return state_access::ref<C>(state()); }

 protected:
  std::coroutine_handle<> self() noexcept { return std::coroutine_handle<promise_base>::from_promise(*this); }

  void succeeded() noexcept { result_ = outcome_head::value; }
  void fail(E e) noexcept {
    std::construct_at(outcome_access::error(state().result), std::move(e));
    result_ = outcome_head::failure;
  }

 private:
  /// Takes the payload that stands; a coroutine that lost against a forced cancel destroys it.
  static void announce(state_type& s, outcome_head::kind_t kind) noexcept {
    if (engine<C>::settle(s, kind, s.sole())) return;
    if (kind == outcome_head::value) {
      hand_lost_value(s);
      std::destroy_at(outcome_access::value(s.result));
    } else {
      std::destroy_at(outcome_access::error(s.result));
    }
    engine<C>::leave(s, true);
  }

  void sort_out() {
#if defined(__cpp_exceptions)
    try {
      throw;
    } catch (operation_cancelled const& c) {
      result_ = outcome_head::cancelled;
      ended_by_ = c.why();
    }
#endif
  }

  outcome_head::kind_t result_ = outcome_head::pending;
  cancellation ended_by_{};
};

}  // namespace settle::inline v0::detail

#endif
