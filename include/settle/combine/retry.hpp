// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_RETRY_HPP
#define SETTLE_COMBINE_RETRY_HPP

#include <chrono>
#include <source_location>
#include <type_traits>
#include <utility>

#include "backoff.hpp"
#include "detail/retrying.hpp"

namespace settle::inline v0 {

/// Calls `f(attempt)` (0, 1, ...) until an attempt yields a value, with pauses as `b` says. What f returns is the attempt: a
/// value, or what a handle or watcher yields; a throw is a failure. Attempts are children of the result, one at a time: the
/// next begins after the one before is released, and they share its deadline.
///
/// The last error is the result's: after `b.attempts`, or when `b.retry_if` says no. A cancelled attempt ends it as cancelled;
/// after a request there is no further attempt, and a pause is cut short.
///
/// f is called here for the first attempt, later where the first attempt's user code runs; the pauses are timed there:
/// errc::no_timers when that has no timers and a pause is due. Throws std::bad_alloc. Cost: one block, one for the timer.
///
/// ```cpp
/// auto h = settle::retry(settle::backoff::exponential(100ms, 5s, 6), [=](unsigned) { return dial(host); });
/// ```
template <class F>
auto retry(backoff b, F f, std::source_location at = std::source_location::current()) {
  using R = std::invoke_result_t<F&, unsigned>;
  using M = detail::made<R>;
  using C = typename M::C;
  using P = detail::result_policy<typename M::T, typename M::E, C>;
  auto first = detail::make_operation(f, 0U);
  auto home = detail::home_at<C>(first);
  bool const cold = detail::is_cold<C>(first);
  return detail::result_cell<P, detail::retrying<P, F>>::begin(std::move(home), cold, at, std::move(first), std::move(f), b);
}

}  // namespace settle::inline v0

#endif
