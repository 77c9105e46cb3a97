// SPDX-License-Identifier: BSL-1.0
// Scopes, supervisors and shutdown where there are no exceptions.
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace {

using namespace std::chrono_literals;
using settle::errc;
using settle::handle_of;

struct without_exceptions : testing::Test {
  settle::testing::simulation sim{settle::testing::seed()};
  settle::testing::sim_executor ex = sim.get_executor();
  void TearDown() override {
    sim.run();
    EXPECT_QUIESCENT(sim);
  }
};

TEST_F(without_exceptions, a_failing_child_is_the_scopes_failure) {
  auto both = [](settle::scope& s) -> handle_of<int> {
    s.spawn([] { return settle::failed<int>(errc::no_timers); });
    co_await settle::never();
    co_return 1;
  };
  auto h = settle::start_on(ex, [&] { return settle::with_scope(both); });
  sim.run();
  EXPECT_EQ(std::move(h).wait().error().code(), errc::no_timers);
}
TEST_F(without_exceptions, children_are_started_again_and_everything_is_stopped) {
  static constexpr settle::context_slot<std::string> slot;
  settle::shutdown_plan stop(ex);
  slot.set(stop.root(), "plan");
  settle::supervisor services(stop.root(), settle::restart::one_for_one, 2, 5s);
  int lives = 0;
  services.add("feed", [&] { return ++lives < 3 ? settle::failed<>(errc::timed_out) : settle::sleep(ex, 1h); });
  sim.run();
  EXPECT_EQ(lives, 3);
  EXPECT_EQ(slot.of(services.op()), "plan");
  auto w = stop.run(1s);
  sim.run();
  EXPECT_TRUE(w.peek()->value().clean());
}

}  // namespace
