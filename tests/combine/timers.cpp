// SPDX-License-Identifier: BSL-1.0
// within, retry and hedge with timers that are refused, that are lost, or that end at an awkward moment; and with none.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "loop_with_timers.hpp"

namespace {

using namespace std::chrono_literals;
using namespace test;
using settle::errc;
using settle::handle_of;
template <class T>
using loop_resolver = settle::resolver_of<T, settle::error, loop_with_timers::executor>;

struct timers : testing::Test {
  loop_with_timers loop;
  void TearDown() override {
    EXPECT_EQ(loop.armed(), 0U);
    EXPECT_EQ(loop.made(), 0U);
  }
};
struct within_timers : timers {};
struct retry_timers : timers {};
struct hedge_timers : timers {};

TEST_F(within_timers, a_timer_that_is_refused_fails_the_result_and_the_source_is_asked) {
  for (bool named : {false, true}) {
    loop.refuse_timers(true);
    auto service = loop.get_executor().timers();
    loop_resolver<int> r(loop.get_executor());
    auto h = named ? settle::within(r.get_handle(), 1s, service) : settle::within(r.get_handle(), 1s);
    EXPECT_TRUE(h.is_settled());
    EXPECT_TRUE(r.op().cancel_requested());
    r.cancel();
    loop.run_all();
    EXPECT_TRUE(h.is_released());
    EXPECT_EQ(std::move(h).wait().error().code(), errc::no_memory);
  }
}

TEST_F(within_timers, a_source_that_settles_before_its_timer_is_refused_has_decided) {
  loop.refuse_timers(true);
  loop_resolver<int> r(loop.get_executor());
  auto source = r.get_handle();
  loop.in_next_start([&] { r.complete(1); });
  auto h = settle::within(std::move(source), 1s);
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().value(), 1);
}

TEST_F(within_timers, a_named_one_is_stopped_when_the_source_wins) {
  auto service = loop.get_executor().timers();
  loop_resolver<std::string> r(loop.get_executor());
  auto h = settle::within(r.get_handle(), 1s, service);
  EXPECT_EQ(loop.armed(), 1U);
  r.complete("in time");
  loop.run_all();
  EXPECT_EQ(loop.made(), 0U);
  EXPECT_EQ(std::move(h).wait().value(), "in time");
}

TEST_F(within_timers, one_that_fires_after_the_source_has_settled_changes_nothing) {
  loop_resolver<std::string> r(loop.get_executor());
  auto h = settle::within(r.get_handle(), 1s);
  r.complete("in time");
  loop.advance(1s);
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().value(), "in time");
}

TEST_F(within_timers, one_that_fires_before_it_is_stopped_for_a_source_that_was_released_meanwhile) {
  loop_resolver<int> r(loop.get_executor());
  auto source = r.get_handle();
  loop.in_next_start([&] {  // on another thread, as it were
    r.complete(7);
    loop.run();
  });
  auto h = settle::within(std::move(source), 1s);
  EXPECT_TRUE(h.is_settled());
  ASSERT_EQ(loop.size(), 2U) << "the timer is to be stopped, and the result's own";
  std::move(h).detach();
  loop.run_last();
  loop.advance(1s);
}

TEST_F(within_timers, a_time_that_never_comes_starts_none) {
  loop_resolver<int> r(loop.get_executor());
  auto w = r.get_handle().share();
  auto h = settle::within(w, std::chrono::nanoseconds::max());
  auto longer = settle::within(w, std::chrono::hours::max());
  auto asked = settle::within(w, std::chrono::nanoseconds::max());
  EXPECT_EQ(loop.armed(), 0U);
  asked.request_cancel(settle::cause::overload);
  loop.advance(24h);
  EXPECT_EQ(std::move(asked).wait().cancel().why, settle::cause::overload);
  r.complete(1);
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().value(), 1);
  EXPECT_EQ(std::move(longer).wait().value(), 1);
}

TEST_F(within_timers, a_watched_source_that_settled_before_the_result_was_asked_goes_on) {
  loop_resolver<std::string> r(loop.get_executor());
  auto h = settle::within(r.get_handle().share(), 1s);
  r.complete("there");
  h.request_cancel();
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().value(), "there");
}

