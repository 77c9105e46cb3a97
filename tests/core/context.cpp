// SPDX-License-Identifier: BSL-1.0
// The context: a deadline that is inherited down the tree (A28).
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "loop_with_timers.hpp"
#include "meanwhile.hpp"
#include "situations.hpp"

namespace {

using namespace test;
using namespace std::chrono_literals;
using time_point = std::chrono::steady_clock::time_point;

time_point const t0{std::chrono::hours(1000)};
constexpr auto never = time_point::max();

TEST(A28_deadline, there_is_none_until_somebody_says_so) {
  in_each_way([](way how) {
    subject<counted<int>> s;
    EXPECT_EQ(s.op.deadline(), never);
    EXPECT_EQ(s.op.remaining(), std::chrono::nanoseconds::max());
    EXPECT_TRUE(s.op.tighten(t0 + 5s));
    EXPECT_EQ(s.op.deadline(), t0 + 5s);
    EXPECT_TRUE(s.op.tighten(t0 + 9s));
    EXPECT_EQ(s.op.deadline(), t0 + 5s) << "never back";
    EXPECT_TRUE(s.op.tighten(t0 + 2s));
    EXPECT_EQ(s.h.deadline(), t0 + 2s);
    s.end(how);
    EXPECT_EQ(s.op.deadline(), t0 + 2s);
    EXPECT_TRUE(s.op.tighten(t0 + 1s));
    EXPECT_EQ(s.op.deadline(), t0 + 1s);
  });
}

TEST(A28_deadline, nothing_has_none) {
  settle::operation const nothing;
  EXPECT_EQ(nothing.deadline(), never);
  EXPECT_EQ(nothing.remaining(), std::chrono::nanoseconds::max());
  EXPECT_FALSE(nothing.tighten(t0));
}

TEST(A28_deadline, a_child_has_the_earliest_of_those_above_it) {
  subject<counted<int>> root;
  subject<counted<int>> middle;
  subject<counted<int>> leaf;
  subject<counted<int>> sibling;
  middle.op.adopt(leaf.op);  // from the leaf upwards: what is adopted may have children
  root.op.adopt(middle.op);
  root.op.adopt(sibling.op);
  EXPECT_EQ(leaf.op.deadline(), never);
  root.op.tighten(t0 + 9s);
  EXPECT_EQ(leaf.op.deadline(), t0 + 9s) << "told after it was adopted";
  middle.op.tighten(t0 + 4s);
  leaf.op.tighten(t0 + 6s);
  EXPECT_EQ(leaf.op.deadline(), t0 + 4s);
  EXPECT_EQ(sibling.op.deadline(), t0 + 9s);
  EXPECT_EQ(root.op.deadline(), t0 + 9s);
  root.op.tighten(t0 + 1s);
  EXPECT_EQ(leaf.op.deadline(), t0 + 1s);
  EXPECT_EQ(middle.op.deadline(), t0 + 1s);
  for (auto* s : {&leaf, &middle, &sibling, &root}) s->end(way::complete);
  EXPECT_EQ(leaf.op.deadline(), t0 + 6s) << "released: its own";
}

TEST(A28_deadline, a_child_that_is_born_adopted_inherits) {
  subject<counted<int>> parent;
  parent.op.tighten(t0 + 3s);
  settle::resolver<counted<int>> born(parent.op);
  EXPECT_EQ(born.op().deadline(), t0 + 3s);
  born.complete(1);
  parent.end(way::complete);
}

TEST(A28_deadline, every_parent_counts_and_a_common_one_once) {
  subject<counted<int>> root;
  std::vector<subject<counted<int>>> left(40);
  std::vector<subject<counted<int>>> right(40);
  auto adopt = [](auto& above, auto& below) { above.op.adopt(below.op); };
  adopt(root, left[0]);
  adopt(root, right[0]);
  for (std::size_t i = 1; i != left.size(); ++i) {  // 2^40 ways up
    adopt(left[i - 1], left[i]);
    adopt(right[i - 1], left[i]);
    adopt(left[i - 1], right[i]);
    adopt(right[i - 1], right[i]);
  }
  root.op.tighten(t0 + 3s);
  EXPECT_EQ(left.back().op.deadline(), t0 + 3s);
  right[20].op.tighten(t0 + 2s);
  EXPECT_EQ(left.back().op.deadline(), t0 + 2s);
  EXPECT_EQ(left[20].op.deadline(), t0 + 3s);
  for (std::size_t i = left.size(); i != 0; --i) {
    left[i - 1].end(way::complete);
    right[i - 1].end(way::complete);
  }
  root.end(way::complete);
}

// What is looked at is bounded: a parent that many have in common must not fill it.
TEST(A28_deadline, a_common_parent_takes_one_place) {
  constexpr std::size_t width = 20;
  subject<counted<int>> common;
  std::vector<subject<counted<int>>> high(width);
  std::vector<subject<counted<int>>> middle(width);
  subject<counted<int>> low;
  for (std::size_t i = 0; i != width; ++i) {
    subject<counted<int>>* const both[] = {&common, &high[i]};
    both[i % 2]->op.adopt(middle[i].op);
    both[1 - i % 2]->op.adopt(middle[i].op);
    middle[i].op.adopt(low.op);
  }
  for (std::size_t i = 0; i != width; ++i) {
    auto const deadline = t0 + std::chrono::seconds(width - i);
    high[i].op.tighten(deadline);
    EXPECT_EQ(low.op.deadline(), deadline) << i;
  }
  low.end(way::complete);
  for (auto& m : middle) m.end(way::complete);
  for (auto& h : high) h.end(way::complete);
  common.end(way::complete);
}

// Whatever else waits for it, and whatever was adopted when, its parents are found.
TEST(A28_deadline, an_operation_with_much_on_it) {
  subject<counted<int>> parent;
  subject<counted<int>> s;
  std::vector<subject<counted<int>>> children(300);
  for (int i = 0; i != 300; ++i) s.op.on_cancel([] {});
  for (auto& c : children) s.op.adopt(c.op);
  std::optional<time_point> in_walk;
  s.op.on_cancel([&] { in_walk = s.op.deadline(); });
  parent.op.adopt(s.op);
  parent.op.tighten(t0 + 3s);
  EXPECT_EQ(s.op.deadline(), t0 + 3s);
  EXPECT_EQ(children[7].op.deadline(), t0 + 3s);
  s.op.request_cancel();
  EXPECT_EQ(in_walk, t0 + 3s);
  EXPECT_EQ(s.op.deadline(), t0 + 3s);
  subject<counted<int>> other;
  other.op.tighten(t0 + 1s);
  other.op.adopt(s.op);
  EXPECT_EQ(s.op.deadline(), t0 + 1s);
  for (auto& c : children) c.end(way::abandon);
  s.end(way::abandon);
  other.end(way::complete);
  parent.end(way::complete);
}

// Adopted when it is settled: it is a child yet until it is released.
TEST(A28_deadline, a_settled_child_with_late_observers) {
  manual_loop loop;
  subject<counted<int, manual_loop::executor>> s(loop.get_executor());
  subject<counted<int>> parent;
  parent.op.tighten(t0 + 2s);
  s.end(way::complete);
  trail log;
  s.op.on_done([&] { log.push_back("first"); });
  parent.op.adopt(s.op);
  s.op.on_done([&] { log.push_back("second"); });
  EXPECT_EQ(s.op.deadline(), t0 + 2s);
  loop.run();
  EXPECT_EQ(log, (trail{"first", "second"}));
  EXPECT_EQ(s.op.deadline(), never);
  parent.end(way::complete);
}

// More parents than are counted, and more than the walk keeps in mind: none of it is lost but what lies beyond those.
TEST(A28_deadline, hundreds_of_parents) {
  std::vector<subject<counted<int>>> parents(300);
  subject<counted<int>> s;
  for (auto& p : parents) p.op.adopt(s.op);
  parents[299].op.tighten(t0 + 2s);
  EXPECT_EQ(s.op.deadline(), t0 + 2s) << "the last are met first";
  s.op.tighten(t0 + 1s);
  EXPECT_EQ(s.op.deadline(), t0 + 1s);
  s.end(way::complete);
  for (auto& p : parents) p.end(way::complete);
}

TEST(G09_flat, a_deadline_comes_down_a_hundred_thousand_levels) {
  std::vector<settle::resolver_of<void>> chain(100'000);
  for (std::size_t i = 1; i != chain.size(); ++i) chain[i - 1].op().adopt(chain[i].op());
  chain[0].op().tighten(t0 + 3s);
  EXPECT_EQ(chain.back().op().deadline(), t0 + 3s);
  while (!chain.empty()) {
    chain.back().complete();
    chain.pop_back();
  }
}

settle::handle<counted<time_point>> cold_asks() {
  settle::operation const self = co_await settle::this_operation;
  co_return self.deadline();
}
settle::handle<counted<time_point>> hot_asks(settle::operation) { co_return co_await cold_asks(); }

TEST(A28_deadline, coroutines_inherit) {
  subject<counted<int>> parent;
  parent.op.tighten(t0 + 7s);
  auto hot = hot_asks(parent.op);
  EXPECT_EQ(std::move(hot).wait().value(), t0 + 7s) << "the hot one from its operation, the cold one from whoever awaits it";
  auto adopted = cold_asks();
  auto const watching = adopted.watch();
  parent.op.adopt(std::move(adopted));
  EXPECT_EQ(watching.peek()->value(), t0 + 7s);
  EXPECT_EQ(cold_asks().wait().value(), never);
  parent.end(way::complete);
}

TEST(A28_deadline, an_asynchronous_cleanup_has_its_budget_instead) {
  subject<counted<int>> s;
  s.op.tighten(t0 + 7s);
  time_point seen{};
  s.op.on_cleanup([&]() -> settle::handle<counted<void>> {
    settle::operation const self = co_await settle::this_operation;
    seen = self.deadline();
  });
  s.end(way::complete);
  EXPECT_EQ(seen, never);
}

TEST(A28_deadline, remaining_is_measured_by_the_executors_timers) {
  loop_with_timers loop;
  subject<counted<int, loop_with_timers::executor>> s(loop.get_executor());
  subject<counted<int>> parent;
  parent.op.adopt(s.op);
  parent.op.tighten(loop.now() + 10s);
  EXPECT_EQ(s.op.remaining(), 10s);
  loop.advance(4s);
  EXPECT_EQ(s.op.remaining(), 6s);
  loop.advance(6s);
  EXPECT_EQ(s.op.remaining(), 0s);
  loop.advance(1s);
  EXPECT_EQ(s.op.remaining(), 0s) << "past, not negative";
  s.end(way::complete);
  loop.run_all();
  auto const soon = std::chrono::steady_clock::now() + 1h;
  subject<counted<int>> plain;
  plain.op.tighten(soon);
  EXPECT_GT(plain.op.remaining(), 50min);
  EXPECT_LE(plain.op.remaining(), 1h);
  plain.op.tighten(time_point::min());
  EXPECT_EQ(plain.op.remaining(), 0s);
  plain.end(way::complete);
  parent.end(way::complete);
}

TEST(A28_deadline, without_memory_nothing_is_tightened) {
  subject<counted<int>> s;
  {
    dry_after const none(0);
    EXPECT_FALSE(s.op.tighten(t0));
  }
  EXPECT_EQ(s.op.deadline(), never);
  EXPECT_TRUE(s.op.tighten(t0));
  dry_after const none(0);
  EXPECT_TRUE(s.op.tighten(t0 - 1s)) << "only the first needs any";
  EXPECT_EQ(s.op.deadline(), t0 - 1s);
  s.end(way::complete);
}

struct unheard : counted<int> {
  using monitor = settle::no_monitor;
};

TEST(A28_deadline, it_goes_with_an_operation_that_nobody_listens_to) {
  in_each_way([](way how) {
    long const bytes = ledger::bytes;
    {
      subject<unheard> s;
      EXPECT_TRUE(s.op.tighten(t0));
      s.end(how);
    }
    EXPECT_EQ(ledger::bytes, bytes);
    recording_sink::take();
  });
}

struct noted : counted<int> {
  static inline std::vector<std::pair<settle::monitor_event::what_t, unsigned>> seen;
  struct monitor {
    static void on_event(settle::monitor_event const& e) noexcept {
      counting_monitor::on_event(e);
      seen.emplace_back(e.what, e.where.line());
    }
  };
};

TEST(A50_observability, an_operation_with_a_context_still_knows_where_it_was_created) {
  noted::seen.clear();
  {
    settle::resolver<noted> r;
    unsigned const line = noted::seen.at(0).second;
    EXPECT_NE(line, 0U);
    r.op().tighten(t0);
    r.fail(settle::errc::closed);
    EXPECT_GE(noted::seen.size(), 4U);
    for (auto const& [what, where] : noted::seen) EXPECT_EQ(where, line) << static_cast<int>(what);
    EXPECT_EQ(noted::seen.back().first, settle::monitor_event::destroyed);
    auto const reports = recording_sink::take();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].line, line) << "the failure that nobody saw";
  }
}

