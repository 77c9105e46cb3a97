// SPDX-License-Identifier: BSL-1.0
// shutdown_plan: subsystem after subsystem, phase after phase, within a budget (A39, A40, A41, A42). In virtual time.
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "executors.hpp"
#include "loop_with_timers.hpp"

namespace {

using namespace std::chrono_literals;
using settle::cause;
using settle::errc;
using settle::handle_of;
using settle::shutdown_plan;
using settle::shutdown_report;
using settle::testing::sim_executor;
using settle::testing::simulation;
using sim_resolver = settle::resolver_of<void, settle::error, sim_executor>;

/// A part of a program that writes down what happens to it.
struct service {
  sim_executor ex;
  std::string& log;
  char name;
  sim_resolver life;
  std::optional<sim_resolver> draining{};
  bool stops_when_asked = true;

  service(sim_executor e, std::string& l, char n) : ex(e), log(l), name(n), life(e) {
    life.on_cancel([this](settle::cancellation c) {
      log += {name, c.root == cause::shutdown ? 'c' : '?', ' '};
      if (stops_when_asked) life.cancel();
    });
  }
  settle::subsystem parts() {
    return {.stop_accepting = [this] { log += {name, 's', ' '}; },
            .drain =
                [this] {
                  log += {name, 'd', ' '};
                  draining.emplace(ex);
                  draining->on_cancel([this] { draining->cancel(); });
                  return draining->get_handle();
                },
            .root = life.op()};
  }
};

struct stopped : testing::Test {
  simulation sim{settle::testing::seed()};
  sim_executor ex = sim.get_executor();
  simulation::time_point const t0 = sim.now();
  std::string log;

