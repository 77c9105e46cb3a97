// SPDX-License-Identifier: BSL-1.0
// std::stop_token both ways: an operation's, and an outside one that asks an operation to cancel.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "meanwhile.hpp"
#include "situations.hpp"

namespace {

using namespace test;

TEST(stop_token, stops_with_the_first_request_or_forced_cancel_only) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    std::stop_token t;
    int fired = 0;
    std::optional<std::stop_callback<std::function<void()>>> callback;
    play(place, at, s, [&] {
      t = s.op.stop_token();
      callback.emplace(t, [&] { ++fired; });
    });
    bool const stops = is_cancelled(at.how);
    EXPECT_EQ(t.stop_requested(), stops);
    EXPECT_EQ(fired, stops ? 1 : 0);
    s.op = {};
    s.h = {};
    EXPECT_EQ(t.stop_possible(), stops) << "the source is gone";
  });
}

TEST(stop_token, of_nothing_cannot_be_stopped) { EXPECT_FALSE(settle::operation().stop_token().stop_possible()); }

TEST(stop_token, a_request_and_a_force_stop_it_once) {
  subject<counted<int>> s;
  auto const t = s.op.stop_token();
  int fired = 0;
  std::stop_callback const callback(t, [&] { ++fired; });
  EXPECT_FALSE(t.stop_requested());
  s.op.request_cancel();
  EXPECT_EQ(fired, 1);
  EXPECT_TRUE(s.op.stop_token().stop_requested());
  s.op.cancel();
  EXPECT_EQ(fired, 1);
  s.end(way::abandon);
}

TEST(stop_token, a_parents_cancel_stops_the_childs) {
  subject<counted<int>> parent;
  subject<counted<int>> child;
  parent.op.adopt(child.op);
  auto const t = child.op.stop_token();
  parent.end(way::complete);
  EXPECT_TRUE(t.stop_requested()) << "settling in any way asks the children";
  child.end(way::abandon);
}

// A worker that keeps the operation's executor busy is stopped all the same.
TEST(stop_token, fires_where_the_cancel_happens_while_the_executor_is_busy) {
  thread_pool pool(1);
  subject<counted<int, thread_pool::executor>> s(pool.get_executor());
  std::mutex m;
  std::condition_variable_any changed;
  std::atomic<bool> at_it = false;
  bool stopped = false;
  pool.get_executor().execute([&, stop = s.op.stop_token()] {
    std::unique_lock lock(m);
    at_it = true;
    at_it.notify_one();
    changed.wait(lock, stop, [] { return false; });
    stopped = stop.stop_requested();
  });
  at_it.wait(false);
  s.op.request_cancel();
  pool.wait_idle();
  EXPECT_TRUE(stopped);
  s.end(way::abandon);
  s.op.wait_released();
}

TEST(G17_withdrawal, asking_for_the_token_does_not_grow_an_operation) {
  subject<counted<int>> s;
  {
    auto const first = s.op.stop_token();
  }
  long const bytes = ledger::bytes;
  allocation_count const made;
  for (int i = 0; i != 1'000'000; ++i) {
    auto const t = s.op.stop_token();
  }
  EXPECT_EQ(made.now(), 0U);
  EXPECT_EQ(ledger::bytes, bytes);
  s.end(way::complete);
}

TEST(G14_last_reference, in_a_stop_callback) {
  auto s = std::make_unique<subject<counted<int>>>();
  auto const op = s->op;
  std::optional<std::stop_callback<std::function<void()>>> callback;
  callback.emplace(s->op.stop_token(), [&] {
    s->end(way::complete);  // loses, or wins
    s.reset();
    callback.reset();
  });
  op.request_cancel();
  EXPECT_EQ(s, nullptr);
  EXPECT_TRUE(op.is_released());
}

// What a stop callback does comes after it, not inside it.
TEST(G09_flat, stop_callbacks_that_cancel_one_another) {
  constexpr std::size_t n = 20'000;
  std::vector<subject<counted<int>>> chain(n);
  std::vector<std::unique_ptr<std::stop_callback<std::function<void()>>>> callbacks;
  int depth = 0;
  int deepest = 0;
  for (std::size_t i = 0; i + 1 != n; ++i) {
    callbacks.push_back(std::make_unique<std::stop_callback<std::function<void()>>>(chain[i].op.stop_token(), [&, i] {
      deepest = std::max(deepest, ++depth);
      chain[i + 1].op.request_cancel();
      --depth;
    }));
  }
  chain[0].op.request_cancel();
  EXPECT_TRUE(chain[n - 1].op.cancel_requested());
  EXPECT_EQ(deepest, 1);
  for (auto& s : chain) s.end(way::abandon);
}

