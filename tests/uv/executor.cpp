// SPDX-License-Identifier: BSL-1.0
// A libuv loop as an operation's executor.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "place.hpp"
#include "situations.hpp"

namespace {

using namespace test;
using executor = settle::uv::loop_executor;
using on_uv = counted<int, executor>;

static_assert(settle::executor<executor> && settle::has_timers<executor>);
static_assert(settle::node_executor<executor, settle::cas_terminal>, "posting allocates nothing");

TEST(uv_executor, runs_the_whole_sequence_in_every_situation) {
  uv_place place;
  in_each_way([&](way how) {
    for (moment const when : all_moments) {
      subject<on_uv> s(place.get_executor());
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

TEST(uv_executor, nothing_runs_inside_the_settling_call_of_another_place) {
  uv_place place;
  subject<on_uv> s(place.get_executor());
  int ran = 0;
  s.op.on_done([&] { ++ran; });
  s.op.cancel();
  EXPECT_EQ(ran, 0);
  place.run();
  EXPECT_EQ(ran, 1);
}

TEST(uv_executor, equal_executors_share_a_drain_and_others_do_not) {
  uv_place place;
  uv_place other;
  EXPECT_EQ(place.get_executor(), place.get_executor());
  EXPECT_NE(place.get_executor(), other.get_executor());
  EXPECT_EQ(place.get_executor().native(), &place.raw);
  subject<on_uv> a(place.get_executor());
  subject<on_uv> b(place.get_executor());
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

TEST(uv_executor, in_callbacks_of_libuv_it_is_at_home) {
  uv_place place;
  subject<on_uv> s(place.get_executor());
  struct context {
    subject<on_uv>& s;
    int ran = 0;
  } c{s};
  s.op.on_done([&] { ++c.ran; });
  uv_timer_t raw;
  uv_timer_init(&place.raw, &raw);
  raw.data = &c;
  uv_timer_start(
      &raw,
      [](uv_timer_t* t) {
        auto& its = *static_cast<context*>(t->data);
        its.s.end(way::complete);
        EXPECT_EQ(its.ran, 1);
        uv_close(reinterpret_cast<uv_handle_t*>(t), nullptr);
      },
      0, 0);
  place.run();
  EXPECT_EQ(c.ran, 1);
}

TEST(uv_executor, one_that_posts_for_ever_does_not_keep_the_loop_from_its_timers) {
  uv_place place;
  bool over = false;
  auto h = settle::sleep(place.get_executor(), std::chrono::milliseconds(2));
  h.on_done([&] { over = true; });
  std::vector<std::unique_ptr<subject<on_uv>>> chain;
  std::function<void()> next = [&] {
    chain.push_back(std::make_unique<subject<on_uv>>(place.get_executor()));
    auto& s = *chain.back();
    s.end(way::complete);
    if (!over) settle::start_on(place.get_executor(), [&] { next(); }).detach();
  };
  next();
  place.run();
  EXPECT_TRUE(over);
}

TEST(uv_executor, A61_a_loop_that_is_destroyed_loses_nothing_of_a_deep_tree) {
  in_each_way([](way how) {
    for (bool const references_live : {false, true}) {
      std::vector<std::unique_ptr<subject<on_uv>>> tree;
      int done = 0;
      int cleaned = 0;
      {
        uv_place place;
        for (std::size_t i = 0; i != 1000; ++i) {
          tree.push_back(std::make_unique<subject<on_uv>>(place.get_executor()));
          tree[i]->op.on_done([&] { ++done; });
          tree[i]->op.on_cancel([] {});
          tree[i]->op.on_cleanup([&] { ++cleaned; });
          if (i != 0) tree[i - 1]->op.adopt(tree[i]->op);
        }
        tree[0]->end(how);
        if (!references_live) tree.clear();
        EXPECT_EQ(done, 0);
      }
      for (auto& s : tree) subject<on_uv>::drop(s->r);
      EXPECT_EQ(done, 1000);
      EXPECT_EQ(cleaned, 1000);
      for (auto& s : tree) EXPECT_TRUE(s->op.is_released());
      std::size_t lost = 0;
      for (auto const& r : recording_sink::take()) lost += r.what == settle::monitor_event::executor_lost ? 1 : 0;
      EXPECT_GE(lost, 1U);
    }
  });
}

TEST(uv_executor, what_comes_after_its_loop_is_lost_at_once) {
  std::optional<uv_place> place(std::in_place);
  subject<on_uv> s(place->get_executor());
  int ran = 0;
  s.op.on_done([&] { ++ran; });
  auto const ex = place->get_executor();
  place.reset();
  s.end(way::complete);
  EXPECT_EQ(ran, 1);
  EXPECT_TRUE(s.op.is_released());
  EXPECT_EQ(recording_sink::take().size(), 1U);
  testing::internal::CaptureStderr();  // the default sink's
  EXPECT_EQ(settle::sleep(ex, std::chrono::hours(1)).wait().error().code(), settle::errc::no_memory);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("executor lost"), std::string::npos);
}

TEST(uv_executor, its_loop_is_destroyed_from_within) {
  uv_place place;
  subject<on_uv> first(place.get_executor());
  subject<on_uv> second(place.get_executor());
  auto nap = settle::sleep(place.get_executor(), std::chrono::hours(1));
  int ran = 0;
  first.op.on_done([&] {
    ++ran;
    place.loop.reset();
  });
  first.op.on_done([&] { ++ran; });
  second.op.on_done([&] { ++ran; });
  first.end(way::complete);
  second.end(way::complete);
  place.run();
  EXPECT_EQ(ran, 3);
  ASSERT_TRUE(nap.is_released());
  EXPECT_EQ(std::move(nap).wait().cancel().why, settle::cause::abandoned);
  EXPECT_TRUE(first.op.is_released() && second.op.is_released());
  recording_sink::take();
}

settle::handle<on_uv> resumes_at_home(executor, settle::handle<on_uv> h, int& steps) {
  ++steps;
  int const got = co_await std::move(h);
  ++steps;
  co_return got + 1;
}

TEST(uv_executor, a_coroutine_runs_on_it_and_comes_back_to_it) {
  uv_place place;
  subject<on_uv> source(place.get_executor());
  int steps = 0;
  auto h = resumes_at_home(place.get_executor(), std::move(source.h), steps);
  EXPECT_EQ(steps, 0) << "hot, but posted";
  place.run();
  EXPECT_EQ(steps, 1);
  source.r.complete(1);
  place.run();
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(std::move(h).wait().value(), 2);
}

TEST(uv_executor, posting_and_running_allocate_nothing) {
  uv_place place;
  place.run();
  in_each_way([&](way how) {
    subject<on_uv> s(place.get_executor());
    int ran = 0;
    s.op.on_done([&] { ++ran; });
    s.op.on_cancel([&] { ++ran; });
    s.op.on_cleanup([&] { ++ran; });
    if (how == way::abandon || how == way::fail) how = way::complete;  // what the sink is told of is recorded
    allocation_count const count;
    s.end(how);
    place.run();
    EXPECT_EQ(count.now(), 0U);
    EXPECT_TRUE(s.op.is_released());
  });
}

TEST(uv_executor, plain_uv_run_will_do_while_the_loop_is_alive) {
  uv_place place;
  uv_async_t alive;
  uv_async_init(&place.raw, &alive, nullptr);
  int ran = 0;
  auto h = settle::interval(place.get_executor(), std::chrono::milliseconds(1)).each([&] {
    if (++ran == 3) uv_close(reinterpret_cast<uv_handle_t*>(&alive), nullptr);
  });
  while (ran < 3) uv_run(&place.raw, UV_RUN_ONCE);
  EXPECT_NE(uv_run(&place.raw, UV_RUN_NOWAIT), 0) << "the interval keeps it alive";
  h = {};
  place.run();
  EXPECT_GE(ran, 3);
}

TEST(uv_threads, work_comes_from_many_and_runs_on_the_loop) {
  constexpr int each = 500;
  uv_place place;
  std::atomic<int> left = 3 * each;
  std::atomic<int> astray = 0;
  uv_async_t stop;  // keeps the loop alive
  uv_async_init(&place.raw, &stop, [](uv_async_t* h) { uv_close(reinterpret_cast<uv_handle_t*>(h), nullptr); });
  std::vector<std::thread> threads;
  for (int t = 0; t != 3; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i != each; ++i) {
        subject<on_uv> s(place.get_executor());
        s.op.on_done([&] { astray += place.get_executor().running_in_this_thread() ? 0 : 1; });
        s.op.on_released([&] { --left; });
        auto nap = settle::sleep(place.get_executor(), std::chrono::microseconds(i % 50));
        if (i % 2 == 0) nap.cancel();
        s.end(all_ways[(i + t) % 6]);
        if (i % 5 == 0) std::move(nap).detach();
      }
    });
  std::thread watch([&] {
    for (auto& t : threads) t.join();
    while (left != 0) std::this_thread::yield();
    uv_async_send(&stop);
  });
  place.run();
  watch.join();
  EXPECT_EQ(left, 0);
  EXPECT_EQ(astray, 0);
  recording_sink::take();
}

TEST(uv_threads, run_does_not_return_while_others_work_is_queued) {
  for (int i = 0; i != 200; ++i) {
    uv_place place;
    bool ran = false;
    auto h = settle::start_on(place.get_executor(), [&] { ran = true; });
    std::thread other([&] { settle::sleep(place.get_executor(), std::chrono::nanoseconds(0)).detach(); });
    place.run();
    EXPECT_TRUE(ran);
    other.join();
    place.run();
  }
}

TEST(uv_error_code, compares_and_reads_as_what_it_stands_for) {
  EXPECT_EQ(settle::uv::error_code(UV_EMFILE), std::errc::too_many_files_open);
  EXPECT_EQ(settle::uv::error_code(UV_ECANCELED), std::errc::operation_canceled);
  EXPECT_NE(settle::uv::error_code(UV_EOF), std::errc::operation_canceled);
  EXPECT_EQ(settle::uv::error_code(UV_EOF).message(), "end of file");
  EXPECT_STREQ(settle::uv::error_code(0).category().name(), "libuv");
  EXPECT_EQ(settle::uv::error_code(UV_EAI_AGAIN), settle::uv::error_code(UV_EAI_AGAIN).default_error_condition());
}

}  // namespace
