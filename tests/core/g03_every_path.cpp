// SPDX-License-Identifier: BSL-1.0
// G3: every way to end runs the same sequence.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include "situations.hpp"

namespace {

using namespace test;

/// What everybody who can be told is told, as it happens.
template <class Place>
trail story(Place& place, way how) {
  using policy = counted<int, typename Place::executor>;
  trail log;
  {
    subject<policy> child(place.get_executor());
    subject<policy> s(place.get_executor());
    s.op.adopt(child.op);
    child.op.on_cancel([&] { log.push_back("child cancelled"); });
    child.op.on_released([&] { log.push_back("child released"); });
    s.op.on_done([&] { log.push_back("done 1"); });
    s.op.on_done([&] { log.push_back("done 2"); });
    s.op.on_cleanup([&] { log.push_back("cleanup 1"); });
    s.op.on_cleanup([&] { log.push_back("cleanup 2"); });
    s.op.on_released([&] { log.push_back("released"); });
    s.end(how);
    place.run();
    log.push_back("child's producer goes");
    subject<policy>::drop(child.r);
    place.run();
  }
  place.run();
  return log;
}

TEST(G03_every_path, each_way_to_end_tells_the_same_story) {
  trail const expected = {"done 1", "done 2", "child's producer goes", "child released", "cleanup 2", "cleanup 1", "released"};
  on_each_executor([&](auto& place) {
    in_each_way([&](way how) {
      trail told = story(place, how);
      EXPECT_EQ(std::erase(told, "child cancelled"), 1U);
      EXPECT_EQ(told, expected);
    });
  });
}

TEST(G03_every_path, each_way_is_seen_once_by_the_monitor_at_each_step) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    long const created = counting_monitor::created;
    long const settled = counting_monitor::settled;
    long const released = counting_monitor::released;
    long const destroyed = counting_monitor::destroyed;
    {
      subject<policy> s(place.get_executor());
      EXPECT_EQ(counting_monitor::created, created + 1);
      play(place, at, s, [] {});
      EXPECT_EQ(counting_monitor::settled, settled + 1);
      EXPECT_EQ(counting_monitor::released, released + 1);
      EXPECT_EQ(counting_monitor::destroyed, destroyed);
    }
    EXPECT_EQ(counting_monitor::destroyed, destroyed + 1);
  });
}

TEST(G03_every_path, the_producer_acknowledges_a_request_with_its_cause) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (bool const asked : {false, true}) {
      subject<policy> s(place.get_executor());
      settle::watcher<policy> w = s.h.watch();
      trail log;
      s.op.on_cancel([&] { log.push_back("cancel"); });
      s.op.on_done([&] { log.push_back("done"); });
      s.op.on_cleanup([&] { log.push_back("cleanup"); });
      if (asked) {
        EXPECT_TRUE(s.op.request_cancel(settle::cause::shutdown));
      }
      EXPECT_TRUE(s.r.cancel());
      EXPECT_FALSE(s.r);
      place.run();
      EXPECT_EQ(log, (trail{"cancel", "done", "cleanup"}));
      ASSERT_NE(w.peek(), nullptr);
      EXPECT_EQ(w.peek()->cancel().why, asked ? settle::cause::shutdown : settle::cause::requested);
    }
  });
}

TEST(G03_every_path, settling_with_an_outcome_is_one_of_the_three) {
  using policy = counted<int>;
  using outcome = settle::outcome<int>;
  struct expectation {
    outcome given;
    settle::ending::kind_t kind;
  };
  for (auto& [given, kind] : {expectation{outcome(std::in_place, 7), settle::ending::value},
                              expectation{outcome(settle::error(settle::errc::timed_out)), settle::ending::failure},
                              expectation{outcome(settle::cancellation(settle::cause::sibling, {})), settle::ending::cancelled}}) {
    subject<policy> s;
    int cleaned = 0;
    s.op.on_cleanup([&] { ++cleaned; });
    settle::watcher<policy> w = s.h.watch();
    EXPECT_TRUE(s.r.settle(outcome(given)));
    ASSERT_NE(w.peek(), nullptr);
    EXPECT_EQ(w.peek()->how().kind, kind);
    if (kind == settle::ending::cancelled) {
      EXPECT_EQ(w.peek()->cancel().why, settle::cause::sibling);
    }
    EXPECT_EQ(cleaned, 1);
  }
}

TEST(G03_every_path, a_resolver_that_is_empty_takes_nothing) {
  subject<counted<int>> s;
  ASSERT_TRUE(s.r.complete(1));
  EXPECT_FALSE(s.r);
  EXPECT_FALSE(s.r.op());
  EXPECT_FALSE(s.r.complete(2));
  EXPECT_FALSE(s.r.fail(settle::errc::closed));
  EXPECT_FALSE(s.r.cancel());
  EXPECT_FALSE(s.r.settle(settle::outcome<int>(std::in_place, 3)));
  EXPECT_FALSE(s.r.get_handle());
}

TEST(G03_every_path, the_handle_is_given_out_once) {
  settle::resolver<counted<int>> r;
  settle::handle<counted<int>> first = r.get_handle();
  EXPECT_TRUE(first);
  EXPECT_FALSE(r.get_handle());
  EXPECT_TRUE(r.complete(1));
}

// The producer settles from inside what its own cancel() fires.
TEST(G03_every_path, a_cancel_observer_that_settles_under_a_cancelling_producer_finds_it_empty) {
  subject<counted<int>> s;
  bool inner = true;
  s.r.on_cancel([&] { inner = s.r.complete(1); });
  EXPECT_TRUE(s.r.cancel());
  EXPECT_FALSE(inner);
  EXPECT_TRUE(std::move(s.h).wait().is_cancelled());
  EXPECT_TRUE(s.op.is_released());
}

}  // namespace
