// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_SUPPORT_STOPWATCH_HPP
#define SETTLE_BENCHMARKS_SUPPORT_STOPWATCH_HPP

#include <chrono>
#include <ctime>

namespace bench {

/// Seconds of processor time of this thread: what others do on the machine counts less.
class thread_stopwatch {
 public:
  double seconds() const noexcept { return now() - began_; }

 private:
  static double now() noexcept {
    std::timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }
  double began_ = now();
};

/// Seconds by the clock, where several threads work.
class wall_stopwatch {
 public:
  double seconds() const noexcept { return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count(); }

 private:
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace bench

#endif
