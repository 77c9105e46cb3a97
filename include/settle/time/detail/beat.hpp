// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TIME_DETAIL_BEAT_HPP
#define SETTLE_TIME_DETAIL_BEAT_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "../../detail/timers.hpp"

namespace settle::inline v0::detail {

/// The n-th tick of an interval.
struct tick {
  std::uint64_t number;
  std::chrono::steady_clock::time_point when;
};

/// When an interval ticks: n periods after its beginning, whatever happened to the ticks before.
class beat {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  beat(time_point origin, std::chrono::nanoseconds period) noexcept
      : origin_(origin), period_(std::max(period, std::chrono::nanoseconds(1))) {}

  /// The first tick after `now`; the end of time when there is none before it. Precondition: `now` is not before the origin.
  tick after(time_point now) const noexcept {
    auto const passed = std::chrono::duration_cast<std::chrono::nanoseconds>(now - origin_) / period_;
    auto const last = std::chrono::duration_cast<time_point::duration>(passed * period_);  // not after now
    return {static_cast<std::uint64_t>(passed) + 1, later(origin_ + last, period_)};
  }

 private:
  time_point origin_;
  std::chrono::nanoseconds period_;
};

}  // namespace settle::inline v0::detail

#endif
