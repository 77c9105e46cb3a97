// SPDX-License-Identifier: BSL-1.0
// Cleanups that return a handle: one at a time, last registered first, each until what it returned is released.
#include <settle/settle.hpp>

#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "loop_with_timers.hpp"
#include "meanwhile.hpp"
#include "scale.hpp"
#include "situations.hpp"

namespace {

using namespace test;

template <class Ex = settle::inline_executor>
using farewell = counted<void, Ex>;

/// An operation that a cleanup begins and the test ends.
struct goodbye : subject<farewell<>> {
  bool begun = false;

  auto cleanup() {
    return [this] {
      begun = true;
      return std::move(h);
    };
  }
};

settle::handle<farewell<>> cold_goodbye(trail& log, std::string name) {
  log.push_back(name);
  co_return;
}
settle::handle<farewell<>> hot_goodbye(settle::inline_executor, trail& log, std::string name) {
  log.push_back(name);
  co_return;
}

TEST(G05_lifo, an_asynchronous_cleanup_ends_before_the_next_begins) {
  in_every_situation([](auto& place, situation at) {
    if (at.when == moment::released) return;
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    goodbye first;
    goodbye second;
    trail log;
    settle::pin hold = s.op.pin();
    if (at.when != moment::pending) s.end(at.how);
    if (at.when == moment::settled) place.run();
    s.op.on_cleanup([&] { log.push_back("1"); });
    EXPECT_TRUE(s.op.on_cleanup(first.cleanup()));
    s.op.on_cleanup([&] { log.push_back("3"); });
    EXPECT_TRUE(s.op.on_cleanup(second.cleanup()));
    s.op.on_cleanup([&] { log.push_back("5"); });
    if (at.when == moment::pending) s.end(at.how);
    place.run();
    EXPECT_EQ(log, trail{});
    hold.reset();
    place.run();
    EXPECT_EQ(log, trail{"5"});
    EXPECT_TRUE(second.begun);
    settle::pin uses = second.op.pin();
    second.end(way::complete);
    place.run();
    EXPECT_EQ(log, trail{"5"}) << "settled is not enough";
    uses.reset();
    place.run();
    EXPECT_EQ(log, (trail{"5", "3"}));
    EXPECT_TRUE(first.begun);
    EXPECT_FALSE(s.op.is_released());
    first.end(way::complete);
    place.run();
    EXPECT_EQ(log, (trail{"5", "3", "1"}));
    EXPECT_TRUE(s.op.is_released());
  });
}

TEST(G05_lifo, a_cleanup_may_return_what_is_released_or_nothing) {
  in_every_situation([](auto& place, situation at) {
    if (at.when == moment::released) return;
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    trail log;
    goodbye over;
    over.end(way::complete);
    play(place, at, s, [&] {
      s.op.on_cleanup([&] { log.push_back("1"); });
      s.op.on_cleanup([&] {
        log.push_back("released");
        return std::move(over.h);
      });
      s.op.on_cleanup([&](settle::ending e) {
        EXPECT_EQ(e.kind, kind_of(at.how));
        log.push_back("empty");
        return settle::handle<farewell<>>();
      });
      s.op.on_cleanup([&] { return hot_goodbye({}, log, "hot"); });
      s.op.on_cleanup([&] { return cold_goodbye(log, "cold"); });
    });
    EXPECT_EQ(log, (trail{"cold", "hot", "empty", "released", "1"}));
  });
}

TEST(G05_lifo, a_cleanup_may_return_what_is_settled_and_not_released_yet) {
  subject<counted<int>> s;
  goodbye g;
  bool next = false;
  s.op.on_cleanup([&] { next = true; });
  s.op.on_cleanup(g.cleanup());
  settle::pin uses = g.op.pin();
  g.end(way::complete);
  s.end(way::complete);
  EXPECT_TRUE(g.begun);
  EXPECT_FALSE(next);
  uses.reset();
  EXPECT_TRUE(next);
  EXPECT_TRUE(s.op.is_released());
}

TEST(G05_lifo, the_closure_of_an_asynchronous_cleanup_lives_until_it_has_ended) {
  subject<counted<int>> s;
  trail log;
  goodbye g;
  auto note = std::shared_ptr<int>(new int(7), [&](int* p) {
    log.push_back("closure");
    delete p;
  });
  s.op.on_cleanup([&] { log.push_back("next"); });
  // A coroutine that uses its captures after it was suspended.
  s.op.on_cleanup([&log, &g, note = std::move(note)]() -> settle::handle<farewell<>> {
    co_await std::move(g.h);
    log.push_back("still " + std::to_string(*note));
  });
  s.end(way::complete);
  EXPECT_EQ(log, trail{});
  g.end(way::complete);
  EXPECT_EQ(log, (trail{"still 7", "closure", "next"}));
}

TEST(G04_order, a_parents_cleanups_wait_for_the_asynchronous_ones_of_its_child) {
  subject<counted<int>> parent;
  subject<counted<int>> child;
  goodbye g;
  trail log;
  parent.op.adopt(child.op);
  parent.op.on_cleanup([&] { log.push_back("parent"); });
  child.op.on_cleanup(g.cleanup());
  child.end(way::complete);
  parent.end(way::complete);
  EXPECT_EQ(log, trail{});
  g.end(way::complete);
  EXPECT_EQ(log, trail{"parent"});
}

TEST(G06_never_late, a_cleanup_registered_while_an_asynchronous_one_is_under_way_is_next) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    trail log;
    goodbye g;
    s.op.on_cleanup([&] { log.push_back("oldest"); });
    s.op.on_cleanup(g.cleanup());
    s.end(way::complete);
    place.run();
    EXPECT_TRUE(g.begun);
    goodbye late;
    EXPECT_TRUE(s.op.on_cleanup([&] { log.push_back("late 1"); }));
    EXPECT_TRUE(s.op.on_cleanup(late.cleanup()));
    EXPECT_TRUE(s.op.on_cleanup([&] { log.push_back("late 3"); }));
    place.run();
    EXPECT_EQ(log, trail{});
    g.end(way::complete);
    place.run();
    EXPECT_EQ(log, trail{"late 3"});
    EXPECT_TRUE(late.begun);
    late.end(way::complete);
    place.run();
    EXPECT_EQ(log, (trail{"late 3", "late 1", "oldest"}));
    EXPECT_TRUE(s.op.is_released());
  });
}

