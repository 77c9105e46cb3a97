// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_BEGUN_HPP
#define SETTLE_COMBINE_DETAIL_BEGUN_HPP

#include <concepts>
#include <cstddef>
#include <optional>
#include <ranges>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../hooks/home_of.hpp"
#include "made.hpp"
#include "result.hpp"
#include "row.hpp"
#include "rows_behind.hpp"

namespace settle::inline v0::detail {

/// Whether a range that was given away has its items itself: a container, or a view that owns one. Those of others stay theirs.
template <class R>
consteval bool owns_items() {
  if constexpr (!std::ranges::view<R>) return true;
  else if constexpr (requires(R&& r) { std::move(r).base(); }) return std::is_rvalue_reference_v<decltype(std::declval<R>().base())>;
  else return false;
}

/// Ranges whose items can be counted before any is taken.
template <class R>
concept countable = std::ranges::sized_range<R> || std::ranges::forward_range<R>;

template <countable R>
std::size_t count_of(R& range) {
  if constexpr (std::ranges::sized_range<R>) return static_cast<std::size_t>(std::ranges::size(range));
  else return static_cast<std::size_t>(std::ranges::distance(range));
}

/// A vector that was given away stays as it is, and its items where they are.
template <class R>
concept stays_whole = std::same_as<R, std::vector<std::ranges::range_value_t<R>>> &&
                      std::same_as<std::ranges::range_reference_t<R>, std::ranges::range_value_t<R>&>;

/// Ranges whose items nobody else can get at: the first may be begun before the others are taken, and taking those cannot fail.
template <class R>
concept given_away = stays_whole<R> || (owns_items<R>() && std::ranges::forward_range<R> &&
                                        std::same_as<std::ranges::range_reference_t<R>, std::ranges::range_value_t<R>&> &&
                                        std::is_nothrow_move_constructible_v<std::ranges::range_value_t<R>>);

/// Where a group keeps the items of a range: in a row of its own block, if it can be told how many places that takes.
template <class R, class Item = std::ranges::range_value_t<R>>
using kept_items = std::conditional_t<stays_whole<std::conditional_t<countable<R>, R, std::vector<Item>>>, std::vector<Item>, row<Item>>;

/// Moved or copied.
template <std::ranges::input_range R, class Add>
void take_items(R& range, Add add) {
  for (auto&& item : range) {
    if constexpr (owns_items<R>()) add(std::move(item));
    else add(std::forward<decltype(item)>(item));
  }
}
/// As many as there are places for.
template <std::ranges::input_range R, class Item>
auto keep_items(R& range, row<Item>& places) {
  if constexpr (stays_whole<R>) {
    return std::move(range);
  } else {
    take_items(range, [&]<class V>(V&& item) {
      if (!places.full()) places.add(std::forward<V>(item));
    });
    return std::move(places);
  }
}

/// The operation of the first item, which is begun here and now.
template <class H>
struct begun {
  using C = typename H::policy_type::terminal;

  std::optional<H> first;
  home_of<C> home;
  bool cold = false;

  template <class F, class Item>
  void begin(F& f, Item& item) {
    first.emplace(make_operation(f, std::move(item)));
    home = home_at<C>(*first);
    cold = is_cold<C>(*first);
  }
};

/// Takes the items of a range, begins the first, and makes a result of them: in one block. That is as large as `Body::room`
/// says when the first operation is known; or before, if the items must be taken before a function of the user's runs.
template <class Body, std::ranges::input_range R, class F, class... A>
auto begin_items(R& range, F& f, std::source_location at, A... how) {
  if constexpr (!countable<R>) {
    std::vector<std::ranges::range_value_t<R>> items;
    take_items(range, [&]<class V>(V&& item) { items.push_back(std::forward<V>(item)); });
    return begin_items<Body>(items, f, at, how...);
  } else {
    using cell = typename Body::cell_type;
    std::size_t const n = count_of(range);
    begun<typename Body::H> b;
    if constexpr (given_away<R>)
      if (n != 0) b.begin(f, *std::ranges::begin(range));
    site<cell, typename Body::rows_type> s(Body::room(n, b.first, how...));
    auto items = keep_items(range, s.rows.template get<0>());
    if constexpr (!given_away<R>)
      if (!items.empty()) b.begin(f, items[0]);
    return cell::begin_in(s.block, std::move(b.home), b.cold, at, std::move(s.rows), std::move(items), std::move(b.first), std::move(f),
                          how...);
  }
}

}  // namespace settle::inline v0::detail

#endif
