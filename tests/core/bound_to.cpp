// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "books.hpp"
#include "executors.hpp"
#include "scale.hpp"
#include "situations.hpp"

// Hooks that live with another operation: on its executor, only while it is pending, and the first one's cleanups wait.
namespace {

using settle::bound_to;

template <class T>
struct on_loop : settle::default_policy {
  using value_type = T;
  using executor_type = test::manual_loop::executor;
  using allocator_type = test::counting_allocator<std::byte>;
  using monitor = test::counting_monitor;
  using error_sink = test::recording_sink;
};

struct G12_bound : testing::Test {
  test::manual_loop jobs;
  test::manual_loop home;
  settle::resolver<on_loop<std::string>> job{jobs.get_executor()};
  settle::handle<on_loop<std::string>> result = job.get_handle();
  settle::resolver<on_loop<void>> session{home.get_executor()};
  settle::operation const s = session.op();
  std::vector<std::string> log;

  void run_all() {
    while (jobs.run() + home.run() != 0) {
    }
  }
  void TearDown() override {
    result = {};
    job.cancel();
    session.complete();
    run_all();
    EXPECT_TRUE(s.is_released());
  }
};

TEST_F(G12_bound, an_observer_runs_on_the_other_executor_and_gets_a_copy) {
  result.on_done(bound_to(s), [&](settle::outcome<std::string> const& o) {
    EXPECT_TRUE(home.is_here());
    log.push_back(o.value());
  });
  job.complete("done");
  jobs.run();
  EXPECT_TRUE(log.empty());
  home.run();
  EXPECT_EQ(log, std::vector<std::string>{"done"});
  EXPECT_EQ(std::move(result).wait().value(), "done");
}

TEST_F(G12_bound, the_same_when_settled_already) {
  job.complete("done");
  run_all();
  result.on_done(bound_to(s), [&](settle::outcome<std::string> const& o) { log.push_back(o.value()); });
  EXPECT_TRUE(log.empty());
  run_all();
  EXPECT_EQ(log, std::vector<std::string>{"done"});
}

TEST_F(G12_bound, a_consumer_takes_there) {
  std::move(result).on_done(bound_to(s), [&](settle::outcome<std::string>&& o) {
    EXPECT_TRUE(home.is_here());
    log.push_back(std::move(o).value());
  });
  EXPECT_FALSE(result);
  job.complete("taken");
  run_all();
  EXPECT_EQ(log, std::vector<std::string>{"taken"});
}

TEST_F(G12_bound, failures_and_cancellations_get_there_too) {
  result.on_done(bound_to(s), [&](settle::ending e) { log.push_back(e.kind == settle::ending::cancelled ? "cancelled" : "?"); });
  static_cast<settle::operation const&>(result).on_done(bound_to(s), [&] { log.push_back("ended"); });
  result.watch().on_done(bound_to(s), [&](auto const& o) { log.push_back(std::string(to_string(o.cancel().why))); });
  result.cancel(settle::cause::disconnect);
  {
    auto const gone = std::move(job);
  }
  run_all();
  EXPECT_EQ(log, (std::vector<std::string>{"cancelled", "ended", "disconnect"}));
}

TEST_F(G12_bound, goes_when_the_other_operation_ends) {
  auto mark = std::make_shared<int>();
  std::weak_ptr<int> const alive = mark;
  result.on_done(bound_to(s), [&, m = std::move(mark)] { log.push_back("ran"); });
  session.complete();
  home.run();
  EXPECT_TRUE(alive.expired()) << "the closure is destroyed on its executor";
  EXPECT_TRUE(s.is_released()) << "it does not wait for the job";
  job.complete("late");
  run_all();
  EXPECT_TRUE(log.empty());
}

TEST_F(G12_bound, does_not_run_when_the_other_ended_before_its_turn) {
  result.on_done(bound_to(s), [&] { log.push_back("ran"); });
  session.on_cleanup([&] { log.push_back("session's memory"); });
  job.complete("x");
  jobs.run();
  session.complete();
  EXPECT_FALSE(s.is_released());
  run_all();
  EXPECT_EQ(log, std::vector<std::string>{"session's memory"});
}

TEST_F(G12_bound, holds_the_cleanups_of_both_back) {
  job.on_cleanup([&] { log.push_back("job's cleanup"); });
  session.on_cleanup([&] { log.push_back("session's cleanup"); });
  result.on_done(bound_to(s), [&] { log.push_back("hook"); });
  job.complete("x");
  jobs.run();
  EXPECT_TRUE(log.empty());
  home.run();
  jobs.run();
  session.complete();
  run_all();
  EXPECT_EQ(log, (std::vector<std::string>{"hook", "job's cleanup", "session's cleanup"}));
}

TEST_F(G12_bound, a_value_that_nobody_takes_any_more_is_lost) {
  std::move(result).on_done(bound_to(s), [&](auto&&) { log.push_back("ran"); });
  settle::operation const j = job.op();
  session.complete();
  run_all();
  EXPECT_TRUE(s.is_released());
  job.complete("lost");
  run_all();
  EXPECT_TRUE(j.is_released());
  EXPECT_TRUE(log.empty());
}

TEST_F(G12_bound, withdrawn_it_never_runs_and_leaves_nothing) {
  auto r = result.on_done(bound_to(s), [&] { log.push_back("ran"); });
  EXPECT_TRUE(r.withdraw());
  run_all();
  session.complete();
  run_all();
  EXPECT_TRUE(s.is_released());
  job.complete("x");
  run_all();
  EXPECT_TRUE(log.empty());
  auto again = result.on_done(bound_to(s), [&] { log.push_back("ran"); });
  EXPECT_FALSE(again) << "bound to a settled operation";
}

TEST_F(G12_bound, withdrawing_what_ran_says_so) {
  auto r = result.on_done(bound_to(s), [&] { log.push_back("ran"); });
  job.complete("x");
  run_all();
  EXPECT_FALSE(r.withdraw());
  EXPECT_EQ(log.size(), 1u);
}

TEST_F(G12_bound, what_it_throws_goes_to_the_sink_of_the_operation_it_is_about) {
  result.on_done(bound_to(s), [] { throw std::runtime_error("oops"); });
  job.complete("x");
  run_all();
  auto const told = test::recording_sink::take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].what, settle::monitor_event::callback_threw);
  EXPECT_EQ(told[0].said, "oops");
}