TEST(G06_never_late, an_asynchronous_cleanup_of_a_released_operation_begins_at_once_and_goes_on_alone) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    s.end(way::complete);
    place.run();
    goodbye g;
    bool gone = false;
    auto note = std::shared_ptr<int>(new int(7), [&](int* p) {
      gone = true;
      delete p;
    });
    int seen = 0;
    EXPECT_FALSE(s.op.on_cleanup([&seen, &g, note = std::move(note)]() -> settle::handle<farewell<>> {
      co_await std::move(g.h);
      seen = *note;
    }));
    trail log;
    EXPECT_FALSE(s.op.on_cleanup([&] { return cold_goodbye(log, "cold"); }));
    EXPECT_FALSE(s.op.on_cleanup([&] { return settle::handle<farewell<>>(); }));
    s.op = {};
    s.h = {};
    place.run();
    EXPECT_EQ(log, trail{"cold"});
    EXPECT_FALSE(gone);
    g.end(way::complete);
    place.run();
    EXPECT_EQ(seen, 7);
    EXPECT_TRUE(gone);
  });
}

TEST(G06_never_late, an_asynchronous_cleanup_on_nothing_begins_at_once) {
  goodbye g;
  EXPECT_FALSE(settle::operation().on_cleanup(g.cleanup()));
  EXPECT_TRUE(g.begun);
  EXPECT_FALSE(g.op.cancel_requested()) << "it is left to run";
  g.end(way::complete);
}

TEST(G07_pins, no_pin_is_to_be_had_while_an_asynchronous_cleanup_is_under_way) {
  subject<counted<int>> s;
  goodbye g;
  s.op.on_cleanup(g.cleanup());
  settle::pin hold = s.op.pin();
  s.end(way::complete);
  EXPECT_FALSE(g.begun);
  hold.reset();
  EXPECT_TRUE(g.begun);
  EXPECT_FALSE(s.op.pin());
  g.end(way::complete);
  EXPECT_FALSE(s.op.pin());
}

TEST(G08_loud_cancel, an_asynchronous_cleanup_is_shielded) {
  subject<counted<int>> parent;
  subject<counted<int>> s;
  goodbye g;
  parent.op.adopt(s.op);
  s.op.on_cleanup(g.cleanup());
  s.end(way::request);
  ASSERT_TRUE(g.begun);
  parent.op.request_cancel();
  EXPECT_TRUE(parent.op.cancel());
  EXPECT_FALSE(s.op.cancel());
  EXPECT_FALSE(g.op.cancel_requested());
  EXPECT_FALSE(g.op.is_settled());
  g.end(way::complete);
  EXPECT_TRUE(s.op.is_released());
  parent.end(way::drop);
}

