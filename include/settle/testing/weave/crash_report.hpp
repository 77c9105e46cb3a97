// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_CRASH_REPORT_HPP
#define SETTLE_TESTING_WEAVE_CRASH_REPORT_HPP

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "schedule.hpp"
#include "scheduler.hpp"

namespace settle::inline v0::testing::weave {

/// While it lives, a program that crashes or aborts prints the schedule it was in the middle of.
class crash_report {
 public:
  explicit crash_report(scheduler const& s) noexcept : outer_(std::exchange(running(), &s)) {
    for (std::size_t i = 0; i != signals.size(); ++i) before_[i] = std::signal(signals[i], &crash_report::print);
  }
  crash_report(crash_report&&) = delete;
  ~crash_report() {
    for (std::size_t i = 0; i != signals.size(); ++i) std::signal(signals[i], before_[i]);
    running() = outer_;
  }

 private:
  static constexpr std::array<int, 4> signals = {SIGSEGV, SIGABRT, SIGFPE, SIGILL};

  static scheduler const*& running() noexcept {
    static scheduler const* s = nullptr;
    return s;
  }
  static void print(int signal) {
    std::signal(signal, SIG_DFL);
    if (running() != nullptr)
      std::fprintf(stderr, "weave: died with signal %d in replay(\"%s\")\n", signal, to_text(running()->taken()).c_str());
    std::raise(signal);
  }

  scheduler const* outer_;
  std::array<void (*)(int), signals.size()> before_{};
};

}  // namespace settle::inline v0::testing::weave

#endif
