// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_TIMER_SERVICE_SUITE_HPP
#define SETTLE_TESTS_TIMER_SERVICE_SUITE_HPP

#include <gtest/gtest.h>
#include <settle/policy/executor.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "watched_timer.hpp"

// What every timer service promises, asked of each. A place has `get_executor()`, `timers()`, `pass(d)` (time passes and user
// code runs) and `go_down()`; its time is virtual, or real.
namespace test {

/// A place of real time: `Loop` runs what is ready, without waiting.
template <class Loop>
class real_place : public Loop {
 public:
  static constexpr bool is_real = true;
  void pass(std::chrono::nanoseconds d) {
    time_point const end = std::chrono::steady_clock::now() + std::min<std::chrono::nanoseconds>(d, std::chrono::milliseconds(12));
    do this->run_ready();
    while (std::chrono::steady_clock::now() < end);
    this->run_ready();
  }
};

template <class Place>
class timer_service : public testing::Test {
 public:
  using service_type = std::remove_cvref_t<decltype(std::declval<Place&>().timers())>;
  using watched = watched_timer<service_type>;
  static_assert(settle::timer_service<service_type>);
  static_assert(settle::has_timers<typename Place::executor>);
  static_assert(std::is_same_v<settle::timer_service_of<typename Place::executor>, service_type>);
  static_assert(!std::is_move_constructible_v<typename service_type::timer>);
  static constexpr bool is_virtual = !requires { Place::is_real; };

