// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_OPERATION_HPP
#define SETTLE_OPERATION_HPP

#include <chrono>
#include <concepts>
#include <new>
#include <source_location>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "cause.hpp"
#include "detail/ancestry.hpp"
#include "detail/cleanups.hpp"
#include "detail/closures.hpp"
#include "detail/exceptions.hpp"
#include "detail/lineage.hpp"
#include "detail/own_trap.hpp"
#include "detail/registry.hpp"
#include "detail/state.hpp"
#include "detail/stop_part.hpp"
#include "detail/timers.hpp"
#include "detail/waiting.hpp"
#include "fwd.hpp"
#include "policy/default_policy.hpp"
#include "registration.hpp"

namespace settle::inline v0 {

/// A copyable reference to an operation without its value: for parents, helpers, registering, cancelling.
/// Sees, registers, cancels; never owns: dropping one does nothing to the operation.
///
/// Every member may be called from any thread. 8 bytes; copying is one atomic increment.
/// An empty one (default constructed, moved from) counts as settled and released, and takes nothing.
template <class C>
class basic_operation {
 public:
  basic_operation() noexcept = default;
  /// Another reference. One atomic increment.
  basic_operation(basic_operation const& o) noexcept : state_(o.state_) {
    if (state_ != nullptr) state_->add_ref();
  }
  /// The source is empty afterwards. No atomic operation.
  basic_operation(basic_operation&& o) noexcept : state_(std::exchange(o.state_, nullptr)) {}
  /// An owner does not turn into a mere reference by being moved: say `std::move(h).detach()`, or copy from `h`.
  template <class P>
  basic_operation(handle<P>&&) = delete;
  /// Copies or moves, as its argument was made; lets go of what it referred to before.
  basic_operation& operator=(basic_operation o) noexcept {
    std::swap(state_, o.state_);
    return *this;
  }
  ~basic_operation() {
    if (state_ != nullptr) state_->drop_ref();
  }

  /// It refers to an operation.
  explicit operator bool() const noexcept { return state_ != nullptr; }
  friend bool operator==(basic_operation const& a, basic_operation const& b) noexcept { return a.state_ == b.state_; }

  /// The outcome is known and stays.
  [[nodiscard]] bool is_settled() const noexcept { return state_ == nullptr || state_->is(detail::word::settled); }
  /// Everything was given back.
  [[nodiscard]] bool is_released() const noexcept { return state_ == nullptr || state_->is_released(); }
  /// Somebody asked for cancellation, politely or by force.
  [[nodiscard]] bool cancel_requested() const noexcept { return state_ != nullptr && state_->is(detail::word::requested); }

  /// Settles as cancelled, now; true to the winner. Observers learn at once, children are cancelled by force; what the
  /// operation owns still waits for its producer and its pins. Never allocates or throws.
  bool cancel(cause why = cause::requested, std::source_location at = std::source_location::current()) const noexcept {
    return state_ != nullptr && detail::engine<C>::cancel(*state_, cancellation(why, why, at));
  }

  /// Asks the producer, and every child, to stop: sticky, tells the cancel observers, settles nothing.
  /// True to the first who asks while it is pending. Never allocates or throws.
  bool request_cancel(cause why = cause::requested, std::source_location at = std::source_location::current()) const noexcept {
    return state_ != nullptr && detail::engine<C>::request(*state_, cancellation(why, why, at));
  }

