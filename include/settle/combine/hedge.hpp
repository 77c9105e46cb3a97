// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_HEDGE_HPP
#define SETTLE_COMBINE_HEDGE_HPP

#include <chrono>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>

#include "../time_span.hpp"
#include "detail/begun.hpp"
#include "detail/hedging.hpp"

namespace settle::inline v0 {

/// Calls `f(item)` for one item after the other: the next after `delay`, or at once when one has failed. The first value is
/// the result's, and the others are asked to cancel; when none comes, the last failure (a cancelled one counts, with
/// errc::cancelled, by a deadline errc::timed_out). What f returns counts as its value, or what a handle or watcher yields. No
/// items: errc::no_inputs.
///
/// f runs here for the first item, later where the first one's user code runs, one call at a time; the delay is timed
/// there. Without timers only failures start the next. When the result is asked to cancel, no further item is begun.
///
/// Ownership: the items of a container are moved in, those that a view sees are copied. Operations are children of the result: released
/// before it. Throws std::bad_alloc, and what taking the items throws. Cost: one block for all that is the group's own (result, f, items,
/// places, timer), and what f makes; the items as in `map_concurrent`. How large a timer is, the first operation tells. One more block when
/// that is too late: when the items have to be taken before f runs (a view sees them, or moving them may throw), or when it is cold.
///
/// ```cpp
/// auto first = settle::hedge(250ms, mirrors, [](address a) { return fetch(a); });
/// ```
template <std::ranges::input_range R, class F>
auto hedge(time_span delay, R items, F f, std::source_location at = std::source_location::current()) {
  using H = detail::made_handle<std::invoke_result_t<F&, std::ranges::range_value_t<R>>>;
  using P = detail::result_policy<typename H::T, typename H::E, typename H::policy_type::terminal>;
  return detail::begin_items<detail::hedging<P, detail::kept_items<R>, F>>(items, f, at, std::chrono::nanoseconds(delay));
}

}  // namespace settle::inline v0

#endif
