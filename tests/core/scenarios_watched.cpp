// SPDX-License-Identifier: BSL-1.0
// Acceptance scenarios about coroutines that wait for what outlives them, and are destroyed meanwhile: on one thread and on four, hooks and
// bytes counted.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "hooks.hpp"
#include "scale.hpp"
#include "situations.hpp"

namespace {

using namespace test;
using settle::operation;
using number = counted<int>;
using int_handle = settle::handle<number>;
using int_watcher = settle::watcher<number>;
using loop_executor = manual_loop::executor;
using looped = counted<int, loop_executor>;

constexpr int rounds = static_cast<int>(a_million);

std::atomic<long> alive = 0;
std::atomic<long> resumed = 0;

/// What stands on a frame: it must be gone when the frame is, and a late touch of it is found by the sanitizers.
struct local {
  std::unique_ptr<int> memory = std::make_unique<int>(7);
  local() { ++alive; }
  local(local&&) = delete;
  ~local() {
    --alive;
    *memory = 0;
  }
};

int_handle watches(settle::inline_executor, int_watcher w) {
  local l;
  int const v = co_await w;
  ++resumed;
  co_return v + *l.memory;
}
int_handle looks(settle::inline_executor, int_watcher w) {
  local l;
  auto const& o = co_await w.settled();
  ++resumed;
  co_return o.has_value() ? *l.memory : 0;
}
int_handle waits_for_release(settle::inline_executor, operation op) {
  local l;
  co_await op.released();
  ++resumed;
  co_return *l.memory;
}

/// One coroutine of each kind, begun, and destroyed by a forced cancel or by a request.
void await_and_go(int_watcher const& w, int round) {
  int_handle h = round % 3 == 0 ? watches({}, w) : round % 3 == 1 ? looks({}, w) : waits_for_release({}, w);
  if (round % 2 == 0) h.cancel();
  else h.request_cancel();
}

TEST(A51_long_lived_watched, a_million_coroutines_await_it_and_are_destroyed) {
  subject<number> stop;
  auto const w = stop.h.watch();
  std::size_t const hooks = hooks_on(stop.op);
  long const blocks = ledger::blocks;
  long const bytes = ledger::bytes;
  resumed = 0;
  for (int i = 0; i != rounds; ++i) {
    await_and_go(w, i);
    ASSERT_EQ(hooks_on(stop.op), hooks) << "in round " << i;
    ASSERT_EQ(ledger::blocks, blocks);
    ASSERT_EQ(ledger::bytes, bytes);
    ASSERT_EQ(alive, 0);
  }
  EXPECT_EQ(resumed, 0);
  EXPECT_FALSE(stop.op.cancel_requested());
  stop.end(way::complete);
  EXPECT_EQ(resumed, 0);
}

TEST(A51_long_lived_watched, from_four_threads) {
  crew threads(4);
  subject<number> stop;
  auto const w = stop.h.watch();
  std::size_t const hooks = hooks_on(stop.op);
  long const blocks = ledger::blocks;
  long const bytes = ledger::bytes;
  resumed = 0;
  for (int batch = 0; batch != 10; ++batch) {
    threads.run([&](unsigned n) {
      int_watcher const mine = w;
      for (int i = 0; i != rounds / 100; ++i) await_and_go(mine, i + static_cast<int>(n));
    });
    ASSERT_EQ(hooks_on(stop.op), hooks);
    ASSERT_EQ(ledger::blocks, blocks);
    ASSERT_EQ(ledger::bytes, bytes);
    ASSERT_EQ(alive, 0);
  }
  EXPECT_EQ(resumed, 0);
  stop.end(way::complete);
}

TEST(A51_long_lived_watched, one_that_stays_is_its_only_hook_and_is_resumed) {
  subject<number> stop;
  auto const w = stop.h.watch();
  std::size_t const hooks = hooks_on(stop.op);
  resumed = 0;
  auto stays = watches({}, w);
  std::size_t const with_it = hooks_on(stop.op);
  EXPECT_EQ(with_it, hooks + 1);
  long const bytes = ledger::bytes;
  for (int i = 0; i != 1000; ++i) {
    await_and_go(w, i);
    ASSERT_EQ(hooks_on(stop.op), with_it);
    ASSERT_EQ(ledger::bytes, bytes);
  }
  EXPECT_EQ(alive, 1);
  stop.end(way::complete);
  EXPECT_EQ(resumed, 1);
  EXPECT_EQ(std::move(stays).wait().value(), 49);
}

// A55: an awaiter of ours that is ended.
int_handle joins_on_loop(loop_executor, int_handle h) {
  local l;
  int const v = co_await std::move(h);
  ++resumed;
  co_return v + *l.memory;
}
int_handle watches_on_loop(loop_executor, int_watcher w) {
  local l;
  int const v = co_await w;
  ++resumed;
  co_return v + *l.memory;
}

enum class awaited { handle, watcher };

/// `end(h)` ends the coroutine; before the awaited operation settles or after it, its turn queued and not yet come.
template <class End>
void destroy_an_awaiter(awaited what, bool settled_first, End end) {
  manual_loop loop;
  long const blocks = ledger::blocks;
  long const bytes = ledger::bytes;
  resumed = 0;
  {
    subject<number> s;
    auto w = s.h.watch();
    auto h = what == awaited::handle ? joins_on_loop(loop.get_executor(), std::move(s.h)) : watches_on_loop(loop.get_executor(), w);
    loop.run();
    EXPECT_EQ(alive, 1) << "it waits";
    EXPECT_EQ(hooks_on(s.op), 1U);
    if (settled_first) {
      s.end(way::complete);
      EXPECT_EQ(loop.size(), 1U) << "its turn is queued";
    }
    end(loop, h);
    if (!settled_first) s.try_to_end(way::complete);
    loop.run();
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(resumed, 0) << "it was ended before its turn came";
    EXPECT_EQ(hooks_on(s.op), 0U);
    EXPECT_TRUE(h.is_released());
    EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::overload);
  }
  EXPECT_EQ(loop.run(), 0U);
  EXPECT_EQ(ledger::blocks, blocks);
  EXPECT_EQ(ledger::bytes, bytes);
}