TEST(G12_place, an_asynchronous_cleanup_goes_on_where_its_operation_lives) {
  manual_loop loop;
  subject<counted<int, manual_loop::executor>> s(loop.get_executor());
  goodbye g;
  bool here = false;
  int destroyed_there = 0;
  auto note = std::shared_ptr<int>(new int(7), [&](int* p) {
    destroyed_there = loop.is_here() ? 1 : -1;
    delete p;
  });
  s.op.on_cleanup([&] { here = loop.is_here(); });
  s.op.on_cleanup([&g, note = std::move(note)] { return std::move(g.h); });
  trail log;
  bool cold_there = false;
  goodbye inner;
  s.op.on_cleanup([&]() -> settle::handle<farewell<>> {
    co_await std::move(inner.h);
    cold_there = loop.is_here();
  });
  s.end(way::complete);
  loop.run();
  inner.end(way::complete);
  EXPECT_FALSE(cold_there);
  loop.run();
  EXPECT_TRUE(cold_there) << "a cold coroutine is started on the operation's executor";
  g.end(way::complete);
  EXPECT_EQ(destroyed_there, 0);
  loop.run();
  EXPECT_EQ(destroyed_there, 1);
  EXPECT_TRUE(here);
}

TEST(G13_executor_loss, while_an_asynchronous_cleanup_is_under_way) {
  for (bool drops : {true, false}) {
    auto loop = std::make_unique<manual_loop>();
    subject<counted<int, manual_loop::executor>> s(loop->get_executor());
    goodbye g;
    trail log;
    s.op.on_cleanup([&] { log.push_back("next"); });
    s.op.on_cleanup(g.cleanup());
    s.end(way::complete);
    loop->run();
    EXPECT_TRUE(g.begun);
    if (drops) loop->mood(manual_loop::drops);
    g.end(way::complete);
    loop.reset();
    EXPECT_EQ(log, trail{"next"});
    EXPECT_TRUE(s.op.is_released());
    EXPECT_EQ(recording_sink::count(settle::monitor_event::executor_lost), 1U);
    recording_sink::take();
  }
}

// What the cleanup waits for loses its executor: it is abandoned, released, and the next goes on.
TEST(G13_executor_loss, of_what_an_asynchronous_cleanup_waits_for) {
  auto loop = std::make_unique<manual_loop>();
  subject<counted<int>> s;
  subject<farewell<manual_loop::executor>> g(loop->get_executor());
  trail log;
  s.op.on_cleanup([&] { log.push_back("next"); });
  s.op.on_cleanup([&] { return std::move(g.h); });
  s.end(way::complete);
  g.op.on_cancel([] {});
  g.op.request_cancel();
  loop.reset();
  EXPECT_TRUE(g.op.is_settled());
  EXPECT_EQ(log, trail{}) << "its producer is there yet";
  subject<farewell<manual_loop::executor>>::drop(g.r);
  EXPECT_EQ(log, trail{"next"});
  EXPECT_EQ(recording_sink::count(settle::monitor_event::executor_lost), 1U);
  recording_sink::take();
}

TEST(G14_last_reference, the_failure_of_an_asynchronous_cleanup_goes_to_the_error_sink) {
  for (bool seen : {false, true}) {
    subject<counted<int>> s;
    goodbye g;
    if (seen) g.h.on_done([](settle::outcome<void> const& o) { EXPECT_TRUE(o.has_error()); });
    bool next = false;
    s.op.on_cleanup([&] { next = true; });
    s.op.on_cleanup(g.cleanup());
    s.end(way::complete);
    g.end(way::fail);
    EXPECT_TRUE(next);
    g.op = {};
    EXPECT_EQ(recording_sink::count(settle::monitor_event::cleanup_failed), seen ? 0U : 1U);
    EXPECT_EQ(recording_sink::count(settle::monitor_event::unseen_failure), 0U) << "told once";
    recording_sink::take();
  }
}

TEST(G14_last_reference, a_failure_that_stood_when_it_was_returned_is_told_as_well) {
  subject<counted<int>> s;
  goodbye g;
  g.end(way::fail);
  s.op.on_cleanup(g.cleanup());
  s.end(way::complete);
  g.op = {};
  EXPECT_EQ(recording_sink::count(settle::monitor_event::cleanup_failed), 1U);
  recording_sink::take();
}

settle::handle<farewell<>> throwing_goodbye(int at) {
  if (at == 0) throw std::runtime_error("in the body");
  co_return;
}

TEST(G10_nofail, what_an_asynchronous_cleanup_throws_stops_nothing) {
  subject<counted<int>> s;
  trail log;
  s.op.on_cleanup([&] { log.push_back("last"); });
  s.op.on_cleanup([] { return throwing_goodbye(0); });
  s.op.on_cleanup([]() -> settle::handle<farewell<>> { throw std::runtime_error("before it returned"); });
  s.end(way::complete);
  EXPECT_EQ(log, trail{"last"});
  auto const reports = recording_sink::take();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].what, settle::monitor_event::cleanup_threw);
  EXPECT_EQ(reports[0].said, "before it returned");
  EXPECT_EQ(reports[1].what, settle::monitor_event::cleanup_failed);
  EXPECT_EQ(reports[1].said, "in the body");
}

