// SPDX-License-Identifier: BSL-1.0
// The simulation: virtual time, an order that the seed decides, and what may go wrong.
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "situations.hpp"

SETTLE_PRINT_SEEDS();

namespace {

using namespace std::chrono_literals;
using settle::cause;
using settle::testing::order;
using settle::testing::sim_event;
using settle::testing::simulation;
using settle::testing::submit_fault;
using executor = simulation::executor;

static_assert(settle::executor<executor> && settle::has_timers<executor>);
static_assert(std::is_copy_constructible_v<executor> && sizeof(executor) == sizeof(void*));

struct job : settle::default_policy {
  using value_type = int;
  using executor_type = executor;
  using allocator_type = simulation::allocator;
  using error_sink = test::recording_sink;
  static constexpr std::string_view tag = "job";
};

TEST(simulation, time_moves_only_when_it_is_told_to) {
  simulation sim(1);
  auto const begin = sim.now();
  std::vector<std::chrono::nanoseconds> seen;
  auto const note = [&] { seen.push_back(sim.now() - begin); };
  sim.get_executor().execute(note);
  auto a = settle::sleep(sim.get_executor(), 3s);
  auto b = settle::sleep(sim.get_executor(), 2s);
  a.on_done(note);
  b.on_done(note);
  EXPECT_EQ(sim.run(), 1U);
  EXPECT_EQ(sim.now(), begin);
  sim.advance(2500ms);
  EXPECT_EQ(sim.now(), begin + 2500ms);
  sim.run_until(begin + 10s);
  EXPECT_EQ(sim.now(), begin + 10s);
  EXPECT_EQ(seen, (std::vector<std::chrono::nanoseconds>{0s, 2s, 3s})) << "each at its own time, not at the end of the step";
  sim.run_until(begin);
  EXPECT_EQ(sim.now(), begin + 10s) << "never back";
}

TEST(simulation, runs_nothing_by_itself_and_one_by_one_when_asked) {
  simulation sim(1);
  int ran = 0;
  for (int i = 0; i != 3; ++i) sim.get_executor().execute([&] { ++ran; });
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(sim.queued(), 3U);
  EXPECT_TRUE(sim.run_one());
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(sim.run(), 2U);
  EXPECT_FALSE(sim.run_one());
  EXPECT_EQ(sim.queued(), 0U);
}

TEST(simulation, executors_are_equal_to_their_copies_and_know_when_they_run) {
  simulation sim(1);
  executor const a = sim.get_executor();
  executor const b = sim.make_executor();
  EXPECT_TRUE(a == sim.get_executor());
  EXPECT_FALSE(a == b);
  EXPECT_FALSE(sim.make_executor() == b);
  int ran = 0;
  a.execute([&] {
    ++ran;
    EXPECT_TRUE(a.running_in_this_thread());
    EXPECT_FALSE(b.running_in_this_thread());
  });
  auto nap = settle::sleep(b, 1ms);
  nap.on_done([&] {
    ++ran;
    EXPECT_TRUE(b.running_in_this_thread());
    EXPECT_FALSE(a.running_in_this_thread());
  });
  sim.advance(1ms);
  EXPECT_EQ(ran, 2);
  EXPECT_FALSE(a.running_in_this_thread());
}

TEST(simulation, until_something_is_true_time_passes_when_nothing_is_ready) {
  simulation sim(1);
  auto const begin = sim.now();
  auto a = settle::sleep(sim.get_executor(), 5s);
  auto b = settle::sleep(sim.get_executor(), 7s);
  EXPECT_TRUE(sim.run_until([&] { return a.is_released(); }));
  EXPECT_EQ(sim.now(), begin + 5s);
  EXPECT_FALSE(b.is_settled());
  EXPECT_FALSE(sim.run_until([] { return false; })) << "nothing is left";
  EXPECT_TRUE(b.is_released());
  EXPECT_EQ(sim.now(), begin + 7s);
}

TEST(simulation, a_jump_makes_all_that_it_passes_ready_at_once) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed != 100; ++seed) {
    simulation sim(seed);
    std::string seen;
    auto a = settle::sleep(sim.get_executor(), 1s);
    auto b = settle::sleep(sim.get_executor(), 2s);
    a.on_done([&] { seen += 'a'; });
    b.on_done([&] { seen += 'b'; });
    sim.jump(1h);
    EXPECT_TRUE(seen.empty());
    sim.run();
    orders.insert(seen);
  }
  EXPECT_EQ(orders, (std::set<std::string>{"ab", "ba"}));
}

