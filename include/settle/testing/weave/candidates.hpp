// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_CANDIDATES_HPP
#define SETTLE_TESTING_WEAVE_CANDIDATES_HPP

#include <array>
#include <cstdint>

#include "clock.hpp"
#include "operation.hpp"

namespace settle::inline v0::testing::weave {

/// A value that a step may read.
struct candidate {
  std::uint32_t index = 0;   // where it is, or will be when it is read
  std::uint32_t latest = 0;  // the serial number of the last store that it is made of
  unsigned sum = 0;          // of which additions, if it splits some that have no order yet
  bool splits = false;
  bool spurious = false;  // a compare-and-swap fails without need
  bits value;
  vector_clock const* message = nullptr;  // null: none
};

/// The values a step may read: those that are there, newest first, and then sums of additions that could have come in another order.
struct candidates {
  static constexpr unsigned most = 64;

  void clear() noexcept {
    count = 0;
    cut = false;
  }
  void add(candidate const& c) noexcept {
    if (count == most) cut = true;
    else all[count++] = c;
  }
  /// For the message of the next one.
  vector_clock& room() noexcept { return messages_[count % most]; }

  unsigned count = 0;
  bool cut = false;  // there were more
  std::array<candidate, most> all{};

 private:
  std::array<vector_clock, most> messages_{};
};

}  // namespace settle::inline v0::testing::weave

#endif
