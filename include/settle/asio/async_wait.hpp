// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_ASYNC_WAIT_HPP
#define SETTLE_ASIO_ASYNC_WAIT_HPP

#include <asio/async_result.hpp>
#include <type_traits>
#include <utility>

#include "../handle.hpp"
#include "../policy/terminal.hpp"
#include "detail/context_wait.hpp"
#include "detail/delivery.hpp"
#include "detail/home_wait.hpp"

// Behind `std::move(h).async_wait(token)` and `std::move(h).async_get(token)`: a handle as an asynchronous operation of
// Asio's kind, by any completion token.
//
// | call | completion signature | needs |
// |---|---|---|
// | `async_wait` | `void(outcome<T, E>)` | any T |
// | `async_get` | `void(std::error_code, T)`, `void(std::error_code)` for void | T default constructible |
//
// Both join: the handler is called once the operation is released. They take the handle; who waits owns the operation.
//
// async_get: a cancellation is asio::error::operation_aborted, or settle::errc::timed_out when it was by a deadline (equal to
// std::errc::timed_out, as a timeout is in its other face); an exception that settle::error holds becomes its code. With an
// error type that has no code the signature says std::exception_ptr instead, which is the error, or a std::system_error.
//
// **Where.** On the handler's associated executor, posted: never inside the initiating function, never inside a callback of
// settle's. While somebody waits it counts as outstanding work there, so run() does not return. A context that goes down
// destroys the handler without running it, and drops the handle. A handler without an executor of its own (a plain lambda) is
// called where the operation's user code runs, at once if it is released already; what it throws goes to the error sink then,
// and it is nobody's outstanding work: bind an executor.
//
// **Cancelling.** A cancellation slot that goes with the handler asks the operation to cancel (cause requested), whatever the
// type: terminal, partial, total. The completion delivers what really happened. Emit where the handler runs, as Asio wants it.
//
// Throws std::bad_alloc; the handle is dropped then. Cost: a block from the handler's associated allocator, a hook, and the
// posted call; without an executor only the hook.
namespace settle::inline v0::detail {

/// The initiation.
template <class P, class As>
struct asio_begin_wait {
  template <class Handler>
  void operator()(Handler&& handler, handle<P> h) const {
    using stored = std::decay_t<Handler>;
    using wait = std::conditional_t<std::is_same_v<asio_executor_of<stored>, asio_unbound>, asio_home_wait<P, As, stored>,
                                    asio_context_wait<P, As, stored>>;
    stored mine(std::forward<Handler>(handler));
    wait::begin(std::move(mine), std::move(h));
  }
};

template <class P, class Token>
struct token_door {
  static_assert(std::is_same_v<typename P::terminal, cas_terminal>,
                "settle: async_wait and async_get wait from wherever the handler runs, so the operation must be one for many threads: "
                "cas_terminal (see docs/policies/terminal.md)");

  static auto wait(handle<P>&& h, Token& token) { return begin<asio_as_outcome<P>>(std::move(h), token); }
  static auto get(handle<P>&& h, Token& token) { return begin<asio_as_value<P>>(std::move(h), token); }

 private:
  template <class As>
  static auto begin(handle<P>&& h, Token& token) {
    return ::asio::async_initiate<Token, typename As::signature>(asio_begin_wait<P, As>(), token, std::move(h));
  }
};

}  // namespace settle::inline v0::detail

#endif
