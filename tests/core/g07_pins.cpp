// SPDX-License-Identifier: BSL-1.0
// G7: no cleanup runs while a pin is held; a live producer is a pin.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "situations.hpp"

namespace {

using namespace test;

TEST(G07_pins, the_last_unpin_runs_the_cleanups) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      for (int order = 0; order != 2; ++order) {
        subject<policy> s(place.get_executor());
        int cleaned = 0;
        int done = 0;
        s.op.on_done([&] { ++done; });
        s.op.on_cleanup([&] { ++cleaned; });
        settle::pin first = s.op.pin();
        settle::pin second = s.op.pin();
        ASSERT_TRUE(first);
        s.end(how);
        place.run();
        settle::pin third = s.op.pin();
        ASSERT_TRUE(third) << "settled is not releasing";
        EXPECT_EQ(done, 1);
        (order == 0 ? first : third).reset();
        second.reset();
        place.run();
        EXPECT_EQ(cleaned, 0);
        EXPECT_FALSE(s.op.is_released());
        (order == 0 ? third : first).reset();
        place.run();
        EXPECT_EQ(cleaned, 1);
        EXPECT_TRUE(s.op.is_released());
        EXPECT_FALSE(s.op.pin());
      }
    });
  });
}

TEST(G07_pins, a_live_producer_holds_the_cleanups_back) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    int cleaned = 0;
    auto& buffer = s.r.own(std::make_unique<int>(1));
    s.op.on_cleanup([&] { ++cleaned; });
    EXPECT_TRUE(s.op.cancel());
    place.run();
    EXPECT_EQ(cleaned, 0);
    *buffer = 2;  // the producer has not noticed yet
    EXPECT_FALSE(s.r.complete(3));
    place.run();
    EXPECT_EQ(cleaned, 1);
  });
}

TEST(G07_pins, each_way_to_lose_lets_go) {
  for (int how = 0; how != 5; ++how) {
    SCOPED_TRACE(how);
    subject<counted<int>> s;
    int cleaned = 0;
    s.op.on_cleanup([&] { ++cleaned; });
    s.op.cancel();
    ASSERT_EQ(cleaned, 0);
    if (how == 0) {
      EXPECT_FALSE(s.r.complete(1));
    }
    if (how == 1) {
      EXPECT_FALSE(s.r.fail(settle::errc::closed));
    }
    if (how == 2) {
      EXPECT_FALSE(s.r.cancel());
    }
    if (how == 3) {
      EXPECT_FALSE(s.r.settle(settle::outcome<int>(std::in_place, 1)));
    }
    if (how == 4) subject<counted<int>>::drop(s.r);
    EXPECT_EQ(cleaned, 1);
  }
}

TEST(G07_pins, a_pin_is_refused_once_the_cleanups_run) {
  in_each_way([](way how) {
    subject<counted<int>> s;
    int asked = 0;
    s.op.on_cleanup([&] {
      ++asked;
      EXPECT_FALSE(s.op.pin());
    });
    s.end(how);
    EXPECT_EQ(asked, 1);
    EXPECT_FALSE(s.op.pin());
  });
}

TEST(G07_pins, pins_move) {
  subject<counted<int>> s;
  int cleaned = 0;
  s.op.on_cleanup([&] { ++cleaned; });
  settle::pin a = s.op.pin();
  settle::pin b = std::move(a);
  EXPECT_FALSE(a);
  EXPECT_TRUE(b);
  EXPECT_EQ(b.op(), s.op);
  EXPECT_FALSE(a.op());
  a = std::move(b);
  s.end(way::complete);
  EXPECT_EQ(cleaned, 0);
  a = settle::pin();
  EXPECT_EQ(cleaned, 1);
}

TEST(G07_pins, a_pin_of_a_pending_operation_holds_nothing_after_it_went) {
  in_each_way([](way how) {
    subject<counted<int>> s;
    {
      settle::pin const p = s.op.pin();
    }
    s.end(how);
    EXPECT_TRUE(s.op.is_released());
  });
}

// A54: an observer pins, and hands the pin to a write in flight.
TEST(A54_pin_in_observer, the_cleanups_wait_for_it) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      subject<policy> s(place.get_executor());
      settle::pin in_flight;
      int cleaned = 0;
      s.op.on_cleanup([&] { ++cleaned; });
      s.op.on_done([&] { in_flight = s.op.pin(); });
      s.end(how);
      place.run();
      EXPECT_TRUE(in_flight);
      EXPECT_EQ(cleaned, 0);
      in_flight.reset();
      place.run();
      EXPECT_EQ(cleaned, 1);
    });
  });
}

