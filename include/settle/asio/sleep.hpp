// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_SLEEP_HPP
#define SETTLE_ASIO_SLEEP_HPP

#include <asio/any_io_executor.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/error.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "../resolver.hpp"
#include "executor.hpp"

namespace settle::inline v0 {

namespace detail {

/// A steady timer over any executor type.
template <class Ex>
using asio_timer = ::asio::basic_waitable_timer<std::chrono::steady_clock, ::asio::wait_traits<std::chrono::steady_clock>, Ex>;

/// Completes when the timer fires; asked to cancel, the resolver goes when the timer has let go of it.
template <class Ex>
struct asio_sleep_done {
  resolver<plain<void, error, Ex>> done;

  void operator()(std::error_code ec) {
    if (!ec) done.complete();
    else if (ec != ::asio::error::operation_aborted) done.fail(ec);
    else done.cancel();
  }
};

}  // namespace detail

/// Settles after `d`. The timer is owned by the operation and closed by its cleanup; cancelling (or dropping the handle)
/// stops the timer on its executor, and the operation is released when the timer has let go.
///
/// Ownership: nothing of the caller's is kept but a copy of `ex`. Fails with what the timer reports. Two allocations of
/// settle's. Cancel from any thread; the timer is touched on `ex` only, which must not run its work on several threads
/// at once (a strand, or a context run by one thread).
///
/// ```cpp
/// settle::sleep(io.get_executor(), 100ms).on_done([](auto&& out) { ... });
/// ```
template <class Ex>
  requires detail::asio_executor<Ex>
handle_of<void> sleep(Ex const& ex, std::chrono::nanoseconds d, std::source_location at = std::source_location::current()) {
  using timer = detail::asio_timer<Ex>;
  resolver<plain<void, error, Ex>> r(ex, at);
  timer& t = *r.own(std::make_unique<timer>(ex, std::chrono::duration_cast<std::chrono::steady_clock::duration>(d)));
  r.on_cancel([&t] { t.cancel(); });
  handle_of<void> h = r.get_handle();
  t.async_wait(detail::asio_sleep_done<Ex>{std::move(r)});
  return h;
}

}  // namespace settle::inline v0

#endif