  /// When it has to be over: the earliest of what was said to it and to those above it (the operations that adopted it, are
  /// awaiting it, or were given to a coroutine first), right now. time_point::max(): never. Inherited while it is not
  /// released, and never stored: an adopted operation hears of what its parent is told later, and of nothing that the owner
  /// of an asynchronous cleanup was told. Nobody is cancelled by it: that is `within`'s part.
  /// Cost: two atomic loads, and for each operation above a lock of a few instructions. Allocates nothing.
  [[nodiscard]] std::chrono::steady_clock::time_point deadline() const noexcept {
    return state_ == nullptr ? std::chrono::steady_clock::time_point::max() : detail::deadline_of(*state_);
  }
  /// Makes the deadline `t` if that is earlier, for this operation and all below it; it is never moved back.
  /// False: no memory for it (the first call on an operation allocates one block), or no operation; nothing was changed.
  bool tighten(std::chrono::steady_clock::time_point t) const noexcept {
    detail::context<C>* const c = state_ == nullptr ? nullptr : state_->make_context();
    if (c != nullptr) c->tighten(t);
    return c != nullptr;
  }
  /// How long until the deadline, by the clock of the executor's timers where it has some; zero when it is past,
  /// nanoseconds::max() when there is none.
  [[nodiscard]] std::chrono::nanoseconds remaining() const noexcept {
    std::chrono::steady_clock::time_point const end = deadline();
    if (end == std::chrono::steady_clock::time_point::max()) return std::chrono::nanoseconds::max();
    std::chrono::steady_clock::time_point const now = detail::time_at_home(*state_);
    return end <= now ? std::chrono::nanoseconds::zero() : std::chrono::nanoseconds(end - now);
  }

  /// Stopped by the first request or forced cancel, whichever comes first; never by a value or an error. All tokens of an
  /// operation come from one source, made by the first call: two blocks, and std::stop_source's. Throws std::bad_alloc.
  ///
  /// A std::stop_callback runs at once on the thread that cancels, not on the operation's executor: what it wakes may be the
  /// very work that keeps that executor busy. So it must be quick, and must not block; what it calls of settle's has its
  /// consequences after it. It must not throw (std::stop_callback terminates).
  ///
  /// ```cpp
  /// pool.submit([stop = op.stop_token()] { while (!stop.stop_requested()) step(); });
  /// ```
  [[nodiscard]] std::stop_token stop_token() const { return state_ == nullptr ? std::stop_token() : detail::stop_part<C>::token(*state_); }

  /// Holds the cleanups back while it lives. Empty: they run already, or have.
  [[nodiscard]] basic_pin<C> pin() const noexcept;

  /// Gives the resource to the operation: it is released with it, last registered first, by its destructor.
  /// False: the operation is released already, or there is no memory, and the resource was given back at once.
  template <class R>
  bool own(R r) const {
    if (state_ != nullptr && detail::trap_own_end(*state_, r)) return false;
    return add_cleanup(detail::owned<R>{std::move(r)});
  }
  /// The same with a typed closer: `closer(R)` noexcept.
  template <class R, class Closer>
  bool own(R r, Closer closer) const {
    return add_cleanup(detail::owned_with<R, Closer>{std::move(r), std::move(closer)});
  }

  /// Runs `f()` or `f(ending)` once, when the operation is settled, unpinned and its children are released; last
  /// registered first. Accepted until released, also while the cleanups run: then it is next.
  /// False: it was too late, or there was no memory, and it ran at once. Allocates unless it fits the state's slots.
  ///
  /// Asynchronous when it returns a handle (of any value and error): the next cleanup runs, and the operation is released,
  /// when what it returned is released. A cold coroutine is started on this operation's executor. The closure lives until
  /// then. No cancellation of this operation reaches what it returned; the policy's `cleanup_budget` does, where the
  /// executor has timers. Its failure, when nobody looks, goes to the error sink. Allocates one block, two with timers,
  /// here; nothing when its turn comes.
  ///
  /// ```cpp
  /// op.on_cleanup([c = std::move(connection)]() mutable -> settle::handle_of<void> { return c.say_goodbye(); });
  /// ```
  template <class F>
  bool on_cleanup(F f) const {
    return add_cleanup(std::move(f));
  }

  /// Runs `f()` or `f(ending)` once the operation is settled; at once when it is already. On its executor.
  /// Allocates one block; throws std::bad_alloc.
  template <class F>
  basic_registration<C> on_done(F f) const {
    return add_hook<detail::call_with_ending>(detail::hook_kind::done, std::move(f));
  }

  /// The same on the executor of another operation: `bound_to(op)`. Throws std::bad_alloc.
  template <class F>
  basic_registration<C> on_done(bound_to<C> const& where, F f) const {
    return where.observe_ending(*this, std::move(f));
  }