TEST_F(G12_bound, out_of_memory_registers_nothing) {
  {
    test::dry_after const dry(0);
    EXPECT_THROW(result.on_done(bound_to(s), [&] { log.push_back("ran"); }), std::bad_alloc);
    EXPECT_THROW(std::move(result).on_done(bound_to(s), [&](auto&&) { log.push_back("ran"); }), std::bad_alloc);
  }
  ASSERT_TRUE(result);
  run_all();
  job.complete("kept");
  run_all();
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(std::move(result).wait().value(), "kept");
}

TEST_F(G12_bound, a_move_only_value_is_taken_there) {
  settle::resolver<on_loop<std::unique_ptr<int>>> r(jobs.get_executor());
  r.get_handle().on_done(bound_to(s), [&](settle::outcome<std::unique_ptr<int>>&& o) { log.push_back(std::to_string(*o.value())); });
  r.complete(std::make_unique<int>(7));
  run_all();
  EXPECT_EQ(log, std::vector<std::string>{"7"});
}

TEST_F(G12_bound, a_lost_executor_of_the_other_loses_nothing) {
  result.on_done(bound_to(s), [&] { log.push_back("ran"); });
  job.complete("x");
  jobs.run();
  home.drop_all();
  run_all();
  EXPECT_EQ(log.size(), 1u) << "what is left runs on the thread that destroys the work";
}

TEST(G17_no_growth, bound_hooks_leave_no_trace_on_either_side) {
  struct policy : settle::default_policy {
    using allocator_type = test::counting_allocator<std::byte>;
    using monitor = test::counting_monitor;
  };
  settle::resolver<policy> longest;
  settle::operation const l = longest.op();
  long const blocks = test::ledger::blocks;
  int ran = 0;
  for (int i = 0; i != 100'000; ++i) {
    settle::resolver<policy> brief;
    brief.op().on_done(bound_to(l), [&] { ++ran; });
    if (i % 2 == 0) brief.complete();
    if (i % 2 == 0) continue;
    l.on_done(bound_to(brief.op()), [&] { ran = -1'000'000; });
    brief.complete();
  }
  EXPECT_EQ(ran, 100'000);
  EXPECT_EQ(test::ledger::blocks, blocks);
  longest.complete();
  EXPECT_TRUE(l.is_released());
}

TEST(G12_bound_racing, both_ends_at_once) {
  for (int i = 0; i != (test::a_tenth_will_do ? 2'000 : 20'000); ++i) {
    settle::resolver_of<int> job;
    settle::resolver_of<void> session;
    settle::operation const j = job.op();
    settle::operation const s = session.op();
    std::atomic<int> ran = 0;
    std::atomic<bool> ended = false;
    s.on_cleanup([&] { ended = true; });
    auto hook = job.get_handle();
    std::move(hook).on_done(bound_to(s), [&](auto&& o) {
      EXPECT_FALSE(ended);
      ran += o.value();
    });
    std::thread a([&] { job.complete(1); });
    std::thread b([&] { session.complete(); });
    a.join();
    b.join();
    EXPECT_LE(ran, 1);
    EXPECT_TRUE(j.is_released());
    EXPECT_TRUE(s.is_released());
  }
}

TEST(G12_bound_nowhere, to_what_is_empty_or_over_no_hook_ever_runs) {
  test::subject<test::counted<int>> over;
  over.end(test::way::complete);
  test::subject<test::counted<int>> pending;
  for (settle::operation const& op : {settle::operation(), over.op, pending.op}) {
    bound_to const where(op);
    test::subject<test::counted<int>> s;
    int ran = 0;
    bool const lives = op == pending.op;
    EXPECT_EQ(static_cast<bool>(s.h.on_done(where, [&](settle::outcome<int> const&) { ++ran; })), lives);
    EXPECT_EQ(static_cast<bool>(s.h.on_done(where, [&](settle::ending) { ++ran; })), lives);
    std::move(s.h).on_done(where, [&](settle::outcome<int>&&) { ++ran; });
    EXPECT_FALSE(s.h) << "given up all the same";
    EXPECT_FALSE(s.op.cancel_requested()) << "and not dropped";
    s.end(test::way::complete);
    EXPECT_TRUE(s.op.is_released());
    EXPECT_EQ(ran, lives ? 3 : 0);
  }
  pending.end(test::way::complete);
}

TEST(G12_bound_nowhere, of_an_empty_handle_no_hook_ever_runs) {
  test::subject<test::counted<int>> where;
  settle::handle<test::counted<int>> none;
  int ran = 0;
  EXPECT_FALSE(none.on_done(bound_to(where.op), [&](settle::outcome<int> const&) { ++ran; }));
  EXPECT_FALSE(settle::operation().on_done(bound_to(where.op), [&] { ++ran; }));
  std::move(none).on_done(bound_to(where.op), [&](settle::outcome<int>&&) { ++ran; });
  where.end(test::way::complete);
  EXPECT_TRUE(where.op.is_released());
  EXPECT_EQ(ran, 0);
}

}  // namespace