TEST(A54_pin_in_observer, is_refused_once_the_cleanups_run) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      subject<policy> s(place.get_executor());
      settle::pin early;
      int asked = 0;
      s.op.on_done([&] { early = s.op.pin(); });
      for (int i = 0; i != 2; ++i) {
        s.op.on_cleanup([&] {
          ++asked;
          EXPECT_FALSE(early) << "the write was in flight";
          EXPECT_FALSE(s.op.pin());
        });
      }
      s.op.on_released([&] {
        ++asked;
        EXPECT_FALSE(s.op.pin());
      });
      s.end(how);
      place.run();
      EXPECT_EQ(asked, 0);
      early.reset();
      place.run();
      EXPECT_EQ(asked, 3);
      EXPECT_FALSE(s.op.pin());
    });
  });
}

// The write ends on another thread while the observers still run.
TEST(A54_pin_in_observer, handed_to_a_write_on_another_thread) {
  crew threads(2);
  for (int round = 0; round != 2000; ++round) {
    subject<counted<int>> s;
    auto& buffer = s.r.own(std::make_unique<std::array<int, 64>>());
    int* const at = buffer->data();
    std::atomic<settle::pin*> in_flight = nullptr;
    std::atomic<int> cleaned = 0;
    s.op.on_cleanup([&] { ++cleaned; });
    s.op.on_done([&] { in_flight = new settle::pin(s.op.pin()); });
    threads.run([&](unsigned i) {
      if (i == 0) {
        s.end(all_ways[round % 6]);
        return;
      }
      settle::pin* mine = nullptr;
      while ((mine = in_flight.exchange(nullptr)) == nullptr) std::this_thread::yield();
      for (int k = 0; k != 64; ++k) at[k] = k;
      EXPECT_EQ(cleaned, 0);
      delete mine;
    });
    ASSERT_EQ(cleaned, 1);
    ASSERT_TRUE(s.op.is_released());
  }
}

TEST(G07_pins, a_resource_of_a_pin_lives_while_it_does) {
  subject<counted<int>> s;
  settle::pin p = s.op.pin();
  long const before = tracked::alive;
  tracked& t = p.own(tracked(9));
  s.end(way::cancel);
  EXPECT_EQ(t.value, 9);
  tracked* const u = p.try_own<tracked>(8);
  ASSERT_NE(u, nullptr);
  EXPECT_EQ(u->value, 8);
  EXPECT_EQ(tracked::alive, before + 2);
  p.reset();
  EXPECT_EQ(tracked::alive, before);
}

// The cleanups run once, after the last of many threads let go.
TEST(G07_pins, many_threads_let_go) {
  crew threads(3);
  for (int round = 0; round != 3000; ++round) {
    subject<counted<int>> s;
    std::atomic<int> held = 0;
    std::atomic<int> cleaned = 0;
    s.op.on_cleanup([&] {
      ++cleaned;
      EXPECT_EQ(held, 0);
    });
    threads.run([&](unsigned i) {
      if (i == 0) {
        s.end(all_ways[round % 6]);
        return;
      }
      settle::operation const op = s.op;
      for (int k = 0; k != 3; ++k) {
        settle::pin p = op.pin();
        if (!p) continue;
        ++held;
        --held;
      }
    });
    ASSERT_EQ(cleaned, 1);
    ASSERT_TRUE(s.op.is_released());
  }
}

// A57: forced cancel, everything dropped, and the producer still writes into its buffer on another thread.
TEST(A57_producer_after_cancel, nothing_is_pulled_from_under_it) {
  crew threads(2);
  for (int round = 0; round != 2000; ++round) {
    using policy = counted<int>;
    std::atomic<int> cleaned = 0;
    settle::resolver<policy> r;
    auto& buffer = r.own(std::make_unique<std::array<int, 64>>());
    r.on_cleanup([&] { ++cleaned; });
    settle::handle<policy> h = r.get_handle();
    bool won = true;
    bool cancelled = false;
    threads.run([&](unsigned i) {
      if (i == 0) {
        for (int k = 0; k != 64; ++k) (*buffer)[static_cast<std::size_t>(k)] = k;
        EXPECT_EQ(cleaned, 0);
        won = r.complete(1);
      } else {
        cancelled = h.cancel();
        subject<policy>::drop(h);
      }
    });
    ASSERT_NE(won, cancelled);
    ASSERT_EQ(cleaned, 1);
  }
}

}  // namespace
