// SPDX-License-Identifier: BSL-1.0
// Timers, sleep, the wheel and the simulation without exceptions and type information.
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "timer_places.hpp"

namespace {

using namespace std::chrono_literals;

template <class Place>
class noexcept_timers : public testing::Test {
 public:
  Place place;
};
TYPED_TEST_SUITE(noexcept_timers, test::timer_places);

TYPED_TEST(noexcept_timers, sleeps_end_each_in_its_way) {
  auto a = settle::sleep(this->place.get_executor(), 3ms);
  auto b = settle::sleep(this->place.get_executor(), 1h);
  auto c = settle::sleep(this->place.get_executor(), 1h);
  auto const dropped = settle::operation(c);
  this->place.pass(2ms);
  EXPECT_FALSE(a.is_settled());
  b.request_cancel(settle::cause::deadline);
  c = {};
  this->place.pass(1ms);
  EXPECT_TRUE(std::move(a).wait().has_value());
  EXPECT_TRUE(std::move(b).wait().timed_out());
  EXPECT_TRUE(dropped.is_released());
}

TYPED_TEST(noexcept_timers, a_service_that_goes_down_loses_them) {
  auto&& timers = this->place.timers();
  test::watched_timer<std::remove_cvref_t<decltype(timers)>> t(timers);
  ASSERT_TRUE(t.start(timers.now() + 1s));
  this->place.go_down();
  EXPECT_EQ(t.ends, std::vector{settle::timer_end::lost});
}

TEST(noexcept_sleep, without_timers_is_an_error) {
  EXPECT_EQ(settle::sleep(settle::inline_executor(), 1ms).wait().error().code(), settle::errc::no_timers);
}

TEST(noexcept_simulation, work_that_is_dropped_or_has_no_memory_is_noticed) {
  struct job : settle::default_policy {
    using executor_type = settle::testing::simulation::executor;
    using allocator_type = settle::testing::simulation::allocator;
    using error_sink = settle::ignore_sink;
  };
  settle::testing::simulation sim(1);
  sim.faults().submit(1, settle::testing::submit_fault::drop).allocation(2);
  auto make = [&] { return settle::resolver<job>(std::allocator_arg, sim.get_allocator(), sim.get_executor()); };
  {
    auto r = make();
    int ran = 0;
    EXPECT_FALSE(r.on_cleanup([&ran, big = std::array<int, 10>()]() noexcept { ran += 1 + big[0]; })) << "no memory";
    EXPECT_EQ(ran, 1);
    r.on_cleanup([&]() noexcept { ++ran; });
    r.complete();
    EXPECT_EQ(ran, 2) << "where the work was dropped";
  }
  sim.run();
  EXPECT_QUIESCENT(sim);
}

}  // namespace
