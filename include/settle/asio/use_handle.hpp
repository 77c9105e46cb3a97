// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_USE_HANDLE_HPP
#define SETTLE_ASIO_USE_HANDLE_HPP

#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <source_location>
#include <utility>

#include "../error.hpp"
#include "../operation.hpp"
#include "detail/handle_result.hpp"
#include "detail/handle_token.hpp"

namespace settle::inline v0 {

/// use_handle below an operation: what `use_handle(op)` makes.
template <class E = error>
class use_handle_under {
 public:
  /// A token for one operation below `parent`.
  use_handle_under(operation parent, ::asio::cancellation_type type, std::source_location where) noexcept
      : parent_(std::move(parent)), type_(type), where_(where) {}
  /// The same, stopped by `type`.
  [[nodiscard]] use_handle_under operator()(::asio::cancellation_type type,
                                            std::source_location at = std::source_location::current()) const noexcept {
    return use_handle_under(parent_, type, at);
  }

 private:
  friend struct detail::handle_token<use_handle_under>;

  operation parent_;
  ::asio::cancellation_type type_;
  std::source_location where_;
};

/// A completion token: any asynchronous operation of Asio's kind returns a handle.
///
/// | the operation completes with | it returns |
/// |---|---|
/// | nothing, or an error alone | `handle_of<void, E>` |
/// | one value (and an error before it) | `handle_of<T, E>` |
/// | several values (and an error before them) | `handle_of<std::tuple<T...>, E>` |
///
/// An error is a `std::error_code` or a `std::exception_ptr`; it fails the operation, unless it says that the operation was
/// stopped after somebody asked for that: then it is cancelled with the cause that was asked for. What initiating it throws
/// fails it as well; without memory to begin with it fails with errc::no_memory and nothing is started.
///
/// **While it is in flight** the completion handler is the producer, so a buffer that the operation owns, or that a coroutine
/// holds which joins it, stays. A handler that is destroyed without having run (its context went down) settles it as
/// abandoned, or as cancelled when somebody had asked.
///
/// **Where.** Its user code runs on the executor that was bound to the token (`asio::bind_executor(ex, use_handle)`), else on
/// that of the I/O object; `asio::bind_allocator` is passed on. An initiation that names no executor: bind one, or user code
/// runs wherever the handler is called.
///
/// **Cancelling** it, asking, forcing, or dropping the handle, emits a cancellation signal: once, on that executor, never before
/// the initiating function has returned, never after the handler has run. Several threads that run one executor need a strand,
/// as for all of Asio's cancellation. The type is terminal, or what the token says: `use_handle(asio::cancellation_type::total)`.
/// A slot bound to the token (`asio::bind_cancellation_slot(slot, use_handle)`) asks the operation to cancel (cause requested),
/// by the type that was emitted; bind `use_handle` itself, the other binders may stand between.
///
/// `use_handle(op)`: a child of `op` from the start.
///
/// Cost: the state, the signal and its observer, three blocks of settle's recycling allocator; and what Asio takes.
///
/// ```cpp
/// settle::handle_of<void> ring(auto& alarm) {  // an asio::steady_timer
///   co_await settle::within(alarm.async_wait(settle::use_handle), 8h);
/// }
/// ```
template <class E = error>
class use_handle_t {
 public:
  /// Stopped by terminal cancellation.
  constexpr use_handle_t() noexcept = default;

  /// The same, stopped by `type`. The operation's creation site is the caller's.
  [[nodiscard]] constexpr use_handle_t operator()(::asio::cancellation_type type,
                                                  std::source_location at = std::source_location::current()) const noexcept {
    use_handle_t t;
    t.type_ = type;
    t.where_ = at;
    return t;
  }
  /// A child of `parent` from the start. The operation's creation site is the caller's.
  [[nodiscard]] use_handle_under<E> operator()(operation parent, std::source_location at = std::source_location::current()) const noexcept {
    return use_handle_under<E>(std::move(parent), type_, at);
  }

 private:
  friend struct detail::handle_token<use_handle_t>;

  ::asio::cancellation_type type_ = ::asio::cancellation_type::terminal;
  std::source_location where_ = std::source_location::current();
};

/// The token that fails with settle::error; `use_handle_t<std::error_code>()` fails with a code.
inline constexpr use_handle_t<> use_handle{};

namespace detail {

template <class E>
struct handle_token<use_handle_t<E>> {
  static handle_request<E> read(use_handle_t<E> const& t) noexcept { return {{}, t.type_, t.where_, {}, {}, {}}; }
};
template <class E>
struct handle_token<use_handle_under<E>> {
  static handle_request<E> read(use_handle_under<E> const& t) noexcept { return {t.parent_, t.type_, t.where_, {}, {}, {}}; }
};

}  // namespace detail
}  // namespace settle::inline v0

// The binders' results know nothing of a handle's executor and its slot: these do.
namespace asio {

template <class E, class... Signatures>
class async_result<settle::use_handle_t<E>, Signatures...> : public settle::detail::handle_result<settle::use_handle_t<E>, Signatures...> {
};

template <class E, class... Signatures>
class async_result<settle::use_handle_under<E>, Signatures...>
    : public settle::detail::handle_result<settle::use_handle_under<E>, Signatures...> {};

template <settle::detail::asks_for_handle T, class Executor, class Signature>
class async_result<executor_binder<T, Executor>, Signature>
    : public settle::detail::handle_result<executor_binder<T, Executor>, Signature> {};

template <settle::detail::asks_for_handle T, class Allocator, class Signature>
class async_result<allocator_binder<T, Allocator>, Signature>
    : public settle::detail::handle_result<allocator_binder<T, Allocator>, Signature> {};

template <settle::detail::asks_for_handle T, class Slot, class Signature>
class async_result<cancellation_slot_binder<T, Slot>, Signature>
    : public settle::detail::handle_result<cancellation_slot_binder<T, Slot>, Signature> {};

}  // namespace asio

#endif