TEST(G10_nofail, asynchronous_cleanups_allocate_when_they_are_registered_only) {
  subject<counted<int>> s;
  std::vector<goodbye> g(8);
  int ran = 0;
  for (auto& one : g) {
    s.op.on_cleanup(one.cleanup());
    s.op.on_cleanup([&ran] { ++ran; });
  }
  allocation_count const made;
  dry_after const none(0);
  s.end(way::complete);
  for (std::size_t i = g.size(); i != 0; --i) {
    EXPECT_TRUE(g[i - 1].begun);
    g[i - 1].end(way::complete);
  }
  EXPECT_EQ(made.now(), 0U);
  EXPECT_EQ(ran, 8);
  EXPECT_TRUE(s.op.is_released());
}

TEST(G11_no_leak_at_the_door, an_asynchronous_cleanup_without_memory_begins_at_once) {
  subject<counted<int>> s;
  goodbye g;
  {
    dry_after const none(0);
    EXPECT_FALSE(s.op.on_cleanup(g.cleanup()));
  }
  EXPECT_TRUE(g.begun);
  EXPECT_FALSE(g.op.cancel_requested());
  s.end(way::complete);
  EXPECT_TRUE(s.op.is_released()) << "nobody waits for it";
  g.end(way::complete);
}

template <std::size_t N, std::size_t Bytes>
struct in_slots : counted<int> {
  using cleanup = settle::fixed_cleanup<N, Bytes>;
};

TEST(G11_no_leak_at_the_door, a_fixed_slot_takes_an_asynchronous_cleanup_that_fits) {
  subject<in_slots<3, 256>> s;
  trail log;
  goodbye g;
  goodbye late;
  goodbye refused;
  s.r.on_cleanup([&] { log.push_back("1"); });
  EXPECT_TRUE(s.op.on_cleanup(g.cleanup()));
  EXPECT_TRUE(s.op.on_cleanup([&] { log.push_back("3"); }));
  EXPECT_FALSE(s.op.on_cleanup(refused.cleanup()));
  EXPECT_TRUE(refused.begun);
  refused.end(way::complete);
  s.end(way::complete);
  EXPECT_EQ(log, trail{"3"});
  EXPECT_TRUE(s.op.on_cleanup(late.cleanup()));
  g.end(way::complete);
  EXPECT_TRUE(late.begun);
  EXPECT_EQ(log, trail{"3"});
  late.end(way::complete);
  EXPECT_EQ(log, (trail{"3", "1"}));
  EXPECT_TRUE(s.op.is_released());
}

TEST(G11_no_leak_at_the_door, a_fixed_slot_that_is_too_small_begins_it_at_once) {
  subject<in_slots<2, 16>> s;
  goodbye g;
  EXPECT_FALSE(s.r.on_cleanup(g.cleanup()));
  EXPECT_TRUE(g.begun);
  s.end(way::complete);
  g.end(way::complete);
}

struct local : settle::default_policy {
  using terminal = settle::unsynchronized_terminal;
};
settle::handle<local> local_goodbye(trail& log) {
  log.push_back("cold");
  co_return;
}

TEST(policy_terminal, one_threads_operations_have_asynchronous_cleanups) {
  trail log;
  settle::resolver<local> inner;
  settle::handle<local> pending = inner.get_handle();
  settle::resolver<local> r;
  auto const op = r.op();
  r.on_cleanup([&] { log.push_back("1"); });
  r.on_cleanup([&] { return local_goodbye(log); });
  r.on_cleanup([&] { return std::move(pending); });
  r.complete();
  EXPECT_EQ(log, trail{});
  EXPECT_FALSE(op.is_released());
  inner.complete();
  EXPECT_EQ(log, (trail{"cold", "1"}));
  EXPECT_TRUE(op.is_released());
}

struct known : settle::default_policy {
  using monitor = settle::basic_census<known>;
  static constexpr std::string_view tag = "known";
};

TEST(A62_why_unreleased, an_asynchronous_cleanup_that_is_under_way) {
  goodbye g;
  settle::resolver<known> r;
  r.on_cleanup(g.cleanup());
  r.complete();
  auto const entries = settle::basic_census<known>::entries();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(settle::reasons(entries[0]), (std::vector<std::string>{"cleanup"}));
  g.end(way::complete);
  EXPECT_EQ(settle::basic_census<known>::size(), 0U);
}

struct told : counted<int> {
  using error_sink = recording_sink;
};