TEST(G10_nofail, firing_allocates_nothing) {
  subject<counted<int>> s;
  auto const t = s.op.stop_token();
  dry_after const none(0);
  allocation_count const made;
  s.end(way::cancel);
  EXPECT_EQ(made.now(), 0U);
  EXPECT_TRUE(t.stop_requested());
}

#if defined(__cpp_exceptions)
TEST(stop_token, without_memory_there_is_none) {
  for (long n : {0L, 1L}) {
    subject<counted<int>> s;
    {
      dry_after const dry(n);
      EXPECT_THROW(static_cast<void>(s.op.stop_token()), std::bad_alloc);
    }
    s.op.cancel();
    EXPECT_TRUE(s.op.stop_token().stop_requested());
    s.end(way::abandon);
  }
}
#endif

TEST(stop_token, asking_races_with_asking_and_with_the_cancel) {
  crew threads(4);
  for (int round = 0; round != 2000; ++round) {
    subject<counted<int>> s;
    std::stop_token a;
    std::stop_token b;
    std::atomic<int> fired = 0;
    threads.run([&](unsigned i) {
      if (i == 0) a = s.op.stop_token();
      if (i == 1) b = s.op.stop_token();
      if (i == 2) s.op.request_cancel();
      if (i == 3) {
        std::stop_callback const callback(s.op.stop_token(), [&] { ++fired; });
      }
    });
    EXPECT_EQ(a, b);
    EXPECT_TRUE(a.stop_requested());
    EXPECT_LE(fired, 1);
    s.end(way::abandon);
  }
}

TEST(stop_token, asking_races_with_the_end) {
  crew threads(2);
  for (way how : {way::complete, way::cancel}) {
    for (int round = 0; round != 1000; ++round) {
      subject<counted<int>> s;
      auto const op = s.op;
      std::stop_token t;
      threads.run([&](unsigned i) {
        if (i == 0) s.end(how);
        if (i == 1) t = op.stop_token();
      });
      EXPECT_EQ(t.stop_requested(), how == way::cancel);
    }
  }
}

struct local : settle::default_policy {
  using value_type = int;
  using terminal = settle::unsynchronized_terminal;
};

TEST(policy_terminal, one_threads_operations_have_stop_tokens) {
  settle::resolver<local> r;
  std::stop_source outside;
  EXPECT_TRUE(settle::link_stop_token(r.op(), outside.get_token()));
  auto const t = r.op().stop_token();
  outside.request_stop();
  EXPECT_TRUE(t.stop_requested());
  EXPECT_TRUE(r.op().cancel_requested());
  r.cancel();
}

// ---- an outside token ----

TEST(link_stop_token, asks_the_operation_to_cancel) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    std::stop_source outside;
    bool linked = false;
    play(place, at, s, [&] { linked = settle::link_stop_token(s.op, outside.get_token(), settle::cause::shutdown); });
    EXPECT_EQ(linked, at.when != moment::released);
    outside.request_stop();
  });
  subject<counted<int>> s;
  auto const w = s.h.watch();
  std::stop_source outside;
  EXPECT_TRUE(settle::link_stop_token(s.op, outside.get_token(), settle::cause::shutdown));
  outside.request_stop();
  EXPECT_TRUE(s.op.cancel_requested());
  EXPECT_FALSE(s.op.is_settled());
  s.end(way::abandon);
  EXPECT_EQ(w.peek()->cancel().why, settle::cause::shutdown);
}

TEST(link_stop_token, nothing_to_link) {
  subject<counted<int>> s;
  std::stop_source outside;
  EXPECT_FALSE(settle::link_stop_token(settle::operation(), outside.get_token()));
  EXPECT_FALSE(settle::link_stop_token(s.op, std::stop_token()));
  s.end(way::complete);
  EXPECT_FALSE(settle::link_stop_token(s.op, outside.get_token()));
}

// The callback runs while it is constructed; and everything ends there.
TEST(link_stop_token, to_a_token_that_has_stopped) {
  std::stop_source outside;
  outside.request_stop();
  subject<counted<int>> s;
  EXPECT_TRUE(settle::link_stop_token(s.op, outside.get_token()));
  EXPECT_TRUE(s.op.cancel_requested());
  s.end(way::abandon);

  auto ends = std::make_unique<subject<counted<int>>>();
  auto const op = ends->op;
  op.on_cancel([&] {
    ends->end(way::abandon);
    ends.reset();
  });
  EXPECT_TRUE(settle::link_stop_token(op, outside.get_token()));
  EXPECT_EQ(ends, nullptr);
  EXPECT_TRUE(op.is_released());
}