  static shutdown_report const& report(settle::watcher_of<shutdown_report> const& w) { return w.peek()->value(); }
  void TearDown() override {
    sim.run();
    EXPECT_QUIESCENT(sim);
  }
};
struct A39_stop_with_everything_pending : stopped {};
struct A41_shutdown_phases : stopped {};
struct A42_late_work_at_the_end : stopped {};

TEST_F(A41_shutdown_phases, in_reverse_order_each_phase_after_the_other) {
  shutdown_plan stop(ex);
  service db(ex, log, 'a');
  service web(ex, log, 'b');
  stop.add("db", db.parts()).add("web", web.parts());
  auto w = stop.run(12s);
  EXPECT_EQ(log, "") << "on the executor, not here";
  sim.run();
  EXPECT_EQ(log, "bs bd ");
  sim.advance(1s);
  web.draining->complete();
  sim.run();
  EXPECT_EQ(log, "bs bd bc as ad ");
  db.draining->fail(errc::closed);
  sim.run();
  EXPECT_EQ(log, "bs bd bc as ad ac ");
  ASSERT_TRUE(w.is_settled());
  EXPECT_TRUE(report(w).clean());
  EXPECT_EQ(report(w).took, 1s);
}
TEST_F(A41_shutdown_phases, what_takes_too_long_is_cancelled_then_forced_then_reported) {
  shutdown_plan stop(ex);
  service web(ex, log, 'w');
  web.stops_when_asked = false;
  stop.add("web", web.parts());
  constexpr auto line = static_cast<std::uint_least32_t>(__LINE__) + 1;
  sim_resolver request(web.life.op(), ex);
  auto w = stop.run(8s);  // 4 s are web's, 2 to drain, 1 to be asked
  sim.advance(1999ms);
  EXPECT_EQ(log, "ws wd ");
  sim.advance(1ms);
  EXPECT_EQ(log, "ws wd wc ");
  EXPECT_FALSE(web.life.op().is_settled());
  sim.advance(1s);
  EXPECT_TRUE(web.life.op().is_settled()) << "forced";
  EXPECT_TRUE(request.op().is_settled());
  EXPECT_FALSE(w.is_settled());
  sim.advance(5s);
  ASSERT_TRUE(w.is_settled());
  EXPECT_LE(report(w).took, 8s);
  ASSERT_EQ(report(w).survivors.size(), 2U);
  settle::survivor const& s = report(w).survivors[1];
  EXPECT_EQ(s.owner, "web");
  EXPECT_EQ(s.kind, "operation");
  EXPECT_EQ(s.created.line(), line);
  EXPECT_EQ(s.why, cause::parent);
  EXPECT_FALSE(report(w).clean());
  request.cancel();
  web.life.cancel();
}

struct watched : settle::default_policy {
  using executor_type = sim_executor;
  using monitor = settle::census;
  static constexpr std::string_view tag = "rpc";
};
TEST_F(A41_shutdown_phases, survivors_have_a_kind_and_an_age_where_the_census_knows) {
  shutdown_plan stop(ex);
  settle::resolver<watched> rpc(stop.root(), ex);
  for (auto const t = std::chrono::steady_clock::now(); std::chrono::steady_clock::now() == t;) {  // the census has that clock
  }
  auto w = stop.run(1s);
  sim.advance(1s);
  ASSERT_TRUE(w.is_settled());
  ASSERT_EQ(report(w).survivors.size(), 2U) << "the root, and what is under it";
  EXPECT_EQ(report(w).survivors[1].kind, "rpc");
  EXPECT_EQ(report(w).survivors[1].owner, "root");
  EXPECT_GT(report(w).survivors[1].age, 0ns);
  rpc.cancel();
}
TEST_F(A41_shutdown_phases, survivors_are_listed_once_each_down_the_tree) {
  shutdown_plan stop(ex);
  sim_resolver left(stop.root(), ex);
  sim_resolver right(stop.root(), ex);
  sim_resolver shared(left.op(), ex);
  right.op().adopt(shared.op());
  auto w = stop.run(1s);
  sim.advance(1s);
  ASSERT_TRUE(w.is_settled());
  EXPECT_EQ(report(w).survivors.size(), 4U) << "the root, two children, and theirs";
  shared.cancel();
  left.cancel();
  right.cancel();
}

TEST_F(A41_shutdown_phases, survivors_under_the_plans_root_are_named_once_by_their_subsystem) {
  shutdown_plan stop(ex);
  sim_resolver db(stop.root(), ex);
  sim_resolver query(db.op(), ex);
  sim_resolver stray(stop.root(), ex);
  stop.add("db", {.root = db.op()});
  auto w = stop.run(1s);
  sim.advance(1s);
  ASSERT_TRUE(w.is_settled());
  std::string owners;
  for (auto const& s : report(w).survivors) owners += s.owner + " ";
  EXPECT_EQ(owners, "db db root root ") << "two of db's, the root itself, and what is no subsystem's";
  query.cancel();
  db.cancel();
  stray.cancel();
}

TEST_F(A41_shutdown_phases, survivors_below_a_supervisors_child_have_its_name) {
  shutdown_plan stop(ex);
  settle::supervisor services(stop.root(), settle::restart::one_for_one, 3, 5s);
  std::optional<sim_resolver> feed;
  auto begin = [&] {
    feed.emplace(ex);
    return feed->get_handle();
  };
  services.add("feed", begin);
  sim.run();
  auto w = stop.run(1s);
  sim.advance(1s);
  ASSERT_TRUE(w.is_settled());
  std::size_t of_feed = 0;
  for (auto const& s : report(w).survivors) of_feed += s.name == "feed" ? 1 : 0;
  EXPECT_EQ(of_feed, 2U) << "the child, and what it waits for";
  EXPECT_EQ(report(w).survivors.front().name, "");
  feed->cancel();
}
TEST_F(A41_shutdown_phases, without_a_budget_everything_is_forced_at_once) {
  shutdown_plan stop(ex);
  service web(ex, log, 'w');
  stop.add("web", web.parts());
  auto w = stop.run(0s);
  sim.run();
  ASSERT_TRUE(w.is_settled());
  EXPECT_TRUE(web.life.op().is_settled());
  EXPECT_EQ(report(w).took, 0s);
  web.life.cancel();
}

TEST_F(A41_shutdown_phases, escalating_goes_to_the_next_phase_now_and_for_all) {
  shutdown_plan stop(ex);
  service db(ex, log, 'a');
  service web(ex, log, 'b');
  web.stops_when_asked = false;
  stop.add("db", db.parts()).add("web", web.parts());
  auto w = stop.run(1h);
  sim.run();
  stop.escalate();
  sim.run();
  EXPECT_EQ(log, "bs bd bc ");
  EXPECT_FALSE(web.life.op().is_settled());
  stop.escalate();
  sim.run();
  EXPECT_TRUE(web.life.op().is_settled());
  EXPECT_FALSE(w.is_settled());
  web.life.cancel();
  sim.run();
  EXPECT_EQ(log, "bs bd bc as ac ") << "the other is neither drained nor asked first";
  ASSERT_TRUE(w.is_settled());
  EXPECT_TRUE(report(w).clean());
  EXPECT_EQ(report(w).took, 0s);
}
TEST_F(A41_shutdown_phases, escalated_to_the_end_it_reports_at_once) {
  shutdown_plan stop(ex);
  service web(ex, log, 'w');
  web.stops_when_asked = false;
  stop.add("web", web.parts());
  auto w = stop.run(1h);
  for (int i = 0; i != 3; ++i) {
    sim.run();
    EXPECT_FALSE(w.is_settled());
    stop.escalate();
  }
  sim.run();
  ASSERT_TRUE(w.is_settled());
  EXPECT_EQ(report(w).survivors.size(), 1U);
  web.life.cancel();
}
TEST_F(A41_shutdown_phases, what_is_left_out_is_skipped) {
  shutdown_plan stop(ex);
  stop.add("nothing", {});
  stop.add("drain", {.drain = [] { return handle_of<void>(); }});
  stop.add("ready", {.drain = [] { return settle::ready(); }});
  auto w = stop.run(1s);
  sim.run();
  EXPECT_TRUE(report(w).clean());
  EXPECT_EQ(report(w).took, 0s);
}
TEST_F(A41_shutdown_phases, what_its_functions_throw_is_in_the_report_and_the_next_phase_begins) {
  service one(ex, log, 'a');
  settle::subsystem throws{.stop_accepting = [] { throw std::runtime_error("accepting"); },
                           .drain = []() -> handle_of<void> { throw std::runtime_error("draining"); },
                           .root = one.life.op()};
  shutdown_plan plan(ex);
  plan.add("one", std::move(throws));
  auto done = plan.run(10s);
  sim.run();
  ASSERT_TRUE(done.is_settled());
  EXPECT_EQ(log, "ac ");
  EXPECT_TRUE(report(done).survivors.empty());
  ASSERT_EQ(report(done).thrown.size(), 2U);
  EXPECT_THROW(std::rethrow_exception(report(done).thrown[0]), std::runtime_error);
  EXPECT_FALSE(report(done).clean());
}

TEST_F(A41_shutdown_phases, a_drain_that_does_not_stop_is_a_survivor) {
  shutdown_plan stop(ex);
  sim_resolver stuck(ex);
  stop.add("mail", {.drain = [&] { return stuck.get_handle(); }});
  auto w = stop.run(4s);
  sim.advance(4s);
  ASSERT_TRUE(w.is_settled());
  ASSERT_EQ(report(w).survivors.size(), 1U);
  EXPECT_EQ(report(w).survivors[0].owner, "mail");
  stuck.cancel();
}

template <class Ex>
handle_of<void> ticking(Ex ex) {
  for (;;) co_await settle::sleep(ex, 10ms);
}
template <class Ex>
handle_of<void> failing(Ex ex) {
  co_await settle::sleep(ex, 1ms);
  throw std::runtime_error("again");
}
/// Five of everything that takes time.
template <class Ex>
void spawn_what_takes_long(settle::scope& work, Ex ex, int& ticks) {
  for (int i = 0; i != 5; ++i) {
    work.spawn([ex] { return ticking(ex); });
    work.spawn([ex] { return settle::sleep(ex, 1h); });
    work.spawn([] { return settle::never(); });
    work.spawn([ex, tick = [&ticks] { ++ticks; }] { return settle::interval(ex, 10ms).each(tick); });
    work.spawn([ex] { return settle::schedule(ex, 1h, [] { FAIL(); }); });
    work.spawn([timers = settle::timers_of(ex)]() mutable { return settle::within(settle::never(), 1h, timers); });
    work.spawn([ex] { return settle::hedge(1h, std::vector{1, 2}, [ex](int) { return settle::sleep(ex, 2h); }); });
    work.spawn([ex] { return settle::retry(settle::backoff::exponential(1s, 5s, 100), [ex](unsigned) { return failing(ex); }); });
  }
}
TEST_F(A39_stop_with_everything_pending, sleeps_intervals_retries_scopes_and_queued_work_all_end) {
  int ticks = 0;
  shutdown_plan stop(ex);
  settle::scope work(stop.root(), settle::on_failure::keep_going);
  spawn_what_takes_long(work, ex, ticks);
  sim.advance(100ms);
  work.spawn([this] { return ticking(ex); });
  auto w = stop.run(10s);
  sim.run();
  ASSERT_TRUE(w.is_settled());
  EXPECT_TRUE(report(w).clean());
  EXPECT_TRUE(work.op().is_released());
  EXPECT_EQ(report(w).took, 0s);
  int const seen = std::exchange(ticks, 0);
  EXPECT_EQ(seen, 50);
  sim.advance(2h);
  EXPECT_EQ(ticks, 0) << "nothing ticks any more";
}
TEST_F(A39_stop_with_everything_pending, idempotent_and_from_a_callback) {
  shutdown_plan stop(ex);
  service web(ex, log, 'w');
  stop.add("web", web.parts());
  std::optional<settle::watcher_of<shutdown_report>> first;
  web.life.on_cancel([&] { stop.run(1s); });
  auto trigger = settle::start_on(ex, [&] { first = stop.run(10s); });
  sim.run();
  auto second = stop.run(1ms);
  EXPECT_EQ(*first, second);
  web.draining->complete();
  sim.run();
  EXPECT_TRUE(report(second).clean());
  EXPECT_EQ(stop.run(1s), second) << "after the end as well";
  EXPECT_EQ(log, "ws wd wc ");
}
TEST_F(A39_stop_with_everything_pending, twenty_times_on_one_executor_without_growth) {
  test::loop_with_timers loop;
  auto const place = loop.get_executor();
  std::int64_t blocks = 0;
  std::int64_t bytes = 0;
  int ticks = 0;
  for (int i = 1; i <= 20; ++i) {
    {
      shutdown_plan stop(place);
      settle::scope work(stop.root(), settle::on_failure::keep_going);
      spawn_what_takes_long(work, place, ticks);
      for (int n = 0; n <= 10; ++n) loop.advance(n == 0 ? 0ms : 10ms);
      spawn_what_takes_long(work, place, ticks);  // which is still in the queue
      auto w = stop.run(1s);
      loop.run_all();
      ASSERT_TRUE(w.is_settled());
      EXPECT_TRUE(w.peek()->value().clean());
      EXPECT_EQ(ticks, 50 * i);
    }
    loop.run_all();
    EXPECT_EQ(loop.size() + loop.armed() + loop.made(), 0U);
    settle::trim();
    if (i != 2) continue;
    blocks = test::live_allocations_of_this_thread();
    bytes = test::live_bytes_of_this_thread();
  }
  EXPECT_EQ(test::live_allocations_of_this_thread(), blocks);
  EXPECT_NEAR(static_cast<double>(test::live_bytes_of_this_thread()), static_cast<double>(bytes), 64);
}
TEST_F(A39_stop_with_everything_pending, never_run_or_destroyed_meanwhile) {
  {
    shutdown_plan const unused(ex);
  }
  sim.run();
  service web(ex, log, 'w');
  testing::internal::CaptureStderr();
  {
    shutdown_plan stop(ex);
    stop.add("web", web.parts());
    stop.run(10s);
    sim.run();
  }
  sim.run();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("destroyed before"), std::string::npos);
  web.life.cancel();
}

