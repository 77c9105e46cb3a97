// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_CLOCK_HPP
#define SETTLE_TESTING_WEAVE_CLOCK_HPP

#include <algorithm>
#include <array>
#include <cstdint>

namespace settle::inline v0::testing::weave {

/// How many threads an execution has at most, the one that sets up and checks (number 0) included.
inline constexpr unsigned max_threads = 8;

/// How many events of each thread are known to have happened: a vector clock.
struct vector_clock {
  std::array<std::uint32_t, max_threads> at{};

  void join(vector_clock const& o) noexcept {
    for (unsigned i = 0; i != max_threads; ++i) at[i] = std::max(at[i], o.at[i]);
  }
  bool covers(unsigned thread, std::uint32_t number) const noexcept { return at[thread] >= number; }
};

}  // namespace settle::inline v0::testing::weave

#endif