TEST(G17_withdrawal, tightening_does_not_grow_an_operation) {
  subject<counted<int>> s;
  s.op.tighten(t0);
  long const bytes = ledger::bytes;
  allocation_count const made;
  for (int i = 0; i != 1'000'000; ++i) s.op.tighten(t0 - std::chrono::nanoseconds(i));
  EXPECT_EQ(made.now(), 0U);
  EXPECT_EQ(ledger::bytes, bytes);
  s.end(way::complete);
}

struct local : settle::default_policy {
  using value_type = int;
  using terminal = settle::unsynchronized_terminal;
};

TEST(policy_terminal, one_threads_operations_have_deadlines) {
  settle::resolver<local> parent;
  settle::resolver<local> child(parent.op());
  EXPECT_TRUE(parent.op().tighten(t0));
  EXPECT_EQ(child.op().deadline(), t0);
  EXPECT_TRUE(child.op().tighten(time_point::min()));
  EXPECT_EQ(child.op().remaining(), 0s);
  child.complete(1);
  parent.complete(1);
}

// Adopting, tightening above and below, and reading, all at once: afterwards the earliest counts, and nobody ever read a
// later one than before.
TEST(A28_deadline, adopting_tightening_and_reading_race) {
  crew threads(4);
  for (int round = 0; round != 2000; ++round) {
    subject<counted<int>> root;
    subject<counted<int>> middle;
    subject<counted<int>> leaf;
    std::atomic<bool> later = false;
    threads.run([&](unsigned i) {
      if (i == 0) root.op.adopt(middle.op);
      if (i == 1) middle.op.adopt(leaf.op);
      if (i == 2) {
        root.op.tighten(t0 + 3s);
        leaf.op.tighten(t0 + 5s);
        root.op.tighten(t0 + 1s);
      }
      if (i == 3) {
        time_point last = never;
        for (int n = 0; n != 20; ++n) {
          time_point const now = leaf.op.deadline();
          if (now > last) later = true;
          last = now;
        }
      }
    });
    EXPECT_FALSE(later);
    EXPECT_EQ(leaf.op.deadline(), t0 + 1s);
    leaf.end(way::complete);
    middle.end(way::complete);
    root.end(way::complete);
  }
}

