// SPDX-License-Identifier: BSL-1.0
// No memory, at each allocation of a call in turn: it is told, and nothing is left behind.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <new>
#include <optional>
#include <stop_token>
#include <utility>

#include "allocations.hpp"
#include "hooks.hpp"
#include "situations.hpp"

namespace {

using namespace test;
using number = counted<int>;

/// Lets f run with memory for 0, 1, 2... allocations until it has enough. How often it had not.
template <class Dry, class F, class Check>
long until_it_fits(F f, Check check) {
  for (long n = 0;; ++n) {
    try {
      Dry const dry(n);
      f();
      return n;
    } catch (std::bad_alloc const&) {
    }
    check();
    if (n == 100) return -1;
  }
}

TEST(G10_nofail, a_bound_observer_that_finds_no_memory_is_nowhere) {
  subject<number> job;
  subject<number> session;
  int ran = 0;
  long const failures = until_it_fits<dry_after>([&] { job.h.on_done(settle::bound_to(session.op), [&] { ++ran; }); },
                                                 [&] {
                                                   EXPECT_EQ(hooks_on(job.op), 0U);
                                                   EXPECT_EQ(hooks_on(session.op), 0U);
                                                 });
  EXPECT_GT(failures, 1);
  job.end(way::complete);
  EXPECT_EQ(ran, 1);
  session.end(way::complete);
  EXPECT_TRUE(session.op.is_released());
}

TEST(G10_nofail, a_bound_consumer_that_finds_no_memory_leaves_the_handle) {
  subject<number> job;
  subject<number> session;
  int got = 0;
  long const failures = until_it_fits<dry_after>(
      [&] { std::move(job.h).on_done(settle::bound_to(session.op), [&](settle::outcome<int>&& o) { got = o.value(); }); },
      [&] {
        EXPECT_TRUE(job.h);
        EXPECT_EQ(hooks_on(job.op), 0U);
        EXPECT_EQ(hooks_on(session.op), 0U);
      });
  EXPECT_GT(failures, 1);
  EXPECT_FALSE(job.h);
  job.end(way::complete);
  EXPECT_EQ(got, 42);
  session.end(way::complete);
}

#if defined(SETTLE_TEST_NEW_RUNS_DRY)

settle::handle_of<bool> pins(settle::inline_executor, settle::handle<number> const& h) {
  try {
    auto const p = co_await h.pinned();
    co_return static_cast<bool>(p.pin);
  } catch (std::bad_alloc const&) {
    co_return false;
  }
}

TEST(G10_nofail, a_coroutine_that_finds_no_memory_to_look_at_an_operation_leaves_nothing_on_it) {
  int failures = 0;
  for (bool looked = false; !looked && failures != 100;) {
    subject<number> s;
    settle::handle_of<bool> looking;
    {
      settle::trim();
      no_memory_after const dry(failures);
      looking = pins({}, s.h);
    }
    looked = looking && !looking.is_settled();
    EXPECT_EQ(hooks_on(s.op), looked ? 1U : 0U) << failures;
    if (!looked) looking = {};  // with its frame
    s.end(way::complete);
    EXPECT_EQ(looked, looking && std::move(looking).wait().value()) << failures;
    failures += looked ? 0 : 1;
  }
  EXPECT_EQ(failures, 3) << "the frame, the operation that waits in its place, and the hook on that one";
}

#endif
#if defined(SETTLE_TEST_HEAP_RUNS_DRY)

TEST(G10_nofail, a_stop_token_that_finds_no_memory_is_asked_for_again) {
  subject<number> s;
  std::stop_token token{std::stop_source(std::nostopstate).get_token()};
  ASSERT_TRUE(s.op.tighten(std::chrono::steady_clock::now())) << "the context is there";
  long const blocks = ledger::blocks;
  long const failures = until_it_fits<no_heap_after>([&] { token = s.op.stop_token(); }, [&] { EXPECT_EQ(ledger::blocks, blocks); });
  EXPECT_EQ(failures, 2) << "the part, and the source in it";
  s.op.request_cancel();
  EXPECT_TRUE(token.stop_requested());
  s.r.cancel();
}

TEST(start_on, without_memory_nothing_starts) {
  int ran = 0;
  auto job = [&ran, room = std::array<char, 2048>()] { ran += 1 + room[0]; };
  settle::trim();
  long const failures = until_it_fits<no_heap_after>([&] { static_cast<void>(settle::start_on(settle::inline_executor(), job)); },
                                                     [&] { EXPECT_EQ(ran, 0); });
  EXPECT_GE(failures, 1);
  EXPECT_EQ(ran, 1);
}

TEST(start_on, a_job_that_returns_a_handle_and_finds_no_memory_to_adopt_it_or_to_wait_for_it) {
  for (int n : {0, 1}) {
    subject<number> inner;
    std::optional<no_heap_after> dry;
    auto h = settle::start_on(settle::inline_executor(), [&] {
      settle::trim();
      dry.emplace(n);
      return std::move(inner.h);
    });
    dry.reset();
    EXPECT_TRUE(inner.op.cancel_requested()) << "dropped: nobody waits for it";
    inner.end(way::complete);
    auto const out = std::move(h).wait();
    ASSERT_TRUE(out.has_error()) << n;
    EXPECT_EQ(out.error().code(), settle::errc::no_memory);
  }
}

#endif

}  // namespace