TEST_F(A39_stop_with_everything_pending, the_executor_goes_down_meanwhile_and_who_waits_for_the_report_hears_of_it) {
  for (int steps = 0; steps != 8; ++steps) {
    sim_executor const gone = sim.make_executor();
    shutdown_plan plan(gone);
    sim_resolver r(ex);
    plan.add("a", {.root = r.op()});
    auto report = plan.run(1s);
    for (int i = 0; i != steps; ++i) sim.run_one();
    sim.destroy(gone);
    r.complete();  // it may have waited for that
    sim.run();
    ASSERT_NE(report.peek(), nullptr) << steps;
    EXPECT_TRUE(report.peek()->is_cancelled()) << steps;
  }
}

TEST_F(A42_late_work_at_the_end, spawned_while_it_drains_is_refused_and_a_goodbye_is_not) {
  shutdown_plan stop(ex);
  settle::scope peers(stop.root(), settle::on_failure::keep_going);
  int said = 0;
  bool refused = false;
  peers.spawn([&]() -> handle_of<void> {
    struct reconnects {
      settle::scope& s;
      bool& refused;
      int& said;
      sim_executor ex;
      ~reconnects() {
        auto w = s.spawn([] {});
        refused = w.is_settled() && w.peek()->has_error() && w.peek()->error().code() == errc::closed;
        auto goodbye = [e = ex, &n = said]() -> handle_of<void> {
          co_await settle::sleep(e, 50ms);
          ++n;
        };
        s.farewell(std::move(goodbye), 100ms);
      }
    } const on_close{peers, refused, said, ex};
    co_await settle::never();
  });
  sim.run();
  auto w = stop.run(10s);
  sim.advance(50ms);
  EXPECT_TRUE(refused);
  EXPECT_EQ(said, 1);
  ASSERT_TRUE(w.is_settled());
  EXPECT_TRUE(report(w).clean());
  EXPECT_EQ(report(w).took, 50ms);
}

