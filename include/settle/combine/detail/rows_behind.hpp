// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_ROWS_BEHIND_HPP
#define SETTLE_COMBINE_DETAIL_ROWS_BEHIND_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <tuple>
#include <utility>

#include "../../detail/exceptions.hpp"
#include "row.hpp"

namespace settle::inline v0::detail {

/// What a combinator needs for each of its inputs: rows behind its result, in the same block. They know how large that is.
template <class... T>
class rows_behind {
 public:
  using counts = std::array<std::size_t, sizeof...(T)>;
  static constexpr std::size_t align = std::max({alignof(T)...});

  /// The size of a block that has room for so many behind its first `head` bytes. Throws std::bad_alloc when none can.
  static std::size_t bytes_with(std::size_t head, counts const& n) { return places(head, n).back(); }

  /// Nothing in them yet.
  rows_behind(void* block, std::size_t head, counts const& n) : rows_behind(block, places(head, n), n, std::index_sequence_for<T...>()) {}

  template <std::size_t I>
  auto& get() noexcept {
    return std::get<I>(rows_);
  }
  std::size_t bytes() const noexcept { return bytes_; }

 private:
  using offsets = std::array<std::size_t, sizeof...(T) + 1>;

  template <std::size_t... I>
  rows_behind(void* block, offsets const& at, counts const& n, std::index_sequence<I...>) noexcept
      : rows_(row<T>(static_cast<std::byte*>(block) + at[I], n[I])...), bytes_(at.back()) {}

  static offsets places(std::size_t end, counts const& n) {
    constexpr std::size_t most = PTRDIFF_MAX;
    constexpr counts sizes{sizeof(T)...};
    constexpr counts aligns{alignof(T)...};
    offsets at;
    for (std::size_t i = 0; i != sizeof...(T); ++i) {
      at[i] = (end + aligns[i] - 1) / aligns[i] * aligns[i];
      if (n[i] > (most - at[i]) / sizes[i]) raise(std::bad_alloc());
      end = at[i] + n[i] * sizes[i];
    }
    at.back() = end;
    return at;
  }

  std::tuple<row<T>...> rows_;
  std::size_t bytes_;
};

/// Where a result and its rows are going to stand. Throws std::bad_alloc.
template <class Cell, class Rows>
struct site {
  typename Cell::block_type block;
  Rows rows;

  explicit site(typename Rows::counts const& n)
      : block(Rows::bytes_with(sizeof(Cell), n), Cell::align()), rows(block.get(), sizeof(Cell), n) {}
};

}  // namespace settle::inline v0::detail

#endif
