// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_BACKOFF_HPP
#define SETTLE_COMBINE_BACKOFF_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "../error.hpp"

namespace settle::inline v0 {

/// How often to try, and how long to wait in between.
///
/// ```cpp
/// auto b = settle::backoff::exponential(100ms, 5s, 6).when([](settle::error const& e) { return e.code() != refused; });
/// ```
class backoff {
 public:
  /// How pauses are told.
  using milliseconds = std::chrono::milliseconds;

  /// first, 2 first, 4 first, ... at most cap.
  static backoff exponential(milliseconds first, milliseconds cap, unsigned attempts) noexcept { return {first, cap, attempts, 2.0, {}}; }
  /// first, first + step, first + 2 step, ... at most cap.
  static backoff linear(milliseconds first, milliseconds step, milliseconds cap, unsigned attempts) noexcept {
    return {first, cap, attempts, 1.0, step};
  }
  /// The same pause each time.
  static backoff constant(milliseconds pause, unsigned attempts) noexcept { return {pause, pause, attempts, 1.0, {}}; }
  /// No pause.
  static backoff none(unsigned attempts) noexcept { return constant(milliseconds(0), attempts); }

  /// Only failures that this says yes to are tried again.
  backoff when(bool (*retry_if)(error const&)) const noexcept {
    backoff b = *this;
    b.retry_if_ = retry_if;
    return b;
  }
  /// Each pause is up to `share` (0 to 1) shorter, at random: so that those who failed together do not come again together.
  backoff jitter(double share, std::uint64_t seed) const noexcept {
    backoff b = *this;
    b.jitter_ = std::clamp(share, 0.0, 1.0);
    b.seed_ = seed;
    return b;
  }

  /// How often at most, the first time included.
  [[nodiscard]] unsigned attempts() const noexcept { return attempts_; }
  /// This failure is tried again.
  [[nodiscard]] bool retries(error const& e) const { return retry_if_ == nullptr || retry_if_(e); }
  /// The pause before attempt `n` (1, 2, ...).
  std::chrono::nanoseconds pause(unsigned n) noexcept {
    auto ms = static_cast<double>(first_.count());
    for (unsigned i = 1; i < n && ms < static_cast<double>(cap_.count()); ++i) ms = ms * factor_ + static_cast<double>(step_.count());
    ms = std::min(ms, static_cast<double>(cap_.count()));
    if (jitter_ > 0) ms -= ms * jitter_ * random();
    if (ms >= longest) return std::chrono::nanoseconds::max();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double, std::milli>(ms));
  }

 private:
  backoff(milliseconds first, milliseconds cap, unsigned attempts, double factor, milliseconds step) noexcept
      : first_(first), cap_(cap), step_(step), factor_(factor), attempts_(attempts) {}

  static constexpr double longest = 9.2e12;  // that nanoseconds can tell: 292 years

  /// From 0 to 1 (splitmix64).
  double random() noexcept {
    std::uint64_t z = seed_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1.0p-53;
  }

  milliseconds first_;
  milliseconds cap_;
  milliseconds step_;
  double factor_;
  unsigned attempts_;
  double jitter_ = 0;
  std::uint64_t seed_ = 0;
  bool (*retry_if_)(error const&) = nullptr;
};

}  // namespace settle::inline v0

#endif