TEST(misuse, a_cleanup_that_returns_its_own_operation) {
  subject<told> s;
  bool next = false;
  s.op.on_cleanup([&] { next = true; });
  s.op.on_cleanup([&] { return std::move(s.h); });
  s.end(way::complete);
  EXPECT_TRUE(next);
  EXPECT_EQ(recording_sink::count(settle::monitor_event::misuse), 1U);
  recording_sink::take();
}

settle::handle<told> waits_for_release(bool* went_on, settle::operation of) {
  co_await of.released();
  *went_on = true;
  co_return 1;
}
settle::handle<told> passes_the_wait_on(bool* went_on, settle::operation of) {
  co_return co_await waits_for_release(went_on, std::move(of));
}

TEST(misuse, a_cleanup_that_waits_for_the_release_of_its_own_operation_or_one_above) {
  for (int which = 0; which != 3; ++which) {
    SCOPED_TRACE(which);
    subject<told> root;
    subject<told> s;
    subject<told> unrelated;
    root.op.adopt(s.op);
    settle::operation const awaited = which == 0 ? s.op : which == 1 ? root.op : unrelated.op;
    bool went_on = false;
    settle::watcher<told> waits;
    s.op.on_cleanup([&] {
      auto h = passes_the_wait_on(&went_on, awaited);
      waits = h.watch();
      return h;
    });
    s.end(way::complete);
    EXPECT_EQ(recording_sink::count(settle::monitor_event::misuse), which == 2 ? 0U : 1U);
    recording_sink::take();
    EXPECT_FALSE(went_on);
    if (which != 2) waits.request_cancel();
    root.end(way::complete);
    unrelated.end(way::complete);
    EXPECT_EQ(went_on, which == 2);
    EXPECT_TRUE(root.op.is_released());
    recording_sink::take();
  }
}

TEST(misuse, what_a_cleanup_waits_for_adopts_the_operation_it_cleans_up) {
  subject<told> s;
  goodbye g;
  subject<told> below;
  g.op.adopt(below.op);
  s.op.on_cleanup(g.cleanup());
  s.end(way::complete);
  below.op.adopt(s.op);
  EXPECT_EQ(recording_sink::count(settle::monitor_event::misuse), 1U);
  recording_sink::take();
  below.end(way::complete);
  g.end(way::complete);
  EXPECT_TRUE(s.op.is_released());
}

// ---- the budget ----

struct budgeted : counted<int, loop_with_timers::executor> {
  static constexpr std::chrono::milliseconds cleanup_budget{100};
};
using namespace std::chrono_literals;

TEST(cleanup_budget, what_takes_longer_is_asked_to_cancel_and_the_next_still_waits) {
  loop_with_timers loop;
  subject<budgeted> s(loop.get_executor());
  goodbye g;
  trail log;
  std::optional<settle::cause> why;
  g.op.on_cancel([&](settle::cancellation c) { why = c.why; });
  s.op.on_cleanup([&] { log.push_back("next"); });
  s.op.on_cleanup(g.cleanup());
  s.end(way::complete);
  EXPECT_EQ(loop.armed(), 0U) << "the time runs from when it begins";
  loop.advance(1h);
  EXPECT_TRUE(g.begun);
  EXPECT_EQ(loop.armed(), 1U);
  loop.advance(99ms);
  EXPECT_FALSE(g.op.cancel_requested());
  loop.advance(1ms);
  EXPECT_EQ(why, settle::cause::deadline);
  EXPECT_FALSE(g.op.is_settled()) << "asked, not forced";
  EXPECT_EQ(log, trail{});
  EXPECT_EQ(recording_sink::count(settle::monitor_event::cleanup_overrun), 1U);
  recording_sink::take();
  g.r.cancel();
  loop.run_all();
  EXPECT_EQ(log, trail{"next"});
  EXPECT_TRUE(s.op.is_released());
  EXPECT_EQ(loop.made(), 0U);
  EXPECT_EQ(recording_sink::take().size(), 0U) << "a cancelled farewell is no failure";
}

TEST(G16_quiet, a_budgets_timer_lets_go_before_the_next_cleanup) {
  loop_with_timers loop;
  subject<budgeted> s(loop.get_executor());
  goodbye g;
  std::size_t made_then = 9;
  s.op.on_cleanup([&] { made_then = loop.made(); });
  s.op.on_cleanup(g.cleanup());
  s.end(way::complete);
  loop.run();
  EXPECT_EQ(loop.armed(), 1U);
  g.end(way::complete);
  loop.run();
  EXPECT_EQ(loop.armed(), 0U);
  EXPECT_EQ(made_then, 9U) << "it was asked to stop, and has not said so yet";
  EXPECT_FALSE(s.op.is_released());
  loop.run_all();
  EXPECT_EQ(made_then, 0U);
  EXPECT_TRUE(s.op.is_released());
}

