// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_MAP_CONCURRENT_HPP
#define SETTLE_COMBINE_MAP_CONCURRENT_HPP

#include <cstddef>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "detail/begun.hpp"
#include "detail/traversal.hpp"

namespace settle::inline v0 {

/// Calls `f(item)` for each item, with at most `limit` operations unreleased at a time, and yields the values in the order of
/// the items: a std::vector (void: std::monostate). What f returns counts as its value, or what a handle or watcher yields.
///
/// The first failure or cancellation is the result's, at once: those under way are asked to cancel, further items are not
/// begun; so too when the result is asked to cancel. f runs here for the first item, later where the first one's user code
/// runs, one call at a time. Operations are children of the result: released before it. No items: an empty list.
///
/// Ownership: the items of a container are moved in, those that a view sees are copied. Errors: the operations', and what f throws.
/// Throws std::bad_alloc, and what taking the items throws. Cost: one block for all that is the group's own (result, f, items, places);
/// beside it the list of the values, and what f makes. A std::vector that is given away goes on holding its items; those of a range
/// that cannot be counted are gathered in one.
///
/// ```cpp
/// auto pages = settle::map_concurrent(mirrors, 8, [](address a) { return fetch(a); });
/// ```
template <std::ranges::input_range R, class F>
auto map_concurrent(R items, std::size_t limit, F f, std::source_location at = std::source_location::current()) {
  using H = detail::made_handle<std::invoke_result_t<F&, std::ranges::range_value_t<R>>>;
  using P = detail::result_policy<std::vector<detail::lift<typename H::T>>, typename H::E, typename H::policy_type::terminal>;
  return detail::begin_items<detail::traversal<P, detail::kept_items<R>, F>>(items, f, at, limit);
}

}  // namespace settle::inline v0

#endif
