// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_PIN_HPP
#define SETTLE_PIN_HPP

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "detail/cleanups.hpp"
#include "detail/exceptions.hpp"
#include "detail/own_trap.hpp"
#include "operation.hpp"

namespace settle::inline v0 {

namespace detail {

/// What resolvers and pins offer alike: resources whose address stays good while they live, because they hold the
/// cleanups back. `State` yields the state.
template <class C>
struct owning {
  template <class R>
  static R& own(state_base<C>& s, R r, bool alone) {
    using closure = owned<R>;
    trap_own_end(s, r);
    return place<closure>(s, closure{std::move(r)}, alone)->resource;
  }
  template <class R, class Closer>
  static R& own(state_base<C>& s, R r, Closer closer, bool alone) {
    using closure = owned_with<R, Closer>;
    return place<closure>(s, closure{std::move(r), std::move(closer)}, alone)->resource;
  }

  /// Null when there is no room; then nothing was made.
  template <class R, class... A>
  static R* try_own(state_base<C>& s, bool alone, A&&... args) noexcept {
    using closure = owned_later<R>;
    cleanup_place<C> const p = cleanup_registration<C, closure>::add(s, closure(), alone);
    return p.how == kept::yes ? std::construct_at(&static_cast<closure*>(p.closure)->resource, std::forward<A>(args)...) : nullptr;
  }

 private:
  template <class Closure>
  static Closure* place(state_base<C>& s, Closure&& c, bool alone) {
    cleanup_place<C> const p = cleanup_registration<C, Closure>::add(s, std::forward<Closure>(c), alone);
    if (p.how != kept::yes) raise(std::bad_alloc());
    return static_cast<Closure*>(p.closure);
  }
};

}  // namespace detail

/// While it lives no cleanup of the operation runs: for an I/O in flight, bytes not yet written. Move-only.
///
/// Taking and dropping one is one atomic operation each. The last one dropped after settled starts the cleanups, on the
/// operation's executor. A cleanup must not own a pin of its own operation: it would wait for itself.
template <class C>
class basic_pin {
 public:
  basic_pin() noexcept = default;
  /// The source is empty afterwards.
  basic_pin(basic_pin&& o) noexcept : state_(std::exchange(o.state_, nullptr)) {}
  /// Lets go of what it held before.
  basic_pin& operator=(basic_pin&& o) noexcept {
    basic_pin gone(std::move(*this));
    state_ = std::exchange(o.state_, nullptr);
    return *this;
  }
  ~basic_pin() { reset(); }

  /// It holds the cleanups back.
  explicit operator bool() const noexcept { return state_ != nullptr; }
  /// Lets the cleanups go: the last pin of a settled operation starts them. Never throws.
  void reset() noexcept {
    if (state_ != nullptr) detail::engine<C>::leave(*std::exchange(state_, nullptr));
  }
  /// A reference to the operation. Empty when this is.
  [[nodiscard]] basic_operation<C> op() const noexcept {
    return state_ == nullptr ? basic_operation<C>() : basic_operation<C>::of(*state_);
  }

  /// Gives a resource to the operation; the reference is good while the pin lives. No memory: the resource is given
  /// back, then std::bad_alloc. Precondition: not empty.
  template <class R>
  R& own(R r) {
    return detail::owning<C>::own(*state_, std::move(r), false);
  }
  /// The same with a typed closer: `closer(R)` noexcept.
  template <class R, class Closer>
  R& own(R r, Closer closer) {
    return detail::owning<C>::own(*state_, std::move(r), std::move(closer), false);
  }
  /// Makes an R in the operation. Null: full, or no memory, and nothing was made. Precondition: not empty.
  template <class R, class... A>
  R* try_own(A&&... args) noexcept {
    return detail::owning<C>::template try_own<R>(*state_, false, std::forward<A>(args)...);
  }
  /// As basic_operation::on_cleanup.
  template <class F>
  bool on_cleanup(F f) {
    return detail::offer_cleanup<C>(*state_, std::move(f), false).how == detail::kept::yes;
  }

 private:
  friend class basic_operation<C>;
  explicit basic_pin(detail::state_base<C>* s) noexcept : state_(s) {}

  detail::state_base<C>* state_ = nullptr;
};

template <class C>
basic_pin<C> basic_operation<C>::pin() const noexcept {
  return basic_pin<C>(state_ != nullptr && state_->try_hold(false) ? state_ : nullptr);
}

}  // namespace settle::inline v0

#endif
