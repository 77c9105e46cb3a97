// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_HEDGE_HPP
#define SETTLE_COMBINE_HEDGE_HPP

#include <chrono>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "detail/hedging.hpp"

namespace settle::inline v0 {

/// Calls `f(item)` for one item after the other: the next after `delay`, or at once when one has failed. The first value is
/// the result's, and the others are asked to cancel; when none comes, the last failure (a cancelled one counts). What f
/// returns counts as its value, or what a handle or watcher yields. No items: errc::no_inputs.
///
/// f runs here for the first item, later where the first one's user code runs, one call at a time; the delay is timed
/// there. Without timers only failures start the next. When the result is asked to cancel, no further item is begun.
///
/// Ownership: the items are moved (or copied) in. Operations are children of the result: released before it. Throws
/// std::bad_alloc. Cost: three blocks, one for the timer, and what f makes.
///
/// ```cpp
/// auto first = settle::hedge(250ms, mirrors, [](address a) { return fetch(a); });
/// ```
template <std::ranges::input_range R, class F>
auto hedge(std::chrono::nanoseconds delay, R items, F f, std::source_location at = std::source_location::current()) {
  using Item = std::ranges::range_value_t<R>;
  using H = detail::made_handle<std::invoke_result_t<F&, Item>>;
  using C = typename H::policy_type::terminal;
  using P = detail::result_policy<typename H::T, typename H::E, C>;
  std::vector<Item> list;
  for (auto&& item : items) list.push_back(std::move(item));
  std::optional<H> first;
  detail::home_of<C> home;
  bool cold = false;
  if (!list.empty()) {
    first.emplace(detail::make_operation(f, std::move(list.front())));
    home = detail::home_at<C>(*first);
    cold = detail::is_cold<C>(*first);
  }
  return detail::result_cell<P, detail::hedging<P, Item, F>>::begin(std::move(home), cold, at, std::move(first), std::move(list), delay,
                                                                    std::move(f));
}

}  // namespace settle::inline v0

#endif
