// SPDX-License-Identifier: BSL-1.0
// sleep: its timer is closed by a cleanup on its own operation, however it ends (A26). In virtual time; Asio's is tested in tests/asio.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "timer_places.hpp"

namespace {

using namespace std::chrono_literals;
using settle::cause;

template <class Place>
class sleep : public testing::Test {
 public:
  Place place;
};
TYPED_TEST_SUITE(sleep, test::timer_places);

TYPED_TEST(sleep, settles_at_its_time_and_is_released) {
  auto h = settle::sleep(this->place.get_executor(), 10ms);
  auto until = settle::sleep(this->place.get_executor(), settle::timers_of(this->place.get_executor()).now() + 20ms);
  this->place.pass(10ms - 1ns);
  EXPECT_FALSE(h.is_settled());
  this->place.pass(1ns);
  EXPECT_TRUE(h.is_settled());
  EXPECT_TRUE(h.is_released());
  EXPECT_TRUE(std::move(h).wait().has_value());
  EXPECT_FALSE(until.is_settled());
  this->place.pass(10ms);
  EXPECT_TRUE(std::move(until).wait().has_value());
}

TYPED_TEST(sleep, of_no_time_at_all) {
  for (auto const d : {0ns, std::chrono::nanoseconds(-5s), std::chrono::nanoseconds::min()}) {
    auto h = settle::sleep(this->place.get_executor(), d);
    EXPECT_FALSE(h.is_settled()) << "never inside the call";
    this->place.pass(0ns);
    EXPECT_TRUE(std::move(h).wait().has_value());
  }
}

TYPED_TEST(sleep, for_ever) {
  auto a = settle::sleep(this->place.get_executor(), std::chrono::nanoseconds::max());
  auto b = settle::sleep(this->place.get_executor(), test::time_point::max());
  auto c = settle::sleep(this->place.get_executor(), std::chrono::hours::max());
  this->place.pass(24h * 365 * 50);
  EXPECT_FALSE(a.is_settled() || b.is_settled() || c.is_settled());
  a.request_cancel();
  b = {};
  c = {};
  this->place.pass(0ns);
  EXPECT_TRUE(a.is_released());
}

TYPED_TEST(sleep, cancelled_or_dropped_it_ends_at_once_and_is_released_when_the_timer_has_let_go) {
  for (int how = 0; how != 3; ++how) {
    SCOPED_TRACE(how);
    auto h = settle::sleep(this->place.get_executor(), 1h);
    auto w = h.watch();
    settle::operation const op = h;
    this->place.pass(1ms);
    if (how == 0) op.cancel(cause::shutdown);
    if (how == 1) op.request_cancel(cause::shutdown);
    if (how == 2) {
      auto gone = std::move(h);
    }
    EXPECT_EQ(op.is_settled(), how == 0);
    EXPECT_FALSE(op.is_released()) << "the timer still holds the producer";
    this->place.pass(0ns);
    ASSERT_NE(w.peek(), nullptr);
    ASSERT_TRUE(w.peek()->is_cancelled());
    EXPECT_EQ(w.peek()->cancel().why, how == 2 ? cause::dropped : cause::shutdown);
    EXPECT_TRUE(op.is_released());
    op.cancel();
    op.request_cancel();
  }
}

TYPED_TEST(sleep, cancelled_from_its_own_observer_and_from_another_ones) {
  auto first = settle::sleep(this->place.get_executor(), 1ms);
  auto second = settle::sleep(this->place.get_executor(), 1h);
  settle::operation const a = first;
  settle::operation const b = second;
  int ran = 0;
  first.on_done([&](settle::outcome<void> const&) {
    ++ran;
    EXPECT_FALSE(a.cancel());
    EXPECT_TRUE(b.cancel());
  });
  second.on_done([&](settle::outcome<void> const&) { ++ran; });
  this->place.pass(1ms);
  EXPECT_EQ(ran, 2);
  EXPECT_TRUE(a.is_released());
  EXPECT_TRUE(b.is_released());
}

TYPED_TEST(sleep, cancelled_when_it_is_due_but_has_not_fired) {
  for (bool const forced : {false, true}) {
    auto h = settle::sleep(this->place.get_executor(), 0ns);
    auto w = h.watch();
    if (forced) h.cancel();
    else h.request_cancel();
    this->place.pass(0ns);
    ASSERT_NE(w.peek(), nullptr);
    EXPECT_EQ(w.peek()->is_cancelled(), forced || !w.peek()->has_value());
    EXPECT_TRUE(h.is_released());
  }
}

TYPED_TEST(sleep, a_hundred_leave_nothing_behind) {
  for (int how = 0; how != 4; ++how) {
    SCOPED_TRACE(how);
    std::vector<settle::operation> seen;
    {
      std::vector<settle::handle_of<void>> sleeps;
      for (int i = 0; i != 100; ++i) {
        sleeps.push_back(settle::sleep(this->place.get_executor(), how == 0 ? i * 1us : std::chrono::nanoseconds(1h)));
        seen.emplace_back(sleeps.back());
      }
      if (how == 1)
        for (auto& h : sleeps) h.cancel();
      if (how == 2) sleeps.clear();
      if (how == 3)
        for (auto& h : sleeps) h.request_cancel();
      this->place.pass(1ms);
    }
    for (auto const& op : seen) EXPECT_TRUE(op.is_released());
    seen.clear();
    if constexpr (std::is_same_v<TypeParam, test::simulated_place>) EXPECT_QUIESCENT(this->place.sim);
    else EXPECT_EQ(this->place.timers().size(), 0U);
  }
}

TYPED_TEST(sleep, its_executor_goes_down_with_all_pending) {
  for (bool const handles_live_longer : {false, true}) {
    TypeParam dying;
    std::vector<settle::operation> seen;
    std::vector<settle::handle_of<void>> sleeps;
    int done = 0;
    testing::internal::CaptureStderr();  // the default sink says which executor was lost
    for (int i = 0; i != 50; ++i) {
      sleeps.push_back(settle::sleep(dying.get_executor(), 1h));
      seen.emplace_back(sleeps.back());
      seen.back().on_done([&] { ++done; });
      if (i % 2 == 0) sleeps.back().cancel();
    }
    if (!handles_live_longer) sleeps.clear();
    dying.go_down();
    EXPECT_NE(testing::internal::GetCapturedStderr().find("settle: executor lost"), std::string::npos);
    EXPECT_EQ(done, 50);
    for (auto const& op : seen) EXPECT_TRUE(op.is_released());
    sleeps.clear();
    seen.clear();
  }
}

template <class Place>
class A28_deadline : public sleep<Place> {
 public:
  typename Place::executor ex() { return this->place.get_executor(); }
  test::time_point now() { return settle::timers_of(ex()).now(); }
};
TYPED_TEST_SUITE(A28_deadline, test::timer_places);

TYPED_TEST(A28_deadline, a_sleep_below_it_ends_with_it_at_the_latest) {
  settle::resolver_of<void> request;
  settle::resolver_of<void> query(request.op());
  auto free = settle::sleep(query.op(), this->ex(), 20ms);
  request.op().tighten(this->now() + 10ms);
  auto longer = settle::sleep(query.op(), this->ex(), 1h);
  auto as_long = settle::sleep(query.op(), this->ex(), this->now() + 10ms);
  auto shorter = settle::sleep(query.op(), this->ex(), 9ms);
  this->place.pass(10ms - 1ns);
  EXPECT_TRUE(shorter.is_settled());
  EXPECT_FALSE(longer.is_settled() || as_long.is_settled());
  this->place.pass(1ns);
  ASSERT_TRUE(longer.is_released() && as_long.is_released());
  EXPECT_TRUE(std::move(shorter).wait().has_value());
  EXPECT_TRUE(std::move(as_long).wait().has_value()) << "just in time";
  auto const cut = std::move(longer).wait();
  ASSERT_TRUE(cut.has_error());
  EXPECT_EQ(cut.error(), settle::errc::timed_out);
  this->place.pass(10ms);
  EXPECT_TRUE(std::move(free).wait().has_value()) << "it was not there yet";
  query.complete();
  request.complete();
}

TYPED_TEST(A28_deadline, one_that_is_past_is_an_error_at_once) {
  for (auto const past : {0ns, 1ns, std::chrono::nanoseconds(1h)}) {
    settle::resolver_of<void> request;
    request.op().tighten(this->now() - past);
    auto h = settle::sleep(request.op(), this->ex(), 0ns);
    EXPECT_TRUE(h.is_settled()) << "no timer was started";
    this->place.pass(0ns);
    ASSERT_TRUE(h.is_released());
    EXPECT_EQ(std::move(h).wait().error(), settle::errc::timed_out);
    request.complete();
  }
}

TYPED_TEST(A28_deadline, a_sleep_below_an_operation_ends_with_it_and_is_released_before) {
  enum { is_asked, is_forced, was_asked, completes };
  for (auto const how : {is_asked, is_forced, was_asked, completes}) {
    SCOPED_TRACE(how);
    settle::resolver_of<void> request;
    settle::operation const op = request.op();
    bool slept = false;
    request.on_cleanup([&] { slept = true; });
    if (how == was_asked) op.request_cancel(cause::shutdown);
    auto h = settle::sleep(op, this->ex(), 1h);
    if (how == is_asked) op.request_cancel(cause::shutdown);
    if (how == is_forced) op.cancel(cause::shutdown);
    if (how == completes) request.complete();
    else request.cancel();
    EXPECT_FALSE(slept) << "its timer is still there";
    this->place.pass(0ns);
    ASSERT_TRUE(slept && h.is_released());
    EXPECT_TRUE(std::move(h).wait().is_cancelled());
  }
}

TYPED_TEST(A28_deadline, a_sleep_below_nothing_is_a_sleep_and_below_what_is_over_is_cancelled) {
  auto free = settle::sleep(settle::operation(), this->ex(), 1ms);
  settle::resolver_of<void> request;
  settle::operation const over = request.op();
  request.complete();
  ASSERT_TRUE(over.is_released());
  auto late = settle::sleep(over, this->ex(), 1h);
  this->place.pass(1ms);
  ASSERT_TRUE(free.is_released() && late.is_released());
  EXPECT_TRUE(std::move(free).wait().has_value());
  EXPECT_TRUE(std::move(late).wait().is_cancelled());
}

settle::handle_of<bool> dozes(settle::testing::sim_executor ex) {
  settle::operation const self = co_await settle::this_operation;
  auto const nap = co_await settle::sleep(self, ex, 1h).as_outcome();
  co_return nap.timed_out();
}

TEST(A28_deadline_of_a_coroutine, is_that_of_what_it_sleeps_in) {
  settle::testing::simulation sim(settle::testing::seed());
  settle::resolver_of<void> request;
  request.op().tighten(sim.now() + 50ms);
  auto h = dozes(sim.get_executor());
  request.op().adopt(h);
  sim.advance(50ms);
  ASSERT_TRUE(h.is_released());
  EXPECT_TRUE(std::move(h).wait().value());
  request.complete();
  EXPECT_QUIESCENT(sim);
}

TEST(sleep_that_closes, may_be_cancelled_again_by_force_and_is_released_when_the_timer_has_let_go) {
  for (std::uint64_t seed = 0; seed != 20; ++seed) {
    settle::testing::simulation sim(seed);
    sim.close_delay(10ms);
    auto h = settle::sleep(sim.get_executor(), 1h);
    auto w = h.watch();
    h.request_cancel(cause::shutdown);
    sim.run();  // the timer is asked to let go
    h.cancel(cause::overload);
    settle::operation const op = h;
    h = {};
    sim.run();
    op.cancel();
    sim.advance(10ms);
    ASSERT_TRUE(op.is_released());
    ASSERT_NE(w.peek(), nullptr);
    EXPECT_TRUE(w.peek()->is_cancelled());
  }
}

TEST(sleep_under_a_parent, that_was_cancelled_before_ends_at_once_and_holds_it_until_released) {
  settle::testing::simulation sim(settle::testing::seed());
  settle::resolver_of<int> parent;
  auto h = parent.get_handle();
  h.request_cancel(cause::disconnect);
  auto nap = settle::sleep(sim.get_executor(), 1h);
  settle::operation const child = nap;
  h.adopt(std::move(nap));
  parent.cancel();
  EXPECT_FALSE(h.is_released());
  sim.run();
  EXPECT_TRUE(child.is_released());
  EXPECT_TRUE(h.is_released());
}

TEST(sleep_without_timers, fails_and_says_so) {
  auto h = settle::sleep(settle::inline_executor(), 1ms);
  ASSERT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().error().code(), settle::errc::no_timers);

  test::manual_loop loop;
  auto queued = settle::sleep(loop.get_executor(), test::time_point::max());
  loop.run();
  EXPECT_EQ(std::move(queued).wait().error().code(), settle::errc::no_timers);
}

TEST(sleep_without_memory, a_timer_that_does_not_start_is_an_error) {
  settle::testing::simulation sim(1);
  sim.faults().timer(2);
  auto a = settle::sleep(sim.get_executor(), 1ms);
  auto b = settle::sleep(sim.get_executor(), 1ms);
  sim.advance(1ms);
  EXPECT_TRUE(std::move(a).wait().has_value());
  EXPECT_EQ(std::move(b).wait().error().code(), settle::errc::no_memory);
  EXPECT_QUIESCENT(sim);
}

}  // namespace
