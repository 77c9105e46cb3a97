// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_MAP_CONCURRENT_HPP
#define SETTLE_COMBINE_MAP_CONCURRENT_HPP

#include <cstddef>
#include <iterator>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "detail/traversal.hpp"

namespace settle::inline v0 {

/// Calls `f(item)` for each item, with at most `limit` operations unreleased at a time, and yields the values in the order of
/// the items: a std::vector (void: std::monostate). What f returns counts as its value, or what a handle or watcher yields.
///
/// The first failure or cancellation is the result's, at once: those under way are asked to cancel, further items are not
/// begun; so too when the result is asked to cancel. f runs here for the first item, later where the first one's user code
/// runs, one call at a time. Operations are children of the result: released before it. No items: an empty list.
///
/// Ownership: the items are moved (or copied) in. Errors: the operations', and what f throws. Throws std::bad_alloc. Cost:
/// five blocks, and what f makes.
///
/// ```cpp
/// auto pages = settle::map_concurrent(mirrors, 8, [](address a) { return fetch(a); });
/// ```
template <std::ranges::input_range R, class F>
auto map_concurrent(R items, std::size_t limit, F f, std::source_location at = std::source_location::current()) {
  using Item = std::ranges::range_value_t<R>;
  using H = detail::made_handle<std::invoke_result_t<F&, Item>>;
  using C = typename H::policy_type::terminal;
  using P = detail::result_policy<std::vector<detail::lift<typename H::T>>, typename H::E, C>;
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
  return detail::result_cell<P, detail::traversal<P, Item, F>>::begin(std::move(home), cold, at, std::move(first), std::move(list), limit,
                                                                      std::move(f));
}

}  // namespace settle::inline v0

#endif
