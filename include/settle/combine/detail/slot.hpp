// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_SLOT_HPP
#define SETTLE_COMBINE_DETAIL_SLOT_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <variant>

#include "../../outcome.hpp"
#include "input.hpp"

namespace settle::inline v0::detail {

/// When a group is decided: by the first to settle, by the first value, by the first that is none, or by all.
enum class rule : std::uint8_t { race, any, all, all_settled };

/// An input of a group, with room for what it yielded.
template <rule R, class H, std::size_t I>
struct slot : input<typename input_of<H>::C> {
  using T = typename input_of<H>::T;
  using E = typename input_of<H>::E;
  static constexpr rule how = R;
  static constexpr std::size_t position = I;
  static constexpr bool is_quiet = R == rule::all_settled ? is_quiet_value<T> && is_quiet_error<E> : is_quiet_value<T>;
  using kept = std::conditional_t<R == rule::all, lift<T>, std::conditional_t<R == rule::all_settled, outcome<T, E>, std::monostate>>;

  std::uint32_t index = I;
  bool left = false;  // the value waits for its loss: it stays where it is until the result is made
  std::optional<kept> value;
};

}  // namespace settle::inline v0::detail

#endif
