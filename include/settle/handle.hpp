// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HANDLE_HPP
#define SETTLE_HANDLE_HPP

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "detail/cell.hpp"
#include "detail/exceptions.hpp"
#include "detail/look.hpp"
#include "detail/ownership.hpp"
#include "detail/report_thrown.hpp"
#include "detail/timers.hpp"
#include "operation.hpp"
#include "pin.hpp"
#include "pinned_outcome.hpp"
#include "time_span.hpp"
#include "watcher.hpp"

namespace settle::inline v0 {

/// The owner of an operation, the one who may take its value. Move-only: moving it into something hands the operation
/// over. Dropping it unsettled asks the operation to cancel (cause dropped); it then goes on alone until it is released.
///
/// The type is fixed by value, error and terminal; handles of different policies convert when these agree. One thread at
/// a time for the handle itself; the operation may be used from any.
///
/// ```cpp
/// settle::handle_of<int> h = fetch();
/// h.on_done([](auto const& out) { if (out) use(out.value()); });
/// ```
template <class P>
class [[nodiscard]] handle : public basic_operation<typename P::terminal> {
  using C = typename P::terminal;
  using base = basic_operation<C>;

 public:
  using policy_type = P;             ///< the one in the type; the producer's may be another
  using T = typename P::value_type;  ///< what it yields
  using E = typename P::error_type;  ///< what it fails with

  handle() noexcept = default;
  handle(handle&&) noexcept = default;  ///< the source is empty afterwards: it owns nothing, and reads as failed with errc::no_memory
  /// From a handle of another policy that agrees in value, error and terminal. No cost.
  template <class Q>
    requires(!std::same_as<Q, P> && std::same_as<typename Q::value_type, T> && std::same_as<typename Q::error_type, E> &&
             std::same_as<typename Q::terminal, C>)
  handle(handle<Q>&& o) noexcept : base(static_cast<base&&>(o)) {}
  /// What it owned before is dropped, as by the destructor.
  handle& operator=(handle&& o) noexcept {
    handle gone(std::move(*this));
    static_cast<base&>(*this) = static_cast<base&&>(o);
    return *this;
  }
  ~handle() {
    if (this->state_ == nullptr) return;
    namespace word = detail::word;
    std::uint32_t const w =
        detail::bits_of(this->state_->word, std::uint32_t{word::settled | word::no_value | word::taker}, std::memory_order_acquire);
    bool const is_asked = (w & word::settled) == 0;
    if (is_asked || detail::may_be_lost(*this->state_->table, w)) disown(is_asked);
  }

  /// Lets the operation run without an owner; a value it yields is lost.
  base detach() && noexcept {
    start();
    if (this->state_ != nullptr) disown(false);
    return base(static_cast<base&&>(*this));
  }

  /// Who gets a value that nobody takes: `f(T&&)`, noexcept, once, on the operation's executor, when the value has no taker
  /// any more: the handle was dropped or detached, nothing took what it yielded, or a coroutine yielded it after it was
  /// cancelled. Not called for a failure, a cancellation or a value that was taken; f is destroyed there then. Without it such
  /// a value is just destroyed on the executor. (Watched, the value is handed on by the last who lets go of the operation.)
  ///
  /// Given once; a second function is misuse, and dropped. Allocates two blocks; throws std::bad_alloc, the handle untouched.
  ///
  /// ```cpp
  /// settle::handle_of<int> h = open_descriptor().on_lost([](int&& fd) noexcept { ::close(fd); });
  /// ```
  template <class F>
    requires(!std::is_void_v<T>)
  handle on_lost(F f) && {
    static_assert(std::is_nothrow_invocable_v<F, detail::lift<T>&&>,
                  "settle: on_lost takes `void f(T&&) noexcept`: nobody is left to hear of an exception (see docs/guide/registering.md)");
    if (this->state_ != nullptr && !detail::typed_lost_taker<T, E, C, F>::give(*this->state_, std::move(f)))
      detail::raise(std::bad_alloc());
    return std::move(*this);
  }

