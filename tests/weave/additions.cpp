// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/testing/weave.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

// Additions that see no difference have no order, and no outcome is lost by that. Most of these programs were made by chance, as those of
// equality.cpp are, and shortened: earlier versions of the search lost an outcome of each.
namespace {

namespace weave = settle::testing::weave;

constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;

/// What threads that each do one of `what` to an x and a y can see, by a search. They log.
struct two {
  two(int n, bool are) : x(n), are_additions(are) {}
  weave::atomic<int> x;
  weave::atomic<int> y{0};
  bool are_additions;  // it says that it adds
};
using deeds = std::vector<std::function<void(two&, std::string&)>>;
std::set<std::string> seen_by(deeds const& what, int x, weave::options how, bool are_additions = true) {
  std::set<std::string> outcomes;
  how.minimise = false;
  auto const r = weave::explore(
      [&](weave::world& w) {
        auto const s = std::make_shared<two>(x, are_additions);
        auto const log = std::make_shared<std::vector<std::string>>(what.size());
        for (std::size_t t = 0; t != what.size(); ++t)
          w.thread("thread " + std::to_string(t), [s, log, t, &what] { what[t](*s, (*log)[t]); });
        w.finally([s, log, &outcomes] {
          std::string all;
          for (auto const& l : *log) all += l + '|';
          outcomes.insert(all + std::to_string(s->x.load()));
        });
      },
      how);
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
  return outcomes;
}
/// As if additions had an order as all that is written has.
void expect_all_seen(deeds const& what, int x, weave::options how = {}) {
  how.search = weave::full();
  auto const all = seen_by(what, x, how, false);
  for (auto const& m : {weave::full(), weave::sleep_sets(), weave::reduced()}) {
    how.search = m;
    EXPECT_EQ(seen_by(what, x, how), all);
  }
}
void add(two const& m, weave::atomic<int>& x, int n, std::memory_order o = relaxed) {
  int nothing = 0;
  x.update(nothing, [n](int v) { return std::optional<int>(v + n); }, [](int) { return 0; }, o, relaxed, m.are_additions ? n : 0);
}
auto number(int v) { return std::to_string(v); }

/// So many additions, each of -1 by a thread of its own that sees whether it was the `last`, and a thread that reads.
weave::report subtract(std::size_t threads, int from, bool reads, std::set<std::string>& outcomes) {
  return weave::explore([=, &outcomes](weave::world& w) {
    auto const m = std::make_shared<two>(from, true);
    auto const log = std::make_shared<std::vector<std::string>>(threads + 1);
    for (std::size_t t = 0; t != threads; ++t)
      w.thread("takes one", [=] {
        bool last = false;
        auto const less = [](int v) { return std::optional<int>(v - 1); };
        m->x.update(last, less, [](int v) { return v == 1; }, acq_rel, acquire, -1);
        (*log)[t] = last ? "last" : "-";
      });
    if (reads) w.thread("reads", [=] { (*log)[threads] = std::to_string(m->x.load(relaxed)); });
    w.finally([=, &outcomes] {
      std::string all;
      for (auto const& l : *log) all += l + ' ';
      outcomes.insert(all + std::to_string(m->x.load()));
    });
  });
}

TEST(weave_additions, additions_that_see_no_difference_have_no_order) {
  std::set<std::string> outcomes;
  auto const r = subtract(3, 9, false, outcomes);
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
  EXPECT_EQ(r.executions, 1U);
  EXPECT_EQ(outcomes, std::set<std::string>({"- - -  6"}));
}
TEST(weave_additions, one_that_sees_that_it_is_the_last_has_one) {
  std::set<std::string> outcomes;
  auto const r = subtract(3, 3, false, outcomes);
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
  EXPECT_EQ(outcomes, std::set<std::string>({"- - last  0", "- last -  0", "last - -  0"}));
}
TEST(weave_additions, what_is_read_between_additions_is_not_lost) {
  std::set<std::string> outcomes;
  auto const r = subtract(2, 5, true, outcomes);
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
  EXPECT_EQ(outcomes, std::set<std::string>({"- - 3 3", "- - 4 3", "- - 5 3"}));
}

TEST(weave_additions, a_swap_that_succeeds_and_would_fail_after_fewer_additions) {
  deeds const d = {[](two& m, std::string&) { add(m, m.x, -1); },
                   [](two& m, std::string& log) {
                     add(m, m.x, -1);
                     int seen = 3;
                     log += m.x.compare_exchange_strong(seen, 9, relaxed) ? 'S' : 'F';
                     log += number(m.x.exchange(2, relaxed));
                   }};
  expect_all_seen(d, 5);
}
TEST(weave_additions, what_a_read_sees_before_an_addition_and_behind_another_one) {
  deeds const d = {[](two& m, std::string& log) {
                     log += number(m.y.load(relaxed));
                     add(m, m.x, -1);
                   },
                   [](two& m, std::string&) { add(m, m.x, 3); },
                   [](two& m, std::string& log) {
                     static_cast<void>(m.y.load(relaxed));
                     log += m.x.look([](int v) { return v < 4; }, relaxed) ? "few" : "many";
                     m.y.store(1, relaxed);
                   }};
  expect_all_seen(d, 1);
}
TEST(weave_additions, a_sum_is_of_these_additions_or_of_those) {
  deeds const d = {[](two& m, std::string& log) {
                     log += number(m.x.load(relaxed));
                     log += number(m.x.fetch_sub(5, acquire));
                     log += number(m.y.load(relaxed));
                   },
                   [](two& m, std::string&) {
                     m.y.store(1, relaxed);
                     add(m, m.x, -1, acq_rel);
                   },
                   [](two& m, std::string&) { add(m, m.x, -1); }};
  expect_all_seen(d, 3);
}
TEST(weave_additions, an_order_of_two_sums_at_once) {
  deeds const d = {[](two& m, std::string&) { add(m, m.x, -1); }, [](two& m, std::string&) { add(m, m.y, 2); },
                   [](two& m, std::string&) {
                     add(m, m.y, -3);
                     add(m, m.x, -3);
                   },
                   [](two& m, std::string& log) {
                     log += number(m.y.load(relaxed)) + ' ';
                     log += number(m.x.load(relaxed));
                   }};
  EXPECT_TRUE(seen_by(d, 5, {}).contains("|||2 2|1"));
  expect_all_seen(d, 5);
}
TEST(weave_additions, what_one_has_read_is_read_so_by_all) {
  deeds const d = {[](two& m, std::string&) { add(m, m.x, 1); },
                   [](two& m, std::string& log) {
                     add(m, m.x, -1);
                     log += number(m.x.load(relaxed));
                   },
                   [](two& m, std::string& log) {
                     static_cast<void>(m.x.look([](int) { return 0; }, relaxed));
                     add(m, m.x, -1);
                     log += number(m.x.load(relaxed));
                   }};
  EXPECT_FALSE(seen_by(d, 0, {}).contains("|0|-2|-1")) << "one of them has the first addition without the third, one the other way";
  expect_all_seen(d, 0);
}
TEST(weave_additions, two_who_read_agree_on_an_order) {
  auto const reads = [](two& m, std::string& log) { log += number(m.x.load(relaxed)); };
  deeds const d = {[](two& m, std::string&) { add(m, m.x, 1); }, [](two& m, std::string&) { add(m, m.x, 3); }, reads, reads};
  EXPECT_FALSE(seen_by(d, 0, {}).contains("||1|3|4"));
  expect_all_seen(d, 0);
}
TEST(weave_additions, an_order_of_one_sum_forbids_one_of_another) {
  deeds const d = {[](two& m, std::string&) {
                     add(m, m.x, 1);
                     add(m, m.y, 1);
                   },
                   [](two& m, std::string&) {
                     add(m, m.y, 3);
                     add(m, m.x, 3);
                   },
                   [](two& m, std::string& log) { log += number(m.x.load(relaxed)); },
                   [](two& m, std::string& log) { log += number(m.y.load(relaxed)); }};
  EXPECT_FALSE(seen_by(d, 0, {}).contains("||3|1|4")) << "each would have begun with what the other ended with";
  expect_all_seen(d, 0);
}
TEST(weave_additions, what_a_sum_leaves_out_and_its_reader_adds_later) {
  deeds const d = {[](two& m, std::string&) {
                     add(m, m.x, -1);
                     add(m, m.y, -1);
                   },
                   [](two& m, std::string&) { add(m, m.y, 2); },
                   [](two& m, std::string& log) {
                     log += number(m.y.load(relaxed)) + ' ';
                     add(m, m.x, -1);
                     log += number(m.x.load(relaxed));
                   },
                   [](two& m, std::string& log) { log += number(m.y.fetch_add(-1, relaxed)); }};
  expect_all_seen(d, 0);
}
TEST(weave_additions, a_sum_that_a_condition_finds_without_what_came_before) {
  deeds const d = {[](two& m, std::string&) { add(m, m.x, 1, acq_rel); },
                   [](two& m, std::string& log) {
                     auto const some = [](int v) { return v > 0 ? std::optional<int>(v - 1) : std::nullopt; };
                     int nothing = 0;
                     log += m.x.update(nothing, some, [](int) { return 0; }, relaxed, relaxed, m.are_additions ? -1 : 0) ? 'S' : 'F';
                     add(m, m.x, -2, acq_rel);
                     log += number(m.y.load(relaxed));
                   },
                   [](two& m, std::string& log) {
                     log += number(m.x.load(relaxed));
                     add(m, m.x, 3);
                     m.y.store(1, relaxed);
                   }};
  expect_all_seen(d, 0);
}
TEST(weave_additions, who_must_read_the_newest_orders_what_is_added) {
  deeds const d = {[](two& m, std::string& log) {
                     add(m, m.x, 1);
                     int seen = 7;
                     m.y.compare_exchange_strong(seen, 8, relaxed);
                     log += number(seen);
                   },
                   [](two& m, std::string&) {
                     add(m, m.y, 1);
                     add(m, m.x, 3);
                   },
                   [](two& m, std::string& log) { log += number(m.x.load(relaxed)); }};
  weave::options const newest{.stale_failures = false};
  EXPECT_FALSE(seen_by(d, 0, newest).contains("0||3|4"));
  expect_all_seen(d, 0, newest);
  expect_all_seen(d, 0);
}
/// Waits until the bit is clear, has it for a moment, and says what it was set upon.
void pass(weave::atomic<int>& x, std::string& log) {
  log += number(x.lock_bit(64, relaxed));
  x.fetch_and(~64, release);
}
TEST(weave_additions, who_waits_and_is_stopped_by_an_addition) {
  deeds const d = {[](two& m, std::string&) { add(m, m.x, 3); }, [](two& m, std::string& log) { log += number(m.x.fetch_add(1, relaxed)); },
                   [](two& m, std::string& log) { pass(m.x, log); },
                   [](two& m, std::string&) {
                     add(m, m.x, -3);
                     add(m, m.x, -1);  // sets the bit, where there were less
                   }};
  expect_all_seen(d, 2);
}
TEST(weave_additions, who_comes_to_wait_when_an_addition_has_stopped_it) {
  deeds const d = {[](two& m, std::string&) { add(m, m.x, 2); },
                   [](two& m, std::string&) {
                     add(m, m.y, -1);
                     add(m, m.x, -3);
                   },
                   [](two& m, std::string& log) {
                     int seen = m.y.load(relaxed);
                     while (!m.y.compare_exchange_weak(seen, seen + 3, relaxed)) {
                     }
                     log += number(seen) + ' ';
                     pass(m.x, log);
                   }};
  expect_all_seen(d, 2);
}
TEST(weave_additions, who_waits_and_is_stopped_by_any_of_two_additions) {
  deeds const d = {[](two& m, std::string&) {
                     add(m, m.x, -3);
                     m.x.store(4, relaxed);
                   },
                   [](two& m, std::string& log) {
                     log += number(m.y.load(relaxed)) + ' ';
                     pass(m.x, log);
                   },
                   [](two& m, std::string&) {
                     m.y.store(-1, relaxed);
                     add(m, m.x, -1);
                   }};
  expect_all_seen(d, 0);
}
TEST(weave_additions, who_fails_for_nothing_and_saw_a_sum) {
  deeds const d = {[](two& m, std::string&) {
                     add(m, m.x, 1);
                     m.y.store(1, relaxed);
                   },
                   [](two& m, std::string&) { add(m, m.x, 2); },
                   [](two& m, std::string& log) {
                     log += number(m.y.load(relaxed));
                     int seen = 2;
                     log += m.x.compare_exchange_weak(seen, 10, relaxed) ? 'S' : 'F';
                     log += number(seen);
                   }};
  weave::options const how{.spurious_failures = true};
  EXPECT_TRUE(seen_by(d, 0, how).contains("||1F2|3"));
  expect_all_seen(d, 0, how);
}

/// Adds where `fits` says so; elsewhere it does something else and waits for another value.
template <class F>
void add_in_time(two& m, int n, F fits) {
  int nothing = 0;
  auto const next = [n, fits](int v) { return fits(v) ? std::optional<int>(v + n) : std::nullopt; };
  while (!m.x.update(nothing, next, [](int) { return 0; }, relaxed, relaxed, m.are_additions ? n : 0)) {
    m.y.store(1, relaxed);
    m.x.pause();
  }
}
TEST(weave_additions, who_waits_for_a_value_and_adds_to_it) {
  deeds const d = {[](two& m, std::string&) { m.x.store(1, relaxed); },
                   [](two& m, std::string&) {
                     add_in_time(m, 4, [](int v) { return v > 0; });
                     m.y.store(2, relaxed);
                   },
                   [](two& m, std::string&) { add(m, m.x, 2); },
                   [](two& m, std::string& log) {
                     log += number(m.y.load(relaxed)) + ' ';
                     log += number(m.x.load(relaxed));
                   }};
  EXPECT_TRUE(seen_by(d, 0, {}).contains("|||0 3|7"));
  expect_all_seen(d, 0);
}
TEST(weave_additions, who_waits_for_others_to_add) {
  deeds const d = {[](two& m, std::string& log) {
                     log += number(m.x.load(relaxed));
                     add(m, m.x, -1);
                   },
                   [](two& m, std::string& log) {
                     add_in_time(m, -1, [](int v) { return v != 3; });
                     log += number(m.y.load(relaxed));
                   },
                   [](two& m, std::string&) { add(m, m.x, -1); }};
  EXPECT_TRUE(seen_by(d, 3, {}).contains("1|1||0"));
  expect_all_seen(d, 3);
}
TEST(weave_additions, who_has_waited_adds_after_what_he_has_waited_for) {
  deeds const d = {[](two& m, std::string&) {
                     m.x.pause();
                     add(m, m.y, 1);
                   },
                   [](two& m, std::string&) {
                     add(m, m.y, 2);
                     add(m, m.x, 1);
                   },
                   [](two& m, std::string& log) { log += number(m.y.load(relaxed)); }};
  EXPECT_FALSE(seen_by(d, 0, {}).contains("||1|1"));
  expect_all_seen(d, 0);
}
TEST(weave_additions, what_fails_in_order_fails_again) {
  auto const test = [](weave::world& w) {
    auto const m = std::make_shared<two>(0, true);
    auto const d = std::make_shared<weave::plain<int>>(0);
    w.thread("writes", [=] {
      *d = 1;
      add(*m, m->x, 1, release);
    });
    w.thread("tells", [=] {
      if (m->x.load(relaxed) == 1) m->y.store(1, relaxed);
    });
    w.thread("adds, and reads", [=, &w] {
      if (m->y.load(relaxed) != 1) return;
      add(*m, m->x, 2, acquire);
      w.expect(*d != 1, "it saw");
    });
  };
  auto const r = weave::explore(test);
  EXPECT_EQ(r.failure, "it saw") << r.text();
  EXPECT_EQ(weave::explore(test, {.search = weave::replay(r.schedule)}).failure, "it saw");
}
TEST(weave_additions, who_adds_twice_learns_nothing_of_another_one) {
  deeds const d = {[](two& m, std::string&) {
                     m.y.store(1, relaxed);
                     add(m, m.x, -1, acq_rel);
                   },
                   [](two& m, std::string& log) {
                     add(m, m.x, -1);
                     add(m, m.x, -1, acq_rel);
                     log += number(m.y.load(relaxed));
                   }};
  for (auto const& m : {weave::full(), weave::reduced()}) EXPECT_EQ(seen_by(d, 5, {.search = m}), std::set<std::string>({"|0|2", "|1|2"}));
}
TEST(weave_additions, who_has_read_an_addition_and_adds_learns_of_it) {
  auto const d = [](two& m, std::string&) {
    m.y.store(1, relaxed);
    add(m, m.x, -1, acq_rel);
  };
  deeds const both = {d, [](two& m, std::string& log) {
                        if (m.x.load(relaxed) != 1) return;
                        add(m, m.x, -1, acq_rel);
                        log += number(m.y.load(relaxed));
                      }};
  for (auto const& m : {weave::full(), weave::reduced()})
    EXPECT_EQ(seen_by(both, 2, {.search = m}), std::set<std::string>({"||1", "|1|0"}));
}

}  // namespace