// The tree ends while somebody looks up in it.
TEST(A28_deadline, reading_races_with_release) {
  crew threads(3);
  for (int round = 0; round != 2000; ++round) {
    auto root = std::make_unique<subject<counted<int>>>();
    auto leaf = std::make_unique<subject<counted<int>>>();
    root->op.adopt(leaf->op);
    root->op.tighten(t0 + 3s);
    settle::operation const op = leaf->op;
    threads.run([&](unsigned i) {
      if (i == 0) {
        leaf->try_to_end(way::complete);  // or it is cancelled with its parent
        leaf.reset();
      }
      if (i == 1) {
        root->end(way::cancel);
        root.reset();
      }
      if (i == 2) {
        for (int n = 0; n != 10; ++n) {
          time_point const d = op.deadline();
          EXPECT_TRUE(d == never || d == t0 + 3s);
        }
      }
    });
  }
}

// Two first calls at once: one context.
TEST(A28_deadline, the_context_is_made_once) {
  crew threads(3);
  for (int round = 0; round != 2000; ++round) {
    subject<counted<int>> s;
    threads.run([&](unsigned i) { EXPECT_TRUE(s.op.tighten(t0 + std::chrono::seconds(i))); });
    EXPECT_EQ(s.op.deadline(), t0);
    s.end(way::complete);
  }
}