/// One thread, and timers that it drives.
struct timed_pool {
  struct executor {
    timed_pool* place;
    template <class F>
    void execute(F f) const {
      place->pool.get_executor().execute(std::move(f));
    }
    bool running_in_this_thread() const noexcept { return place->pool.is_here(); }
    settle::timer_wheel& timers() const noexcept { return place->wheel; }
    bool operator==(executor const&) const = default;
  };

  settle::timer_wheel wheel;
  test::thread_pool pool{1};

  void tick() {
    pool.get_executor().execute([this] { wheel.advance(std::chrono::steady_clock::now()); });
  }
};

// A worker that ends during the stop: its result is delivered, or the work was refused.
TEST(A40_stop_vs_foreign_completion, of_work_from_other_threads_nothing_is_lost) {
  for (int round = 0; round != 30; ++round) {
    timed_pool home;
    test::thread_pool workers(2);
    std::atomic<int> ran = 0;
    int values = 0;
    int refused = 0;
    int cancelled = 0;
    {
      shutdown_plan stop(timed_pool::executor{&home});
      settle::scope jobs(workers.get_executor(), settle::on_failure::keep_going);
      stop.add("jobs", {.root = jobs.op()});
      std::vector<settle::watcher_of<void>> all;
      std::thread other([&] {
        for (int i = 0; i != 50; ++i) all.push_back(jobs.spawn([&ran] { ++ran; }));
      });
      auto w = stop.run(1h);
      while (!w.is_settled()) {
        home.tick();
        std::this_thread::yield();
      }
      other.join();
      EXPECT_TRUE(w.peek()->value().clean());
      for (auto const& x : all) {
        x.wait_released();
        values += x.peek()->has_value() ? 1 : 0;
        refused += x.peek()->has_error() ? 1 : 0;
        cancelled += x.peek()->is_cancelled() ? 1 : 0;
      }
    }
    EXPECT_EQ(values, ran);
    EXPECT_EQ(values + refused + cancelled, 50);
  }
}