  /// A reader beside the owner.
  [[nodiscard]] watcher<P> watch() const& noexcept {
    if (this->state_ == nullptr) return {};
    mark_watched();
    return watcher<P>(base::of(*this->state_));
  }
  /// A reader instead of the owner: nobody owns it any more, nobody takes the value.
  [[nodiscard]] watcher<P> share() && noexcept {
    if (this->state_ == nullptr) return {};
    mark_watched();
    return watcher<P>(std::move(*this).detach());
  }

  /// Observes: `f(outcome const&)`, `f(ending)` or `f()`, once settled, in registration order; at once when it is already.
  /// On the operation's executor. Allocates one block; throws std::bad_alloc. Cost: one atomic read-modify-write, one more
  /// when the registration goes.
  template <class F>
  [[gnu::always_inline]] basic_registration<C> on_done(F f) const& {
    start();
    return this->template add_hook<detail::call_with_outcome<T, E>>(detail::hook_kind::done, std::move(f));
  }

  /// Takes: `f(outcome&&)` once settled, after the observers; detaches. Allocates one block; throws std::bad_alloc, the
  /// handle untouched. Cost: one atomic read-modify-write, and none for what follows as long as nobody else refers to the
  /// operation.
  template <class F>
  [[gnu::always_inline]] void on_done(F f) && {
    static_assert(detail::takes_outcome<F, outcome<T, E>&&>,
                  "settle: on_done of a handle that is given up, `std::move(h).on_done(f)`, takes `f(settle::outcome<T, E>&&)`, "
                  "`f(settle::ending)` or `f()` (see docs/guide/registering.md)");
    if (this->state_ == nullptr) return;
    detail::hook<C>* h = detail::make_hook<call_consumer>(*this->state_, detail::hook_kind::consumer, std::move(f), false);
    if (h == nullptr) detail::raise(std::bad_alloc());
    base op(static_cast<base&&>(*this));
    if (detail::registry<C>::add_consumer(*op.state_, *h)) op.state_ = nullptr;
  }

  /// Observes where another operation lives: `bound_to(op)`. Throws std::bad_alloc.
  template <class F>
  basic_registration<C> on_done(bound_to<C> const& where, F f) const& {
    start();
    return where.template observe<T, E>(*this, std::move(f));
  }
  /// Takes where another operation lives, and detaches. Throws std::bad_alloc, the handle untouched.
  template <class F>
  void on_done(bound_to<C> const& where, F f) && {
    if (this->state_ == nullptr) return;
    if (where.is_gone()) {
      std::move(*this).detach();
      return;
    }
    base op(static_cast<base&&>(*this));  // f may destroy this handle
    detail::with_undo([&] { where.template take<T, E>(op, std::move(f)); }, [&] { static_cast<base&>(*this) = std::move(op); });
    detail::engine<C>::warm(*op.state_, nullptr);
  }

  /// The value, in a coroutine: joins, resuming when released. A failure throws (or by policy fails the awaiting
  /// coroutine), a cancellation ends it as cancelled: destructors run, catch blocks do not.
  detail::join_awaiter<P, detail::taking::value> operator co_await() && noexcept {
    return detail::join_awaiter<P, detail::taking::value>(std::move(*this));
  }
  /// `co_await std::move(h).as_outcome()`: joins, sees all three, never throws.
  detail::join_awaiter<P, detail::taking::outcome> as_outcome() && noexcept {
    return detail::join_awaiter<P, detail::taking::outcome>(std::move(*this));
  }

  /// `co_await std::move(h).at_settled()`: takes the outcome at settled, without joining. What the operation lent may
  /// still be in use; the rest of it stays a child of the awaiting coroutine.
  detail::watch_awaiter<P, detail::looking::taken> at_settled() && noexcept {
    start();
    base op(static_cast<base&&>(*this));
    return detail::watch_awaiter<P, detail::looking::taken>(std::move(op));
  }
  /// `co_await h.settled()`: the outcome at settled, to look at; the handle keeps it.
  detail::watch_awaiter<P, detail::looking::outcome> settled() const& noexcept {
    start();
    return detail::watch_awaiter<P, detail::looking::outcome>(static_cast<base const&>(*this));
  }
  /// `co_await h.pinned()`: the same, the cleanups held back until the pin goes.
  detail::watch_awaiter<P, detail::looking::pinned> pinned() const& noexcept {
    start();
    return detail::watch_awaiter<P, detail::looking::pinned>(static_cast<base const&>(*this));
  }