settle::handle<counted<void>> cold() { co_return; }

TEST(A28_deadline, of_a_cold_coroutine_is_measured_by_the_steady_clock) {
  auto h = cold();
  ASSERT_TRUE(h.tighten(std::chrono::steady_clock::now() + 1h));
  EXPECT_GT(h.remaining(), 30min);
  EXPECT_LE(h.remaining(), 1h);
  EXPECT_TRUE(std::move(h).wait().has_value());
}

TEST(A28_deadline, is_found_behind_what_waits_for_the_release) {
  subject<counted<int>> above;
  subject<counted<int>> below;
  settle::pin hold = below.op.pin();
  below.op.on_released([] {});
  below.end(way::complete);
  above.op.adopt(below.op);  // settled already: the way up stands behind the others
  above.op.tighten(time_point() + 1h);
  EXPECT_EQ(below.op.deadline(), time_point() + 1h);
  hold.reset();
  above.end(way::complete);
  EXPECT_TRUE(above.op.is_released());
}

TEST(A28_deadline, more_ways_up_at_once_than_are_looked_at) {
  subject<counted<int>> child;
  std::vector<subject<counted<int>>> parents(32);
  std::vector<subject<counted<int>>> grandparents(2);
  for (auto& p : parents) p.op.adopt(child.op);
  for (auto& p : parents)
    for (auto& g : grandparents) g.op.adopt(p.op);
  for (auto& g : grandparents) g.op.tighten(time_point() + 5h);
  EXPECT_EQ(child.op.deadline(), time_point() + 5h) << "the common ones are met again";
  child.end(way::complete);
  for (auto& p : parents) p.end(way::complete);
  for (auto& g : grandparents) {
    g.end(way::complete);
    EXPECT_TRUE(g.op.is_released());
  }
}

// --- what another thread does between two steps ---

TEST(A28_deadline, two_who_say_the_first_one_at_once) {
  subject<interrupted<int>> s;
  time_point const late = time_point() + 20h;
  time_point const early = time_point() + 10h;
  {
    meanwhile const other([&] { EXPECT_TRUE(s.op.tighten(early)); });
    EXPECT_TRUE(s.op.tighten(late));
  }
  EXPECT_EQ(s.op.deadline(), early);
  s.end(way::complete);
}

TEST(A28_deadline, two_who_tighten_it_at_once) {
  for (bool const other_is_first : {true, false}) {
    settle::resolver<on_passing<int>> r;
    auto const op = r.op();
    time_point const start = time_point() + 30h;
    time_point const mine = time_point() + 20h;
    time_point const theirs = time_point() + (other_is_first ? 10h : 25h);
    ASSERT_TRUE(op.tighten(start));
    {
      meanwhile const other([&] { op.tighten(theirs); });
      EXPECT_TRUE(op.tighten(mine));
    }
    EXPECT_EQ(op.deadline(), std::min(mine, theirs));
    r.complete(1);
  }
}

}  // namespace