template <class F>
void in_each_wait(F f) {
  for (awaited const what : {awaited::handle, awaited::watcher}) {
    for (bool const settled_first : {false, true}) {
      SCOPED_TRACE(what == awaited::handle ? "handle" : "watcher");
      SCOPED_TRACE(settled_first ? "settled, its turn not yet come" : "pending");
      f(what, settled_first);
    }
  }
}

TEST(A55_destroyed_awaiter, by_its_own_executor) {
  in_each_wait([](awaited what, bool settled_first) {
    destroy_an_awaiter(what, settled_first,
                       [](manual_loop& loop, auto& h) { loop.inside([&] { EXPECT_TRUE(h.cancel(settle::cause::overload)); }); });
  });
}

TEST(A55_destroyed_awaiter, from_another_thread) {
  in_each_wait([](awaited what, bool settled_first) {
    destroy_an_awaiter(what, settled_first,
                       [](manual_loop&, auto& h) { std::thread([&] { EXPECT_TRUE(h.cancel(settle::cause::overload)); }).join(); });
  });
}

/// A coroutine type of somebody else's, whose frame is destroyed by hand.
struct foreign {
  struct promise_type {
    foreign get_return_object() { return foreign(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  explicit foreign(std::coroutine_handle<> h) noexcept : frame(h) {}
  std::coroutine_handle<> frame;
};
foreign joins_abroad(settle::handle<looped> h) {
  local l;
  auto const o = co_await std::move(h).as_outcome();
  ++resumed;
  static_cast<void>(o);
}

TEST(A55_destroyed_awaiter, a_foreign_frame_is_destroyed_by_hand) {
  for (bool const settled_first : {false, true}) {
    SCOPED_TRACE(settled_first);
    manual_loop loop;
    long const bytes = ledger::bytes;
    resumed = 0;
    {
      subject<looped> s(loop.get_executor());
      foreign f = joins_abroad(std::move(s.h));
      if (settled_first) s.end(way::complete);
      EXPECT_EQ(alive, 1);
      f.frame.destroy();
      EXPECT_EQ(alive, 0);
      if (!settled_first) s.end(way::abandon);
      loop.run();
      EXPECT_EQ(resumed, 0);
      EXPECT_TRUE(s.op.is_released());
    }
    loop.run();
    EXPECT_EQ(ledger::bytes, bytes);
  }
}

// In a race with the settle, from two threads and from four: resumed or ended, never both, nothing left.
int_handle joins(settle::inline_executor, int_handle h) {
  local l;
  int const v = co_await std::move(h);
  ++resumed;
  co_return v + *l.memory;
}

void race_with_the_settle(unsigned size) {
  crew threads(size);
  for (int round = 0; round != 1500; ++round) {
    long const blocks = ledger::blocks;
    long const bytes = ledger::bytes;
    resumed = 0;
    {
      subject<number> s;
      auto w = s.h.watch();
      int_handle h = round % 3 == 0 ? joins({}, std::move(s.h)) : round % 3 == 1 ? watches({}, w) : waits_for_release({}, w);
      threads.run([&](unsigned i) {
        if (i == 0) s.try_to_end(round % 2 == 0 ? way::complete : way::abandon);
        else if (i % 2 == 1) h.cancel(settle::cause::overload);
        else h.request_cancel(settle::cause::deadline);
      });
      ASSERT_EQ(alive, 0);
      ASSERT_LE(resumed, 1);
      ASSERT_TRUE(s.op.is_released());
      ASSERT_TRUE(h.is_released());
      ASSERT_EQ(hooks_on(s.op), 0U);
      auto const out = std::move(h).wait();
      ASSERT_TRUE(!out.has_value() || resumed == 1);
    }
    ASSERT_EQ(ledger::blocks, blocks);
    ASSERT_EQ(ledger::bytes, bytes);
  }
}
TEST(A55_destroyed_awaiter, in_a_race_with_the_settle) { race_with_the_settle(2); }
TEST(A55_destroyed_awaiter, in_a_race_with_the_settle_from_four_threads) { race_with_the_settle(4); }

// G13: a coroutine that waits, or is about to start, when its executor goes away.
TEST(G13_executor_loss, an_awaiting_coroutine_is_destroyed_instead_of_resumed) {
  for (bool const started : {false, true}) {
    SCOPED_TRACE(started);
    auto loop = std::make_unique<manual_loop>();
    subject<number> s;
    resumed = 0;
    auto h = joins_on_loop(loop->get_executor(), std::move(s.h));
    operation const op = h;
    if (started) {
      loop->run();
      EXPECT_EQ(alive, 1);
      s.end(way::complete);
    }
    EXPECT_EQ(loop->size(), 1U) << "its turn is queued";
    loop.reset();
    EXPECT_EQ(resumed, 0);
    EXPECT_EQ(alive, 0);
    EXPECT_TRUE(op.is_released());
    EXPECT_TRUE(std::move(h).wait().is_cancelled());
    EXPECT_EQ(recording_sink::count(settle::monitor_event::executor_lost), 1U);
    recording_sink::take();
    subject<number>::drop(s.r);
  }
}

}  // namespace
