// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_ALL_SETTLED_HPP
#define SETTLE_COMBINE_ALL_SETTLED_HPP

#include <ranges>
#include <source_location>
#include <utility>

#include "detail/shapes.hpp"

namespace settle::inline v0 {

/// All outcomes, in order: a std::tuple of settle::outcome. Never fails, and cancels nobody. No inputs: an empty list.
///
/// Handles are adopted: asked to cancel with the result (and, cause sibling, when it is decided without them), released
/// before it. Watchers are watched, and let go when the result settles. What counts is the structural step in which an
/// input settles; among those that have settled before, the order of the arguments. User code runs where the first input's
/// does; the combinator is cold when that is.
///
/// A result that is asked to cancel records what it watched as cancelled. Throws std::bad_alloc. Cost: one block; no
/// allocation once wired.
///
/// ```cpp
/// auto report = settle::all_settled(close(a), close(b));
/// ```
template <class... H>
  requires(sizeof...(H) != 0 && (detail::input_of<H>::is_input && ...))
auto all_settled(H&&... inputs) {
  static_assert((detail::check_input<H>() && ...));
  return detail::combine_pack<detail::rule::all_settled>(std::source_location::current(), std::forward<H>(inputs)...);
}

/// The same of a range of handles (moved in) or watchers. A std::vector of the outcomes.
template <std::ranges::input_range R>
auto all_settled(R&& inputs, std::source_location at = std::source_location::current()) {
  return detail::combine_range<detail::rule::all_settled>(at, std::forward<R>(inputs));
}

}  // namespace settle::inline v0

#endif