  /// Blocks until released, then takes the outcome. Outside an executor only: inside a callback it is misuse, and trapped.
  /// An empty handle reads as failed with errc::no_memory. Throws std::bad_alloc, and what moving the value throws.
  outcome<T, E> wait() && {
    start();
    this->wait_released();
    return take();
  }
  /// The same for a while: nothing when it was not released in time; the handle then still owns the operation.
  template <class Clock, class Duration>
  std::optional<outcome<T, E>> wait_until(std::chrono::time_point<Clock, Duration> const& t) && {
    start();
    if (this->state_ != nullptr && !detail::released_wait<C>(*this->state_).wait_until(t)) return std::nullopt;
    return take();
  }
  /// `d` from now, by the steady clock.
  std::optional<outcome<T, E>> wait_for(time_span d) && {
    return std::move(*this).wait_until(detail::later(std::chrono::steady_clock::now(), d));
  }

  /// For callers of another library's asynchronous model: `token` gets the outcome, `void(outcome<T, E>)`, once released. Needs
  /// the adapter's header: settle/asio/async_wait.hpp says the rest.
  template <class Token>
  auto async_wait(Token&& token) && {
    require_door<Token>();
    return detail::token_door<P, Token>::wait(std::move(*this), token);
  }
  /// The same as an error and a value, `void(error, T)`; a cancellation is an error, and an error comes with `T()`.
  template <class Token>
    requires std::default_initializable<detail::lift<T>>
  auto async_get(Token&& token) && {
    require_door<Token>();
    return detail::token_door<P, Token>::get(std::move(*this), token);
  }

 private:
  template <class>
  friend class resolver;
  template <class>
  friend class watcher;
  friend struct detail::state_access;

  template <class Token>
  static void require_door() noexcept {
    static_assert(
        requires { sizeof(detail::token_door<P, Token>); },
        "settle: async_wait and async_get come with an adapter: #include <settle/asio/async_wait.hpp> (see docs/guide/asio.md)");
  }

  /// A cold coroutine has its owner now.
  void start() const noexcept {
    if (this->state_ != nullptr && this->state_->is(detail::word::cold)) detail::engine<C>::warm(*this->state_, nullptr);
  }

  explicit handle(base op) noexcept : base(std::move(op)) {}

  /// Runs the consumer; afterwards nobody can take the value any more.
  struct call_consumer {
    template <class F>
    static void call(F& f, detail::state_base<C>& s) {
      detail::guarded([&] { detail::call_with_value<T, E>::call(f, s); }, detail::report_thrown<C>{s, monitor_event::callback_threw});
      if (!s.is(detail::word::watched))  // what is watched was copied, or is gone already
        detail::outcome_access::clear(static_cast<detail::typed_state<T, E, C>&>(s).result);
      detail::lost_taker<C>::forget(s);
    }
  };

  /// Takes the outcome of a released operation, and lets go of it.
  outcome<T, E> take() {
    if (this->state_ == nullptr) return outcome<T, E>(P::make_error(errc::no_memory));
    base op(static_cast<base&&>(*this));
    op.state_->seen.store(true, std::memory_order_relaxed);
    return detail::outcome_for_taker(static_cast<detail::typed_state<T, E, C>&>(*op.state_));
  }

  void mark_watched() const noexcept {
    std::uint32_t const w = this->state_->lock();
    this->state_->unlock(w | detail::word::watched);
  }

  /// Gives ownership up.
  [[gnu::noinline]] void disown(bool ask) noexcept {
    detail::state_base<C>& s = *this->state_;
    if (ask) detail::engine<C>::request(s, cancellation(cause::dropped, s.created));
    detail::ownership<C>::disown(s);
  }
};

template <class P>
watcher<P>::watcher(handle<P>&& h) noexcept : watcher(std::move(h).share()) {}

}  // namespace settle::inline v0

#endif