std::string order_of_three(std::uint64_t seed, order o) {
  simulation sim(seed, o);
  std::string seen;
  for (char const c : {'a', 'b', 'c'}) sim.get_executor().execute([&seen, c] { seen += c; });
  sim.run();
  return seen;
}

TEST(simulation, the_seed_decides_what_is_next) {
  std::set<std::string> any;
  std::set<std::string> fifo;
  for (std::uint64_t seed = 0; seed != 200; ++seed) {
    any.insert(order_of_three(seed, order::any));
    fifo.insert(order_of_three(seed, order::first_in_first_out));
  }
  EXPECT_EQ(any.size(), 6U);
  EXPECT_EQ(fifo, std::set<std::string>{"abc"});
}

TEST(simulation, in_order_on_each_executor_and_in_any_order_among_them) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed != 300; ++seed) {
    simulation sim(seed, order::first_in_first_out);
    executor const other = sim.make_executor();
    std::string seen;
    for (char const c : {'a', 'b'}) sim.get_executor().execute([&seen, c] { seen += c; });
    for (char const c : {'x', 'y'}) other.execute([&seen, c] { seen += c; });
    sim.run();
    orders.insert(seen);
  }
  EXPECT_EQ(orders, (std::set<std::string>{"abxy", "axby", "axyb", "xaby", "xayb", "xyab"}));
}

TEST(simulation, the_seed_decides_ties_of_timers) {
  for (order const o : {order::any, order::first_in_first_out}) {
    std::set<std::string> orders;
    for (std::uint64_t seed = 0; seed != 100; ++seed) {
      simulation sim(seed, o);
      std::string seen;
      auto a = settle::sleep(sim.get_executor(), 5ms);
      auto b = settle::sleep(sim.get_executor(), 5ms);
      auto c = settle::sleep(sim.get_executor(), 5ms - 1ns);
      a.on_done([&] { seen += 'a'; });
      b.on_done([&] { seen += 'b'; });
      c.on_done([&] { seen += 'c'; });
      sim.advance(1s);
      orders.insert(seen);
    }
    if (o == order::any) EXPECT_EQ(orders, (std::set<std::string>{"cab", "cba"}));
    else EXPECT_EQ(orders, std::set<std::string>{"cab"});
  }
}

struct timer_probe {
  settle::testing::sim_timers::timer timer;
  std::vector<settle::timer_end> ends{};
  std::chrono::steady_clock::time_point at{};
  simulation* sim;
  explicit timer_probe(simulation& s) : timer(s.get_executor().timers()), sim(&s) {}
  void over(settle::timer_end how) noexcept {
    ends.push_back(how);
    at = sim->now();
  }
  bool start(std::chrono::nanoseconds d) { return timer.start(sim->now() + d, settle::timer_done::to<&timer_probe::over>(*this)); }
};

TEST(simulation, a_timer_stopped_when_it_is_due_ends_either_way) {
  std::map<settle::timer_end, int> seen;
  for (std::uint64_t seed = 0; seed != 100; ++seed) {
    simulation sim(seed);
    timer_probe t(sim);
    ASSERT_TRUE(t.start(1ms));
    bool stopped = false;
    sim.jump(1ms);
    sim.get_executor().execute([&] {
      stopped = t.ends.empty();
      t.timer.stop();
    });
    sim.run();
    ASSERT_EQ(t.ends.size(), 1U);
    if (stopped) ++seen[t.ends.front()];
    else EXPECT_EQ(t.ends.front(), settle::timer_end::fired);
  }
  EXPECT_GT(seen[settle::timer_end::fired], 5);
  EXPECT_GT(seen[settle::timer_end::stopped], 5);
}

