// SPDX-License-Identifier: BSL-1.0
// G6: what is registered too late takes effect at once; a race loses nothing and doubles nothing.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;

TEST(G06_never_late, every_hook_at_every_moment_runs_once) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    auto w = s.h.watch();
    int done = 0;
    int looked = 0;
    int cancelled = 0;
    int cleaned = 0;
    int released = 0;
    int taken = 0;
    play(place, at, s, [&] {
      s.op.on_done([&] { ++done; });
      w.on_done([&](auto const& out) { looked += out.how().kind == kind_of(at.how) ? 1 : 100; });
      s.op.on_cancel([&] { ++cancelled; });
      EXPECT_EQ(s.op.on_cleanup([&] { ++cleaned; }), at.when != moment::released);
      s.op.on_released([&] { ++released; });
      if (at.how != way::drop) std::move(s.h).on_done([&](settle::outcome<int>&&) { ++taken; });
    });
    EXPECT_EQ(done, 1);
    EXPECT_EQ(looked, 1);
    EXPECT_EQ(cancelled, is_cancelled(at.how) ? 1 : 0);
    EXPECT_EQ(cleaned, 1);
    EXPECT_EQ(released, 1);
    EXPECT_EQ(taken, at.how == way::drop ? 0 : 1);
  });
}

TEST(G06_never_late, from_inside_a_drain_it_is_appended) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      subject<policy> s(place.get_executor());
      trail log;
      s.op.on_done([&] {
        log.push_back("first begins");
        s.op.on_done([&] { log.push_back("late"); });
        log.push_back("first ends");
      });
      s.op.on_cleanup([&] { log.push_back("cleanup"); });
      s.end(how);
      place.run();
      EXPECT_EQ(log, (trail{"first begins", "first ends", "late", "cleanup"}));
    });
  });
}

TEST(G06_never_late, a_cleanup_is_taken_while_the_cleanups_run_and_is_next) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      subject<policy> s(place.get_executor());
      trail log;
      s.op.on_cleanup([&] { log.push_back("first registered"); });
      s.op.on_cleanup([&] {
        EXPECT_TRUE(s.op.on_cleanup([&] { log.push_back("late"); }));
        EXPECT_TRUE(s.op.on_cleanup([&] { log.push_back("later"); }));
        log.push_back("last registered");
      });
      s.end(how);
      place.run();
      EXPECT_EQ(log, (trail{"last registered", "later", "late", "first registered"}));
      EXPECT_TRUE(s.op.is_released());
    });
  });
}

TEST(G06_never_late, a_released_operation_refuses_ownership_and_gives_back_at_once) {
  on_each_executor([](auto& place) {
    using policy = counted<tracked, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      subject<policy> s(place.get_executor());
      s.end(how);
      subject<policy>::drop(s.h);
      place.run();
      ASSERT_TRUE(s.op.is_released());
      long const alive = tracked::alive;
      EXPECT_FALSE(s.op.own(tracked(5)));
      place.run();
      EXPECT_EQ(tracked::alive, alive);
      EXPECT_FALSE(s.op.pin());
    });
  });
}

TEST(G06_never_late, an_empty_operation_counts_as_released) {
  settle::operation const none;
  int ran = 0;
  EXPECT_TRUE(none.is_settled());
  EXPECT_TRUE(none.is_released());
  EXPECT_FALSE(none.cancel());
  EXPECT_FALSE(none.request_cancel());
  EXPECT_FALSE(none.cancel_requested());
  EXPECT_FALSE(none.pin());
  EXPECT_FALSE(none.on_cleanup([&] { ++ran; }));
  EXPECT_FALSE(none.on_cleanup([&](settle::ending) { ++ran; }));
  EXPECT_FALSE(none.own(tracked(1)));
  EXPECT_EQ(tracked::alive, 0);
  EXPECT_EQ(ran, 2);
  EXPECT_FALSE(none.on_done([&] { ++ran; }));
  none.adopt(none);
  EXPECT_EQ(ran, 2);
}

// A05, A06: from other threads, while it settles and releases.
template <class Place>
void race_registration(Place& place, int rounds) {
  crew threads(3);
  for (int round = 0; round != rounds; ++round) {
    using policy = counted<int, typename Place::executor>;
    subject<policy> s(place.get_executor());
    std::array<std::atomic<int>, 5> ran{};
    way const how = all_ways[round % 6];
    threads.run([&](unsigned i) {
      if (i == 0) {
        s.end(how);
      } else {
        settle::operation const op = s.op;
        unsigned const at = i == 1 ? 0 : 2;
        op.on_done([&, at] { ++ran[at]; });
        op.on_cleanup([&, at] { ++ran[at + 1]; });
        if (i == 2) op.on_released([&] { ++ran[4]; });
      }
    });
    place.run();
    for (auto const& n : ran) ASSERT_EQ(n, 1) << "round " << round;
    ASSERT_TRUE(s.op.is_released());
  }
}
TEST(G06_never_late, registering_races_with_every_end_inline) {
  at_once place;
  race_registration(place, 3000);
}
TEST(G06_never_late, registering_races_with_every_end_queued) {
  in_a_loop place;
  race_registration(place, 1000);
}

// Cleanups come in from other threads while the releaser is at work, and until it has closed.
void race_with_the_cleanups(unsigned size, int rounds) {
  crew threads(size);
  for (int round = 0; round != rounds; ++round) {
    subject<counted<int>> s;
    std::atomic<int> ran = 0;
    std::atomic<int> inside = 0;
    auto const work = [&] {
      EXPECT_EQ(++inside, 1) << "two cleanups at the same time";
      ++ran;
      --inside;
    };
    settle::pin hold = s.op.pin();
    for (int i = 0; i != 3; ++i) s.op.on_cleanup(work);
    s.end(way::complete);
    std::atomic<int> given = 3;
    threads.run([&](unsigned i) {
      if (i == 0) {
        hold.reset();
        return;
      }
      for (int k = 0; k != 20; ++k) {  // until the releaser has closed, and a little longer
        ++given;
        if (!s.op.on_cleanup([&] { ++ran; })) break;
      }
    });
    ASSERT_EQ(ran, given);
    ASSERT_TRUE(s.op.is_released());
  }
}
TEST(G06_never_late, registering_races_with_the_cleanups) { race_with_the_cleanups(2, 10'000); }
TEST(G06_never_late, registering_from_two_races_with_the_cleanups) { race_with_the_cleanups(3, 2000); }

// An observer that comes while the value dies.
struct last_words {
  settle::operation op;
  std::function<void()> told;
  last_words(settle::operation o, std::function<void()> f) : op(std::move(o)), told(std::move(f)) {}
  last_words(last_words&&) noexcept = default;
  last_words& operator=(last_words&&) noexcept = default;
  ~last_words() {
    if (op) op.on_released(told);
  }
};

TEST(G06_never_late, a_value_nobody_takes_registers_on_its_operation_while_it_dies) {
  bool told = false;
  settle::resolver_of<last_words> r;
  settle::operation const op = r.op();
  r.complete(last_words(op, [&] { told = op.is_released(); }));
  EXPECT_TRUE(told);
}

}  // namespace