TEST_F(within_timers, without_timers_a_point_in_time_is_the_deadline_all_the_same) {
  settle::resolver_of<int> r;
  auto op = r.op();
  auto h = settle::within(r.get_handle(), std::chrono::steady_clock::now() + 1h);
  EXPECT_LE(op.remaining(), 1h);
  r.cancel();
  EXPECT_EQ(std::move(h).wait().error().code(), errc::no_timers);
}

TEST_F(within_timers, a_value_that_waits_for_its_loss_and_a_failure_that_is_there_pass) {
  int lost = 0;
  loop_resolver<int> r(loop.get_executor());
  auto h = settle::within(r.get_handle().on_lost([&](int&&) noexcept { ++lost; }), 1s);
  r.complete(1);
  EXPECT_FALSE(h.is_settled()) << "by way of user code";
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().value(), 1);
  EXPECT_EQ(lost, 0);
  loop_resolver<int> q(loop.get_executor());
  auto there = q.get_handle();
  q.fail(errc::closed);
  auto k = settle::within(std::move(there), 1s);
  EXPECT_TRUE(k.is_settled());
  loop.run_all();
  EXPECT_EQ(std::move(k).wait().error().code(), errc::closed);
}

/// Attempts that fail, each at once.
struct failing {
  loop_with_timers* loop;
  int* calls;
  std::optional<settle::pin>* held = nullptr;

  handle_of<int> operator()(unsigned) const {
    ++*calls;
    loop_resolver<int> r(loop->get_executor());
    if (held != nullptr) held->emplace(r.op().pin());
    auto h = r.get_handle();
    r.fail(errc::closed);
    return h;
  }
};

TEST_F(retry_timers, none_and_one_that_is_refused_are_errors) {
  int calls = 0;
  auto h = settle::retry(settle::backoff::constant(10ms, 3), [&](unsigned) { return ++calls, settle::failed<int>(errc::closed); });
  EXPECT_EQ(std::move(h).wait().error().code(), errc::no_timers);
  EXPECT_EQ(calls, 1);
  loop.refuse_timers(true);
  auto k = settle::retry(settle::backoff::constant(10ms, 3), failing{&loop, &calls});
  loop.run_all();
  EXPECT_EQ(std::move(k).wait().error().code(), errc::no_memory);
  EXPECT_EQ(calls, 2);
}

TEST_F(retry_timers, one_that_is_lost_abandons_the_result) {
  int calls = 0;
  auto h = settle::retry(settle::backoff::constant(10ms, 3), failing{&loop, &calls});
  loop.run_all();
  EXPECT_EQ(loop.armed(), 1U);
  loop.lose_timers();
  EXPECT_TRUE(h.is_settled());
  loop.run_all();
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::abandoned);
  EXPECT_EQ(calls, 1);
}

TEST_F(retry_timers, asked_between_an_attempt_and_its_release_there_is_no_further_one) {
  for (auto pause : {0ms, 10ms}) {
    int calls = 0;
    std::optional<settle::pin> held;
    auto h = settle::retry(settle::backoff::constant(pause, 3), failing{&loop, &calls, &held});
    loop.run_all();
    h.request_cancel(settle::cause::overload);
    EXPECT_FALSE(h.is_settled());
    held.reset();
    loop.run_all();
    EXPECT_TRUE(h.is_released());
    EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::overload);
    EXPECT_EQ(calls, 1);
  }
}

TEST_F(retry_timers, asked_and_over_while_it_is_being_started_it_is_not_stopped) {
  int calls = 0;
  auto h = settle::retry(settle::backoff::constant(10ms, 3), failing{&loop, &calls});
  loop.in_next_start([&] {
    h.request_cancel(settle::cause::overload);
    std::thread([&] { loop.advance(10ms); }).join();
  });
  loop.run_all();
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::overload);
  EXPECT_EQ(calls, 1);
}

TEST_F(retry_timers, a_value_that_waits_for_its_loss_is_not_lost) {
  int lost = 0;
  loop_resolver<int> r(loop.get_executor());
  auto h = settle::retry(settle::backoff::none(2), [&](unsigned) { return r.get_handle().on_lost([&](int&&) noexcept { ++lost; }); });
  r.complete(1);
  EXPECT_FALSE(h.is_settled());
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().value(), 1);
  EXPECT_EQ(lost, 0);
}

/// Begins operations that the test ends.
template <class T>
struct begun {
  loop_with_timers* loop;
  std::vector<loop_resolver<T>>* r;
  handle_of<T> operator()(int) const { return r->emplace_back(loop->get_executor()).get_handle(); }
};