  Place place;
};
TYPED_TEST_SUITE_P(timer_service);

TYPED_TEST_P(timer_service, a_timer_fires_once_at_its_time_and_not_inside_start) {
  using namespace std::chrono_literals;
  auto&& s = this->place.timers();
  typename TestFixture::watched t(s);
  time_point const begin = s.now();
  ASSERT_TRUE(t.start(begin + 10ms));
  EXPECT_TRUE(t.ends.empty());
  if constexpr (TestFixture::is_virtual) {
    this->place.pass(10ms - 1ns);
    EXPECT_TRUE(t.ends.empty());
    this->place.pass(1ns);
    EXPECT_EQ(t.ended_at, begin + 10ms);
  }
  while (t.ends.empty()) this->place.pass(1ms);
  EXPECT_EQ(t.ends, timer_ends{settle::timer_end::fired});
  EXPECT_GE(t.ended_at, begin + 10ms);
  this->place.pass(1h);
  EXPECT_EQ(t.ends.size(), 1U);
}

TYPED_TEST_P(timer_service, stopped_it_lets_go_once_and_not_inside_stop) {
  using namespace std::chrono_literals;
  auto&& s = this->place.timers();
  typename TestFixture::watched t(s);
  t.timer.stop();  // before it is started: nothing
  ASSERT_TRUE(t.start(s.now() + 1h));
  this->place.pass(1ms);
  t.timer.stop();
  t.timer.stop();
  EXPECT_TRUE(t.ends.empty());
  this->place.pass(0ms);
  EXPECT_EQ(t.ends, timer_ends{settle::timer_end::stopped});
  t.timer.stop();
  this->place.pass(2h);
  EXPECT_EQ(t.ends.size(), 1U);
}

TYPED_TEST_P(timer_service, a_time_that_is_past_is_now_and_the_end_of_time_is_never) {
  using namespace std::chrono_literals;
  auto&& s = this->place.timers();
  typename TestFixture::watched now(s);
  typename TestFixture::watched past(s);
  typename TestFixture::watched never(s);
  ASSERT_TRUE(now.start(s.now()));
  ASSERT_TRUE(past.start(time_point::min()));
  ASSERT_TRUE(never.start(time_point::max()));
  EXPECT_TRUE(now.ends.empty() && past.ends.empty());
  if constexpr (TestFixture::is_virtual) this->place.pass(0ms);
  else
    while (now.ends.empty() || past.ends.empty()) this->place.pass(1ms);
  EXPECT_EQ(now.ends, timer_ends{settle::timer_end::fired});
  EXPECT_EQ(past.ends, timer_ends{settle::timer_end::fired});
  this->place.pass(24h * 365 * 100);
  EXPECT_TRUE(never.ends.empty());
  never.timer.stop();
  this->place.pass(0ms);
  EXPECT_EQ(never.ends, timer_ends{settle::timer_end::stopped});
}

TYPED_TEST_P(timer_service, its_end_may_destroy_it) {
  using namespace std::chrono_literals;
  using service = typename TestFixture::service_type;
  struct own {
    typename service::timer timer;
    int* ended;
    own(service& s, int& n) : timer(s), ended(&n) {}
    void over(settle::timer_end) noexcept {
      ++*ended;
      delete this;
    }
  };
  auto&& s = this->place.timers();
  int ended = 0;
  for (int i = 0; i != 30; ++i) {
    own* const o = new own(s, ended);
    ASSERT_TRUE(o->timer.start(s.now() + i % 5 * 1ms, settle::timer_done::to<&own::over>(*o)));
    if (i % 3 == 0) o->timer.stop();
  }
  for (int waited = 0; ended != 30 && waited != 1'000; ++waited) this->place.pass(10ms);
  EXPECT_EQ(ended, 30);
}

TYPED_TEST_P(timer_service, an_end_may_stop_others_and_start_new_ones) {
  using namespace std::chrono_literals;
  using service = typename TestFixture::service_type;
  struct busy : watched_timer<service> {
    using base = watched_timer<service>;
    base* victim;
    base* next;
    busy(service& s, base& v, base& n) : base(s), victim(&v), next(&n) {}
    void over(settle::timer_end how) noexcept {
      base::over(how);
      this->timer.stop();
      victim->timer.stop();
      EXPECT_TRUE(next->start(base::service->now()));
      EXPECT_TRUE(next->ends.empty());
    }
  };
  auto&& s = this->place.timers();
  typename TestFixture::watched victim(s);
  typename TestFixture::watched next(s);
  busy b(s, victim, next);
  ASSERT_TRUE(victim.start(s.now() + 1h));
  ASSERT_TRUE(b.timer.start(s.now() + 1ms, settle::timer_done::to<&busy::over>(b)));
  if constexpr (TestFixture::is_virtual) this->place.pass(1ms);
  else
    while (next.ends.empty() || victim.ends.empty()) this->place.pass(1ms);
  EXPECT_EQ(b.ends, timer_ends{settle::timer_end::fired});
  EXPECT_EQ(victim.ends, timer_ends{settle::timer_end::stopped});
  EXPECT_EQ(next.ends, timer_ends{settle::timer_end::fired});
}

TYPED_TEST_P(timer_service, when_it_goes_down_each_timer_is_lost_once) {
  using namespace std::chrono_literals;
  auto&& s = this->place.timers();
  std::vector<std::unique_ptr<typename TestFixture::watched>> all;
  for (int i = 0; i != 20; ++i) {
    all.push_back(std::make_unique<typename TestFixture::watched>(s));
    ASSERT_TRUE(all.back()->start(s.now() + 1ms * (i + 1)));
    if (i % 4 == 0) all.back()->timer.stop();
  }
  this->place.go_down();
  for (auto const& t : all) {
    EXPECT_EQ(t->ends, timer_ends{settle::timer_end::lost});
    t->timer.stop();
  }
}

TYPED_TEST_P(timer_service, its_clock_goes_with_its_timers) {
  using namespace std::chrono_literals;
  auto&& s = this->place.timers();
  time_point const begin = s.now();
  this->place.pass(7ms);
  if constexpr (TestFixture::is_virtual) EXPECT_EQ(s.now(), begin + 7ms);
  else EXPECT_GE(s.now(), begin + 7ms);
}

REGISTER_TYPED_TEST_SUITE_P(timer_service, a_timer_fires_once_at_its_time_and_not_inside_start, stopped_it_lets_go_once_and_not_inside_stop,
                            a_time_that_is_past_is_now_and_the_end_of_time_is_never, its_end_may_destroy_it,
                            an_end_may_stop_others_and_start_new_ones, when_it_goes_down_each_timer_is_lost_once,
                            its_clock_goes_with_its_timers);

}  // namespace test

#endif
