// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_HEDGE_HPP
#define SETTLE_COMBINE_HEDGE_HPP

#include <chrono>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>

#include "detail/begun.hpp"
#include "detail/hedging.hpp"

namespace settle::inline v0 {

/// Calls `f(item)` for one item after the other: the next after `delay`, or at once when one has failed. The first value is
/// the result's, and the others are asked to cancel; when none comes, the last failure (a cancelled one counts). What f
/// returns counts as its value, or what a handle or watcher yields. No items: errc::no_inputs.
///
/// f runs here for the first item, later where the first one's user code runs, one call at a time; the delay is timed
/// there. Without timers only failures start the next. When the result is asked to cancel, no further item is begun.
///
/// Ownership: the items of a container are moved in, those that a view sees are copied. Operations are children of the result: released
/// before it. Throws std::bad_alloc. Cost: at most three blocks, one for the timer, and what f makes.
///
/// ```cpp
/// auto first = settle::hedge(250ms, mirrors, [](address a) { return fetch(a); });
/// ```
template <std::ranges::input_range R, class F>
auto hedge(std::chrono::nanoseconds delay, R items, F f, std::source_location at = std::source_location::current()) {
  using Item = std::ranges::range_value_t<R>;
  using H = detail::made_handle<std::invoke_result_t<F&, Item>>;
  using P = detail::result_policy<typename H::T, typename H::E, typename H::policy_type::terminal>;
  detail::begun<H, Item> b(items, f);
  return detail::result_cell<P, detail::hedging<P, Item, F>>::begin(std::move(b.home), b.cold, at, std::move(b.first), std::move(b.items),
                                                                    delay, std::move(f));
}

}  // namespace settle::inline v0

#endif
