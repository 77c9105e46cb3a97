// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_WATCHER_HPP
#define SETTLE_WATCHER_HPP

#include <concepts>
#include <utility>

#include "detail/cell.hpp"
#include "operation.hpp"

namespace settle::inline v0 {

namespace detail {

/// Calls `f(outcome const&)`, or what an observer without the value takes.
template <class T, class E>
struct call_with_outcome {
  template <class F, class C>
  static void call(F& f, state_base<C>& s) {
    constexpr bool looks = std::invocable<F&, outcome<T, E> const&>;
    static_assert(
        takes_outcome<F, outcome<T, E> const&>,
        "settle: on_done of a handle or a watcher takes `f(settle::outcome<T, E> const&)`, `f(settle::ending)` or `f()`; who wants "
        "the value itself says `std::move(h).on_done(f)` (see docs/guide/registering.md)");
    if constexpr (looks) std::move(f)(std::as_const(static_cast<typed_state<T, E, C>&>(s).result));
    else if constexpr (takes_ending<F>) call_with_ending::call(f, s);
  }
};

/// Calls `f(outcome&&)`: with the outcome in its place, which f clears, or with a copy when a watcher may be reading it.
template <class T, class E>
struct call_with_value {
  template <class F, class C>
  static void call(F& f, state_base<C>& s) {
    auto& t = static_cast<typed_state<T, E, C>&>(s);
    if constexpr (!std::invocable<F&, outcome<T, E>&&>) call_with_ending::call(f, s);
    else if (s.is(word::watched)) call_with_copy(f, t);
    else std::move(f)(std::move(t.result));
  }

 private:
  template <class F, class C>
  [[gnu::noinline]] static void call_with_copy(F& f, typed_state<T, E, C>& s) {
    std::move(f)(outcome_for_taker(s));
  }
};

}  // namespace detail

/// Sees an operation and reads its outcome; copyable; never takes, never owns: dropping it does nothing to the operation.
///
/// What watchers may read is not moved away under them: the owner of a watched operation takes a copy of the value. A value
/// that cannot be copied is moved all the same, and watchers see `taken` from then on: read it in an observer registered
/// before the operation settles, or not beside its consumer.
template <class P>
class watcher : public basic_operation<typename P::terminal> {
  using C = typename P::terminal;
  using base = basic_operation<C>;

 public:
  using policy_type = P;             ///< the one in the type; the producer's may be another
  using T = typename P::value_type;  ///< what it yields
  using E = typename P::error_type;  ///< what it fails with

  watcher() noexcept = default;
  /// `std::move(h).share()`: nobody owns the operation any more.
  watcher(handle<P>&& h) noexcept;
  /// From a watcher of another policy that agrees in value, error and terminal. No cost but the copy's.
  template <class Q>
    requires(!std::same_as<Q, P> && std::same_as<typename Q::value_type, T> && std::same_as<typename Q::error_type, E> &&
             std::same_as<typename Q::terminal, C>)
  watcher(watcher<Q> o) noexcept : base(std::move(o)) {}

  /// The outcome, null while there is none. Good while this watcher lives.
  [[nodiscard]] outcome<T, E> const* peek() const noexcept {
    if (this->state_ == nullptr || !this->state_->is(detail::word::settled)) return nullptr;
    this->state_->seen.store(true, std::memory_order_relaxed);
    return &static_cast<detail::typed_state<T, E, C>*>(this->state_)->result;
  }

  /// Runs `f(outcome const&)` (or `f(ending)`, `f()`) once settled; at once when it is already. On the operation's executor.
  /// Allocates one block; throws std::bad_alloc.
  template <class F>
  basic_registration<C> on_done(F f) const {
    return this->template add_hook<detail::call_with_outcome<T, E>>(detail::hook_kind::done, std::move(f));
  }

  /// The same where another operation lives: `bound_to(op)`. Throws std::bad_alloc.
  template <class F>
  basic_registration<C> on_done(bound_to<C> const& where, F f) const {
    return where.template observe<T, E>(*this, std::move(f));
  }

  /// The value, in a coroutine, at settled; good while this watcher lives. A failure throws (or by policy fails the
  /// awaiting coroutine), a cancellation ends it as cancelled. Precondition: not empty.
  detail::watch_awaiter<P, detail::looking::value> operator co_await() const noexcept {
    return detail::watch_awaiter<P, detail::looking::value>(static_cast<base const&>(*this));
  }
  /// `co_await w.settled()`: the outcome at settled.
  detail::watch_awaiter<P, detail::looking::outcome> settled() const noexcept {
    return detail::watch_awaiter<P, detail::looking::outcome>(static_cast<base const&>(*this));
  }

 private:
  template <class>
  friend class handle;
  explicit watcher(base op) noexcept : base(std::move(op)) {}
};

}  // namespace settle::inline v0

#endif
