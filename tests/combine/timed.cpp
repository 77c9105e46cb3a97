// SPDX-License-Identifier: BSL-1.0
// within, retry, hedge; map_concurrent and bracket: what begins operations of its own, in virtual time.
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "hooks.hpp"
#include "scale.hpp"
#include "situations.hpp"

namespace {

using namespace std::chrono_literals;
using namespace test;
using settle::errc;
using settle::handle_of;
using settle::testing::sim_executor;
using settle::testing::simulation;
using sim_resolver = settle::resolver_of<std::string, settle::error, sim_executor>;

struct timed : testing::Test {
  simulation sim{settle::testing::seed()};
  simulation::time_point const t0 = sim.now();

  long now() const { return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(sim.now() - t0).count()); }
  void TearDown() override { EXPECT_QUIESCENT(sim); }
};
struct A23_within_no_residue : timed {};
struct A51_long_lived_within : timed {};
struct A56_cached_within : timed {};
struct A24_retry : timed {};
struct A25_traverse_partial : timed {};
struct A21_bracket_once : timed {};
struct A28_deadline : timed {};
struct hedge : timed {};

TEST_F(A23_within_no_residue, the_source_wins_and_the_timer_is_gone_at_once) {
  for (way how : {way::complete, way::fail, way::cancel}) {
    sim_resolver r(sim.get_executor());
    auto h = r.get_handle() | settle::within(100ms);
    sim.advance(99ms);
    if (how == way::complete) r.complete("in time");
    if (how == way::fail) r.fail(errc::closed);
    if (how == way::cancel) r.cancel();
    sim.run();
    EXPECT_EQ(sim.queued(), 0U) << "no timer";
    auto o = std::move(h).wait();
    EXPECT_EQ(o.has_value(), how == way::complete);
    EXPECT_EQ(o.has_error(), how == way::fail);
    EXPECT_FALSE(o.timed_out());
  }
}
TEST_F(A23_within_no_residue, the_time_is_over_and_the_source_is_asked_because_of_a_deadline) {
  sim_resolver r(sim.get_executor());
  std::optional<settle::cause> why;
  r.on_cancel([&](settle::cancellation c) { why = c.why; });
  auto h = settle::within(r.get_handle(), sim.now() + 100ms);
  sim.advance(99ms);
  EXPECT_FALSE(h.is_settled());
  sim.advance(1ms);
  EXPECT_TRUE(h.is_settled());
  EXPECT_FALSE(h.is_released());
  EXPECT_EQ(why, settle::cause::deadline);
  r.complete("late");
  sim.run();
  auto o = std::move(h).wait();
  EXPECT_TRUE(o.has_error() && o.timed_out());
}
TEST_F(A23_within_no_residue, a_settled_source_starts_no_timer) {
  sim_resolver r(sim.get_executor());
  auto there = r.get_handle();
  r.complete("there");
  sim.run();
  auto h = settle::within(std::move(there), 0ms);
  sim.run();
  EXPECT_EQ(sim.queued(), 0U);
  EXPECT_EQ(std::move(h).wait().value(), "there");
  auto k = settle::within(settle::ready(1), 1s);
  EXPECT_EQ(std::move(k).wait().value(), 1) << "no timers, and none needed";
}
TEST_F(A56_cached_within, what_is_watched_and_too_slow_stays_pending_for_everyone_else_and_its_hooks_go) {
  sim_resolver r(sim.get_executor());
  auto w = r.get_handle().share();
  auto h = settle::within(w, 10ms);
  auto asked = settle::within(w, 1h);
  sim.advance(10ms);
  EXPECT_TRUE(std::move(h).wait().timed_out());
  asked.request_cancel(settle::cause::overload);
  EXPECT_TRUE(asked.is_settled());
  sim.run();
  EXPECT_EQ(sim.queued(), 0U);
  EXPECT_EQ(std::move(asked).wait().cancel().why, settle::cause::overload);
  EXPECT_FALSE(r.op().cancel_requested());
  EXPECT_EQ(hooks_on(r.op()), 0U);
  r.complete("later");
  sim.run();
  EXPECT_EQ(w.peek()->value(), "later");
}
TEST_F(A51_long_lived_within, a_million_times_within_leave_a_stop_signal_as_it_was) {
  settle::resolver<counted<int, sim_executor>> stop(sim.get_executor());
  auto const w = stop.get_handle().share();
  auto round = [&](std::size_t i) {
    auto h = settle::within(w, 1ms);
    if (i % 3 == 0) h.request_cancel();
    if (i % 3 == 1) sim.advance(1ms);
    if (i % 3 == 2) h = {};
    sim.run();
    if (h) {
      EXPECT_EQ(std::move(h).wait().is_cancelled(), i % 3 == 0);
    }
  };
  for (std::size_t i = 0; i != 10'000; ++i) round(i);  // until the simulation's trace is as long as it gets
  std::size_t const hooks = hooks_on(stop.op());
  long const bytes = ledger::bytes;
  std::int64_t const blocks = live_allocations_of_this_thread();
  for (std::size_t i = 0; i != a_million_when_optimised; ++i) {
    round(i);
    ASSERT_EQ(hooks_on(stop.op()), hooks) << "in round " << i;
  }
  EXPECT_EQ(ledger::bytes, bytes);
  EXPECT_NEAR(static_cast<double>(live_allocations_of_this_thread()), static_cast<double>(blocks), 2)
      << "a block more or less of the trace";
  EXPECT_FALSE(stop.op().cancel_requested());
  stop.complete(0);
  sim.run();
}
TEST_F(A23_within_no_residue, no_timers_is_an_error_and_named_ones_will_do) {
  settle::resolver_of<int> r;
  auto h = settle::within(r.get_handle(), 1s);
  EXPECT_EQ(r.op().cancel_requested(), true);
  r.cancel();
  EXPECT_EQ(std::move(h).wait().error().code(), errc::no_timers);
  settle::resolver_of<int> q;
  auto timers = sim.get_executor().timers();
  auto k = q.get_handle() | settle::within(1s, timers);
  sim.advance(1s);
  q.cancel();
  sim.run();
  EXPECT_TRUE(std::move(k).wait().timed_out());
}
TEST_F(A28_deadline, is_inherited_by_what_is_within_and_one_that_is_past_fails_at_once) {
  sim_resolver r(sim.get_executor());
  auto op = r.op();
  auto inner = r.get_handle() | settle::within(100ms);
  auto outer = std::move(inner) | settle::within(50ms);
  EXPECT_EQ(op.remaining(), 50ms);
  sim.advance(50ms);
  r.cancel();
  sim.run();
  EXPECT_TRUE(std::move(outer).wait().timed_out());
  sim_resolver q(sim.get_executor());
  auto late = settle::within(q.get_handle(), sim.now() - 1ms);
  EXPECT_TRUE(late.is_settled());
  q.cancel();
  sim.run();
  EXPECT_TRUE(std::move(late).wait().timed_out());
}

handle_of<void> rests(sim_executor ex, std::vector<long>* waited) {
  settle::operation const self = co_await settle::this_operation;
  auto const begun = settle::timers_of(ex).now();
  auto const rest = co_await settle::sleep(self, ex, 100ms).as_outcome();
  waited->push_back(static_cast<long>((settle::timers_of(ex).now() - begun) / 1ms));
  if (rest.has_value()) throw std::system_error(make_error_code(errc::closed));
  co_await settle::never();
}
TEST_F(A28_deadline, is_shared_by_the_attempts_and_what_they_wait_for) {
  std::vector<long> waited;
  auto h = settle::retry(settle::backoff::constant(10ms, 9), [&](unsigned) { return rests(sim.get_executor(), &waited); });
  h.tighten(sim.now() + 250ms);
  sim.advance(1s);
  EXPECT_EQ(waited, (std::vector<long>{100, 100, 30})) << "the third had no more time";
  EXPECT_FALSE(h.is_settled()) << "it is told, not cancelled";
  h.request_cancel();
  sim.run();
  ASSERT_TRUE(h.is_released());
  EXPECT_TRUE(std::move(h).wait().is_cancelled());
}

TEST_F(A24_retry, attempts_at_their_times_one_after_the_other_is_released) {
  std::vector<long> at;
  int open = 0;
  auto attempt = [&](unsigned n) -> handle_of<std::string> {
    EXPECT_EQ(open++, 0);
    at.push_back(now());
    sim_resolver r(sim.get_executor());
    r.on_cleanup([&] { --open; });
    auto h = r.get_handle();
    if (n == 2) r.complete("third");
    else r.fail(errc::closed);
    return h;
  };
  auto h = settle::retry(settle::backoff::exponential(100ms, 5s, 6), attempt);
  sim.advance(10s);
  EXPECT_EQ(at, (std::vector<long>{0, 100, 300}));
  EXPECT_EQ(std::move(h).wait().value(), "third");
}
TEST_F(A24_retry, linear_constant_cap_and_the_last_error) {
  auto times = [&](settle::backoff b) {
    std::vector<long> at;
    long const start = now();
    auto h = settle::retry(b, [&](unsigned n) {
      at.push_back(now() - start);
      sim_resolver r(sim.get_executor());
      auto failed = r.get_handle();
      r.fail(settle::error(std::error_code(static_cast<int>(n) + 1, std::generic_category())));
      return failed;
    });
    sim.advance(10s);
    EXPECT_EQ(std::move(h).wait().error().code().value(), static_cast<int>(b.attempts()));
    return at;
  };
  EXPECT_EQ(times(settle::backoff::linear(100ms, 50ms, 1s, 4)), (std::vector<long>{0, 100, 250, 450}));
  EXPECT_EQ(times(settle::backoff::constant(10ms, 3)), (std::vector<long>{0, 10, 20}));
  EXPECT_EQ(times(settle::backoff::none(3)), (std::vector<long>{0, 0, 0}));
  EXPECT_EQ(times(settle::backoff::exponential(100ms, 150ms, 4)), (std::vector<long>{0, 100, 250, 400}));
  EXPECT_EQ(times(settle::backoff::constant(10ms, 3).when([](settle::error const&) { return false; }).when([](settle::error const& e) {
              return e.code().value() < 9;
            })),
            (std::vector<long>{0, 10, 20}));
}
TEST_F(A24_retry, cancelled_in_a_pause_or_an_attempt_there_is_no_further_one) {
  for (bool forced : {false, true})
    for (auto at : {0ms, 50ms}) {
      int attempts = 0;
      std::optional<sim_resolver> r;
      auto h = settle::retry(settle::backoff::constant(100ms, 9), [&](unsigned) {
        ++attempts;
        r.emplace(sim.get_executor());
        auto mine = r->get_handle();
        if (at != 0ms) r->fail(errc::closed);
        return mine;
      });
      sim.advance(at);
      if (forced) h.cancel();
      else h.request_cancel();
      EXPECT_EQ(h.is_settled(), forced || at != 0ms);
      r->fail(errc::closed);
      r.reset();
      sim.advance(10s);
      EXPECT_EQ(attempts, 1);
      EXPECT_TRUE(h.is_released());
      EXPECT_FALSE(std::move(h).wait().has_value());
    }
}

TEST_F(A25_traverse_partial, so_many_at_a_time_in_order) {
  int open = 0;
  int most = 0;
  auto f = [&](int i) -> handle_of<std::string> {
    most = std::max(most, ++open);
    auto nap = settle::sleep(sim.get_executor(), std::chrono::milliseconds(10 * (7 - i)));
    nap.on_cleanup([&] { --open; });
    return std::move(nap) | settle::then([i] { return std::to_string(i); });
  };
  auto h = settle::map_concurrent(std::vector{1, 2, 3, 4, 5, 6}, 2, f);
  sim.advance(1s);
  EXPECT_EQ(most, 2);
  EXPECT_EQ(std::move(h).wait().value(), (std::vector<std::string>{"1", "2", "3", "4", "5", "6"}));
}
TEST_F(A25_traverse_partial, a_throw_at_the_third_cancels_the_others_and_begins_no_more) {
  int cleaned = 0;
  int calls = 0;
  auto f = [&](int i) {
    ++calls;
    if (i == 3) throw std::runtime_error("third");
    auto nap = settle::sleep(sim.get_executor(), 1h);
    nap.on_cleanup([&] { ++cleaned; });
    return nap;
  };
  auto h = settle::map_concurrent(std::vector{1, 2, 3, 4, 5}, 9, f);
  EXPECT_TRUE(h.is_settled());
  sim.run();
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(cleaned, 2);
  EXPECT_TRUE(h.is_released());
  EXPECT_TRUE(std::move(h).wait().has_error());
  EXPECT_TRUE(settle::map_concurrent(std::vector<int>(), 3, [](int i) { return i; }).wait().value().empty());
}
TEST_F(A25_traverse_partial, asked_to_cancel_begins_no_more) {
  int calls = 0;
  auto h = settle::map_concurrent(std::vector{1, 2, 3, 4, 5}, 2, [&](int) { return ++calls, settle::sleep(sim.get_executor(), 10ms); });
  sim.advance(10ms);
  h.request_cancel();
  sim.advance(1s);
  EXPECT_EQ(calls, 4);
  EXPECT_TRUE(h.is_released());
  EXPECT_TRUE(std::move(h).wait().is_cancelled());
}

TEST_F(A21_bracket_once, releases_the_resource_once_on_every_path) {
  for (bool early : {false, true})
    for (way acquired : {way::complete, way::fail, way::cancel})
      for (way used : {way::complete, way::fail, way::cancel, way::drop})  // drop: use throws
        for (bool asked : {false, true}) {
          SCOPED_TRACE(std::string(way_names[static_cast<int>(acquired)]) + " " + way_names[static_cast<int>(used)] +
                       (asked ? " asked" : ""));
          std::vector<std::string> given;
          sim_resolver a(sim.get_executor());
          sim_resolver u(sim.get_executor());
          auto ha = a.get_handle();
          auto hu = u.get_handle();
          auto end = [](sim_resolver& r, way how) {
            if (how == way::complete) r.complete("value");
            if (how == way::fail) r.fail(errc::closed);
            if (how == way::cancel) r.cancel();
          };
          int uses = 0;
          if (early) end(a, acquired), end(u, used);
          auto h = settle::bracket([&] { return std::move(ha); },
                                   [&](std::string& s) {
                                     ++uses;
                                     s += " used";
                                     if (used == way::drop) throw std::runtime_error("use");
                                     return std::move(hu);
                                   },
                                   [&](std::string s) { given.push_back(std::move(s)); });
          if (asked) h.request_cancel();
          if (!early) end(a, acquired);
          sim.run();
          if (!early) end(u, used);
          sim.run();
          EXPECT_TRUE(h.is_released());
          EXPECT_EQ(given.size(), acquired == way::complete ? 1U : 0U);
          EXPECT_EQ(uses, acquired == way::complete && !asked ? 1 : 0);
          auto o = std::move(h).wait();
          EXPECT_EQ(o.has_value(), acquired == way::complete && used == way::complete && !asked);
          hu = {};
          u.cancel();
          sim.run();
        }
}

TEST_F(hedge, begins_the_next_after_the_delay_or_at_a_failure) {
  std::vector<long> at;
  std::vector<sim_resolver> r;
  auto begin = [&](int) {
    at.push_back(now());
    r.emplace_back(sim.get_executor());
    return r.back().get_handle();
  };
  auto h = settle::hedge(100ms, std::vector{1, 2, 3, 4}, begin);
  sim.advance(150ms);
  r[0].fail(errc::closed);
  sim.run();
  sim.advance(120ms);
  EXPECT_EQ(at, (std::vector<long>{0, 100, 150, 250}));
  r[2].complete("third");
  sim.run();
  EXPECT_TRUE(h.is_settled());
  EXPECT_TRUE(r[1].op().cancel_requested());
  EXPECT_TRUE(r[3].op().cancel_requested());
  r.clear();
  sim.run();
  EXPECT_EQ(sim.queued(), 0U);
  EXPECT_EQ(std::move(h).wait().value(), "third");
}
TEST_F(hedge, fails_with_the_last_error_and_begins_nothing_once_asked) {
  auto failing = [&](int i) {
    return settle::sleep(sim.get_executor(), 10ms) | settle::then([i]() -> int { throw std::system_error(i, std::generic_category()); });
  };
  auto h = settle::hedge(1h, std::vector{1, 2, 3}, failing);
  sim.advance(100ms);
  EXPECT_EQ(std::move(h).wait().error().code().value(), 3);
  EXPECT_EQ(settle::hedge(1h, std::vector<int>(), failing).wait().error().code(), errc::no_inputs);
  int calls = 0;
  auto k = settle::hedge(10ms, std::vector{1, 2, 3}, [&](int) { return ++calls, settle::sleep(sim.get_executor(), 1h); });
  sim.advance(10ms);
  k.request_cancel();
  sim.advance(1s);
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(std::move(k).wait().is_cancelled());
}

}  // namespace
