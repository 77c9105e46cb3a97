// SPDX-License-Identifier: BSL-1.0
// G14: dropping the last reference anywhere is safe, and means something only for producers and owners (A09).
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <source_location>

#include "situations.hpp"

namespace {

using namespace test;

TEST(G14_last_reference, the_last_producer_gone_is_abandoned_and_reported_with_its_origin) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    settle::resolver<policy> r(place.get_executor());
    unsigned const line = __LINE__ - 1;
    auto h = r.get_handle();
    auto w = h.watch();
    int cleaned = 0;
    h.on_cleanup([&] { ++cleaned; });
    subject<policy>::drop(r);
    place.run();
    EXPECT_EQ(w.peek()->cancel().why, settle::cause::abandoned);
    EXPECT_EQ(cleaned, 1);
    auto const reports = recording_sink::take();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].what, settle::monitor_event::abandoned);
    EXPECT_EQ(reports[0].line, line);
  });
}

TEST(G14_last_reference, a_producer_that_drops_after_a_request_is_not_abandoned) {
  in_each_way([](way how) {
    if (how != way::request && how != way::drop) return;
    subject<counted<int>> s;
    auto w = s.h.watch();
    s.end(how);
    EXPECT_EQ(w.peek()->cancel().why, cause_of(how));
    EXPECT_TRUE(recording_sink::take().empty());
  });
}

TEST(G14_last_reference, the_handle_dropped_asks) {
  subject<counted<int>> s;
  auto w = s.h.watch();
  subject<counted<int>>::drop(s.h);
  EXPECT_TRUE(s.op.cancel_requested());
  EXPECT_FALSE(s.op.is_settled());
  EXPECT_TRUE(s.r.complete(1)) << "asked, not forced";
  EXPECT_TRUE(w.peek()->has_value());
}

TEST(G14_last_reference, moving_a_handle_over_another_drops_that_one) {
  subject<counted<int>> a;
  subject<counted<int>> b;
  a.h = std::move(b.h);
  EXPECT_TRUE(a.op.cancel_requested());
  EXPECT_FALSE(b.op.cancel_requested());
  a.r = std::move(b.r);
  EXPECT_TRUE(a.op.is_settled());
  EXPECT_FALSE(b.op.is_settled());
}

TEST(G14_last_reference, detached_shared_or_consumed_it_is_not_asked) {
  using policy = counted<int>;
  for (int how = 0; how != 3; ++how) {
    subject<policy> s;
    if (how == 0) std::move(s.h).detach();
    if (how == 1) static_cast<void>(std::move(s.h).share());
    if (how == 2) std::move(s.h).on_done([](settle::outcome<int>&&) {});
    EXPECT_FALSE(s.h);
    EXPECT_FALSE(s.op.cancel_requested());
  }
}

TEST(G14_last_reference, watchers_and_operations_mean_nothing) {
  subject<counted<int>> s;
  {
    auto w = s.h.watch();
    auto const v = w;
    settle::operation const o = v;
    settle::operation p = o;
    p = {};
    w = {};
  }
  EXPECT_FALSE(s.op.cancel_requested());
  EXPECT_FALSE(s.op.is_settled());
}

TEST(G14_last_reference, a_failure_that_nobody_looked_at_is_reported) {
  struct expectation {
    char const* who;
    std::size_t reports;
  };
  for (auto const [who, expected] : {expectation{"nobody", 1},
                                     {"an observer", 0},
                                     {"a consumer", 0},
                                     {"a watcher that looks", 0},
                                     {"a watcher that does not", 1},
                                     {"a cleanup", 1},
                                     {"a cancel observer", 1},
                                     {"a late observer", 0}}) {
    SCOPED_TRACE(who);
    std::string const name = who;
    unsigned line = 0;
    {
      settle::resolver<counted<int>> r;
      line = __LINE__ - 1;
      auto h = r.get_handle();
      settle::operation const op = r.op();
      settle::watcher<counted<int>> w;
      if (name.starts_with("a watcher")) w = h.watch();
      if (name == "an observer") op.on_done([] {});
      if (name == "a cleanup") op.on_cleanup([] {});
      if (name == "a cancel observer") op.on_cancel([] {});
      if (name == "a consumer") std::move(h).on_done([](settle::outcome<int>&&) {});
      r.fail(settle::error(std::make_exception_ptr(std::runtime_error("lost"))));
      if (name == "a watcher that looks") {
        EXPECT_TRUE(w.peek()->has_error());
      }
      if (name == "a late observer") op.on_done([] {});
    }
    auto const reports = recording_sink::take();
    ASSERT_EQ(reports.size(), expected);
    if (expected == 1) {
      EXPECT_EQ(reports[0].what, settle::monitor_event::unseen_failure);
      EXPECT_EQ(reports[0].line, line);
      EXPECT_EQ(reports[0].said, "lost");
    }
  }
}