  /// Runs `f()` or `f(cancellation)` at the first request or forced cancel, whichever comes first; never after a value
  /// or an error. On its executor. Allocates one block; throws std::bad_alloc.
  template <class F>
  basic_registration<C> on_cancel(F f) const {
    return add_hook<detail::call_with_cancellation>(detail::hook_kind::cancel, std::move(f));
  }

  /// Runs `f()` or `f(ending)` once everything was given back; at once when it was already. On its executor.
  /// Allocates one block; throws std::bad_alloc.
  template <class F>
  basic_registration<C> on_released(F f) const {
    return add_hook<detail::call_with_ending>(detail::hook_kind::released, std::move(f));
  }

  /// Blocks until everything was given back. Outside an executor only: inside a callback it is misuse, and trapped.
  /// Throws std::bad_alloc.
  void wait_released() const {
    if (state_ != nullptr) detail::released_wait<C>(*state_).wait();
  }

  /// `co_await op.released()`: resumes when everything was given back.
  detail::watch_awaiter<plain<void, error, inline_executor, C>, detail::looking::released> released() const noexcept {
    return detail::watch_awaiter<plain<void, error, inline_executor, C>, detail::looking::released>(*this);
  }

  /// Makes `child` this operation's: asked or forced to cancel with it, released before its cleanups. On a settled
  /// operation the child is asked to cancel at once. Allocates one block; throws std::bad_alloc, nothing being done.
  ///
  /// A cycle is misuse, trapped (64 levels are looked at): nothing is adopted then.
  void adopt(basic_operation child) const {
    if (state_ == nullptr || child.state_ == nullptr) return;
    if (detail::ancestry<C>::hangs_under(*state_, *child.state_)) {
      state_->report(nullptr, monitor_event::misuse, "an operation is adopted by itself or by one below it: neither could be released");
      return;
    }
    if (!detail::registry<C>::adopt(*state_, *child.state_)) detail::raise(std::bad_alloc());
    detail::engine<C>::warm(*child.state_, state_);
  }
  /// The same with the handle moved in: nobody owns the child any more, a value it yields is lost. Throwing, or empty
  /// itself, it leaves the handle as it was.
  template <class P>
    requires std::same_as<typename P::terminal, C>
  void adopt(handle<P>&& child) const {
    if (state_ == nullptr) return;
    adopt(static_cast<basic_operation const&>(child));
    static_cast<void>(std::move(child).detach());
  }

 protected:
  /// @cond internal
  friend struct detail::state_access;
  template <class>
  friend class basic_operation;
  template <class>
  friend class basic_pin;
  template <class>
  friend class resolver;
  template <class>
  friend class shared_resolver;
  template <class>
  friend class handle;
  template <class>
  friend class watcher;

  /// Takes over one reference.
  explicit basic_operation(detail::state_base<C>* s) noexcept : state_(s) {}
  static basic_operation of(detail::state_base<C>& s) noexcept {
    s.add_ref();
    return basic_operation(&s);
  }

  template <class F>
  bool add_cleanup(F&& f) const {
    if (state_ == nullptr) {
      detail::run_without_owner<C>(f);
      return false;
    }
    // NOLINTNEXTLINE(bugprone-move-forwarding-reference): every caller gives its own up
    return detail::offer_cleanup<C>(*state_, std::move(f), false).how == detail::kept::yes;
  }

  template <class How, class F>
  [[gnu::always_inline]] basic_registration<C> add_hook(detail::hook_kind kind, F&& f) const {
    if (state_ == nullptr) return {};
    detail::hook<C>* h = detail::make_hook<How>(*state_, kind, std::forward<F>(f), true);
    if (h == nullptr) detail::raise(std::bad_alloc());
    if (kind == detail::hook_kind::done) detail::registry<C>::add_observer(*state_, *h, true);
    else place(*h);
    return basic_registration<C>(h);
  }

  void place(detail::hook<C>& h) const noexcept {
    using registry = detail::registry<C>;
    if (h.kind == detail::hook_kind::cancel) registry::add_cancel(*state_, h);
    else if (!registry::add_released(*state_, h)) registry::at_once(*state_, h);
  }

  detail::state_base<C>* state_ = nullptr;
  /// @endcond
};

}  // namespace settle::inline v0

#endif
