// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_CLOCK_HPP
#define SETTLE_TESTING_WEAVE_CLOCK_HPP

#include <algorithm>
#include <array>
#include <cstdint>

namespace settle::inline v0::testing::weave {

/// How many threads an execution has at most, the one that sets up and checks (number 0) included.
inline constexpr unsigned max_threads = 8;

/// How many events of each thread are known to have happened: a vector clock. 16 bits each, so that one fits into a vector register:
/// two are joined in a few instructions.
struct vector_clock {
  static constexpr std::uint32_t most = 0xFFFF;  // events of one thread
  std::array<std::uint16_t, max_threads> at{};

  void set(unsigned thread, std::uint32_t number) noexcept { at[thread] = static_cast<std::uint16_t>(number); }

  void join(vector_clock const& o) noexcept {
    auto all = at;  // a copy: the compiler sees that the two do not overlap
    auto const more = o.at;
    for (unsigned i = 0; i != max_threads; ++i) all[i] = std::max(all[i], more[i]);
    at = all;
  }
  bool covers(unsigned thread, std::uint32_t number) const noexcept { return at[thread] >= number; }
};

}  // namespace settle::inline v0::testing::weave

#endif
