// SPDX-License-Identifier: BSL-1.0
// What every timer service promises, asked of each that needs no real time. (Asio's is asked in tests/asio.)
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <type_traits>
#include <vector>

#include "timed.hpp"

namespace {

using namespace std::chrono_literals;
using settle::timer_done;
using settle::timer_end;
using test::time_point;
using ends = std::vector<timer_end>;

template <class Place>
class timer_service : public testing::Test {
 public:
  using service_type = std::remove_cvref_t<decltype(std::declval<Place&>().timers())>;
  using watched = test::watched_timer<service_type>;
  static_assert(settle::timer_service<service_type>);
  static_assert(settle::has_timers<typename Place::executor>);
  static_assert(std::is_same_v<settle::timer_service_of<typename Place::executor>, service_type>);
  static_assert(!std::is_move_constructible_v<typename service_type::timer>);

  Place place;
};
TYPED_TEST_SUITE(timer_service, test::timed_places);

TYPED_TEST(timer_service, a_timer_fires_once_at_its_time_and_not_inside_start) {
  auto&& s = this->place.timers();
  typename TestFixture::watched t(s);
  time_point const begin = s.now();
  ASSERT_TRUE(t.start(begin + 10ms));
  EXPECT_TRUE(t.ends.empty());
  this->place.pass(10ms - 1ns);
  EXPECT_TRUE(t.ends.empty());
  this->place.pass(1ns);
  EXPECT_EQ(t.ends, ends{timer_end::fired});
  EXPECT_EQ(t.ended_at, begin + 10ms);
  this->place.pass(1h);
  EXPECT_EQ(t.ends.size(), 1U);
}

TYPED_TEST(timer_service, stopped_it_lets_go_once_and_not_inside_stop) {
  auto&& s = this->place.timers();
  typename TestFixture::watched t(s);
  t.timer.stop();  // before it is started: nothing
  ASSERT_TRUE(t.start(s.now() + 10ms));
  this->place.pass(1ms);
  t.timer.stop();
  t.timer.stop();
  EXPECT_TRUE(t.ends.empty());
  this->place.pass(0ms);
  EXPECT_EQ(t.ends, ends{timer_end::stopped});
  t.timer.stop();
  this->place.pass(1h);
  EXPECT_EQ(t.ends.size(), 1U);
}

TYPED_TEST(timer_service, a_time_that_is_past_is_now_and_the_end_of_time_is_never) {
  auto&& s = this->place.timers();
  typename TestFixture::watched now(s);
  typename TestFixture::watched past(s);
  typename TestFixture::watched never(s);
  ASSERT_TRUE(now.start(s.now()));
  ASSERT_TRUE(past.start(time_point::min()));
  ASSERT_TRUE(never.start(time_point::max()));
  EXPECT_TRUE(now.ends.empty() && past.ends.empty());
  this->place.pass(0ms);
  EXPECT_EQ(now.ends, ends{timer_end::fired});
  EXPECT_EQ(past.ends, ends{timer_end::fired});
  this->place.pass(24h * 365 * 100);
  EXPECT_TRUE(never.ends.empty());
  never.timer.stop();
  this->place.pass(0ms);
  EXPECT_EQ(never.ends, ends{timer_end::stopped});
}

TYPED_TEST(timer_service, its_end_may_destroy_it) {
  using service = typename TestFixture::service_type;
  struct own {
    typename service::timer timer;
    int* ended;
    own(service& s, int& n) : timer(s), ended(&n) {}
    void over(timer_end) noexcept {
      ++*ended;
      delete this;
    }
  };
  auto&& s = this->place.timers();
  int ended = 0;
  for (int i = 0; i != 30; ++i) {
    own* const o = new own(s, ended);
    ASSERT_TRUE(o->timer.start(s.now() + i % 5 * 1ms, timer_done::to<&own::over>(*o)));
    if (i % 3 == 0) o->timer.stop();
  }
  this->place.pass(10ms);
  EXPECT_EQ(ended, 30);
}

TYPED_TEST(timer_service, an_end_may_stop_others_and_start_new_ones) {
  using service = typename TestFixture::service_type;
  struct busy : test::watched_timer<service> {
    using base = test::watched_timer<service>;
    base* victim;
    base* next;
    busy(service& s, base& v, base& n) : base(s), victim(&v), next(&n) {}
    void over(timer_end how) noexcept {
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
  ASSERT_TRUE(b.timer.start(s.now() + 1ms, timer_done::to<&busy::over>(b)));
  this->place.pass(1ms);
  EXPECT_EQ(b.ends, ends{timer_end::fired});
  EXPECT_EQ(victim.ends, ends{timer_end::stopped});
  EXPECT_EQ(next.ends, ends{timer_end::fired});
}

TYPED_TEST(timer_service, when_it_goes_down_each_timer_is_lost_once) {
  auto&& s = this->place.timers();
  std::vector<std::unique_ptr<typename TestFixture::watched>> all;
  for (int i = 0; i != 20; ++i) {
    all.push_back(std::make_unique<typename TestFixture::watched>(s));
    ASSERT_TRUE(all.back()->start(s.now() + 1ms * (i + 1)));
    if (i % 4 == 0) all.back()->timer.stop();
  }
  this->place.go_down();
  for (auto const& t : all) {
    EXPECT_EQ(t->ends, ends{timer_end::lost});
    t->timer.stop();
  }
}

TYPED_TEST(timer_service, its_clock_goes_with_its_timers) {
  auto&& s = this->place.timers();
  time_point const begin = s.now();
  this->place.pass(7ms);
  EXPECT_EQ(s.now(), begin + 7ms);
}

TEST(no_timers, start_nothing) {
  settle::no_timers none;
  settle::no_timers::timer t(none);
  EXPECT_FALSE(t.start(none.now(), timer_done([](void*, timer_end) noexcept { FAIL() << "it was never started"; }, nullptr)));
  t.stop();
  static_assert(settle::timer_service<settle::no_timers>);
  static_assert(!settle::has_timers<settle::inline_executor> && !settle::has_timers<test::manual_loop::executor>);
  static_assert(std::is_same_v<decltype(settle::timers_of(settle::inline_executor())), settle::no_timers>);
}

TEST(timer_done, knows_what_it_calls) {
  struct counter {
    int n = 0;
    void over(timer_end how) noexcept { n += how == timer_end::stopped ? 1 : 100; }
  } c;
  EXPECT_FALSE(timer_done());
  timer_done const d = timer_done::to<&counter::over>(c);
  ASSERT_TRUE(d);
  d(timer_end::stopped);
  d(timer_end::stopped);
  EXPECT_EQ(c.n, 2);
}

}  // namespace