TEST(cleanup_budget, a_timer_that_fires_when_it_is_stopped_already_changes_nothing) {
  loop_with_timers loop;
  subject<budgeted> s(loop.get_executor());
  goodbye g;
  s.op.on_cleanup(g.cleanup());
  s.end(way::complete);
  loop.run();
  g.end(way::complete);  // released; its owner does not know yet
  loop.advance(1s);
  EXPECT_TRUE(s.op.is_released());
  EXPECT_EQ(recording_sink::take().size(), 0U);
}

TEST(cleanup_budget, a_service_that_goes_down_or_refuses_sets_no_deadline) {
  loop_with_timers loop;
  subject<budgeted> s(loop.get_executor());
  goodbye g;
  s.op.on_cleanup(g.cleanup());
  s.end(way::complete);
  loop.run();
  loop.lose_timers();
  g.end(way::complete);
  loop.run();
  EXPECT_TRUE(s.op.is_released());

  loop.refuse_timers(true);
  subject<budgeted> refused(loop.get_executor());
  goodbye other;
  refused.op.on_cleanup(other.cleanup());
  refused.end(way::complete);
  loop.run();
  EXPECT_EQ(loop.made(), 0U);
  other.end(way::complete);
  loop.run();
  EXPECT_TRUE(refused.op.is_released());
}

struct unhurried : counted<int, loop_with_timers::executor> {
  static constexpr auto cleanup_budget = std::chrono::milliseconds::max();
};
static_assert(settle::policy_traits<budgeted>::cleanup_budget() == 100ms);
static_assert(settle::policy_traits<settle::default_policy>::cleanup_budget() == 5s);

TEST(cleanup_budget, the_longest_is_none) {
  loop_with_timers loop;
  subject<unhurried> s(loop.get_executor());
  goodbye g;
  s.op.on_cleanup(g.cleanup());
  s.end(way::complete);
  loop.run();
  EXPECT_EQ(loop.armed(), 0U);
  g.end(way::complete);
  loop.run();
  EXPECT_TRUE(s.op.is_released());
}

TEST(cleanup_budget, the_timer_of_a_late_cleanup) {
  loop_with_timers loop;
  subject<budgeted> s(loop.get_executor());
  s.end(way::complete);
  loop.run();
  goodbye g;
  goodbye quick;
  EXPECT_FALSE(s.op.on_cleanup(g.cleanup()));
  EXPECT_FALSE(s.op.on_cleanup(quick.cleanup()));
  loop.run();
  EXPECT_EQ(loop.armed(), 2U);
  quick.end(way::complete);
  s.op = {};
  s.h = {};
  loop.advance(1s);
  EXPECT_TRUE(g.op.cancel_requested());
  EXPECT_EQ(recording_sink::count(settle::monitor_event::cleanup_overrun), 1U);
  recording_sink::take();
  g.r.cancel();
  loop.run_all();
  EXPECT_EQ(loop.made(), 0U);
}

settle::handle<farewell<>> inherits(settle::operation, goodbye& g) {
  settle::operation const self = co_await settle::this_operation;
  self.on_cleanup(g.cleanup());
}

TEST(cleanup_budget, a_coroutine_has_the_timers_of_the_executor_it_inherits) {
  loop_with_timers loop;
  subject<budgeted> parent(loop.get_executor());
  goodbye g;
  auto h = inherits(parent.op, g);
  loop.run();
  EXPECT_EQ(loop.armed(), 1U);
  loop.advance(6s);
  EXPECT_TRUE(g.op.cancel_requested());
  recording_sink::take();
  g.r.cancel();
  loop.run_all();
  EXPECT_TRUE(h.is_released());
  parent.end(way::complete);
  loop.run_all();
}

TEST(G10_nofail, a_budget_allocates_when_the_cleanup_is_registered_only) {
  loop_with_timers loop;
  subject<budgeted> s(loop.get_executor());
  goodbye g;
  goodbye none;
  {
    dry_after const one(1);
    EXPECT_FALSE(s.op.on_cleanup(none.cleanup())) << "no memory for the timer";
    EXPECT_TRUE(none.begun);
  }
  s.op.on_cleanup(g.cleanup());
  dry_after const dry(0);
  s.end(way::complete);
  loop.advance(1s);
  recording_sink::take();
  g.r.cancel();
  none.end(way::complete);
  loop.run_all();
  EXPECT_TRUE(s.op.is_released());
}

// ---- how many, how deep ----

constexpr std::size_t many = a_million;
constexpr std::size_t stack_size = a_small_stack;