/// Counts whether it was called, or destroyed without.
struct notifications {
  std::atomic<int> values = 0;
  std::atomic<int> others = 0;
  std::atomic<int> refused = 0;

  class callback {
   public:
    callback(notifications& n, timed_pool& home) : all_(&n), home_(&home) {}
    callback(callback&& o) noexcept : all_(std::exchange(o.all_, nullptr)), home_(o.home_) {}
    ~callback() {
      if (all_ != nullptr) ++all_->refused;
    }
    void operator()(settle::ending e) {
      EXPECT_TRUE(home_->pool.is_here());
      ++(e.kind == settle::ending::value ? all_->values : all_->others);
      all_ = nullptr;
    }

   private:
    notifications* all_;
    timed_pool* home_;
  };
};

/// A blocking job that ends when the stop has begun, and what was to be told of it at home: there it is told, or the place is gone.
void stop_while_jobs_end(bool home_goes_first) {
  constexpr int early = 6;
  constexpr int late = 20;
  timed_pool home;
  test::thread_pool workers(2);
  notifications of_early;
  notifications of_late;
  std::atomic<bool> stopping = false;
  std::atomic<int> begun = 0;
  std::atomic<int> early_ran = 0;
  std::atomic<int> late_ran = 0;
  {
    timed_pool::executor const at_home{&home};
    shutdown_plan stop(at_home);
    settle::scope jobs(workers.get_executor(), settle::on_failure::keep_going);
    settle::resolver_of<void, settle::error, timed_pool::executor> session(at_home);
    session.on_cancel([&session] { session.cancel(); });
    settle::operation const here = session.op();
    if (!home_goes_first) stop.add("session", {.root = here});
    stop.add("jobs", {.root = jobs.op()});
    if (home_goes_first) stop.add("session", {.root = here});
    for (int i = 0; i != early; ++i) {
      auto job = [&] {
        ++begun;
        stopping.wait(false);
        ++early_ran;
      };
      jobs.spawn(std::move(job)).on_done(settle::bound_to(here), notifications::callback(of_early, home));
    }
    while (begun != 2) std::this_thread::yield();
    auto w = stop.run(1h);
    stopping = true;
    stopping.notify_all();
    std::thread other([&] {
      auto const job = [&late_ran] { ++late_ran; };
      for (int i = 0; i != late; ++i) jobs.spawn(job).on_done(settle::bound_to(here), notifications::callback(of_late, home));
    });
    while (!w.is_settled()) {
      home.tick();
      std::this_thread::yield();
    }
    other.join();
    EXPECT_TRUE(w.peek()->value().clean());
  }
  workers.join();
  home.pool.join();
  EXPECT_GE(early_ran, 2);
  EXPECT_EQ(of_early.values + of_early.others + of_early.refused, early);
  EXPECT_EQ(of_late.values + of_late.others + of_late.refused, late);
  EXPECT_LE(of_early.values, early_ran);
  EXPECT_LE(of_late.values, late_ran);
  EXPECT_LE(late_ran, of_late.values + of_late.refused) << "a job may end before its observer comes, and the session, too";
  if (home_goes_first) return;
  EXPECT_EQ(of_early.refused, 0) << "the session is there until the jobs are released";
  EXPECT_EQ(of_early.values, early_ran);
}
TEST(A40_stop_vs_foreign_completion, a_job_that_ends_during_the_stop_is_told_of_at_home) {
  for (int round = 0; round != 30; ++round) ASSERT_NO_FATAL_FAILURE(stop_while_jobs_end(false));
}
TEST(A40_stop_vs_foreign_completion, a_job_that_ends_when_its_session_has_gone_is_told_of_or_refused) {
  for (int round = 0; round != 30; ++round) ASSERT_NO_FATAL_FAILURE(stop_while_jobs_end(true));
}

}  // namespace
