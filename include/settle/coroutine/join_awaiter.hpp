// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COROUTINE_JOIN_AWAITER_HPP
#define SETTLE_COROUTINE_JOIN_AWAITER_HPP

#include <coroutine>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "../handle.hpp"
#include "promise.hpp"

namespace settle::inline v0::detail {

template <class Pr>
concept own_promise = requires { typename Pr::state_type; };

/// How a coroutine waits: the operation becomes its child through a link in its state, and its release is the
/// coroutine's turn. Neither allocates nor throws.
template <class C>
struct joining {
  using state = state_base<C>;

  /// `a` may be null: then the turn comes at once. Nothing of the frame may be touched afterwards.
  template <class S>
  static void begin(S& s, state* a, void* awaiter, void (*next)(state&)) noexcept {
    s.coro.awaiter = awaiter;
    s.coro.next = next;
    if (a == nullptr) {
      give_turn<C>(s);
      return;
    }
    link<C>& l = s.coro.joins;
    ::new (static_cast<void*>(&l)) link<C>;
    l.tie(s, *a, released);
    bool const starts = a->is(word::cold);
    if (starts && registry<C>::tie_and_start(s, *a, l)) return;
    if (!starts) {
      registry<C>::tie(s, *a, l);
    } else {
      basic_operation<C> const keep_child = state_access::ref<C>(*a);
      basic_operation<C> const keep_self = state_access::ref<C>(s);
      registry<C>::tie(s, *a, l);
      engine<C>::warm(*a, &s);
    }
  }

 private:
  static void child_released(hook<C>& up_end, hook_action action) {
    link<C>& l = link<C>::of_upper(up_end);
    state& awaiting = *l.parent();
    state& joined = *l.child();
    l.untie();
    hook<C>& turn = awaiting.table->turn(awaiting);
    turn.holds = true;  // the link's hold and reference go with it
    link<C>::drop(joined, action);
    engine<C>::post(turn);
  }
  static constexpr hook_type<C> released{&child_released, 0, 0};
};

/// What an awaited operation that yields no value does to a coroutine of policy Q. True: the body has ended.
template <class Pr>
struct ending_with {
  using S = typename Pr::state_type;

  template <class C>
  static bool cancelled(S& s, state_base<C>* a) {
    if (a == nullptr || !a->is(word::cancelled)) return false;
    a->seen.store(true, std::memory_order_relaxed);
    Pr::end_cancelled(s, a->head().cancelled_by());
    return true;
  }
  static constexpr bool propagates = policy_traits<typename Pr::policy_type>::on_error() == await_error::propagates;
};

/// co_await of a handle: resumes when it is released. Cancelled, it ends the awaiter as cancelled (taking::value).
template <class P, taking How>
class join_awaiter {
  using C = typename P::terminal;
  using T = typename P::value_type;
  using E = typename P::error_type;

 public:
  explicit join_awaiter(handle<P>&& h) noexcept : handle_(std::move(h)) {}
  join_awaiter(join_awaiter&&) = delete;
  ~join_awaiter() {
    if (foreign_ != nullptr) foreign_->store(false, std::memory_order_release);
  }

  static constexpr bool await_ready() noexcept { return false; }

  template <own_promise Pr>
  void await_suspend(std::coroutine_handle<Pr> me) noexcept {
    joining<C>::begin(me.promise().state(), state_access::get(handle_), this, &join_awaiter::template go_on<Pr>);
  }
  /// A coroutine that is not ours resumes on the awaited operation's executor; a cancellation is thrown there.
  template <class Pr>
  bool await_suspend(std::coroutine_handle<Pr> me) {
    if (!handle_) return false;
    // Resumed, this frame may be gone before on_released returns: it is told through something of its own.
    foreign_ = std::make_shared<flag>(true);
    basic_operation<C> const op = handle_;
    auto resume = [me, waits = foreign_] {
      if (waits->load(std::memory_order_acquire)) me.resume();
    };
    state_access::start(handle_);
    op.on_released(std::move(resume));
    return true;
  }

  std::conditional_t<How == taking::value, T, outcome<T, E>> await_resume() {
    outcome<T, E> o = state_access::take(handle_);
    if constexpr (How == taking::outcome) return o;
    else return std::move(o).value();
  }

 private:
  /// The coroutine's turn, on its executor.
  template <class Pr>
  static void go_on(state_base<C>& st) {
    auto& s = static_cast<typename Pr::state_type&>(st);
    auto& self = *static_cast<join_awaiter*>(s.coro.awaiter);
    if (s.is(word::settled)) return Pr::end_cancelled(s, cancellation{});
    if constexpr (How == taking::value) {
      state_base<C>* const a = state_access::get(self.handle_);
      if (ending_with<Pr>::cancelled(s, a)) return;
      if constexpr (ending_with<Pr>::propagates) {
        if (a == nullptr || a->is(word::failure)) return Pr::end_failed(s, typename Pr::E(state_access::take(self.handle_).error()));
      }
    }
    std::coroutine_handle<>::from_address(s.frame()).resume();
  }

  using flag = typename C::sync::template atomic<bool>;

  handle<P> handle_;
  std::shared_ptr<flag> foreign_;
};

}  // namespace settle::inline v0::detail

#endif