void on_a_small_stack(std::function<void()> f) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, stack_size), 0);
  pthread_t thread{};
  auto const start = [](void* at) -> void* {
    (*static_cast<std::function<void()>*>(at))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, start, &f), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(G09_flat, a_million_asynchronous_cleanups_in_a_row) {
  on_a_small_stack([] {
    settle::resolver_of<void> r;
    auto const op = r.op();
    std::size_t ran = 0;
    for (std::size_t i = 0; i != many; ++i) {
      r.on_cleanup([&ran] {  // settled, but its sequence comes after us in the drain
        ++ran;
        settle::resolver_of<void> at_once;
        auto h = at_once.get_handle();
        at_once.complete();
        return h;
      });
    }
    r.complete();
    EXPECT_EQ(ran, many);
    EXPECT_TRUE(op.is_released());
  });
}

TEST(G09_flat, a_million_asynchronous_cleanups_that_are_released_when_they_return) {
  on_a_small_stack([] {
    settle::resolver_of<void> r;
    auto const op = r.op();
    std::size_t ran = 0;
    for (std::size_t i = 0; i != many; ++i) {
      settle::resolver_of<void> before;
      auto h = before.get_handle();
      before.complete();
      r.on_cleanup([&ran, h = std::move(h)]() mutable {
        ++ran;
        return std::move(h);
      });
    }
    r.complete();
    EXPECT_EQ(ran, many);
    EXPECT_TRUE(op.is_released());
  });
}

// Each is ended by the cleanup of the next: a chain of releases.
TEST(G09_flat, a_million_operations_whose_cleanups_wait_for_one_another) {
  on_a_small_stack([] {
    std::vector<settle::resolver_of<void>> r(many);
    for (std::size_t i = 1; i != many; ++i) r[i].on_cleanup([h = r[i - 1].get_handle()]() mutable { return std::move(h); });
    auto const last = r.back().op();
    for (std::size_t i = many; i != 1; --i) r[i - 1].complete();
    EXPECT_FALSE(last.is_released());
    r[0].complete();
    EXPECT_TRUE(last.is_released());
  });
}

TEST(G05_lifo, asynchronous_cleanups_end_on_other_threads) {
  thread_pool home(1);
  thread_pool elsewhere(2);
  using policy = counted<int, thread_pool::executor>;
  using remote = farewell<thread_pool::executor>;
  for (int round = 0; round != 300; ++round) {
    subject<policy> s(home.get_executor());
    auto const op = s.op;
    std::atomic<int> order = 0;
    std::atomic<bool> wrong = false;
    for (int i = 0; i != 4; ++i) {
      s.op.on_cleanup([&, i]() -> settle::handle<remote> {
        if (order.fetch_add(1) != (3 - i) * 2) wrong = true;
        settle::resolver<remote> r(elsewhere.get_executor());
        auto h = r.get_handle();
        r.on_cleanup([&, i] {
          if (order.fetch_add(1) != (3 - i) * 2 + 1) wrong = true;
        });
        elsewhere.get_executor().execute([r = std::move(r)]() mutable { r.complete(); });
        return h;
      });
    }
    std::thread late([&] { op.on_cleanup([] {}); });
    s.end(way::complete);
    op.wait_released();
    late.join();
    EXPECT_FALSE(wrong);
    EXPECT_EQ(order, 8);
  }
}

TEST(G06_never_late, registering_races_with_the_end_of_an_asynchronous_cleanup) {
  crew threads(3);
  for (int round = 0; round != 2000; ++round) {
    subject<counted<int>> s;
    goodbye g;
    goodbye late;
    std::atomic<int> ran = 0;
    s.op.on_cleanup(g.cleanup());
    s.end(way::complete);
    threads.run([&](unsigned i) {
      if (i == 0) g.end(way::complete);
      if (i == 1) s.op.on_cleanup([&] { ++ran; });
      if (i == 2) s.op.on_cleanup(late.cleanup());
    });
    EXPECT_TRUE(late.begun);
    late.end(way::complete);
    EXPECT_EQ(ran, 1);
    EXPECT_TRUE(s.op.is_released());
  }
}

// ---- storage, and the time that passes between two steps ----

template <class Value, class Storage, class Ex = settle::inline_executor>
struct stored_in : counted<Value, Ex> {
  using cleanup = Storage;
};
struct wide_slots : settle::lifo_cleanup<2> {
  static constexpr std::size_t slot_bytes = 512;
};

template <class Storage>
void an_asynchronous_cleanup_of_the_sole_producer() {
  trail log;
  goodbye first;
  settle::resolver<stored_in<int, Storage>> r;
  EXPECT_TRUE(r.on_cleanup([&] { log.emplace_back("last"); }));
  EXPECT_TRUE(r.on_cleanup(first.cleanup()));
  settle::operation const op = r.op();
  r.complete(1);
  EXPECT_TRUE(first.begun);
  EXPECT_EQ(log, trail{});
  first.end(way::complete);
  EXPECT_EQ(log, trail{"last"});
  EXPECT_TRUE(op.is_released());
}

