// SPDX-License-Identifier: BSL-1.0
// What every timer service promises, and what becomes of everything that waits for one, asked of each that needs no real time; Asio's
// and libuv's are asked in their folders.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <type_traits>

#include "timer_lifecycle_suite.hpp"
#include "timer_places.hpp"
#include "timer_service_suite.hpp"

namespace test {

INSTANTIATE_TYPED_TEST_SUITE_P(of, timer_service, timer_places);
INSTANTIATE_TYPED_TEST_SUITE_P(of, timer_lifecycle, timer_places);

}  // namespace test

namespace {

using settle::timer_done;
using settle::timer_end;

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
