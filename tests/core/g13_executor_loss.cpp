// SPDX-License-Identifier: BSL-1.0
// G13: work that an executor refuses, throws away or destroys with its queue loses nothing.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "situations.hpp"

namespace {

using namespace test;

using policy = counted<int, manual_loop::executor>;

void observe(settle::operation const& op, trail& log, std::string const& name = {}) {
  op.on_done([&log, name] { log.push_back(name + "done"); });
  op.on_cancel([&log, name] { log.push_back(name + "cancel"); });
  op.on_cleanup([&log, name] { log.push_back(name + "cleanup"); });
  op.on_released([&log, name] { log.push_back(name + "released"); });
}

std::size_t losses() {
  std::size_t n = 0;
  for (auto const& r : recording_sink::take()) n += r.what == settle::monitor_event::executor_lost ? 1 : 0;
  return n;
}

TEST(G13_executor_loss, work_that_is_refused_runs_here) {
  for (auto const mood : {manual_loop::throws, manual_loop::drops}) {
    in_each_way([&](way how) {
      manual_loop loop;
      subject<policy> s(loop.get_executor());
      auto w = s.h.watch();
      trail log;
      observe(s.op, log);
      loop.mood(mood);
      s.end(how);
      std::erase(log, "cancel");
      EXPECT_EQ(log, (trail{"done", "cleanup", "released"}));
      EXPECT_TRUE(s.op.is_released());
      EXPECT_GE(losses(), 1U);
      if (how != way::request && how != way::drop) {
        EXPECT_EQ(w.peek()->how().kind, kind_of(how)) << "an outcome that stands stands";
      }
      EXPECT_TRUE(w.peek()->is_cancelled() || kind_of(how) != settle::ending::cancelled);
    });
  }
}

TEST(G13_executor_loss, work_that_is_destroyed_with_its_queue_runs_here) {
  in_each_way([&](way how) {
    trail log;
    auto loop = std::make_unique<manual_loop>();
    subject<policy> s(loop->get_executor());
    auto w = s.h.watch();
    observe(s.op, log);
    s.end(how);
    EXPECT_EQ(log, trail{});
    loop.reset();  // with what it holds
    std::erase(log, "cancel");
    EXPECT_EQ(log, (trail{"done", "cleanup", "released"}));
    EXPECT_TRUE(s.op.is_released());
    EXPECT_EQ(losses(), 1U);
    EXPECT_EQ(w.peek()->how().kind, kind_of(how));
    // Nothing more goes there.
    s.op.on_done([&] { log.push_back("late"); });
    EXPECT_EQ(s.op.on_cleanup([&] { log.push_back("late"); }), false);
    EXPECT_EQ(log.size(), 5U);
  });
}

TEST(G13_executor_loss, an_unsettled_operation_settles_as_abandoned) {
  auto loop = std::make_unique<manual_loop>();
  subject<policy> s(loop->get_executor());
  auto w = s.h.watch();
  trail log;
  observe(s.op, log);
  s.op.request_cancel();  // queues the cancel observer
  EXPECT_FALSE(s.op.is_settled());
  loop.reset();
  EXPECT_EQ(losses(), 1U);
  ASSERT_TRUE(s.op.is_settled());
  EXPECT_EQ(w.peek()->cancel().why, settle::cause::abandoned);
  EXPECT_EQ(log, (trail{"cancel", "done"}));
  EXPECT_FALSE(s.r.complete(1));
  EXPECT_EQ(log, (trail{"cancel", "done", "cleanup", "released"}));
}

TEST(G13_executor_loss, a_late_hook_that_is_dropped_runs_here) {
  manual_loop loop;
  subject<policy> s(loop.get_executor());
  s.end(way::complete);
  loop.run();
  int ran = 0;
  s.op.on_done([&] { ++ran; });
  loop.drop_all();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(losses(), 1U);
  s.op.on_done([&] { ++ran; });
  EXPECT_EQ(ran, 2);
  EXPECT_EQ(loop.size(), 0U);
}

TEST(G13_executor_loss, nothing_more_is_submitted) {
  for (auto const mood : {manual_loop::throws, manual_loop::drops}) {
    manual_loop loop;
    loop.mood(mood);
    subject<policy> s(loop.get_executor());
    int ran = 0;
    s.op.on_done([&] { ++ran; });
    settle::pin p = s.op.pin();
    s.end(way::complete);
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(loop.submissions(), 1U);
    s.op.on_done([&] { ++ran; });
    s.op.on_cleanup([&] { ++ran; });
    s.op.on_released([&] { ++ran; });
    p.reset();
    EXPECT_EQ(ran, 4);
    EXPECT_EQ(loop.submissions(), 1U);
    EXPECT_GE(losses(), 1U);
  }
}

// While the loop goes down, what its work cascades to on the same loop must not go there either.
TEST(G13_executor_loss, children_of_a_lost_operation_on_the_same_executor) {
  auto loop = std::make_unique<manual_loop>();
  subject<policy> parent(loop->get_executor());
  subject<policy> child(loop->get_executor());
  subject<counted<int>> inner;
  parent.op.adopt(child.op);
  child.op.adopt(inner.op);
  trail log;
  parent.op.on_cancel([&] { log.push_back("parent's cancel"); });
  child.op.on_done([&] { log.push_back("child's done"); });
  child.op.on_cleanup([&] { log.push_back("child's cleanup"); });
  parent.op.request_cancel();
  std::size_t const submitted = loop->submissions();
  loop->drop_all();
  EXPECT_EQ(loop->submissions(), submitted) << "somebody submitted to the executor that was lost";
  loop.reset();
  EXPECT_TRUE(parent.op.is_settled());
  EXPECT_TRUE(child.op.is_settled());
  EXPECT_TRUE(inner.op.is_settled());
  subject<counted<int>>::drop(inner.r);
  subject<policy>::drop(child.r);
  subject<policy>::drop(parent.r);
  EXPECT_EQ(log, (trail{"parent's cancel", "child's done", "child's cleanup"}));
  EXPECT_TRUE(parent.op.is_released());
  EXPECT_GE(losses(), 1U);
}

// A61: a loop is destroyed with a tree 1000 deep queued, then everything that is left settles.
TEST(A61_loop_destroyed, with_a_deep_tree_queued) {
  in_each_way([](way how) {
    auto loop = std::make_unique<manual_loop>();
    std::vector<std::unique_ptr<subject<policy>>> tree;
    std::size_t cleaned = 0;
    std::size_t done = 0;
    for (int i = 0; i != 1000; ++i) {
      tree.push_back(std::make_unique<subject<policy>>(loop->get_executor()));
      tree.back()->op.on_done([&] { ++done; });
      tree.back()->op.on_cancel([] {});
      tree.back()->op.on_cleanup([&] { ++cleaned; });
      if (i != 0) tree[static_cast<std::size_t>(i) - 1]->op.adopt(tree.back()->op);
    }
    tree[0]->end(how);
    EXPECT_EQ(done, 0U);
    std::size_t const submitted = loop->submissions();
    loop->drop_all();
    EXPECT_EQ(loop->submissions(), submitted);
    loop.reset();
    for (auto& s : tree) {
      EXPECT_TRUE(s->op.is_settled());
      subject<policy>::drop(s->r);
    }
    EXPECT_EQ(done, 1000U);
    EXPECT_EQ(cleaned, 1000U);
    for (auto& s : tree) {
      EXPECT_TRUE(s->op.is_released());
    }
    EXPECT_GE(losses(), 1U);
  });
}

// A pool that is joined while operations settle from outside: run by it or by us, once.
TEST(G13_executor_loss, a_pool_that_stops) {
  for (int round = 0; round != 50; ++round) {
    std::atomic<int> ran = 0;
    {
      thread_pool pool(2);
      std::vector<std::unique_ptr<subject<counted<int, thread_pool::executor>>>> all;
      for (int i = 0; i != 20; ++i) {
        all.push_back(std::make_unique<subject<counted<int, thread_pool::executor>>>(pool.get_executor()));
        all.back()->op.on_done([&] { ++ran; });
        all.back()->op.on_cleanup([&] { ++ran; });
      }
      for (auto& s : all) s->end(way::complete);
      pool.join();
    }
    ASSERT_EQ(ran, 40);
  }
}

TEST(G13_executor_loss, what_waits_for_other_executors_goes_on) {
  manual_loop gone;
  manual_loop other;
  gone.mood(manual_loop::throws);
  subject<counted<int>> parent;
  subject<counted<int, manual_loop::executor>> first(gone.get_executor());
  subject<counted<int, manual_loop::executor>> second(other.get_executor());
  trail log;
  first.op.on_done([&] { log.push_back("first"); });
  second.op.on_done([&] { log.push_back("second"); });
  parent.op.adopt(first.op);
  parent.op.adopt(second.op);
  parent.op.cancel();
  EXPECT_EQ(log, trail{"first"});
  other.run();
  EXPECT_EQ(log, (trail{"first", "second"}));
  EXPECT_EQ(recording_sink::take().size(), 1U);
}

/// Keeps what it is given first. Given something else it runs the first, and throws the other away, both inside execute().
struct contrary {
  std::vector<task> kept;
  bool is_inside = false;
  bool is_thrown_away = false;

