// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_BEGUN_HPP
#define SETTLE_COMBINE_DETAIL_BEGUN_HPP

#include <concepts>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../hooks/home_of.hpp"
#include "made.hpp"
#include "result.hpp"

namespace settle::inline v0::detail {

/// Whether a range that was given away has its items itself: a container, or a view that owns one. Those of others stay theirs.
template <class R>
consteval bool owns_items() {
  if constexpr (!std::ranges::view<R>) return true;
  else if constexpr (requires(R&& r) { std::move(r).base(); }) return std::is_rvalue_reference_v<decltype(std::declval<R>().base())>;
  else return false;
}

/// The items of a range, moved or copied.
template <std::ranges::input_range R>
std::vector<std::ranges::range_value_t<R>> items_of(R& range) {
  std::vector<std::ranges::range_value_t<R>> items;
  if constexpr (std::same_as<R, decltype(items)>) {
    items = std::move(range);
  } else {
    if constexpr (std::ranges::sized_range<R>) items.reserve(std::ranges::size(range));
    for (auto&& item : range) {
      if constexpr (owns_items<R>()) items.push_back(std::move(item));
      else items.push_back(std::forward<decltype(item)>(item));
    }
  }
  return items;
}

/// What a function is to be called with, and the operation of the first item, which is begun here and now.
template <class H, class Item>
struct begun {
  using C = typename H::policy_type::terminal;

  std::vector<Item> items;
  std::optional<H> first;
  home_of<C> home;
  bool cold = false;

  template <class R, class F>
  begun(R& range, F& f) : items(items_of(range)) {
    if (items.empty()) return;
    first.emplace(make_operation(f, std::move(items.front())));
    home = home_at<C>(*first);
    cold = is_cold<C>(*first);
  }
};

}  // namespace settle::inline v0::detail

#endif