TEST(G05_lifo, an_asynchronous_cleanup_that_would_fit_the_state) {
  an_asynchronous_cleanup_of_the_sole_producer<wide_slots>();
  an_asynchronous_cleanup_of_the_sole_producer<settle::fixed_cleanup<2, 512>>();
}

template <class Storage>
void an_asynchronous_cleanup_of_what_is_released() {
  loop_with_timers loop;
  subject<stored_in<int, Storage, loop_with_timers::executor>> s(loop.get_executor());
  s.end(way::complete);
  loop.run_all();
  ASSERT_TRUE(s.op.is_released());
  goodbye late;
  EXPECT_FALSE(s.op.on_cleanup(late.cleanup()));
  loop.run_all();
  EXPECT_TRUE(late.begun);
  late.end(way::complete);
  loop.run_all();
  EXPECT_EQ(loop.made(), 0U);
  subject<counted<void>> over;
  over.end(way::complete);
  EXPECT_FALSE(s.op.on_cleanup([&] { return std::move(over.h); })) << "there is nothing to wait for";
  loop.run_all();
}

TEST(G06_never_late, an_asynchronous_cleanup_of_what_is_released) {
  an_asynchronous_cleanup_of_what_is_released<settle::lifo_cleanup_2>();
  an_asynchronous_cleanup_of_what_is_released<settle::fixed_cleanup<2, 512>>();
}

TEST(G06_never_late, an_asynchronous_cleanup_of_no_operation) {
  goodbye one;
  EXPECT_FALSE(settle::operation().on_cleanup(one.cleanup()));
  EXPECT_TRUE(one.begun);
  EXPECT_FALSE(one.op.cancel_requested()) << "left to itself";
  one.end(way::complete);
  goodbye two;
  EXPECT_FALSE(settle::operation().on_cleanup([&](settle::ending) { return std::move(two.h); }));
  EXPECT_FALSE(two.op.cancel_requested());
  two.end(way::complete);
}

class passing_timers {
 public:
  class timer {
   public:
    explicit timer(passing_timers const& s) noexcept : rest_(s.inner_) {}
    bool start(std::chrono::steady_clock::time_point when, settle::timer_done done) noexcept {
      bool const made = rest_.start(when, done);
      meanwhile::pass();
      return made;
    }
    void stop() noexcept { rest_.stop(); }

   private:
    loop_with_timers::service::timer rest_;
  };
  explicit passing_timers(loop_with_timers& l) noexcept : inner_(l) {}
  std::chrono::steady_clock::time_point now() const noexcept { return inner_.now(); }

 private:
  mutable loop_with_timers::service inner_;
};
struct passing_executor : manual_loop::executor {
  loop_with_timers* loop;
  explicit passing_executor(loop_with_timers& l) noexcept : manual_loop::executor(l), loop(&l) {}
  passing_timers timers() const noexcept { return passing_timers(*loop); }
  bool operator==(passing_executor const&) const = default;
};
static_assert(settle::has_timers<passing_executor>);

void released_while_the_timer_is_made(bool with_timers, way how) {
  loop_with_timers loop;
  loop.refuse_timers(!with_timers);
  subject<counted<int, passing_executor>> s{passing_executor(loop)};
  subject<counted<void>> awaited;
  trail log;
  s.op.on_cleanup([&] { log.emplace_back("next"); });
  s.op.on_cleanup([&] { return std::move(awaited.h); });
  {
    meanwhile const other([&] { std::thread([&] { awaited.end(how); }).join(); });
    s.end(way::complete);
    loop.manual_loop::run();
  }
  EXPECT_EQ(log.empty(), with_timers) << "the timer has not let go yet";
  EXPECT_EQ(loop.armed(), 0U);
  loop.run_all();
  EXPECT_EQ(log, trail{"next"});
  EXPECT_TRUE(s.op.is_released());
  EXPECT_EQ(loop.made(), 0U);
  EXPECT_EQ(recording_sink::count(settle::monitor_event::cleanup_failed), how == way::fail ? 1U : 0U);
  recording_sink::take();
}

TEST(G05_lifo, what_an_asynchronous_cleanup_waits_for_is_released_while_its_timer_is_made) {
  in_each_way([](way how) {
    if (how == way::drop) return;  // the cleanup has the handle
    released_while_the_timer_is_made(true, how);
    released_while_the_timer_is_made(false, how);
  });
}

}  // namespace
