// SPDX-License-Identifier: BSL-1.0
// Scopes: work that ends together (A22, A42; F3, F4, F16).
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "scale.hpp"
#include "situations.hpp"

namespace {

using namespace std::chrono_literals;
using namespace test;
using settle::cause;
using settle::errc;
using settle::error;
using settle::handle_of;
using settle::on_failure;
using settle::scope;
using settle::watcher_of;
using settle::testing::sim_executor;
using settle::testing::simulation;

/// Work that a test ends by hand, on the executor of the simulation.
struct job {
  sim_executor ex;
  std::optional<settle::resolver_of<int, error, sim_executor>> r{};
  int called = 0;
  std::optional<settle::cancellation> asked{};

  explicit job(simulation& sim) : ex(sim.get_executor()) {}
  handle_of<int> begin() {
    ++called;
    r.emplace(ex);
    r->on_cancel([this](settle::cancellation c) { asked = c; });
    return r->get_handle();
  }
  auto callable() {
    return [this] { return begin(); };
  }
};

struct scoped : testing::Test {
  simulation sim{settle::testing::seed()};
  sim_executor ex = sim.get_executor();
  void TearDown() override { EXPECT_QUIESCENT(sim); }
};
struct A22_scope_structured : scoped {};
struct A42_reject_late_work : scoped {};
struct F3_created_mid_life : scoped {};
struct F4_in_progress : scoped {};
struct F16_work_during_teardown : scoped {};

TEST_F(A22_scope_structured, it_ends_when_every_child_is_released) {
  scope s(ex);
  job a(sim);
  job b(sim);
  auto first = s.spawn(a.callable());
  auto second = s.spawn(b.callable());
  EXPECT_EQ(a.called, 0) << "on the executor, not here";
  auto done = s.join();
  sim.run();
  EXPECT_EQ(a.called + b.called, 2);
  settle::pin io = first.pin();
  a.r->complete(1);
  b.r->complete(2);
  sim.run();
  EXPECT_EQ(first.peek()->value() + second.peek()->value(), 3);
  EXPECT_FALSE(s.op().is_settled()) << "the first is not released";
  io.reset();
  sim.run();
  EXPECT_TRUE(s.op().is_released());
  EXPECT_TRUE(std::move(done).wait().has_value());
}
TEST_F(A22_scope_structured, an_empty_one_ends_when_it_is_let_go) {
  scope s(ex);
  EXPECT_FALSE(s.op().is_settled());
  auto done = s.join();
  sim.run();
  EXPECT_TRUE(std::move(done).wait().has_value());
  auto again = s.join();
  sim.run();
  EXPECT_TRUE(std::move(again).wait().has_value()) << "joined when it had ended already";
  scope closed(ex);
  closed.close();
  EXPECT_TRUE(closed.op().is_settled());
  sim.run();
}
TEST_F(A22_scope_structured, the_first_failure_cancels_the_siblings_and_is_the_outcome) {
  scope s(ex);
  job a(sim);
  job b(sim);
  job c(sim);
  auto w = s.spawn(a.callable());
  s.spawn(b.callable());
  s.spawn(c.callable());
  sim.run();
  auto done = s.join();
  b.r->fail(std::make_exception_ptr(std::runtime_error("first")));
  sim.run();
  EXPECT_TRUE(s.op().is_settled()) << "its outcome is known at once";
  ASSERT_TRUE(a.asked && c.asked);
  EXPECT_FALSE(b.asked);
  EXPECT_EQ(a.asked->root, cause::sibling);
  c.r->fail(errc::timed_out);
  sim.run();
  EXPECT_FALSE(s.op().is_released());
  a.r->cancel();
  sim.run();
  EXPECT_TRUE(s.op().is_released());
  auto o = std::move(done).wait();
  EXPECT_TRUE(o.has_error() && o.error().exception());
  EXPECT_EQ(w.peek()->cancel().why, cause::sibling);
}
TEST_F(A22_scope_structured, a_child_that_has_failed_already_and_one_that_throws) {
  for (bool throws : {false, true}) {
    scope s(ex);
    job other(sim);
    s.spawn(other.callable());
    if (throws) s.spawn([]() -> int { throw std::runtime_error("at once"); });
    else s.spawn([] { return settle::failed<int>(errc::no_memory); });
    auto done = s.join();
    sim.run();
    EXPECT_EQ(other.asked.has_value(), other.called != 0);
    if (other.r) other.r->cancel();
    sim.run();
    EXPECT_TRUE(std::move(done).wait().has_error());
  }
}
TEST_F(A22_scope_structured, a_cancelled_child_is_no_failure) {
  scope s(ex);
  job a(sim);
  job b(sim);
  auto w = s.spawn(a.callable());
  s.spawn(b.callable());
  sim.run();
  EXPECT_TRUE(w.cancel());
  sim.run();
  EXPECT_FALSE(b.asked);
  a.r->cancel();
  b.r->complete(1);
  auto done = s.join();
  sim.run();
  EXPECT_TRUE(std::move(done).wait().has_value());
}
TEST_F(A22_scope_structured, keeping_going_a_failure_stays_the_childs_own) {
  scope s(ex, on_failure::keep_going);
  job a(sim);
  job b(sim);
  auto w = s.spawn(a.callable());
  s.spawn(b.callable());
  sim.run();
  a.r->fail(errc::closed);
  sim.run();
  EXPECT_FALSE(b.asked);
  EXPECT_TRUE(w.peek()->has_error());
  b.r->complete(1);
  auto done = s.join();
  sim.run();
  EXPECT_TRUE(std::move(done).wait().has_value());
}
TEST_F(A22_scope_structured, errors_of_another_kind_that_convert) {
  scope s(ex);
  settle::resolver_of<int, std::error_code, sim_executor> r(ex);
  s.spawn([&r] { return r.get_handle(); });
  sim.run();
  r.fail(make_error_code(errc::no_timers));
  auto done = s.join();
  sim.run();
  EXPECT_EQ(std::move(done).wait().error().code(), errc::no_timers);
}

handle_of<void> forever() { co_await settle::never(); }
handle_of<void> grandchildren(int& ended) {
  struct counts {
    int& n;
    ~counts() { ++n; }
  } const here{ended};
  auto three = settle::all(forever(), forever(), forever());
  co_await std::move(three);
}
TEST_F(A22_scope_structured, cancel_reaches_grandchildren) {
  for (bool force : {false, true}) {
    settle::resolver_of<void, error, sim_executor> parent(ex);
    auto owner = parent.get_handle();
    std::optional<scope> s(std::in_place, owner);
    int ended = 0;
    for (int i = 0; i != 3; ++i) s->spawn([&ended] { return grandchildren(ended); });
    sim.run();
    auto done = s->join();
    force ? owner.cancel(cause::shutdown) : owner.request_cancel(cause::shutdown);
    sim.run();
    EXPECT_EQ(ended, 3);
    EXPECT_TRUE(s->op().is_released());
    auto o = std::move(done).wait();
    EXPECT_EQ(o.cancel().why, cause::parent);
    EXPECT_EQ(o.cancel().root, cause::shutdown);
    EXPECT_FALSE(owner.is_released()) << "its producer";
    parent.cancel();
    sim.run();
    EXPECT_TRUE(owner.is_released());
  }
}
TEST_F(A22_scope_structured, it_is_released_before_the_cleanups_of_its_parent) {
  settle::resolver_of<void, error, sim_executor> parent(ex);
  bool alive = true;
  parent.on_cleanup([&] { alive = false; });
  scope s(parent.op());
  job a(sim);
  s.spawn(a.callable());
  sim.run();
  parent.complete();
  sim.run();
  EXPECT_EQ(a.asked->why, cause::parent);
  EXPECT_TRUE(alive);
  a.r->complete(1);
  sim.run();
  EXPECT_FALSE(alive);
}
TEST_F(A22_scope_structured, what_is_spawned_is_kept_alive_until_it_is_released) {
  scope s(ex);
  auto alive = std::make_shared<int>(1);
  std::weak_ptr<int> const seen = alive;
  auto nap = [&, held = std::move(alive)]() -> handle_of<int> {
    co_await settle::sleep(ex, 10ms);
    co_return *held;
  };
  auto w = s.spawn(std::move(nap));
  sim.run();
  EXPECT_FALSE(seen.expired());
  sim.advance(10ms);
  EXPECT_EQ(w.peek()->value(), 1);
  EXPECT_TRUE(seen.expired());
  s.close();
  sim.run();
}
TEST_F(A22_scope_structured, a_wait_is_shielded) {
  scope s(ex);
  job a(sim);
  s.spawn(a.callable());
  sim.run();
  auto done = s.join();
  done.request_cancel();
  sim.run();
  EXPECT_FALSE(done.is_settled());
  EXPECT_FALSE(a.asked);
  {
    auto const dropped = s.join();
  }
  EXPECT_FALSE(s.op().cancel_requested());
  s.op().request_cancel();
  sim.run();
  EXPECT_TRUE(a.asked.has_value());
  a.r->cancel();
  sim.run();
  EXPECT_TRUE(std::move(done).wait().is_cancelled());
}
TEST_F(A22_scope_structured, children_add_to_it_after_it_was_let_go) {
  scope s(ex);
  int ran = 0;
  auto parent = [&] { s.spawn([&] { s.spawn([&] { ++ran; }); }); };
  s.spawn(parent);
  auto done = s.join();
  sim.run();
  EXPECT_EQ(ran, 1);
  EXPECT_TRUE(std::move(done).wait().has_value());
  EXPECT_EQ(s.spawn([&] { ++ran; }).peek()->error().code(), errc::closed);
  EXPECT_EQ(ran, 1);
}
TEST_F(A22_scope_structured, destroyed_with_children_it_asks_them_and_says_so) {
  job a(sim);
  testing::internal::CaptureStderr();
  {
    scope s(ex);
    s.spawn(a.callable());
    sim.run();
  }
  EXPECT_NE(testing::internal::GetCapturedStderr().find("destroyed before its children"), std::string::npos);
  sim.run();
  EXPECT_EQ(a.asked->root, cause::dropped);
  a.r->cancel();
  sim.run();
  testing::internal::CaptureStderr();
  {
    scope unused(ex);
    scope under_nothing{settle::operation()};
    under_nothing.spawn([] {});
  }
  sim.run();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(A42_reject_late_work, a_closed_scope_refuses_with_a_typed_error_before_it_begins) {
  for (int how = 0; how != 4; ++how) {
    scope s(ex);
    job before(sim);
    job late(sim);
    s.spawn(before.callable());
    auto const done = s.join();
    sim.run();
    if (how == 0) s.close();
    if (how == 1) s.op().request_cancel(cause::shutdown);
    if (how == 2) s.op().cancel(cause::shutdown);
    if (how == 3) before.r->fail(errc::timed_out);
    sim.run();
    auto held = std::make_shared<int>(1);
    std::weak_ptr<int> const seen = held;
    auto w = s.spawn([&late, h = std::move(held)] { return late.begin(); });
    ASSERT_TRUE(w.is_settled());
    EXPECT_EQ(w.peek()->error().code(), errc::closed);
    EXPECT_TRUE(seen.expired());
    sim.run();
    EXPECT_EQ(late.called, 0);
    if (how != 3) before.r->complete(1);
    sim.run();
    EXPECT_TRUE(s.op().is_released());
    EXPECT_EQ(s.spawn(late.callable()).peek()->error().code(), errc::closed);
  }
}
TEST_F(A42_reject_late_work, what_was_spawned_and_is_cancelled_before_its_turn_is_never_called) {
  scope s(ex);
  job a(sim);
  auto w = s.spawn(a.callable());
  s.op().request_cancel(cause::shutdown);
  sim.run();
  EXPECT_EQ(a.called, 0);
  EXPECT_EQ(w.peek()->cancel().root, cause::shutdown);
  EXPECT_TRUE(s.op().is_released());
}
TEST_F(A42_reject_late_work, a_goodbye_is_allowed_within_its_budget) {
  for (bool in_time : {true, false}) {
    scope s(ex);
    job a(sim);
    job goodbye(sim);
    s.spawn(a.callable());
    sim.run();
    s.op().request_cancel(cause::shutdown);
    auto w = s.farewell(goodbye.callable(), 100ms);
    a.r->cancel();
    sim.advance(99ms);
    EXPECT_EQ(goodbye.called, 1);
    EXPECT_FALSE(goodbye.asked) << "the scope's cancellation is not its own";
    EXPECT_FALSE(s.op().is_settled());
    if (in_time) goodbye.r->complete(7);
    sim.advance(1ms);
    EXPECT_EQ(goodbye.asked.has_value(), !in_time);
    if (!in_time) goodbye.r->cancel();
    sim.run();
    EXPECT_EQ(w.peek()->has_value(), in_time);
    EXPECT_EQ(w.peek()->timed_out(), !in_time);
    EXPECT_TRUE(s.op().is_released());
    EXPECT_EQ(s.farewell([] {}, 1s).peek()->error().code(), errc::closed) << "it has ended";
  }
}
TEST_F(A42_reject_late_work, a_request_does_not_reach_a_goodbye_that_was_there_before) {
  scope s(ex);
  job goodbye(sim);
  auto w = s.farewell(goodbye.callable(), 100ms);
  sim.run();
  EXPECT_EQ(goodbye.called, 1);
  EXPECT_TRUE(s.op().request_cancel(cause::shutdown));
  sim.run();
  EXPECT_FALSE(goodbye.asked);
  goodbye.r->complete(7);
  sim.run();
  EXPECT_TRUE(w.peek()->has_value());
  EXPECT_TRUE(s.op().is_released());
}
TEST_F(A42_reject_late_work, force_reaches_a_goodbye) {
  scope s(ex);
  job goodbye(sim);
  auto w = s.farewell(goodbye.callable(), 100ms);
  sim.run();
  EXPECT_TRUE(s.op().cancel(cause::shutdown));
  sim.run();
  EXPECT_TRUE(goodbye.asked.has_value());
  EXPECT_TRUE(w.peek()->is_cancelled());
  job late(sim);
  auto too_late = s.farewell(late.callable(), 100ms);
  sim.run();
  EXPECT_EQ(late.called, 0);
  EXPECT_TRUE(too_late.peek()->is_cancelled());
  goodbye.r->cancel();
  sim.run();
  EXPECT_TRUE(s.op().is_released());
}

// A timer that a callback creates has a scope, and so an end: there is no list to forget it in.
TEST_F(F3_created_mid_life, a_timer_created_inside_a_callback_ends_with_its_session) {
  scope session(ex);
  int ticks = 0;
  auto connected = [&] {
    session.spawn([&]() -> handle_of<void> {
      for (;;) {
        co_await settle::sleep(ex, 1s);
        ++ticks;
      }
    });
  };
  session.spawn([&]() -> handle_of<void> {
    co_await settle::sleep(ex, 1s);
    connected();
  });
  sim.advance(4s);
  EXPECT_EQ(ticks, 3);
  session.op().request_cancel(cause::shutdown);
  sim.run();
  EXPECT_TRUE(session.op().is_released());
  EXPECT_EQ(sim.queued(), 0U);
}
TEST_F(F4_in_progress, a_thousand_connects_in_flight_are_members) {
  scope s(ex);
  int asked = 0;
  int in_flight = 0;
  auto connect = [&] {
    settle::resolver_of<void, error, sim_executor> r(ex);
    auto h = r.get_handle();
    ++in_flight;
    auto give_up = [&, r = std::make_shared<decltype(r)>(std::move(r))] {
      ++asked;
      --in_flight;
      r->cancel();
    };
    h.on_cancel(std::move(give_up));
    return h;
  };
  for (int i = 0; i != 1000; ++i) s.spawn(connect);
  sim.run();
  EXPECT_EQ(in_flight, 1000);
  s.op().request_cancel(cause::shutdown);
  sim.run();
  EXPECT_EQ(asked, 1000);
  EXPECT_EQ(in_flight, 0);
  EXPECT_TRUE(s.op().is_released());
}
TEST_F(F16_work_during_teardown, a_handler_that_reconnects_when_it_is_closed_gets_no_further) {
  scope s(ex);
  int connects = 0;
  std::optional<std::error_code> refused;
  std::function<void()> connect = [&] {
    ++connects;
    auto w = s.spawn([&]() -> handle_of<void> { co_await settle::never(); });
    w.on_done([&](settle::ending) { connect(); });
    if (w.is_settled()) {
      refused = w.peek()->error().code();
      connect = [] {};
    }
  };
  connect();
  sim.run();
  s.op().request_cancel(cause::shutdown);
  sim.run();
  EXPECT_EQ(refused, errc::closed);
  EXPECT_EQ(connects, 2);
  EXPECT_TRUE(s.op().is_released());
}

TEST(G17_no_growth, a_million_spawned_and_ended_leave_nothing_in_the_scope) {
  scope s{settle::inline_executor()};
  int ran = 0;
  auto spawn = [&] { s.spawn([&ran] { ++ran; }); };
  for (int i = 0; i != 100; ++i) spawn();
  auto const before = live_allocations_of_this_thread();
  for (std::size_t i = 100; i != a_million; ++i) spawn();
  EXPECT_EQ(static_cast<std::size_t>(ran), a_million);
  EXPECT_EQ(live_allocations_of_this_thread(), before);
  s.close();
  EXPECT_TRUE(s.op().is_released());
}
TEST(A42_threads, work_that_comes_beside_the_end_is_run_or_refused) {
  for (int round = 0; round != 50; ++round) {
    thread_pool pool(2);
    std::atomic<int> called = 0;
    int taken = 0;
    int refused = 0;
    int cancelled = 0;
    {
      scope s(pool.get_executor());
      std::vector<watcher_of<void>> all;
      std::thread other([&] {
        for (int i = 0; i != 100; ++i) all.push_back(s.spawn([&called] { ++called; }));
      });
      if (round % 2 == 0) s.close();
      else s.op().request_cancel();
      other.join();
      s.op().wait_released();
      for (auto const& w : all) {
        w.wait_released();
        taken += w.peek()->has_value() ? 1 : 0;
        refused += w.peek()->has_error() ? 1 : 0;
        cancelled += w.peek()->is_cancelled() ? 1 : 0;
      }
    }
    EXPECT_EQ(taken, called);
    EXPECT_EQ(taken + refused + cancelled, 100);
  }
}

}  // namespace
