// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_WATCHED_TIMER_HPP
#define SETTLE_TESTS_WATCHED_TIMER_HPP

#include <settle/policy/timer_service.hpp>

#include <chrono>
#include <vector>

namespace test {

using time_point = std::chrono::steady_clock::time_point;
using timer_ends = std::vector<settle::timer_end>;

/// A timer that counts how it ended.
template <class Service>
struct watched_timer {
  typename Service::timer timer;
  timer_ends ends;
  time_point ended_at{};
  Service* service;

  explicit watched_timer(Service& s) : timer(s), service(&s) {}
  void over(settle::timer_end how) noexcept {
    ends.push_back(how);
    if (how != settle::timer_end::lost) ended_at = service->now();
  }
  bool start(time_point when) noexcept { return timer.start(when, settle::timer_done::to<&watched_timer::over>(*this)); }
};

}  // namespace test

#endif