// It is destroyed inside itself.
TEST(link_stop_token, to_an_operation_that_ends_in_the_callback) {
  std::stop_source outside;
  auto s = std::make_unique<subject<counted<int>>>();
  settle::link_stop_token(s->op, outside.get_token());
  s->op.on_cancel([&] {
    s->end(way::abandon);
    s.reset();
  });
  outside.request_stop();
  EXPECT_EQ(s, nullptr);
}

TEST(G17_withdrawal, a_token_that_lives_for_ever_keeps_nothing_of_the_operations_it_was_linked_to) {
  std::stop_source for_ever;
  subject<counted<int>> other;
  settle::link_stop_token(other.op, for_ever.get_token());
  long const bytes = ledger::bytes;
  std::int64_t const live = live_allocations_of_this_thread();
  for (int i = 0; i != 100'000; ++i) {
    subject<counted<int>> s;
    settle::link_stop_token(s.op, for_ever.get_token());
    s.end(i % 2 == 0 ? way::complete : way::cancel);
  }
  EXPECT_EQ(ledger::bytes, bytes);
  EXPECT_EQ(live_allocations_of_this_thread(), live);
  for_ever.request_stop();
  EXPECT_TRUE(other.op.cancel_requested());
  other.end(way::abandon);
}

#if defined(__cpp_exceptions)
TEST(link_stop_token, without_memory) {
  subject<counted<int>> s;
  std::stop_source outside;
  {
    dry_after const none(0);
    EXPECT_THROW(settle::link_stop_token(s.op, outside.get_token()), std::bad_alloc);
  }
  outside.request_stop();
  EXPECT_FALSE(s.op.cancel_requested());
  s.end(way::complete);
}
#endif

// One operation's token linked to another: a tree by other means.
TEST(link_stop_token, an_operations_token_to_another_operation) {
  subject<counted<int>> above;
  subject<counted<int>> below;
  settle::link_stop_token(below.op, above.op.stop_token(), settle::cause::parent);
  above.op.request_cancel();
  EXPECT_TRUE(below.op.cancel_requested());
  below.end(way::abandon);
  above.end(way::abandon);
}

TEST(link_stop_token, stopping_linking_and_ending_race) {
  crew threads(3);
  for (int round = 0; round != 5000; ++round) {
    std::stop_source outside;
    subject<counted<int>> s;
    auto const op = s.op;
    bool linked = false;
    threads.run([&](unsigned i) {
      if (i == 0) linked = settle::link_stop_token(op, outside.get_token());
      if (i == 1) outside.request_stop();
      if (i == 2 && round % 2 == 0) s.end(way::abandon);
    });
    if (round % 2 != 0) {
      EXPECT_TRUE(linked);
      EXPECT_TRUE(op.cancel_requested());
      s.end(way::abandon);
    }
  }
}

// The operation is released on one thread while another is in the callback, and neither waits for the other's user code.
TEST(link_stop_token, the_end_does_not_wait_for_the_callback) {
  std::stop_source outside;
  subject<counted<int>> s;
  auto const op = s.op;
  settle::link_stop_token(op, outside.get_token());
  std::atomic<bool> inside = false;
  std::atomic<bool> go_on = false;
  op.on_cancel([&] {
    inside = true;
    inside.notify_one();
    go_on.wait(false);
  });
  std::thread stops([&] { outside.request_stop(); });
  inside.wait(false);
  settle::resolver<counted<int>> gone(std::move(s.r));
  EXPECT_TRUE(gone.complete(1)) << "returns";
  go_on = true;
  go_on.notify_one();
  stops.join();
  EXPECT_TRUE(op.is_released());
}

TEST(stop_token, two_who_ask_for_the_first_one_at_once_get_the_same) {
  subject<interrupted<int>> s;
  ASSERT_TRUE(s.op.tighten(std::chrono::steady_clock::time_point() + std::chrono::hours(10))) << "the context is there";
  std::stop_token theirs;
  std::stop_token mine;
  {
    meanwhile const other([&] { theirs = s.op.stop_token(); });
    mine = s.op.stop_token();
  }
  EXPECT_EQ(mine, theirs);
  s.op.request_cancel();
  EXPECT_TRUE(mine.stop_requested());
  s.r.cancel();
}

}  // namespace