// The last reference dropped in each kind of callback, in each way to end.
TEST(G14_last_reference, inside_its_own_callbacks) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (int kind = 0; kind != 5; ++kind) {
      in_each_way([&](way how) {
        if (how == way::drop) return;
        SCOPED_TRACE(kind);
        auto s = std::make_unique<subject<policy>>(place.get_executor());
        int ran = 0;
        auto const last = [&] {
          ++ran;
          subject<policy>::drop(s->h);
          s->op = {};
        };
        if (kind == 0) s->op.on_done(last);
        if (kind == 1) s->op.on_cancel(last);
        if (kind == 2) s->op.on_cleanup(last);
        if (kind == 3) s->op.on_released(last);
        if (kind == 4) std::move(s->h).on_done([&](settle::outcome<int>&&) { last(); });
        settle::operation const op = s->op;
        switch (how) {
          case way::complete:
            s->r.complete(1);
            break;
          case way::fail:
            s->r.fail(settle::errc::closed);
            break;
          case way::cancel:
            op.cancel();
            break;
          case way::request:
            op.request_cancel();
            break;
          default:
            break;
        }
        subject<policy>::drop(s->r);
        place.run();
        EXPECT_EQ(ran, kind == 1 && !is_cancelled(how) ? 0 : 1);
      });
    }
  });
}

// The drain that it began may go on for others.
TEST(G14_last_reference, of_the_operation_that_a_drain_began_with) {
  manual_loop loop;
  using policy = counted<int, manual_loop::executor>;
  auto first = std::make_unique<subject<policy>>(loop.get_executor());
  subject<policy> second(loop.get_executor());
  subject<policy> third(loop.get_executor());
  trail log;
  first->op.on_done([&] {
    log.push_back("first");
    second.op.cancel();
    first.reset();
  });
  second.op.on_done([&] {
    log.push_back("second");
    third.op.cancel();
  });
  third.op.on_done([&] { log.push_back("third"); });
  settle::operation(first->op).cancel();
  EXPECT_EQ(loop.run(), 1U) << "one drain";
  EXPECT_EQ(log, (trail{"first", "second", "third"}));
}

// Everything of a tree goes in the callback of one of them.
TEST(G14_last_reference, a_whole_tree_in_one_callback) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (std::size_t at = 0; at != 3; ++at) {
      std::vector<std::unique_ptr<subject<policy>>> tree;
      for (int i = 0; i != 3; ++i) tree.push_back(std::make_unique<subject<policy>>(place.get_executor()));
      tree[0]->op.adopt(tree[1]->op);
      tree[1]->op.adopt(tree[2]->op);
      int ran = 0;
      int cleaned = 0;
      for (auto& s : tree) s->op.on_cleanup([&] { ++cleaned; });
      tree[at]->op.on_done([&] {
        ++ran;
        tree.clear();
      });
      settle::operation const root = tree[0]->op;
      root.cancel();
      place.run();
      EXPECT_EQ(ran, 1);
      EXPECT_EQ(cleaned, 3);
      EXPECT_TRUE(root.is_released());
    }
  });
}

TEST(G14_last_reference, both_ends_go_at_the_same_time) {
  crew threads(3);
  for (int round = 0; round != 3000; ++round) {
    using policy = counted<tracked>;
    auto s = std::make_unique<subject<policy>>();
    auto w = s->h.watch();
    std::atomic<int> done = 0;
    s->op.on_done([&] { ++done; });
    threads.run([&](unsigned i) {
      if (i == 0) {
        if (round % 3 == 0) s->r.complete(tracked(1));
        else if (round % 3 == 1) s->r.fail(settle::errc::closed);
        subject<policy>::drop(s->r);
      } else if (i == 1) {
        subject<policy>::drop(s->h);
        s->op = {};
      } else {
        w = {};
      }
    });
    ASSERT_EQ(done, 1);
  }
  EXPECT_EQ(tracked::alive, 0);
}

TEST(G14_last_reference, a_failure_that_was_waited_for_was_looked_at) {
  {
    subject<counted<int>> s;
    s.end(way::fail);
    EXPECT_TRUE(std::move(s.h).wait().has_error());
  }
  EXPECT_EQ(recording_sink::count(settle::monitor_event::unseen_failure), 0U);
}

}  // namespace
