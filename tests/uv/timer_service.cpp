// SPDX-License-Identifier: BSL-1.0
// A libuv loop as a timer service: what every one promises, and what becomes of everything that waits for one, in real time.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "place.hpp"
#include "timer_lifecycle_suite.hpp"
#include "timer_service_suite.hpp"

namespace test {

struct uv_loop_place : uv_place {
  settle::timer_wheel& timers() { return get_executor().timers(); }
  void run_ready() { loop->run(UV_RUN_NOWAIT); }
  /// Executors keep its timers.
  void go_down() {
    left = std::make_unique<executor>(get_executor());
    loop.reset();
  }
  std::unique_ptr<executor> left;
};
INSTANTIATE_TYPED_TEST_SUITE_P(of_libuv, timer_service, real_place<uv_loop_place>);
INSTANTIATE_TYPED_TEST_SUITE_P(of_libuv, timer_lifecycle, real_place<uv_loop_place>);

}  // namespace test

namespace {

using namespace std::chrono_literals;

TEST(uv_timers, the_loop_waits_for_them_and_no_longer) {
  test::uv_place place;
  auto const begin = std::chrono::steady_clock::now();
  auto late = settle::sleep(place.get_executor(), 1h);
  settle::sleep(place.get_executor(), 5ms).on_done([&] { late.request_cancel(); });
  place.run();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 5ms);
  EXPECT_TRUE(late.is_released());
}

TEST(uv_timers, an_earlier_one_from_another_thread_wakes_the_loop) {
  test::uv_place place;
  auto guard = settle::sleep(place.get_executor(), 1h);
  std::thread other([&] {
    settle::sleep(place.get_executor(), 1ms).wait();
    guard.request_cancel();
  });
  place.run();
  other.join();
  EXPECT_TRUE(guard.is_released());
}

TEST(uv_timers, A27_an_interval_stops_itself_or_its_loop) {
  for (bool const stops_loop : {false, true}) {
    test::uv_place place;
    auto const state = std::make_shared<int>(0);
    settle::operation op;
    testing::internal::CaptureStderr();
    op = settle::interval(place.get_executor(), 1ms)
             .each([&, state] {
               if (++*state != 3) return;
               if (stops_loop) place.loop.reset();
               else op.request_cancel();
             })
             .detach();
    place.run();
    EXPECT_EQ(uv_run(&place.raw, UV_RUN_DEFAULT), 0);
    testing::internal::GetCapturedStderr();
    EXPECT_EQ(*state, 3);
    EXPECT_TRUE(op.is_released());
    EXPECT_EQ(state.use_count(), 1);
  }
}

TEST(uv_timers, starting_allocates_nothing) {
  test::uv_place place;
  auto const ex = place.get_executor();
  place.run();
  struct nothing {
    void over(settle::timer_end) noexcept {}
  } n;
  settle::timer_wheel::timer t(ex.timers());
  test::allocation_count const count;
  ASSERT_TRUE(t.start(ex.timers().now() + 1ms, settle::timer_done::to<&nothing::over>(n)));
  place.run();
  EXPECT_EQ(count.now(), 0U);
}

TEST(uv_timers, a_deadline_a_pause_and_a_hedge_come_from_it) {
  test::uv_place place;
  auto const ex = place.get_executor();
  auto slow = settle::within(settle::sleep(ex, 1h), 1ms);
  int tries = 0;
  auto again = settle::retry(settle::backoff::constant(1ms, 3), [&](unsigned) {
    ++tries;
    return settle::then(settle::sleep(ex, 0ns), [] { return settle::failed<int>(settle::errc::closed); });
  });
  place.run();
  EXPECT_TRUE(std::move(slow).wait().timed_out());
  EXPECT_TRUE(std::move(again).wait().has_error());
  EXPECT_EQ(tries, 3);
}

}  // namespace