  struct executor {
    contrary* my;
    template <class F>
    void execute(F f) const {
      if (my->is_thrown_away) return;
      if (my->kept.empty()) return my->kept.push_back(task(std::move(f)));
      my->is_thrown_away = true;
      my->is_inside = true;
      my->kept.front()();
      {
        F const gone(std::move(f));
      }
      my->is_inside = false;
    }
    bool operator==(executor const&) const = default;
  };
};

TEST(G13_executor_loss, inside_execute_only_what_is_lost_there_waits_until_it_returns) {
  contrary place;
  manual_loop other;
  subject<counted<int, contrary::executor>> s(contrary::executor{&place});
  subject<counted<int, contrary::executor>> t(contrary::executor{&place});
  subject<counted<int, manual_loop::executor>> u(other.get_executor());
  trail log;
  u.op.on_done([&] { log.push_back("elsewhere"); });
  s.op.on_done([&] {
    log.push_back("kept");
    other.drop_all();
    log.push_back("still there");
  });
  t.op.on_done([&] {
    log.push_back("thrown away");
    EXPECT_FALSE(place.is_inside);
  });
  u.end(way::complete);
  s.end(way::complete);
  t.end(way::complete);
  EXPECT_EQ(log, (trail{"kept", "elsewhere", "still there", "thrown away"}));
  EXPECT_EQ(recording_sink::take().size(), 2U);
}

}  // namespace
