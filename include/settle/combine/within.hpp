// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_WITHIN_HPP
#define SETTLE_COMBINE_WITHIN_HPP

#include <chrono>
#include <concepts>
#include <source_location>
#include <utility>

#include "../policy/timer_service.hpp"
#include "../time_span.hpp"
#include "detail/limit.hpp"
#include "detail/pipe.hpp"

namespace settle::inline v0 {

namespace detail {

template <class When>
concept point_or_span = std::convertible_to<When, time_span> || std::same_as<When, std::chrono::steady_clock::time_point>;

template <class Alarm, class H, class When, class... S>
auto make_limit(std::source_location at, H&& h, When when, S&... timers) {
  static_assert(check_input<H>());
  using from = input_of<H>;
  using In = std::remove_cvref_t<H>;
  using C = typename from::C;
  using P = result_policy<typename from::T, typename from::E, C>;
  using exact = std::conditional_t<std::same_as<When, std::chrono::steady_clock::time_point>, When, time_span>;
  In in = never_empty(std::forward<H>(h));
  home_of<C> home = home_at<C>(static_cast<basic_operation<C> const&>(in));
  bool const cold = is_cold<C>(static_cast<basic_operation<C> const&>(in));
  return result_cell<P, limit<P, In, Alarm>>::begin(std::move(home), cold, at, std::move(in), exact(when), timers...);
}

}  // namespace detail

/// The input's outcome, if it settles in time; else the error errc::timed_out, at once, and the input is asked to cancel
/// (cause deadline) when it was adopted. `outcome::timed_out()` tells this and an input that was itself cut off alike.
///
/// The time is a duration from now, or a time_point, by the clock of the timers. They are those of the executor where the
/// input's user code runs; or name a service, which must outlive the result and allow stop() there. The time is also the
/// result's deadline (operation::deadline), which all below it inherit. When the input comes first, the timer is stopped
/// then and there. A time that is over already: timed out at once, unless the input has settled.
///
/// A handle is adopted: released before the result, and not before the result's observers have run. A watcher is watched,
/// and never cancelled. Cold when the input is: the time runs from when it starts.
///
/// Errors: the input's; errc::timed_out; errc::no_timers when the executor has none, errc::no_memory when the timer could
/// not be started (the input is then asked to cancel, cause dropped). Throws std::bad_alloc. Cost: one block, one for the
/// timer, one for the deadline.
///
/// ```cpp
/// auto page = settle::within(fetch(url), 2s);
/// ```
template <class H, detail::point_or_span When>
  requires(detail::input_of<H>::is_input)
auto within(H&& h, When when, std::source_location at = std::source_location::current()) {
  return detail::make_limit<detail::alarm<typename detail::input_of<H>::C>>(at, std::forward<H>(h), when);
}
template <class H, detail::point_or_span When, timer_service S>
  requires(detail::input_of<H>::is_input)
auto within(H&& h, When when, S& timers, std::source_location at = std::source_location::current()) {
  return detail::make_limit<detail::alarm_of<typename detail::input_of<H>::C, S>>(at, std::forward<H>(h), when, timers);
}

/// The same as pipes: `std::move(h) | settle::within(2s)`.
template <detail::point_or_span When>
auto within(When when, std::source_location at = std::source_location::current()) {
  return detail::pipe([when, at]<class H>(H&& h) { return settle::within(std::forward<H>(h), when, at); });
}
template <detail::point_or_span When, timer_service S>
auto within(When when, S& timers, std::source_location at = std::source_location::current()) {
  return detail::pipe([when, &timers, at]<class H>(H&& h) { return settle::within(std::forward<H>(h), when, timers, at); });
}

}  // namespace settle::inline v0

#endif
