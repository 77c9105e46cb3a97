// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_DICE_HPP
#define SETTLE_TESTING_WEAVE_DICE_HPP

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "clock.hpp"
#include "options.hpp"

namespace settle::inline v0::testing::weave {

/// Chooses by chance: uniformly, or by priorities that change now and then (PCT). The same seed, the same choices.
class dice {
 public:
  // NOLINTNEXTLINE(modernize-pass-by-value): small, and copied once
  explicit dice(method const& m) noexcept : method_(m) {}

  /// Before the n-th execution, with a guess how many steps it will have.
  void begin(std::uint64_t n, std::size_t steps) {
    state_ = method_.seed * 0x9e3779b97f4a7c15ULL + n * 0xbf58476d1ce4e5b9ULL + 1;
    step_ = 0;
    for (unsigned i = 0; i != max_threads; ++i) priority_[i] = i + method_.depth;
    for (unsigned i = max_threads; i > 1; --i) std::swap(priority_[i - 1], priority_[below(i)]);
    changes_.clear();
    for (unsigned i = 1; i < method_.depth; ++i) changes_.push_back(below(std::max<std::uint64_t>(steps, 1)));
  }

  unsigned thread(std::uint8_t enabled, unsigned previous) {
    if (method_.kind != method::pct_search) return uniform(enabled);
    for (unsigned i = 0; i != changes_.size(); ++i)
      if (changes_[i] == step_) priority_[previous] = i;
    ++step_;
    auto best = static_cast<unsigned>(std::countr_zero(enabled));
    for (unsigned t = 0; t != max_threads; ++t)
      if (((enabled >> t) & 1U) != 0 && priority_[t] > priority_[best]) best = t;
    return best;
  }

  /// Half the time the newest value.
  unsigned choice(unsigned n, bool of_values) { return n == 1 || (of_values && below(2) == 0) ? 0 : static_cast<unsigned>(below(n)); }

 private:
  std::uint64_t below(std::uint64_t n) noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (z ^ (z >> 31)) % n;
  }
  unsigned uniform(std::uint8_t enabled) noexcept {
    auto left = below(static_cast<std::uint64_t>(std::popcount(enabled)));
    auto t = static_cast<unsigned>(std::countr_zero(enabled));
    for (; left != 0; --left) {
      enabled = static_cast<std::uint8_t>(enabled & (enabled - 1));
      t = static_cast<unsigned>(std::countr_zero(enabled));
    }
    return t;
  }

  method method_;
  std::uint64_t state_ = 0;
  std::uint64_t step_ = 0;
  std::array<std::uint64_t, max_threads> priority_{};
  std::vector<std::uint64_t> changes_;
};

}  // namespace settle::inline v0::testing::weave

#endif
