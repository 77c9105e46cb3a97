// SPDX-License-Identifier: BSL-1.0
// interval and schedule, in virtual time. (Cancelled at every moment, on every loop: timer_service.cpp.)
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <utility>
#include <vector>

#include "loop_with_timers.hpp"
#include "timer_places.hpp"

namespace {

using namespace std::chrono_literals;
using settle::cause;
using numbers = std::vector<std::uint64_t>;

template <class Place>
class timed_operations : public testing::Test {
 public:
  using executor = typename Place::executor;

  executor ex() { return place.get_executor(); }
  void expect_nothing_left() {
    if constexpr (std::is_same_v<Place, test::simulated_place>) EXPECT_QUIESCENT(place.sim);
    else EXPECT_EQ(place.timers().size(), 0U);
  }

  Place place;
};
TYPED_TEST_SUITE(timed_operations, test::timer_places);

TYPED_TEST(timed_operations, an_interval_calls_at_each_tick_and_counts_them) {
  numbers seen;
  int plain = 0;
  settle::interval const ticks(this->ex(), 10ms);
  auto h = ticks.each([&](std::uint64_t n) { seen.push_back(n); });
  auto k = ticks.each([&] { ++plain; });
  EXPECT_TRUE(seen.empty());
  this->place.pass(10ms - 1ns);
  EXPECT_TRUE(seen.empty());
  this->place.pass(1ns);
  EXPECT_EQ(seen, numbers{1});
  this->place.pass(25ms);
  EXPECT_EQ(seen, (numbers{1, 2, 3}));
  EXPECT_EQ(plain, 3);
  EXPECT_FALSE(h.is_settled());
  h.request_cancel(cause::shutdown);
  k = {};
  this->place.pass(1h);
  EXPECT_EQ(seen.size(), 3U);
  ASSERT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, cause::shutdown);
  this->expect_nothing_left();
}

TYPED_TEST(timed_operations, ticks_do_not_drift_and_the_missed_ones_are_skipped) {
  auto&& clock = settle::timers_of(this->ex());
  test::time_point const begin = clock.now();
  settle::interval const ticks(this->ex(), 10ms);
  this->place.pass(3ms);  // whoever comes late waits less
  auto first = ticks.next();
  this->place.pass(7ms);
  EXPECT_EQ(std::move(first).wait().value(), 1U);
  EXPECT_EQ(clock.now(), begin + 10ms);
  this->place.pass(31ms);  // 2, 3 and 4 pass
  auto late = ticks.next();
  this->place.pass(9ms - 1ns);
  EXPECT_FALSE(late.is_settled());
  this->place.pass(1ns);
  EXPECT_EQ(std::move(late).wait().value(), 5U);
}

TYPED_TEST(timed_operations, a_tick_that_nobody_waits_for_any_more_is_not_lost_for_the_next_who_asks) {
  settle::interval const ticks(this->ex(), 10ms);
  auto dropped = std::make_optional(ticks.next());
  dropped.reset();
  auto again = ticks.next();
  this->place.pass(10ms);
  EXPECT_EQ(std::move(again).wait().value(), 1U);
  this->expect_nothing_left();
}

TYPED_TEST(timed_operations, what_a_callback_throws_ends_the_interval) {
  int calls = 0;
  auto failing = settle::interval(this->ex(), 1ms).each([&] {
    if (++calls == 2) throw std::runtime_error("no more");
  });
  auto const cancelled = settle::outcome<void>(settle::cancellation(cause::overload, std::source_location::current()));
  auto ending = settle::interval(this->ex(), 1ms).each([&] { cancelled.value(); });
  this->place.pass(1s);
  EXPECT_EQ(calls, 2);
  ASSERT_TRUE(failing.is_released() && ending.is_released());
  EXPECT_THROW(std::move(failing).wait().value(), std::runtime_error);
  EXPECT_EQ(std::move(ending).wait().cancel().why, cause::overload);
  this->expect_nothing_left();
}

TYPED_TEST(timed_operations, a_throw_does_not_undo_a_cancel_by_force) {
  settle::operation op;
  auto h = settle::interval(this->ex(), 1ms).each([&] {
    op.cancel(cause::shutdown);
    throw std::runtime_error("too late");
  });
  op = h;
  this->place.pass(1ms);
  ASSERT_TRUE(op.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, cause::shutdown);
}

TYPED_TEST(timed_operations, awkward_periods) {
  int fast = 0;
  for (auto const d : {0ns, std::chrono::nanoseconds(-1h), 1ns}) {
    auto h = settle::interval(this->ex(), d).each([&] { ++fast; });
    this->place.pass(5ns);
    h = {};
    this->place.pass(0ns);
  }
  EXPECT_EQ(fast, 15) << "a nanosecond each";
  auto never = settle::interval(this->ex(), std::chrono::nanoseconds::max()).each([] { FAIL(); });
  this->place.pass(24h * 365);
  never = {};
  this->place.pass(0ns);
  this->expect_nothing_left();
}

