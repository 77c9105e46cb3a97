// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/testing/weave.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// What a test is given, what it gets back, and that the explorer notices when it cannot be trusted.
namespace {

namespace weave = settle::testing::weave;
using std::make_shared;

constexpr auto relaxed = std::memory_order_relaxed;

/// An update that is lost when one preemption falls between load and store.
void lost_update(weave::world& w) {
  auto const n = make_shared<weave::atomic<int>>(0);
  for (char const* name : {"one", "other"}) w.thread(name, [=] { n->store(n->load() + 1); });
  w.finally([=, &w] { w.expect(n->load() == 2, "both were counted"); });
}

TEST(weave_world, a_failure_comes_with_a_schedule_and_a_trace_that_names_threads_and_lines) {
  auto const r = weave::explore(lost_update);
  EXPECT_FALSE(r.clean);
  EXPECT_FALSE(r.exhausted);
  EXPECT_EQ(r.failure, "both were counted");
  EXPECT_NE(r.trace.find("one "), std::string::npos) << r.trace;
  EXPECT_NE(r.trace.find("world.cpp:"), std::string::npos) << r.trace;
  EXPECT_NE(r.text().find("replay(\"" + r.schedule + "\")"), std::string::npos);
}

TEST(weave_world, schedules_are_text_and_back) {
  weave::schedule const s = {{1, 0}, {1, 0}, {2, 12}, {2, 12}, {2, 12}, {0, 3}, {7, 0}, {1, 1}};
  EXPECT_EQ(weave::to_text(s), "A*2B12*3M3GA1");
  EXPECT_EQ(weave::to_schedule(weave::to_text(s)), s);
}

TEST(weave_world, the_bound_on_preemptions_is_kept_and_reported) {
  auto const none = weave::explore(lost_update, {.preemptions = 0});
  EXPECT_TRUE(none.clean && none.exhausted) << none.text();
  EXPECT_EQ(none.preemptions, 0U);
  auto const one = weave::explore(lost_update, {.preemptions = 1});
  EXPECT_FALSE(one.clean);
}

TEST(weave_world, chance_finds_it_too_and_the_same_seed_the_same_way) {
  auto const a = weave::explore(lost_update, {.search = weave::random(1000, 7)});
  auto const b = weave::explore(lost_update, {.search = weave::random(1000, 7)});
  EXPECT_FALSE(a.clean);
  EXPECT_EQ(a.schedule, b.schedule);
  EXPECT_EQ(a.executions, b.executions);
  EXPECT_FALSE(weave::explore(lost_update, {.search = weave::pct(2, 1000, 7)}).clean);
}

TEST(weave_world, chance_is_never_called_exhausted_and_stops_when_told) {
  auto const r = weave::explore([](weave::world& w) { w.thread("idle", [] {}); }, {.search = weave::random(17)});
  EXPECT_TRUE(r.clean);
  EXPECT_FALSE(r.exhausted);
  EXPECT_EQ(r.executions, 17U);
  auto const cut = weave::explore(
      [](weave::world& w) {
        auto const n = make_shared<weave::atomic<int>>(0);
        for (int i = 0; i != 3; ++i) w.thread("adds", [=] { n->fetch_add(1); });
      },
      {.max_executions = 2});
  EXPECT_TRUE(cut.clean);
  EXPECT_FALSE(cut.exhausted);
}

TEST(weave_world, every_choice_is_made) {
  for (weave::method const& m : {weave::reduced(), weave::full()}) {
    std::set<std::string> seen;
    auto const r = weave::explore(
        [&](weave::world& w) {
          unsigned const setup = w.choose(3);
          auto const log = make_shared<std::string>(std::to_string(setup));
          w.thread("chooses", [=, &w] { *log += std::to_string(w.choose(2)) + std::to_string(w.choose(1)); });
          w.finally([=, &w, &seen] {
            *log += std::to_string(w.choose(2));
            seen.insert(*log);
          });
        },
        {.search = m});
    EXPECT_TRUE(r.exhausted);
    EXPECT_EQ(r.executions, 12U);
    EXPECT_EQ(seen.size(), 12U);
  }
}

TEST(weave_world, choices_and_steps_combine) {
  std::set<std::string> seen;
  auto const r = weave::explore([&](weave::world& w) {
    auto const n = make_shared<weave::atomic<int>>(0);
    auto const log = make_shared<std::vector<std::string>>(2);
    for (std::size_t i = 0; i != 2; ++i)
      w.thread("adds", [=, &w] {
        int const by = 1 + static_cast<int>(w.choose(2));
        (*log)[i] = std::to_string(by) + std::to_string(n->fetch_add(by, relaxed));
      });
    w.finally([=, &seen] { seen.insert((*log)[0] + (*log)[1]); });
  });
  EXPECT_TRUE(r.exhausted);
  EXPECT_EQ(r.executions, 8U) << "four choices in two orders";
  EXPECT_EQ(seen.size(), 8U);
}

TEST(weave_world, an_invariant_is_looked_at_between_all_steps_without_being_one) {
  auto const r = weave::explore([](weave::world& w) {
    auto const x = make_shared<weave::atomic<int>>(0);
    auto const y = make_shared<weave::atomic<int>>(0);
    w.thread("moves", [=] {
      x->store(1);
      y->store(1);
      x->store(2);
    });
    w.always([=, &w] { w.expect(y->load() == 0 || x->load() != 1, "never both one"); });
  });
  EXPECT_EQ(r.failure, "never both one");
  EXPECT_EQ(r.executions, 1U);
}

TEST(weave_world, twins_are_not_tried_both_ways_and_lose_nothing) {
  auto const count = [](bool twins) {
    std::set<int> seen;
    auto const r = weave::explore([&](weave::world& w) {
      auto const n = make_shared<weave::atomic<int>>(0);
      auto const f = [=] { n->store(n->load(relaxed) + 1, relaxed); };
      w.thread("one", f);
      if (twins) w.twin("other", f);
      else w.thread("other", f);
      w.finally([=, &seen] { seen.insert(n->load()); });
    });
    EXPECT_TRUE(r.exhausted);
    EXPECT_EQ(seen, (std::set<int>{1, 2}));
    return r.executions;
  };
  EXPECT_LT(count(true), count(false));
}

TEST(weave_world, a_program_that_depends_on_more_than_the_schedule_is_told_so) {
  for (weave::method const& m : {weave::reduced(), weave::full()}) {
    int runs = 0;
    auto const r = weave::explore(
        [&](weave::world& w) {
          auto const n = make_shared<weave::atomic<int>>(0);
          bool const odd = ++runs % 2 != 0;
          for (int i = 0; i != 2; ++i)
            w.thread("thread", [=] {
              if (odd) n->fetch_add(1);
              else n->store(1);
              n->load();
            });
        },
        {.search = m, .minimise = false});
    EXPECT_NE(r.failure.find("depends on more than the schedule"), std::string::npos) << r.text();
  }
}

TEST(weave_world, a_schedule_of_another_program_is_refused) {
  auto const r = weave::explore([](weave::world& w) { w.thread("short", [n = make_shared<weave::atomic<int>>(0)] { n->load(); }); },
                                {.search = weave::replay("AB")});
  EXPECT_TRUE(r.clean) << "it ends before the second turn";
  auto const other = weave::explore([](weave::world& w) { w.thread("short", [n = make_shared<weave::atomic<int>>(0)] { n->load(); }); },
                                    {.search = weave::replay("BA")});
  EXPECT_NE(other.failure.find("not one of this program"), std::string::npos);
  auto const value = weave::explore([](weave::world& w) { w.thread("short", [n = make_shared<weave::atomic<int>>(0)] { n->load(); }); },
                                    {.search = weave::replay("A5")});
  EXPECT_NE(value.failure.find("no such value"), std::string::npos);
}

TEST(weave_world, exceptions_stay_with_their_thread) {
  auto const r = weave::explore([](weave::world& w) {
    auto const n = make_shared<weave::atomic<int>>(0);
    for (char const* name : {"first", "second"})
      w.thread(name, [=, &w] {
        try {
          throw std::runtime_error(name);
        } catch (std::exception const&) {
          n->fetch_add(1);  // the other one is inside its handler, too, in some interleavings
          try {
            throw;
          } catch (std::exception const& e) {
            w.expect(std::string(e.what()) == name, "its own exception");
          }
        }
        n->fetch_add(1);
      });
  });
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
  EXPECT_GT(r.executions, 2U);
}

TEST(weave_world, an_exception_that_leaves_a_thread_is_a_failure) {
  auto const r = weave::explore([](weave::world& w) { w.thread("thrower", [] { throw std::runtime_error("out"); }); });
  EXPECT_EQ(r.failure, "an exception left the thread thrower");
}

TEST(weave_world, an_executor_runs_its_work_in_order_on_a_thread_of_its_own) {
  std::set<std::string> seen;
  auto const r = weave::explore([&](weave::world& w) {
    auto const ex = w.get_executor();
    auto const log = make_shared<weave::plain<std::string>>();
    ex.execute([=] { log->write() += 's'; });
    w.thread("submits", [=, &w] {
      w.expect(!ex.running_in_this_thread(), "not its thread");
      ex.execute([=, &w] {
        w.expect(ex.running_in_this_thread(), "its thread");
        log->write() += 'a';
        ex.execute([=] { log->write() += 'b'; });
      });
    });
    w.thread("submits too", [=] { ex.execute([=] { log->write() += 'c'; }); });
    w.finally([=, &seen] {
      ex.execute([=] { log->write() += 'f'; });
      seen.insert(log->read());
    });
  });
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
  EXPECT_EQ(seen, (std::set<std::string>{"sabc", "sacb", "scab"}));
}

TEST(weave_world, each_thread_has_its_own_slots_zeroed_for_each_execution) {
  struct slot {
    int value;
  };
  auto const r = weave::explore([](weave::world& w) {
    auto const n = make_shared<weave::atomic<int>>(0);
    for (int i = 0; i != 2; ++i)
      w.thread("thread", [=, &w] {
        auto& s = weave::sync::per_thread<slot>();
        w.expect(s.value == 0, "zero at first");
        s.value = i + 1;
        n->fetch_add(1);
        w.expect(&s == &weave::sync::per_thread<slot>() && s.value == i + 1, "its own");
        w.expect(weave::sync::this_thread_id() == static_cast<unsigned>(i + 2), "numbered");
      });
  });
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
}

TEST(weave_world, moments_are_ordered_by_what_synchronises_and_not_by_when_they_came) {
  bool ever = false;
  auto const r = weave::explore([&](weave::world& w) {
    auto const flag = make_shared<weave::atomic<bool>>(false);
    auto const when = make_shared<std::vector<weave::moment>>();
    w.thread("first", [=] {
      when->emplace_back();
      flag->store(true, std::memory_order_release);
    });
    w.thread("second", [=, &w, &ever] {
      bool const seen = flag->load(std::memory_order_acquire);
      if (seen) w.expect(when->front().happened_before_this_thread(), "it was told");
      else if (!when->empty()) ever = ever || !when->front().happened_before_this_thread();
    });
  });
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
  EXPECT_TRUE(ever) << "what only came earlier did not happen before";
}

TEST(weave_world, more_steps_than_can_be_numbered_are_refused) {
  auto const r = weave::explore([](weave::world&) {
    weave::atomic<int> n = 0;
    for (int i = 0; i != 70'000; ++i) ++n;
  });
  EXPECT_NE(r.failure.find("more than 65534 steps"), std::string::npos) << r.text();
}

TEST(weave_world, outside_of_an_exploration_atomics_are_values) {
  weave::atomic<int> n = 3;
  EXPECT_EQ(n.fetch_add(2), 3);
  int seen = 4;
  EXPECT_FALSE(n.compare_exchange_strong(seen, 9));
  EXPECT_EQ(seen, 5);
  EXPECT_TRUE(n.compare_exchange_strong(seen, 9));
  EXPECT_EQ(n.load(), 9);
  weave::plain<int> p = 1;
  p = p + 1;
  EXPECT_EQ(p, 2);
}

}  // namespace
