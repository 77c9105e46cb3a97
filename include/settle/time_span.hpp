// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TIME_SPAN_HPP
#define SETTLE_TIME_SPAN_HPP

#include <chrono>

namespace settle::inline v0 {

/// How `within`, `sleep`, `schedule`, `interval`, `hedge`, `wait_for`, supervisors and the budgets of scopes and shutdown take a span of
/// time: any std::chrono duration, as nanoseconds. What is longer than these can say (292 years) is the longest they can, which is for
/// ever; std::chrono's own conversion would overflow, and a `within(std::chrono::hours::max())` be over at once. Fractions are cut off.
///
/// Ownership, threads: a number. Throws nothing. Cost: two comparisons; nothing for a constant.
///
/// ```cpp
/// static_assert(std::chrono::nanoseconds(settle::time_span(std::chrono::hours::max())) == std::chrono::nanoseconds::max());
/// ```
class time_span {
  using nanoseconds = std::chrono::nanoseconds;

 public:
  /// Of any duration.
  template <class Rep, class Period>
  constexpr time_span(std::chrono::duration<Rep, Period> d) noexcept : value_(saturated(d)) {}
  /// As std::chrono has it.
  constexpr operator nanoseconds() const noexcept { return value_; }

 private:
  template <class Rep, class Period>
  static constexpr nanoseconds saturated(std::chrono::duration<Rep, Period> d) noexcept {
    using rough = std::chrono::duration<double, Period>;  // holds every span, if not to the last digit
    if (!(rough(d) < rough(nanoseconds::max()))) return nanoseconds::max();
    if (!(rough(d) > rough(nanoseconds::min()))) return nanoseconds::min();
    return std::chrono::duration_cast<nanoseconds>(d);
  }

  nanoseconds value_;
};

}  // namespace settle::inline v0

#endif
