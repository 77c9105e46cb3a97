// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TIME_SCHEDULE_HPP
#define SETTLE_TIME_SCHEDULE_HPP

#include <chrono>
#include <source_location>
#include <utility>

#include "../combine/then.hpp"
#include "../policy/executor.hpp"
#include "../time_span.hpp"
#include "sleep.hpp"

namespace settle::inline v0 {

/// Calls `f()` on `ex` at `when`, once, and yields what it returns: a value, nothing, or what a handle or watcher yields.
/// `sleep` and `then` in one word: what they say about ownership, errors, cancellation and threads holds. Cancelled or dropped
/// before, f is never called; it is destroyed on `ex` either way. Throws std::bad_alloc. Cost: as theirs, four blocks.
///
/// ```cpp
/// settle::handle_of<void> h = settle::schedule(io.get_executor(), 10s, [] { retry(); });
/// ```
template <executor Ex, class F>
auto schedule(Ex const& ex, std::chrono::steady_clock::time_point when, F f, std::source_location at = std::source_location::current()) {
  return then(sleep(ex, when, at), std::move(f), at);
}

/// The same, `d` from now by the clock of the timers.
template <executor Ex, class F>
auto schedule(Ex const& ex, time_span d, F f, std::source_location at = std::source_location::current()) {
  return then(sleep(ex, d, at), std::move(f), at);
}

}  // namespace settle::inline v0

#endif
