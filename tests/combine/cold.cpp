// SPDX-License-Identifier: BSL-1.0
// Combinators of cold coroutines are cold: they start with an owner, and run where that one does.
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <variant>

#include "books.hpp"

namespace {

using namespace std::chrono_literals;
using settle::handle_of;
using settle::within;
using settle::testing::sim_executor;
using settle::testing::simulation;

int started = 0;
bool at_home = true;
sim_executor const* home = nullptr;

handle_of<int> job(int v) {
  ++started;
  at_home = at_home && home->running_in_this_thread();
  co_return v;
}
handle_of<void> forever() {
  ++started;
  co_await settle::never();
}

struct A18_cold : testing::Test {
  simulation sim{settle::testing::seed()};
  sim_executor ex = sim.get_executor();
  void SetUp() override {
    started = 0;
    at_home = true;
    home = &ex;
  }
  void TearDown() override { EXPECT_QUIESCENT(sim); }
};

handle_of<int> parent(sim_executor) {
  auto sum = co_await settle::all(job(1), job(2));
  auto const one_more = [](int v) { return v + 1; };
  int const more = co_await settle::then(job(3), one_more);
  auto got = co_await within(job(5), 1s).as_outcome();
  auto first = co_await settle::race(job(6), forever());
  co_return std::get<0>(sum) + std::get<1>(sum) + more + got.value() + std::get<0>(first);
}

TEST_F(A18_cold, they_start_where_they_are_awaited_and_find_timers_there) {
  auto h = parent(ex);
  sim.run();
  EXPECT_EQ(std::move(h).wait().value(), 18);
  EXPECT_TRUE(at_home);
  EXPECT_EQ(started, 5) << "the loser was cancelled before its turn";
}

handle_of<bool> too_slow(sim_executor) {
  auto got = co_await within(forever(), 100ms).as_outcome();
  co_return got.timed_out();
}
TEST_F(A18_cold, a_cold_one_within_a_time_is_cut_off) {
  auto h = too_slow(ex);
  sim.advance(100ms);
  EXPECT_TRUE(std::move(h).wait().value());
}

TEST_F(A18_cold, they_start_with_any_owner_and_not_before) {
  auto h = settle::all(job(1), job(2));
  EXPECT_EQ(started, 0);
  at_home = true;
  EXPECT_EQ(std::move(h).wait().value(), std::tuple(1, 2));
  EXPECT_EQ(started, 2);
  auto k = settle::then(settle::then(job(1), [](int v) { return v; }), [](int v) { return v + 1; });
  EXPECT_EQ(started, 2);
  int got = 0;
  std::move(k).on_done([&](settle::outcome<int>&& o) { got = o.value(); });
  EXPECT_EQ(got, 2);
}

TEST_F(A18_cold, one_beside_a_hot_one_starts_at_once) {
  settle::resolver_of<int> hot;
  auto both = settle::all(hot.get_handle(), job(2));
  EXPECT_EQ(started, 1);
  hot.complete(1);
  EXPECT_EQ(std::move(both).wait().value(), std::tuple(1, 2));
  settle::resolver_of<int> other;
  auto first = settle::race(other.get_handle(), forever());
  EXPECT_EQ(started, 2);
  EXPECT_FALSE(first.is_settled());
  other.complete(3);
  EXPECT_EQ(std::get<0>(std::move(first).wait().value()), 3);
}

TEST_F(A18_cold, dropped_or_cancelled_before_they_start_they_never_do) {
  {
    auto dropped = settle::race(job(1), job(2));
    auto chain = settle::finally(settle::then(job(1), [](int) {}), [] {});
  }
  auto cancelled = settle::all(job(1), job(2));
  cancelled.cancel();
  EXPECT_TRUE(cancelled.is_released());
  auto asked = within(job(1), 1s);
  asked.request_cancel();
  EXPECT_TRUE(std::move(asked).wait().is_cancelled());
  EXPECT_EQ(started, 0);
}

}  // namespace