TEST_F(hedge_timers, a_failure_and_the_time_together_begin_two_as_long_as_there_are_any) {
  for (int items : {2, 4}) {
    std::vector<loop_resolver<int>> r;
    std::vector<int> list(static_cast<std::size_t>(items));
    auto h = settle::hedge(10ms, list, begun<int>{&loop, &r});
    r[0].fail(errc::closed);
    loop.advance(10ms);
    EXPECT_EQ(r.size(), items == 2 ? 2U : 3U);
    r.back().complete(2);
    loop.run_all();
    r.clear();
    loop.run_all();
    EXPECT_EQ(std::move(h).wait().value(), 2);
  }
}

TEST_F(hedge_timers, one_that_has_won_by_then_lets_the_next_off_or_keeps_it_from_being_begun) {
  std::vector<loop_resolver<std::string>> r;
  auto h = settle::hedge(10ms, std::vector{1, 2}, [&](int i) {
    if (i == 2) r[0].complete("first");
    return begun<std::string>{&loop, &r}(i);
  });
  loop.advance(10ms);
  EXPECT_TRUE(r.at(1).op().cancel_requested());
  r.clear();
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().value(), "first");
  auto k = settle::hedge(10ms, std::vector{1, 2, 3}, [&](int i) {
    auto mine = begun<std::string>{&loop, &r}(i);
    if (i == 2) r[1].complete("second");
    return mine;
  });
  r[0].fail(errc::closed);
  loop.advance(10ms);
  EXPECT_EQ(r.size(), 2U);
  loop.run_all();
  EXPECT_EQ(std::move(k).wait().value(), "second");
}

TEST_F(hedge_timers, without_them_only_a_failure_begins_the_next) {
  std::vector<settle::resolver_of<int>> r;
  auto h = settle::hedge(10ms, std::vector{1, 2, 3}, [&](int) { return r.emplace_back().get_handle(); });
  EXPECT_EQ(r.size(), 1U);
  r[0].fail(errc::closed);
  EXPECT_EQ(r.size(), 2U);
  r[1].complete(2);
  EXPECT_EQ(std::move(h).wait().value(), 2);
}

TEST_F(hedge_timers, lost_ones_begin_nothing) {
  std::vector<loop_resolver<int>> r;
  auto h = settle::hedge(10ms, std::vector{1, 2, 3}, begun<int>{&loop, &r});
  loop.lose_timers();
  loop.run_all();
  EXPECT_EQ(r.size(), 1U);
  r[0].complete(1);
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().value(), 1);
}

TEST_F(hedge_timers, asked_while_two_run_it_ends_with_the_last_of_them) {
  std::vector<loop_resolver<int>> r;
  auto h = settle::hedge(10ms, std::vector{1, 2, 3, 4}, begun<int>{&loop, &r});
  loop.advance(10ms);
  h.request_cancel(settle::cause::overload);
  r[0].cancel();
  loop.run_all();
  EXPECT_FALSE(h.is_settled());
  r[1].cancel();
  loop.run_all();
  EXPECT_EQ(r.size(), 2U);
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::overload);
}

TEST_F(hedge_timers, when_all_are_cancelled_it_fails_as_the_last_of_them) {
  std::vector<loop_resolver<int>> r;
  auto h = settle::hedge(1h, std::vector{1, 2}, begun<int>{&loop, &r});
  r[0].op().cancel(settle::cause::overload);
  loop.run_all();
  r[1].op().cancel(settle::cause::shutdown);
  loop.run_all();
  r.clear();
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().error().code(), errc::cancelled);
}

TEST_F(hedge_timers, a_value_that_waits_for_its_loss_is_not_lost) {
  int lost = 0;
  std::vector<loop_resolver<int>> r;
  auto h = settle::hedge(1h, std::vector{1, 2}, [&](int i) { return begun<int>{&loop, &r}(i).on_lost([&](int&&) noexcept { ++lost; }); });
  r[0].complete(1);
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().value(), 1);
  EXPECT_EQ(lost, 0);
}

TEST_F(hedge_timers, the_last_failure_is_the_result_s_at_once) {
  std::vector<loop_resolver<std::string>> r;
  auto h = settle::hedge(1h, std::vector{1}, begun<std::string>{&loop, &r});
  r[0].fail(errc::closed);
  EXPECT_TRUE(h.is_settled());
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().error().code(), errc::closed);
}

}  // namespace
