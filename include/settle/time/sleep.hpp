// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TIME_SLEEP_HPP
#define SETTLE_TIME_SLEEP_HPP

#include <chrono>
#include <source_location>

#include "../detail/timers.hpp"
#include "../handle.hpp"
#include "../operation.hpp"
#include "../policy/executor.hpp"
#include "../time_span.hpp"
#include "detail/nap.hpp"

namespace settle::inline v0 {

/// Settles at `when`; time_point::max() is never. The timer is owned by the operation and closed by its cleanup; cancelling
/// (or dropping the handle) stops it on its executor, and the operation is released when the timer has let go.
///
/// Ownership: a copy of `ex` is kept. Errors: errc::no_timers when the executor has none, errc::no_memory when the timer
/// could not be started; abandoned when the executor goes down before. Throws std::bad_alloc when there is no memory for
/// the operation itself. Threads: call it, and cancel, from any thread. Cost: three allocations of settle's (state, timer,
/// cancel observer), and what the timer service needs to start.
///
/// ```cpp
/// settle::sleep(io.get_executor(), 100ms).on_done([] { retry(); });
/// ```
template <executor Ex>
handle_of<void> sleep(Ex const& ex, std::chrono::steady_clock::time_point when, std::source_location at = std::source_location::current()) {
  return detail::nap<Ex, void>::until(ex, when, {}, at);
}

/// The same, `d` from now by the clock of the timers; at once when `d` is not positive.
template <executor Ex>
handle_of<void> sleep(Ex const& ex, time_span d, std::source_location at = std::source_location::current()) {
  return sleep(ex, detail::later(timers_of(ex).now(), d), at);
}

/// The same under an operation: a child of `parent` from the start, and no longer than its deadline (operation::deadline, as it is
/// now). When that comes first, errc::timed_out then; when it is past already, at once. Cost: one block more, for the link.
///
/// ```cpp
/// settle::handle_of<void> nap = settle::sleep(op, io.get_executor(), 1s);
/// ```
template <executor Ex>
handle_of<void> sleep(operation const& parent, Ex const& ex, std::chrono::steady_clock::time_point when,
                      std::source_location at = std::source_location::current()) {
  return detail::nap<Ex, void>::under(parent, ex, when, {}, at);
}
template <executor Ex>
handle_of<void> sleep(operation const& parent, Ex const& ex, time_span d, std::source_location at = std::source_location::current()) {
  return sleep(parent, ex, detail::later(timers_of(ex).now(), d), at);
}

}  // namespace settle::inline v0

#endif