TYPED_TEST(timed_operations, what_is_scheduled_runs_once_and_yields) {
  auto value = settle::schedule(this->ex(), 10ms, [] { return 42; });
  auto flat = settle::schedule(this->ex(), 10ms, [&] { return settle::sleep(this->ex(), 5ms); });
  auto until = settle::schedule(this->ex(), settle::timers_of(this->ex()).now() + 20ms, [] {});
  int ran = 0;
  auto dropped = settle::schedule(this->ex(), 10ms, [&] { ++ran; });
  this->place.pass(1ms);
  dropped = {};
  this->place.pass(9ms);
  EXPECT_EQ(std::move(value).wait().value(), 42);
  EXPECT_FALSE(flat.is_settled() || until.is_settled());
  this->place.pass(10ms);
  EXPECT_TRUE(std::move(flat).wait().has_value());
  EXPECT_TRUE(std::move(until).wait().has_value());
  EXPECT_EQ(ran, 0);
  this->expect_nothing_left();
}

TEST(interval, stops_its_simulation_from_its_own_callback) {
  settle::testing::simulation sim(settle::testing::seed());
  auto const state = std::make_shared<int>(0);
  settle::operation op;
  {
    auto h = settle::interval(sim.get_executor(), 1ms).each([&, state] {
      ++*state;
      sim.destroy(sim.get_executor());
    });
    op = h;
    testing::internal::CaptureStderr();
    sim.advance(1ms);
    sim.advance(1h);
    testing::internal::GetCapturedStderr();
    ASSERT_TRUE(op.is_released());
    EXPECT_FALSE(std::move(h).wait().has_value());
  }
  EXPECT_EQ(*state, 1);
  EXPECT_EQ(state.use_count(), 1);
}

TEST(interval, without_timers_fails_and_says_so) {
  settle::interval const ticks(settle::inline_executor(), 1ms);
  auto h = ticks.each([] { FAIL(); });
  ASSERT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().error().code(), settle::errc::no_timers);
  EXPECT_EQ(ticks.next().wait().error().code(), settle::errc::no_timers);
  EXPECT_EQ(settle::schedule(settle::inline_executor(), 1ms, [] {}).wait().error().code(), settle::errc::no_timers);
}

TEST(interval, whose_next_timer_does_not_start_fails) {
  test::loop_with_timers loop;
  int calls = 0;
  auto h = settle::interval(loop.get_executor(), 1ms).each([&] {
    ++calls;
    loop.refuse_timers(true);
  });
  loop.advance(1ms);
  EXPECT_EQ(calls, 1);
  ASSERT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().error().code(), settle::errc::no_memory);
  EXPECT_EQ(loop.made(), 0U);
}

/// Whose user code is always posted.
struct posting_executor : test::loop_with_timers::executor {
  using test::loop_with_timers::executor::executor;
  static bool running_in_this_thread() noexcept { return false; }
  bool operator==(posting_executor const&) const = default;
};

TEST(interval, asked_between_its_timer_and_its_turn) {
  test::loop_with_timers loop;
  posting_executor const ex(loop);
  settle::operation op;
  auto first = settle::sleep(ex, 1ms);
  first.on_done([&] { op.request_cancel(cause::shutdown); });
  auto h = settle::interval(ex, 1ms).each([] { FAIL(); });
  op = h;
  loop.advance(1ms);
  ASSERT_TRUE(op.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, cause::shutdown);
}

TEST(interval, that_ends_itself_starts_no_further_timer) {
  test::loop_with_timers loop;
  settle::operation op;
  bool started = false;
  op = settle::interval(loop.get_executor(), 1ms)
           .each([&] {
             op.request_cancel();
             loop.in_next_start([&] { started = true; });
           })
           .detach();
  loop.advance(1ms);
  EXPECT_TRUE(op.is_released());
  EXPECT_FALSE(started);
}

TEST(interval, asked_while_its_timer_is_being_started) {
  test::loop_with_timers loop;
  settle::operation op;
  int calls = 0;
  auto h = settle::interval(loop.get_executor(), 1ms).each([&] {
    ++calls;
    loop.in_next_start([&] { op.request_cancel(cause::shutdown); });
  });
  op = h;
  loop.advance(1ms);
  loop.run_all();
  EXPECT_EQ(calls, 1);
  ASSERT_TRUE(op.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, cause::shutdown);
  EXPECT_EQ(loop.made(), 0U);
}

}  // namespace
