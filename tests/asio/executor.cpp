// SPDX-License-Identifier: BSL-1.0
// Asio's executors as an operation's.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <asio/any_io_executor.hpp>
#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#include <asio/thread_pool.hpp>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "allocations.hpp"
#include "situations.hpp"

namespace {

using namespace test;

using io_executor = asio::io_context::executor_type;
using io_strand = asio::strand<io_executor>;
using pool_executor = asio::thread_pool::executor_type;

static_assert(settle::executor<io_executor> && settle::executor<io_strand> && settle::executor<pool_executor>);
static_assert(settle::executor<asio::any_io_executor> && settle::executor<asio::system_executor>);
static_assert(settle::executor_traits<io_executor>::storage_size != 0 && settle::executor_traits<pool_executor>::storage_size != 0);
static_assert(settle::executor_traits<asio::any_io_executor>::storage_size == 0, "a type-erased executor brings its own memory");
static_assert(settle::executor_traits<io_strand>::storage_size == 0, "a strand would keep ours longer than the operation lives");

/// An io_context that the test runs, seen through one kind of executor.
template <class Ex>
struct context {
  using executor = Ex;
  static constexpr bool queued = true;
  asio::io_context io;
  Ex ex = make(io);
  Ex get_executor() { return ex; }
  void run() {
    io.restart();
    io.run();
  }
  static Ex make(asio::io_context& c) {
    if constexpr (std::is_same_v<Ex, io_strand>) return asio::make_strand(c);
    else return c.get_executor();
  }
};

template <class Ex>
class asio_executor : public testing::Test {};
using executors = testing::Types<io_executor, io_strand, asio::any_io_executor>;
TYPED_TEST_SUITE(asio_executor, executors);

TYPED_TEST(asio_executor, runs_the_whole_sequence_in_every_situation) {
  context<TypeParam> place;
  in_each_way([&](way how) {
    for (moment const when : all_moments) {
      subject<counted<int, TypeParam>> s(place.get_executor());
      trail log;
      play(place, situation{how, when}, s, [&] {
        s.op.on_done([&] { log.push_back("done"); });
        s.op.on_cleanup([&] { log.push_back("cleanup"); });
        s.op.on_released([&] { log.push_back("released"); });
      });
      EXPECT_EQ(log, (trail{"done", "cleanup", "released"}));
    }
  });
}

TYPED_TEST(asio_executor, nothing_runs_inside_the_settling_call) {
  context<TypeParam> place;
  subject<counted<int, TypeParam>> s(place.get_executor());
  int ran = 0;
  s.op.on_done([&] { ++ran; });
  s.op.cancel();
  EXPECT_EQ(ran, 0);
  place.run();
  EXPECT_EQ(ran, 1);
}

TYPED_TEST(asio_executor, equal_executors_share_a_drain) {
  context<TypeParam> place;
  using policy = counted<int, TypeParam>;
  subject<policy> a(place.get_executor());
  subject<policy> b(place.get_executor());
  trail log;
  a.op.on_done([&] {
    b.op.cancel();
    log.push_back("a");
  });
  b.op.on_done([&] { log.push_back("b"); });
  a.op.cancel();
  place.run();
  EXPECT_EQ(log, (trail{"a", "b"}));
}

// Stopped with everything queued, then destroyed: nothing is lost. (A strand must not outlive its context, by Asio's own
// rule, so there the references go first.)
TYPED_TEST(asio_executor, A61_a_context_that_is_destroyed_loses_nothing_of_a_deep_tree) {
  constexpr bool may_outlive = !std::is_same_v<TypeParam, io_strand>;
  in_each_way([](way how) {
    for (bool const references_live : {false, may_outlive}) {
      using policy = counted<int, TypeParam>;
      auto place = std::make_unique<context<TypeParam>>();
      std::vector<std::unique_ptr<subject<policy>>> tree;
      int done = 0;
      int cleaned = 0;
      for (std::size_t i = 0; i != 1000; ++i) {
        tree.push_back(std::make_unique<subject<policy>>(place->get_executor()));
        tree[i]->op.on_done([&] { ++done; });
        tree[i]->op.on_cancel([] {});
        tree[i]->op.on_cleanup([&] { ++cleaned; });
        if (i != 0) tree[i - 1]->op.adopt(tree[i]->op);
      }
      tree[0]->end(how);
      place->io.stop();
      if (!references_live) tree.clear();
      EXPECT_EQ(done, 0);
      place.reset();
      for (auto& s : tree) subject<policy>::drop(s->r);
      EXPECT_EQ(done, 1000);
      EXPECT_EQ(cleaned, 1000);
      for (auto& s : tree) {
        EXPECT_TRUE(s->op.is_released());
      }
      std::size_t lost = 0;
      for (auto const& r : recording_sink::take()) lost += r.what == settle::monitor_event::executor_lost ? 1 : 0;
      EXPECT_GE(lost, 1U);
    }
  });
}

settle::handle<counted<int>> inherits() { co_return 20; }

template <class Ex>
settle::handle<counted<int>> resumes_at_home(Ex, settle::handle<counted<int>> h, int& steps) {
  ++steps;
  int const first = co_await std::move(h);
  ++steps;
  int const second = co_await inherits();
  ++steps;
  co_return first + second;
}

TYPED_TEST(asio_executor, a_coroutine_runs_on_it_and_comes_back_to_it) {
  context<TypeParam> place;
  subject<counted<int>> source;
  int steps = 0;
  auto h = resumes_at_home(place.get_executor(), std::move(source.h), steps);
  EXPECT_EQ(steps, 0) << "hot, but posted";
  place.run();
  EXPECT_EQ(steps, 1);
  source.r.complete(1);
  EXPECT_EQ(steps, 1);
  place.run();
  EXPECT_EQ(steps, 3);
  ASSERT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().value(), 21);
}

