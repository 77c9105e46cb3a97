// SPDX-License-Identifier: BSL-1.0
// sleep: its timer is closed by a cleanup on its own operation, however it ends (A26).
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/strand.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "situations.hpp"

namespace {

using namespace std::chrono_literals;
using settle::cause;

constexpr auto for_ever = std::chrono::hours(24);

TEST(sleep, settles_after_its_time) {
  asio::io_context io;
  auto const begin = std::chrono::steady_clock::now();
  int done = 0;
  int released = 0;
  auto h = settle::sleep(io.get_executor(), 2ms);
  h.on_released([&] { ++released; });
  std::move(h).on_done([&](settle::outcome<void>&& out) { done += out.has_value() ? 1 : 100; });
  io.run();
  EXPECT_EQ(done, 1);
  EXPECT_EQ(released, 1);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2ms);
}

TEST(sleep, of_no_time_at_all) {
  for (auto const d : {0ns, std::chrono::nanoseconds(-5s)}) {
    asio::io_context io;
    auto h = settle::sleep(io.get_executor(), d);
    auto w = h.watch();
    io.run();
    ASSERT_NE(w.peek(), nullptr);
    EXPECT_TRUE(w.peek()->has_value());
    EXPECT_TRUE(h.is_released());
  }
}

TEST(sleep, cancelled_or_dropped_it_ends_at_once) {
  for (int how = 0; how != 3; ++how) {
    SCOPED_TRACE(how);
    asio::io_context io;
    auto h = settle::sleep(io.get_executor(), for_ever);
    auto w = h.watch();
    settle::operation const op = h;
    if (how == 0) op.cancel(cause::shutdown);
    if (how == 1) op.request_cancel(cause::shutdown);
    if (how == 2) {
      auto gone = std::move(h);
    }
    EXPECT_EQ(op.is_settled(), how == 0);
    EXPECT_FALSE(op.is_released()) << "the timer still holds the producer";
    io.run();
    ASSERT_NE(w.peek(), nullptr);
    ASSERT_TRUE(w.peek()->is_cancelled());
    EXPECT_EQ(w.peek()->cancel().why, how == 2 ? cause::dropped : cause::shutdown);
    EXPECT_TRUE(op.is_released());
    op.cancel();
    op.request_cancel();
  }
}

TEST(sleep, cancelled_when_it_has_expired_but_not_fired) {
  asio::io_context io;
  for (bool const forced : {false, true}) {
    auto h = settle::sleep(io.get_executor(), 0ns);
    auto w = h.watch();
    if (forced) h.cancel();
    else h.request_cancel();
    io.restart();
    io.run();
    ASSERT_NE(w.peek(), nullptr);
    EXPECT_EQ(w.peek()->is_cancelled() || w.peek()->has_value(), true);
    EXPECT_TRUE(h.is_released());
    if (forced) {
      EXPECT_TRUE(w.peek()->is_cancelled());
    }
  }
}

TEST(sleep, cancelled_from_its_own_observer_and_from_another_timers) {
  asio::io_context io;
  auto first = settle::sleep(io.get_executor(), 0ns);
  auto second = settle::sleep(io.get_executor(), for_ever);
  settle::operation const a = first;
  settle::operation const b = second;
  int ran = 0;
  first.on_done([&](settle::outcome<void> const&) {
    ++ran;
    EXPECT_FALSE(a.cancel());
    EXPECT_TRUE(b.cancel());
  });
  second.on_done([&](settle::outcome<void> const&) { ++ran; });
  io.run();
  EXPECT_EQ(ran, 2);
  EXPECT_TRUE(a.is_released());
  EXPECT_TRUE(b.is_released());
}