TEST(simulation, a_stopped_timer_lets_go_later_and_when_asked_to_much_later) {
  std::set<std::chrono::nanoseconds> delays;
  for (std::uint64_t seed = 0; seed != 50; ++seed) {
    simulation sim(seed);
    sim.close_delay(10ms);
    auto const begin = sim.now();
    timer_probe t(sim);
    ASSERT_TRUE(t.start(1s));
    t.timer.stop();
    EXPECT_TRUE(t.ends.empty());
    EXPECT_FALSE(sim.is_quiescent());
    EXPECT_NE(sim.text().find("a timer that lets go"), std::string::npos);
    t.timer.stop();
    sim.run();
    sim.advance(10ms);
    EXPECT_EQ(t.ends, std::vector{settle::timer_end::stopped});
    delays.insert(t.at - begin);
    EXPECT_QUIESCENT(sim);
  }
  EXPECT_GT(delays.size(), 30U);
  EXPECT_LE(*delays.rbegin(), 10ms);
}

// A program that does many things at once, in an order that the seed decides.
struct outcome_of_run {
  std::string trace;
  std::uint64_t hash;
  std::string seen;
  bool operator==(outcome_of_run const&) const = default;
};
outcome_of_run play(std::uint64_t seed) {
  simulation sim(seed);
  std::string seen;
  executor const ex[] = {sim.get_executor(), sim.make_executor(), sim.make_executor()};
  sim.close_delay(3ms);
  sim.faults().sometimes(submit_fault::delay, 7, 2ms).sometimes(submit_fault::late, 9);
  std::vector<settle::handle_of<void>> naps;
  for (int i = 0; i != 60; ++i) {
    naps.push_back(settle::sleep(ex[i % 3], 1ms * (i % 5)));
    naps.back().on_done([&seen, i](settle::outcome<void> const& out) { seen += std::to_string(i) + (out ? "+ " : "- "); });
    if (i % 4 == 0) ex[(i + 1) % 3].execute([op = settle::operation(naps.back())] { op.request_cancel(); });
  }
  sim.advance(1s);
  for (auto const& n : naps) EXPECT_TRUE(n.is_released());
  naps.clear();
  EXPECT_QUIESCENT(sim);
  return {sim.trace().text(100'000), sim.trace().hash(), seen};
}

TEST(simulation, the_same_seed_gives_the_same_trace) {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 0; seed != 30; ++seed) {
    outcome_of_run const first = play(seed);
    std::vector<std::unique_ptr<int>> elsewhere;  // other addresses the second time
    for (int i = 0; i != 100; ++i) elsewhere.push_back(std::make_unique<int>(i));
    EXPECT_EQ(play(seed), first);
    hashes.insert(first.hash);
  }
  EXPECT_EQ(hashes.size(), 30U) << "and another seed another one";
}

TEST(simulation, its_trace_says_what_happened) {
  simulation sim(1);
  sim.faults().submit(2, submit_fault::drop).timer(2);
  sim.get_executor().execute([] {});
  sim.get_executor().execute([] {});
  timer_probe a(sim);
  timer_probe b(sim);
  timer_probe c(sim);
  ASSERT_TRUE(a.start(1ms));
  EXPECT_FALSE(b.start(1ms));
  ASSERT_TRUE(c.start(1ms));
  c.timer.stop();
  sim.advance(1ms);
  std::map<sim_event::what_t, int> count;
  for (sim_event const& e : sim.trace().events()) ++count[e.what];
  EXPECT_EQ(count, (std::map<sim_event::what_t, int>{{sim_event::submitted, 2},
                                                     {sim_event::ran, 1},
                                                     {sim_event::started, 2},
                                                     {sim_event::fired, 1},
                                                     {sim_event::stopping, 1},
                                                     {sim_event::let_go, 1},
                                                     {sim_event::lost, 1},
                                                     {sim_event::refused, 1}}));
  EXPECT_NE(sim.trace().text(100).find("1.000000 ms  executor 1  #3 timer fired"), std::string::npos) << sim.trace().text(100);
}

TEST(simulation, keeps_the_end_of_a_long_trace_and_a_fingerprint_of_all) {
  settle::testing::sim_trace all;
  settle::testing::sim_trace few(3);
  for (std::uint64_t i = 0; i != 10; ++i) {
    all.note({sim_event::ran, 1, i, 0ns});
    few.note({sim_event::ran, 1, i, 0ns});
  }
  EXPECT_EQ(few.events().size(), 3U);
  EXPECT_EQ(few.events().front().item, 7U);
  EXPECT_EQ(few.hash(), all.hash());
  few.note({sim_event::ran, 2, 10, 0ns});
  all.note({sim_event::ran, 1, 10, 0ns});
  EXPECT_NE(few.hash(), all.hash());
}

// Every fault, at every submission of a scenario with two executors, a tree, cleanups and a sleep: all is released, once.
TEST(simulation, whatever_happens_to_one_submission_nothing_is_lost) {
  for (auto const fault : {submit_fault::reject, submit_fault::drop, submit_fault::delay, submit_fault::late, submit_fault::destroy}) {
    std::uint64_t n = 0;
    std::uint64_t struck = 0;
    testing::internal::CaptureStderr();  // sleep's sink tells of lost executors
    do {
      ++n;
      SCOPED_TRACE(n);
      simulation sim(n);
      sim.faults().submit(n, fault);
      executor const other = sim.make_executor();
      int done = 0;
      int cleaned = 0;
      {
        settle::resolver<job> parent(std::allocator_arg, sim.get_allocator(), sim.get_executor());
        settle::resolver<job> child(std::allocator_arg, sim.get_allocator(), other);
        auto h = parent.get_handle();
        parent.op().adopt(child.get_handle());
        child.on_cleanup([&]() noexcept { ++cleaned; });
        parent.on_cleanup([&]() noexcept { ++cleaned; });
        h.on_done([&] { ++done; });
        auto nap = settle::sleep(other, 1ms);
        nap.on_done([&] { ++done; });
        auto cut = settle::sleep(sim.get_executor(), 1h);
        cut.on_done([&] { ++done; });
        auto const op = settle::operation(h);
        sim.run();
        cut.cancel();
        child.complete(1);
        parent.complete(2);
        sim.advance(1ms);
        auto gone = std::move(h);
        sim.advance(1ms);
        EXPECT_TRUE(op.is_released());
        op.on_done([&] { ++done; });  // too late for anything but at once
      }
      sim.advance(1ms);
      EXPECT_EQ(done, 4);
      EXPECT_EQ(cleaned, 2);
      EXPECT_QUIESCENT(sim);
      struck = sim.faults().struck();
      for (auto const& r : test::recording_sink::take())
        EXPECT_TRUE(r.what == settle::monitor_event::executor_lost || r.what == settle::monitor_event::abandoned);
    } while (struck != 0);
    testing::internal::GetCapturedStderr();
    EXPECT_GT(n, 4U) << "every submission had its turn";
  }
}

TEST(simulation, an_allocation_that_fails_fails_cleanly) {
  for (bool const sticky : {false, true}) {
    std::uint64_t n = 0;
    std::uint64_t struck = 0;
    do {
      ++n;
      SCOPED_TRACE(n);
      simulation sim(1);
      sim.faults().allocation(n, sticky);
      int cleaned = 0;
      try {
        settle::resolver<job> r(std::allocator_arg, sim.get_allocator(), sim.get_executor());
        auto h = r.get_handle();
        for (int i = 0; i != 4; ++i) r.on_cleanup([&cleaned, big = std::string(3, 'x')]() noexcept { ++cleaned; });
        h.on_done([] {});
        r.complete(1);
        sim.run();
        EXPECT_EQ(cleaned, 4);
      } catch (std::bad_alloc const&) {
      }
      sim.run();
      EXPECT_QUIESCENT(sim);
      struck = sim.faults().struck();
      for (auto const& r : test::recording_sink::take()) EXPECT_EQ(r.what, settle::monitor_event::abandoned);
    } while (struck != 0);
    EXPECT_GT(n, 4U);
  }
}

TEST(simulation, faults_can_be_counted_and_taken_back) {
  simulation sim(1);
  sim.faults().submit(1, submit_fault::reject).submit(3, submit_fault::drop).allocation(1).timer(1);
  EXPECT_THROW(sim.get_executor().execute([] {}), std::runtime_error);
  EXPECT_EQ(sim.faults().struck(), 1U);
  sim.faults().clear();
  int ran = 0;
  for (int i = 0; i != 3; ++i) sim.get_executor().execute([&] { ++ran; });
  sim.run();
  EXPECT_EQ(ran, 3);
  EXPECT_EQ(sim.faults().submits(), 4U);
  std::vector<int, settle::testing::sim_allocator<int>> v(sim.get_allocator());
  v.assign(10, 1);
  EXPECT_EQ(sim.faults().allocations(), 1U);
  EXPECT_EQ(sim.bytes(), 10 * sizeof(int));
  timer_probe t(sim);
  EXPECT_TRUE(t.start(0ms));
  EXPECT_EQ(sim.faults().timers(), 1U);
  sim.run();
  EXPECT_EQ(sim.faults().struck(), 1U);
}

TEST(simulation, chance_strikes_as_often_as_it_was_told_and_the_same_with_the_same_seed) {
  auto const dropped = [](std::uint64_t seed) {
    simulation sim(seed);
    sim.faults().sometimes(submit_fault::drop, 4);
    std::string which;
    for (char c = 'a'; c <= 'z'; ++c) sim.get_executor().execute([&which, c] { which += c; });
    sim.run();
    return which;
  };
  EXPECT_EQ(dropped(7), dropped(7));
  EXPECT_NE(dropped(7), dropped(8));
  EXPECT_LT(dropped(7).size(), 26U);
  EXPECT_GT(dropped(7).size(), 8U);
}

TEST(simulation, a_destroyed_executor_loses_its_work_and_timers_and_the_others_go_on) {
  simulation sim(3);
  executor const dying = sim.make_executor();
  auto const alive = std::make_shared<int>(1);
  dying.execute([alive] {});
  sim.faults().submit(1, submit_fault::delay, 1h).submit(2, submit_fault::late);
  dying.execute([alive] {});
  dying.execute([alive] {});
  timer_probe here(sim);
  ASSERT_TRUE(here.start(1ms));
  settle::testing::sim_timers::timer there(dying.timers());
  static int lost;
  lost = 0;
  ASSERT_TRUE(there.start(
      sim.now() + 1ms, settle::timer_done([](void*, settle::timer_end how) noexcept { lost += how == settle::timer_end::lost; }, nullptr)));
  EXPECT_EQ(alive.use_count(), 4);
  sim.destroy(dying);
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(lost, 1);
  there.stop();
  EXPECT_FALSE(there.start(sim.now(), {}));
  EXPECT_THROW(dying.execute([] {}), std::runtime_error);
  sim.advance(1ms);
  EXPECT_EQ(here.ends, std::vector{settle::timer_end::fired});
  EXPECT_EQ(sim.queued(), 0U);
}

TEST(simulation, destroyed_it_destroys_what_is_queued) {
  auto const alive = std::make_shared<int>(1);
  struct lost_probe {
    std::unique_ptr<settle::testing::sim_timers::timer> timer;
    int lost = 0;
    void over(settle::timer_end how) noexcept { lost += how == settle::timer_end::lost ? 1 : 100; }
  } probe;
  {
    simulation sim(1);
    sim.get_executor().execute([alive, ex = sim.make_executor()] { ex.execute([] {}); });
    sim.make_executor().execute([alive] {});
    probe.timer = std::make_unique<settle::testing::sim_timers::timer>(sim.get_executor().timers());
    ASSERT_TRUE(probe.timer->start(sim.now() + 1h, settle::timer_done::to<&lost_probe::over>(probe)));
  }
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(probe.lost, 1);
  probe.timer->stop();
}

TEST(simulation, what_work_throws_comes_out_and_the_rest_stays) {
  simulation sim(1, order::first_in_first_out);
  int ran = 0;
  sim.get_executor().execute([] { throw std::runtime_error("work"); });
  sim.get_executor().execute([&] { ++ran; });
  EXPECT_THROW(sim.run(), std::runtime_error);
  EXPECT_FALSE(sim.get_executor().running_in_this_thread());
  sim.run();
  EXPECT_EQ(ran, 1);
  EXPECT_QUIESCENT(sim);
}

TEST(simulation, is_not_quiescent_while_anything_is_left_and_says_what) {
  simulation sim(42);
  auto const says = [&](char const* what) { return sim.text().find(what) != std::string::npos; };
  EXPECT_QUIESCENT(sim);

  sim.get_executor().execute([] {});
  EXPECT_FALSE(sim.is_quiescent());
  EXPECT_TRUE(says("#1, work of executor 1, ready")) << sim.text();
  sim.run();
  EXPECT_QUIESCENT(sim);

  {
    auto nap = settle::sleep(sim.get_executor(), 1h);
    EXPECT_FALSE(sim.is_quiescent());
    EXPECT_TRUE(says("a timer of executor 1, waiting")) << sim.text();
    EXPECT_TRUE(says("operation 1, 0 ms old, waits for: producer, created at")) << sim.text();
    EXPECT_TRUE(says("simulation.cpp"));
    sim.advance(5ms);
    EXPECT_TRUE(says("5 ms old"));
  }
  EXPECT_TRUE(says("asked to stop"));
  sim.run();
  EXPECT_QUIESCENT(sim);

  {
    settle::resolver<job> r(std::allocator_arg, sim.get_allocator(), sim.get_executor());
    EXPECT_GT(sim.bytes(), 0U);
    EXPECT_EQ(sim.operations(), 1U);
    EXPECT_TRUE(says("operation 2 job, ")) << sim.text();
    EXPECT_TRUE(says("bytes of its allocator"));
    r.complete(1);
  }
  sim.run();
  EXPECT_QUIESCENT(sim);
  EXPECT_TRUE(says("seed 42: SETTLE_SEED=42 does it again"));
  EXPECT_TRUE(says("last events:"));
}

settle::handle_of<int> naps_twice(executor, simulation& sim) {
  executor const ex = sim.get_executor();
  co_await settle::sleep(ex, 3ms);
  co_await settle::sleep(ex, 4ms);
  co_return 7;
}

TEST(simulation, coroutines_live_in_it_like_any_operation) {
  simulation sim(settle::testing::seed());
  auto const begin = sim.now();
  auto h = naps_twice(sim.get_executor(), sim);
  EXPECT_GE(sim.operations(), 1U);
  EXPECT_TRUE(sim.run_until([&] { return h.is_released(); }));
  EXPECT_EQ(sim.now() - begin, 7ms);
  EXPECT_EQ(std::move(h).wait().value(), 7);
  EXPECT_QUIESCENT(sim);

  auto cut = naps_twice(sim.get_executor(), sim);
  sim.advance(4ms);
  cut = {};
  sim.run();
  EXPECT_QUIESCENT(sim);
}

// The guarantees hold in whatever order: the tests' situations, seeded.
TEST(simulation, every_ending_under_many_seeds) {
  for (std::uint64_t seed = 0; seed != 50; ++seed) {
    test::in_each_way([&](test::way how) {
      simulation sim(seed);
      int done = 0;
      int cleaned = 0;
      {
        test::subject<test::counted<int, executor>> s(sim.get_executor());
        s.r.on_cleanup([&]() noexcept { ++cleaned; });
        s.h.on_done([&](auto const& out) {
          ++done;
          EXPECT_EQ(out.is_cancelled(), test::is_cancelled(how));
          EXPECT_EQ(cleaned, 0);
        });
        s.end(how);
        sim.run();
      }
      sim.run();
      EXPECT_EQ(done, 1);
      EXPECT_EQ(cleaned, 1);
      EXPECT_QUIESCENT(sim);
    });
  }
}

}  // namespace