TYPED_TEST(asio_executor, a_context_that_is_destroyed_ends_the_coroutine) {
  if constexpr (!std::is_same_v<TypeParam, io_strand>) {
    subject<counted<int>> source;
    settle::operation op;
    int steps = 0;
    {
      context<TypeParam> place;
      op = resumes_at_home(place.get_executor(), std::move(source.h), steps).detach();
      place.run();
      source.r.complete(1);
      EXPECT_FALSE(op.is_settled());
    }
    EXPECT_TRUE(op.is_released());
    EXPECT_EQ(steps, 1);
    recording_sink::take();
  }
}

template <class Ex>
struct silent : counted<int, Ex> {
  using error_sink = settle::ignore_sink;
};

/// Settles and runs an operation: how much was allocated between its end and released.
template <class Ex>
std::uint64_t allocations_of(context<Ex>& place, way how) {
  subject<silent<Ex>> s(place.get_executor());
  int ran = 0;
  s.op.on_done([&] { ++ran; });
  s.op.on_cancel([&] { ++ran; });
  s.op.on_cleanup([&] { ++ran; });
  s.op.on_cleanup([&] { ++ran; });
  s.op.on_cleanup([&] { ++ran; });
  allocation_count const count;
  s.end(how);
  place.run();
  std::uint64_t const allocated = count.now();
  EXPECT_TRUE(s.op.is_released());
  EXPECT_EQ(ran, is_cancelled(how) ? 5 : 4);
  return allocated;
}

TEST(asio_posting, allocates_nothing_on_a_context) {
  context<io_executor> place;
  allocations_of(place, way::complete);  // the context's own first run
  in_each_way([&](way how) { EXPECT_EQ(allocations_of(place, how), 0U); });
}

TEST(asio_posting, a_coroutine_is_resumed_without_allocating) {
  context<io_executor> place;
  allocations_of(place, way::complete);
  subject<counted<int>> source;
  int steps = 0;
  auto h = resumes_at_home(place.get_executor(), std::move(source.h), steps);
  place.run();
  allocation_count const count;
  source.r.complete(1);
  EXPECT_EQ(count.now(), 0U);
  place.run();
  EXPECT_EQ(std::move(h).wait().value(), 21);
}

