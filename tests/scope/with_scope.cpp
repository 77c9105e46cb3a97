// SPDX-License-Identifier: BSL-1.0
// with_scope: a function with a scope of its own, joined on every path (A22, programs 2 and 8).
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "allocations.hpp"

namespace {

using namespace std::chrono_literals;
using settle::cause;
using settle::errc;
using settle::handle_of;
using settle::on_failure;
using settle::scope;
using settle::with_scope;
using settle::testing::sim_executor;
using settle::testing::simulation;

handle_of<void> shed() {
  settle::resolver_of<void> r;
  auto h = r.get_handle();
  h.cancel(cause::overload);
  return h;
}

struct A22_with_scope : testing::Test {
  simulation sim{settle::testing::seed()};
  sim_executor ex = sim.get_executor();
  int ended = 0;

  /// Work that takes a time, and counts itself off however it ends.
  auto nap(std::chrono::milliseconds d, bool fails = false) {
    return [this, d, fails]() -> handle_of<void> {
      struct count {
        int& n;
        ~count() { ++n; }
      } const here{ended};
      co_await settle::sleep(ex, d);
      if (fails) throw std::runtime_error("nap");
    };
  }
  template <class H>
  auto run(H&& h, std::chrono::milliseconds d) {
    auto started = settle::start_on(ex, [h = std::forward<H>(h)]() mutable { return std::move(h); });
    sim.advance(d);
    return std::move(started).wait_for(0s).value();  // not released: throws
  }
  void TearDown() override { EXPECT_QUIESCENT(sim); }
};

TEST_F(A22_with_scope, yields_what_the_function_yields_when_all_are_released) {
  auto f = [&](scope& s) {
    s.spawn(nap(10ms));
    s.spawn(nap(30ms));
    return 7;
  };
  auto h = with_scope(f);
  sim.run();
  EXPECT_EQ(ended, 0) << "cold";
  auto began = settle::start_on(ex, [&] { return std::move(h); });
  sim.advance(29ms);
  EXPECT_FALSE(began.is_settled());
  sim.advance(1ms);
  EXPECT_EQ(std::move(began).wait().value(), 7);
  EXPECT_EQ(ended, 2);
}
TEST_F(A22_with_scope, of_nothing_and_of_coroutines) {
  EXPECT_TRUE(run(with_scope([](scope&) {}), 0ms).has_value());
  auto body = [&](scope& s) -> handle_of<std::unique_ptr<int>> {
    s.spawn(nap(5ms));
    co_await settle::sleep(ex, 1ms);
    co_return std::make_unique<int>(3);
  };
  auto o = run(with_scope(body), 5ms);
  EXPECT_EQ(*o.value(), 3);
  EXPECT_EQ(ended, 1);
}
TEST_F(A22_with_scope, without_an_executor_it_runs_where_its_owner_waits) {
  auto h = with_scope([this](scope& s) {
    s.spawn([this] { ++ended; });
    return 4;
  });
  EXPECT_EQ(std::move(h).wait().value(), 4);
  EXPECT_EQ(ended, 1);
}
TEST_F(A22_with_scope, a_failing_child_cancels_the_function_and_the_others) {
  auto body = [&](scope& s) -> handle_of<void> {
    s.spawn(nap(100ms));
    s.spawn(nap(10ms, true));
    co_await nap(1000ms)();
  };
  auto o = run(with_scope(body), 10ms);
  EXPECT_TRUE(o.has_error() && o.error().exception());
  EXPECT_EQ(ended, 3);
}
TEST_F(A22_with_scope, a_failing_function_cancels_the_children) {
  for (bool at_once : {true, false}) {
    ended = 0;
    auto body = [&, at_once](scope& s) -> handle_of<int> {
      s.spawn(nap(100ms));
      if (!at_once) co_await settle::sleep(ex, 1ms);
      throw std::runtime_error("body");
      co_return 1;
    };
    auto o = run(with_scope(body), 1ms);
    EXPECT_TRUE(o.has_error());
    EXPECT_LE(ended, 1) << "the child may not have had its turn";
  }
  auto throws = [&](scope& s) -> int {
    s.spawn(nap(100ms));
    throw std::runtime_error("no coroutine");
  };
  EXPECT_TRUE(run(with_scope(throws), 0ms).has_error());
}
TEST_F(A22_with_scope, a_cancelled_function_cancels_the_children_and_the_result) {
  auto body = [&](scope& s) -> handle_of<void> {
    s.spawn(nap(100ms));
    co_await shed();
  };
  auto o = run(with_scope(body), 0ms);
  EXPECT_EQ(o.cancel().why, cause::overload);
}
TEST_F(A22_with_scope, keeping_going_only_the_functions_outcome_counts) {
  auto body = [&](scope& s) {
    auto w = s.spawn(nap(10ms, true));
    w.on_done([](auto const& o) { EXPECT_TRUE(o.has_error()); });
    s.spawn(nap(20ms));
    return 1;
  };
  EXPECT_EQ(run(with_scope(body, on_failure::keep_going), 20ms).value(), 1);
  EXPECT_EQ(ended, 2);
  auto fails = [&](scope& s) -> handle_of<void> {
    s.spawn(nap(20ms));
    co_await settle::sleep(ex, 1ms);
    throw std::runtime_error("own");
  };
  ended = 0;
  EXPECT_TRUE(run(with_scope(fails, on_failure::keep_going), 20ms).has_error());
  EXPECT_EQ(ended, 1) << "the child was let go on";
}
TEST_F(A22_with_scope, cancelled_it_is_joined_all_the_same) {
  for (bool force : {false, true}) {
    ended = 0;
    settle::pin held;
    auto body = [&](scope& s) -> handle_of<void> {
      held = s.spawn(nap(100ms)).pin();
      co_await settle::never();
    };
    auto h = settle::start_on(ex, [&] { return with_scope(body); });
    sim.advance(1ms);
    force ? h.cancel(cause::shutdown) : h.request_cancel(cause::shutdown);
    sim.run();
    EXPECT_EQ(ended, 1);
    EXPECT_FALSE(h.is_released()) << "the child is not";
    held.reset();
    sim.run();
    EXPECT_TRUE(h.is_released());
    EXPECT_EQ(std::move(h).wait().cancel().root, cause::shutdown);
  }
}
TEST_F(A22_with_scope, cancelled_the_functions_own_failure_is_what_happened) {
  auto body = [&](scope&) {
    settle::resolver_of<void, settle::error, sim_executor> r(ex);
    auto h = r.get_handle();
    auto op = r.op();
    op.on_cancel([r = std::move(r)]() mutable { r.fail(errc::no_inputs); });
    return h;
  };
  auto h = settle::start_on(ex, [&] { return with_scope(body, on_failure::keep_going); });
  sim.run();
  h.request_cancel();
  sim.run();
  EXPECT_TRUE(std::move(h).wait().error() == errc::no_inputs);
}
TEST_F(A22_with_scope, asked_by_way_of_its_scope_or_before_it_began) {
  auto body = [&](scope& s) {
    s.spawn(nap(100ms));
    s.op().request_cancel(cause::overload);
    return 1;
  };
  EXPECT_EQ(run(with_scope(body), 0ms).cancel().why, cause::overload);
  int called = 0;
  auto h = with_scope([&](scope&) { ++called; });
  h.request_cancel();
  EXPECT_TRUE(std::move(h).wait().is_cancelled());
  {
    auto const dropped = with_scope([&](scope&) { ++called; });
  }
  EXPECT_EQ(called, 0);
}
TEST_F(A22_with_scope, asked_between_its_start_and_the_functions_turn) {
  int called = 0;
  auto under = settle::start_on(ex, [&]() -> handle_of<void> {
    auto f = [&](scope&) { ++called; };
    return with_scope(f);
  });
  sim.run_one();  // the job; with_scope waits for its turn
  under.request_cancel(cause::shutdown);
  sim.run();
  EXPECT_TRUE(std::move(under).wait().is_cancelled());
}

/// A channel of a few places.
struct channel {
  std::deque<int> items;
  bool shut = false;
  std::vector<settle::resolver_of<void>> waiting;
  void wake() {
    for (auto& r : std::exchange(waiting, {})) r.complete();
  }
  handle_of<void> change() {
    settle::resolver_of<void> r;
    auto h = r.get_handle();
    waiting.push_back(std::move(r));
    return h;
  }
  handle_of<void> send(int v) {
    while (items.size() >= 2) co_await change();
    items.push_back(v);
    wake();
  }
  handle_of<std::optional<int>> receive() {
    while (items.empty() && !shut) co_await change();
    if (items.empty()) co_return std::nullopt;
    int const v = items.front();
    items.pop_front();
    wake();
    co_return v;
  }
  void close() {
    shut = true;
    wake();
  }
};
handle_of<void> read(channel& out) {
  for (int i = 1; i != 21; ++i) co_await out.send(i);
  out.close();
}
handle_of<void> pack(channel& in, channel& out) {
  for (auto v = co_await in.receive(); v; v = co_await in.receive()) co_await out.send(*v * 2);
}
handle_of<void> write(channel& in, int& sum) {
  for (auto v = co_await in.receive(); v; v = co_await in.receive()) sum += *v;
}
handle_of<void> pipeline(sim_executor, int& sum) {
  channel raw;
  channel packed;
  auto packers = [&](scope& s) {
    for (int i = 0; i != 4; ++i) s.spawn([&] { return pack(raw, packed); });
  };
  auto stages = [&](scope& s) -> handle_of<void> {
    s.spawn([&] { return write(packed, sum); });
    s.spawn([&] { return read(raw); });
    co_await with_scope(packers);
    packed.close();
  };
  co_await with_scope(stages);
}
TEST_F(A22_with_scope, a_pipeline_whose_stages_refer_to_locals) {
  int sum = 0;
  auto h = pipeline(ex, sum);
  sim.run();
  EXPECT_TRUE(std::move(h).wait().has_value());
  EXPECT_EQ(sum, 420);
}

#if defined(SETTLE_TEST_NEW_RUNS_DRY)
TEST_F(A22_with_scope, without_memory_it_fails_and_nothing_is_left) {
  int values = 0;
  for (int n = 0; values == 0; ++n) {
    ASSERT_LT(n, 40);
    int called = 0;
    auto f = [&called](scope& s) {
      s.spawn([] {});
      ++called;
    };
    auto h = with_scope(f);
    settle::trim();
    std::optional<settle::outcome<void>> o;
    {
      test::no_memory_after const dry(n);
      try {
        std::move(h).on_done([&](settle::outcome<void>&& got) { o.emplace(std::move(got)); });
      } catch (std::bad_alloc const&) {
        continue;
      }
    }
    ASSERT_TRUE(o);
    values += o->has_value() ? 1 : 0;
    EXPECT_TRUE(o->has_value() || o->has_error());
  }
}
TEST_F(A22_with_scope, scopes_without_memory_throw_and_begin_nothing) {
  bool all = false;
  for (int n = 0; !all; ++n) {
    ASSERT_LT(n, 40);
    int called = 0;
    settle::resolver_of<void> parent;
    std::optional<scope> s;
    settle::trim();
    {
      test::no_memory_after const dry(n);
      int step = 0;
      try {
        s.emplace(parent.op());
        ++step;
        s->spawn([&called] { ++called; });
        ++step;
        s->farewell([&called] { return settle::ready(++called); }, 1s).on_done([] {});
        all = true;
      } catch (std::bad_alloc const&) {
        EXPECT_LE(called, step);
      }
    }
    s.reset();
    parent.complete();
  }
}
#endif

}  // namespace
