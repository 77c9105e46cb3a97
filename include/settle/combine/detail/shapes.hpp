// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_SHAPES_HPP
#define SETTLE_COMBINE_DETAIL_SHAPES_HPP

#include <cstddef>
#include <cstdint>
#include <new>
#include <ranges>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "group.hpp"
#include "rows_behind.hpp"

namespace settle::inline v0::detail {

/// What a pack of inputs yields under each rule.
template <rule R, class... H>
struct pack_value {
  using type = std::tuple<lift<typename input_of<H>::T>...>;
};
template <class... H>
struct pack_value<rule::all_settled, H...> {
  using type = std::tuple<outcome<typename input_of<H>::T, typename input_of<H>::E>...>;
};
template <class... H>
struct pack_value<rule::race, H...> {
  using type = std::variant<lift<typename input_of<H>::T>...>;
};
template <class... H>
struct pack_value<rule::any, H...> {
  using type = std::common_type_t<typename input_of<H>::T...>;
};

/// The slots of a pack.
template <rule R, class Positions, class... H>
class pack_shape;
template <rule R, std::size_t... I, class... H>
class pack_shape<R, std::index_sequence<I...>, H...> {
 public:
  static constexpr rule how = R;
  static constexpr bool watches = (!input_of<H>::adopted || ...);
  using value_type = typename pack_value<R, H...>::type;

  template <class... A>
  explicit pack_shape(std::in_place_t, A&&... h) noexcept {
    (std::get<I>(slots_).take(std::forward<A>(h)), ...);
  }

  static constexpr std::uint32_t size() noexcept { return sizeof...(H); }
  /// How many go to their slots by way of user code.
  static constexpr std::uint32_t loud() noexcept {
    return (R == rule::all || R == rule::all_settled) ? (0U + ... + (slot<R, H, I>::is_quiet ? 0U : 1U)) : 0U;
  }
  template <class F>
  void each(F f) {
    (f(std::get<I>(slots_)), ...);
  }
  void clear() noexcept { ((std::get<I>(slots_).value.reset(), std::get<I>(slots_).from = {}), ...); }

  template <class Slot, class V>
  static void construct(void* at, Slot&, V&& v) {
    using stored = lift<value_type>;
    if constexpr (R == rule::race) ::new (at) stored(std::in_place_index<Slot::position>, std::forward<V>(v));
    else if constexpr (R == rule::any) ::new (at) stored(std::forward<V>(v));
  }
  void construct_all(void* at) {
    if constexpr (R == rule::all || R == rule::all_settled) ::new (at) value_type(std::move(*std::get<I>(slots_).value)...);
  }

 private:
  std::tuple<slot<R, H, I>...> slots_;
};

template <rule R, class H>
struct range_value {
  using type = std::vector<lift<typename input_of<H>::T>>;
};
template <class H>
struct range_value<rule::all_settled, H> {
  using type = std::vector<outcome<typename input_of<H>::T, typename input_of<H>::E>>;
};
template <class H>
struct range_value<rule::race, H> {
  using type = std::pair<std::size_t, lift<typename input_of<H>::T>>;
};
template <class H>
struct range_value<rule::any, H> {
  using type = typename input_of<H>::T;
};

/// The slots of a range, in the block of the result.
template <rule R, class H>
class range_shape {
  using slot_type = slot<R, H, 0>;
  static constexpr bool collects = R == rule::all || R == rule::all_settled;

 public:
  static constexpr rule how = R;
  static constexpr bool watches = !input_of<H>::adopted;
  using value_type = typename range_value<R, H>::type;
  using rows_type = rows_behind<slot_type>;

  range_shape(rows_type&& r, std::vector<H>&& inputs) : rows_(std::move(r)) {
    if constexpr (collects) value_.reserve(inputs.size());
    for (H& h : inputs) {
      std::uint32_t const i = size();
      slot_type& s = slots().add();
      s.index = i;
      s.take(std::move(h));
    }
  }

  rows_type& rows() noexcept { return rows_; }
  std::uint32_t size() noexcept { return static_cast<std::uint32_t>(slots().size()); }
  std::uint32_t loud() noexcept { return collects && !slot_type::is_quiet ? size() : 0; }
  template <class F>
  void each(F f) {
    for (slot_type& s : slots()) f(s);
  }
  void clear() noexcept {
    for (slot_type& s : slots()) {
      s.value.reset();
      s.from = {};
    }
  }

