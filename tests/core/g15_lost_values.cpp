// SPDX-License-Identifier: BSL-1.0
// G15: a value that nobody takes is destroyed on the operation's executor, exactly once.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;

/// Counts the values that die, and notes whether the operation was released by then.
struct parcel {
  static inline std::atomic<int> deaths = 0;
  static inline settle::operation op;
  static inline bool released_by_then = false;
  bool full = true;

  parcel() noexcept = default;
  parcel(parcel&& o) noexcept : full(std::exchange(o.full, false)) {}
  parcel& operator=(parcel&& o) noexcept {
    full = std::exchange(o.full, false);
    return *this;
  }
  ~parcel() {
    if (!full) return;
    ++deaths;
    released_by_then = op.is_released();
  }
};

template <class Ex>
struct shop : subject<counted<parcel, Ex>> {
  using base = subject<counted<parcel, Ex>>;
  explicit shop(Ex ex) : base(std::move(ex)) {
    parcel::deaths = 0;
    parcel::released_by_then = false;
    parcel::op = base::op;
  }
  ~shop() { parcel::op = {}; }
};

TEST(G15_lost_values, who_may_still_take_it_decides_when_it_dies) {
  on_each_executor([](auto& place) {
    using shop_t = shop<typename std::decay_t<decltype(place)>::executor>;
    for (bool const dropped_late : {false, true}) {
      SCOPED_TRACE(dropped_late);
      shop_t s(place.get_executor());
      settle::pin hold = s.op.pin();
      if (!dropped_late) shop_t::drop(s.h);
      EXPECT_TRUE(s.r.complete(parcel()));
      place.run();
      EXPECT_EQ(parcel::deaths, dropped_late ? 0 : 1);
      if (dropped_late) shop_t::drop(s.h);
      hold.reset();
      place.run();
      EXPECT_TRUE(s.op.is_released());
      EXPECT_EQ(parcel::deaths, 1);
      EXPECT_FALSE(parcel::released_by_then);
    }
  });
}

TEST(G15_lost_values, it_dies_before_the_cleanups) {
  on_each_executor([](auto& place) {
    using shop_t = shop<typename std::decay_t<decltype(place)>::executor>;
    shop_t s(place.get_executor());
    int deaths_seen = -1;
    s.op.on_cleanup([&] { deaths_seen = parcel::deaths; });
    std::move(s.h).detach();
    EXPECT_TRUE(s.r.complete(parcel()));
    place.run();
    EXPECT_EQ(deaths_seen, 1) << "it may point into what they give back";
  });
}

TEST(G15_lost_values, the_winner_s_is_kept_until_somebody_can_no_longer_come) {
  on_each_executor([](auto& place) {
    using shop_t = shop<typename std::decay_t<decltype(place)>::executor>;
    shop_t s(place.get_executor());
    EXPECT_TRUE(s.r.complete(parcel()));
    place.run();
    EXPECT_TRUE(s.op.is_released());
    EXPECT_EQ(parcel::deaths, 0) << "its owner may still take it";
    shop_t::drop(s.h);
    place.run();
    EXPECT_EQ(parcel::deaths, 1);
  });
}

TEST(G15_lost_values, a_watcher_keeps_it_for_its_last_reader) {
  on_each_executor([](auto& place) {
    using shop_t = shop<typename std::decay_t<decltype(place)>::executor>;
    {
      shop_t s(place.get_executor());
      auto w = std::move(s.h).share();
      EXPECT_TRUE(s.r.complete(parcel()));
      place.run();
      EXPECT_TRUE(s.op.is_released());
      EXPECT_EQ(parcel::deaths, 0);
      ASSERT_NE(w.peek(), nullptr);
      EXPECT_TRUE(w.peek()->value().full);
    }
    EXPECT_EQ(parcel::deaths, 1);
  });
}

TEST(G15_lost_values, what_a_loser_offers_stays_its_own) {
  on_each_executor([](auto& place) {
    using shop_t = shop<typename std::decay_t<decltype(place)>::executor>;
    {
      shop_t s(place.get_executor());
      EXPECT_TRUE(s.op.cancel());
      parcel late;
      EXPECT_FALSE(s.r.complete(std::move(late)));
      place.run();
      EXPECT_TRUE(s.op.is_released());
      EXPECT_TRUE(late.full);
      EXPECT_EQ(parcel::deaths, 0);
    }
    EXPECT_EQ(parcel::deaths, 1);
  });
}

// The owner goes while the value arrives: one of the two sees to it.
TEST(G15_lost_values, dropping_races_with_completing) {
  crew threads(2);
  for (int round = 0; round != 5000; ++round) {
    {
      shop<settle::inline_executor> s(settle::inline_executor{});
      threads.run([&](unsigned i) {
        if (i == 0) s.r.complete(parcel());
        else decltype(s)::drop(s.h);
      });
      ASSERT_TRUE(s.op.is_released());
      ASSERT_EQ(parcel::deaths, 1);
    }
    ASSERT_EQ(parcel::deaths, 1);
  }
}

}  // namespace