// Each way: nothing stays allocated, no timer armed.
TEST(sleep, a_hundred_leave_nothing_allocated) {
  for (int how = 0; how != 4; ++how) {
    SCOPED_TRACE(how);
    asio::io_context io;
    settle::sleep(io.get_executor(), 0ns).detach();  // what the context keeps for its own
    io.run();
    io.restart();
    std::vector<settle::operation> seen;
    seen.reserve(100);
    settle::trim();
    std::int64_t const before = test::live_allocations_of_this_thread();
    {
      std::vector<settle::handle_of<void>> sleeps;
      for (int i = 0; i != 100; ++i) {
        sleeps.push_back(settle::sleep(io.get_executor(), how == 0 ? std::chrono::nanoseconds(i * 1us) : for_ever));
        seen.emplace_back(sleeps.back());
      }
      if (how == 1)
        for (auto& h : sleeps) h.cancel();
      if (how == 2) sleeps.clear();
      if (how == 3)
        for (auto& h : sleeps) h.request_cancel();
      EXPECT_EQ(io.run() != 0, true);
    }
    for (auto const& op : seen) {
      EXPECT_TRUE(op.is_released());
    }
    EXPECT_EQ(io.poll(), 0U);
    seen.clear();
    settle::trim();
    EXPECT_LE(test::live_allocations_of_this_thread(), before + 1) << "one: the timer queue's own heap, which grew";
  }
}

TEST(sleep, a_context_destroyed_with_pending_sleeps) {
  for (bool const handles_live_longer : {false, true}) {
    for (bool const queued : {false, true}) {
      std::vector<settle::operation> seen;
      std::vector<settle::handle_of<void>> sleeps;
      std::atomic<int> done = 0;
      testing::internal::CaptureStderr();  // the default sink says which executor was lost
      {
        asio::io_context io;
        for (int i = 0; i != 50; ++i) {
          sleeps.push_back(settle::sleep(io.get_executor(), for_ever));
          seen.emplace_back(sleeps.back());
          seen.back().on_done([&] { ++done; });
          if (queued && i % 2 == 0) sleeps.back().cancel();
        }
        if (!handles_live_longer) sleeps.clear();
        io.stop();
      }
      EXPECT_NE(testing::internal::GetCapturedStderr().find("settle: executor lost"), std::string::npos);
      EXPECT_EQ(done, 50);
      for (auto const& op : seen) {
        EXPECT_TRUE(op.is_released());
      }
    }
  }
}

TEST(sleep, on_strands_and_erased_executors) {
  asio::io_context io;
  auto strand = asio::make_strand(io);
  asio::any_io_executor erased = io.get_executor();
  int done = 0;
  settle::sleep(strand, 1us).detach().on_done([&] { ++done; });
  settle::sleep(erased, 1us).detach().on_done([&] { ++done; });
  auto h = settle::sleep(strand, for_ever);
  h.on_done([&](auto const& out) { done += out.is_cancelled() ? 1 : 100; });
  h.cancel();
  io.run();
  EXPECT_EQ(done, 3);
}

TEST(sleep, cancelled_by_many_threads_while_it_fires) {
  asio::io_context io;
  auto guard = std::make_optional(asio::make_work_guard(io));
  std::thread loop([&] { io.run(); });
  std::atomic<int> done = 0;
  std::atomic<int> released = 0;
  for (int i = 0; i != 1000; ++i) {
    auto h = settle::sleep(io.get_executor(), std::chrono::microseconds(i % 7));
    h.on_released([&] { ++released; });
    h.on_done([&](auto const&) { ++done; });
    if (i % 3 == 0) h.cancel();
    else if (i % 3 == 1) h.request_cancel();
    // else: dropped here
  }
  guard.reset();
  loop.join();
  EXPECT_EQ(done, 1000);
  EXPECT_EQ(released, 1000);
}

// A child of an operation: its parent's cancellation stops the timer.
TEST(sleep, a_child_is_stopped_with_its_parent) {
  asio::io_context io;
  settle::resolver_of<int> parent;
  auto h = parent.get_handle();
  auto nap = settle::sleep(io.get_executor(), for_ever);
  parent.op().adopt(nap);
  bool cleaned = false;
  settle::operation const child = nap;
  h.on_cleanup([&] {
    cleaned = true;
    EXPECT_TRUE(child.is_released());
  });
  h.cancel(cause::disconnect);
  EXPECT_FALSE(parent.complete(1));
  EXPECT_FALSE(cleaned);
  io.run();
  EXPECT_TRUE(cleaned);
}

}  // namespace