  template <class V>
  static void construct(void* at, slot_type& s, V&& v) {
    using stored = lift<value_type>;
    if constexpr (R == rule::race) ::new (at) stored(std::size_t{s.index}, std::forward<V>(v));
    else if constexpr (R == rule::any) ::new (at) stored(std::forward<V>(v));
  }
  void construct_all(void* at) {
    if constexpr (collects) {
      each([&](slot_type& s) { value_.push_back(std::move(*s.value)); });
      ::new (at) value_type(std::move(value_));
    }
  }

 private:
  struct nothing {};

  row<slot_type>& slots() noexcept { return rows_.template get<0>(); }

  rows_type rows_;
  [[no_unique_address]] std::conditional_t<collects, value_type, nothing> value_;
};

template <class H>
concept combined = input_of<H>::is_input;

/// Where an input was created: the nearest that is known when nobody can say where the combinator was called.
template <class H>
std::source_location site_of(H const& h) noexcept {
  auto const* const s = state_access::get(static_cast<basic_operation<typename input_of<H>::C> const&>(h));
  return s == nullptr ? std::source_location() : std::source_location(s->created);
}

template <rule R, class H, class... More>
auto combine_pack(std::source_location at, H&& first, More&&... more) {
  static_assert(check_input<H>() && (check_input<More>() && ...));
  using C = typename input_of<H>::C;
  static_assert((std::is_same_v<C, typename input_of<More>::C> && ...),
                "settle: the inputs of a combinator have different terminals: bring them to one first (see docs/combinators.md)");
  using E = typename std::conditional_t<R == rule::all_settled, common_error<typename input_of<H>::E>,
                                        error_of_all<typename input_of<H>::E, typename input_of<More>::E...>>::type;
  using shape = pack_shape<R, std::index_sequence_for<H, More...>, std::remove_cvref_t<H>, std::remove_cvref_t<More>...>;
  using P = result_policy<typename shape::value_type, E, C>;
  auto input = never_empty(std::forward<H>(first));
  home_of<C> home = home_at<C>(static_cast<basic_operation<C> const&>(input));
  bool const cold = is_cold<C>(static_cast<basic_operation<C> const&>(input));
  return result_cell<P, group<P, shape>>::begin(std::move(home), cold, at, std::in_place, std::move(input),
                                                never_empty(std::forward<More>(more))...);
}

/// None of them empty.
template <class H, class Range>
std::vector<H> inputs_of(Range&& range) {
  std::vector<H> inputs;
  if constexpr (std::is_same_v<Range, std::vector<H>>) {
    inputs = std::forward<Range>(range);
    for (H& h : inputs)
      if (!h) h = never_empty(std::move(h));
  } else {
    if constexpr (std::ranges::sized_range<Range>) inputs.reserve(static_cast<std::size_t>(std::ranges::size(range)));
    for (auto&& h : range) {
      if constexpr (input_of<H>::adopted) inputs.push_back(never_empty(std::move(h)));
      else inputs.push_back(never_empty(h));
    }
  }
  return inputs;
}

template <rule R, class Range>
auto combine_range(std::source_location at, Range&& range) {
  using H = std::ranges::range_value_t<Range>;
  static_assert(input_of<H>::is_input, "settle: a combinator takes handles, which it adopts, and watchers (see docs/combinators.md)");
  static_assert(!input_of<H>::adopted || !std::is_lvalue_reference_v<Range>,
                "settle: a combinator takes handles over: say `std::move(range)` (see docs/combinators.md)");
  using C = typename input_of<H>::C;
  using shape = range_shape<R, H>;
  using P = result_policy<typename shape::value_type, typename input_of<H>::E, C>;
  using cell = result_cell<P, group<P, shape>>;
  std::vector<H> inputs = inputs_of<H>(std::forward<Range>(range));
  home_of<C> home = inputs.empty() ? home_of<C>() : home_at<C>(static_cast<basic_operation<C> const&>(inputs.front()));
  bool const cold = !inputs.empty() && is_cold<C>(static_cast<basic_operation<C> const&>(inputs.front()));
  site<cell, typename shape::rows_type> s({inputs.size()});
  return cell::begin_in(s.block, std::move(home), cold, at, std::move(s.rows), std::move(inputs));
}

}  // namespace settle::inline v0::detail

#endif