TEST(asio_posting, a_second_piece_of_work_at_the_same_time_finds_its_own_memory) {
  context<io_executor> place;
  subject<counted<int, io_executor>> s(place.get_executor());
  s.end(way::complete);
  place.run();
  int ran = 0;
  for (int i = 0; i != 5; ++i) s.op.on_done([&] { ++ran; });
  EXPECT_EQ(ran, 0);
  place.run();
  EXPECT_EQ(ran, 5);
}

settle::handle_of<int> twice(io_executor, settle::handle_of<int> from, int& steps) {
  ++steps;
  int const got = co_await std::move(from);
  ++steps;
  co_return 2 * got;
}

TEST(asio_posting, a_coroutine_on_a_context_has_room_for_its_turns) {
  context<io_executor> place;
  for (bool first : {true, false}) {  // the context's own first run, and the recycling allocator's
    settle::resolver_of<int> from;
    int steps = 0;
    auto h = twice(place.get_executor(), from.get_handle(), steps);
    EXPECT_EQ(steps, 0);
    allocation_count const count;
    place.run();
    EXPECT_EQ(steps, 1);
    from.complete(21);
    EXPECT_EQ(steps, 1);
    place.run();
    EXPECT_EQ(steps, 2);
    if (!first) {
      EXPECT_EQ(count.now(), 0U);
    }
    EXPECT_EQ(std::move(h).wait().value(), 42);
  }
}

TEST(asio_threads, a_job_goes_to_the_pool_and_its_coroutine_stays_there) {
  asio::thread_pool pool(1);
  asio::io_context io;
  std::thread::id const here = std::this_thread::get_id();
  settle::resolver_of<int> from;
  int steps = 0;
  auto away = settle::start_on(pool.get_executor(), [&] { return std::this_thread::get_id() != here; });
  EXPECT_TRUE(std::move(away).wait().value());
  auto there =
      settle::start_on(pool.get_executor(), [&, h = from.get_handle()]() mutable { return twice(io.get_executor(), std::move(h), steps); });
  from.complete(4);
  auto work = asio::make_work_guard(io);
  there.on_done([&] { work.reset(); });
  io.run();
  EXPECT_EQ(std::move(there).wait().value(), 8);
  pool.join();
}

TEST(asio_threads, a_thread_pool_runs_it) {
  std::atomic<int> ran = 0;
  {
    asio::thread_pool pool(2);
    using policy = counted<int, pool_executor>;
    std::vector<std::unique_ptr<subject<policy>>> all;
    for (int i = 0; i != 200; ++i) {
      all.push_back(std::make_unique<subject<policy>>(pool.get_executor()));
      all.back()->op.on_done([&] { ++ran; });
      all.back()->op.on_cleanup([&] { ++ran; });
    }
    for (std::size_t i = 0; i != all.size(); ++i) all[i]->end(all_ways[i % 6]);
    pool.join();
    for (auto& s : all) {
      EXPECT_TRUE(s->op.is_released());
    }
  }
  EXPECT_EQ(ran, 400);
}

TEST(asio_threads, cancelled_from_outside_user_code_stays_on_the_loop) {
  asio::io_context io;
  auto guard = std::make_optional(asio::make_work_guard(io));
  std::thread loop([&] { io.run(); });
  std::atomic<int> astray = 0;
  std::atomic<int> ran = 0;
  for (int i = 0; i != 500; ++i) {
    subject<counted<int, io_executor>> s(io.get_executor());
    auto const look = [&] {
      ++ran;
      if (!io.get_executor().running_in_this_thread()) ++astray;
    };
    s.op.on_cancel(look);
    s.op.on_done(look);
    s.op.on_cleanup(look);
    s.end(all_ways[i % 6]);
  }
  guard.reset();
  loop.join();
  EXPECT_EQ(astray, 0);
  EXPECT_GE(ran, 1000);
}

TEST(asio_threads, dispatch_runs_at_once_on_the_loops_own_thread) {
  context<io_executor> place;
  int ran = 0;
  asio::post(place.io, [&] {
    subject<counted<int, io_executor>> s(place.get_executor());
    s.op.on_done([&] { ++ran; });
    s.op.cancel();
    EXPECT_EQ(ran, 1);
  });
  place.run();
  EXPECT_EQ(ran, 1);
}

}  // namespace
