// SPDX-License-Identifier: BSL-1.0
// start_on(ex, f): jobs.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "allocations.hpp"
#include "situations.hpp"

namespace {

using namespace test;
using settle::cause;
using settle::handle_of;
using settle::start_on;

// Says where its closure died.
class mourner {
 public:
  mourner(manual_loop& l, int& here, int& elsewhere) noexcept : loop_(&l), here_(&here), elsewhere_(&elsewhere) {}
  mourner(mourner&& o) noexcept : loop_(std::exchange(o.loop_, nullptr)), here_(o.here_), elsewhere_(o.elsewhere_) {}
  ~mourner() {
    if (loop_ != nullptr) ++*(loop_->is_here() ? here_ : elsewhere_);
  }

 private:
  manual_loop* loop_;
  int* here_;
  int* elsewhere_;
};

TEST(start_on, yields_what_the_function_returns_there) {
  manual_loop loop;
  bool here = false;
  auto h = start_on(loop.get_executor(), [&] {
    here = loop.is_here();
    return 42;
  });
  static_assert(std::is_same_v<decltype(h), handle_of<int>>);
  EXPECT_FALSE(h.is_settled());
  loop.run();
  EXPECT_TRUE(here);
  EXPECT_EQ(std::move(h).wait().value(), 42);

  auto nothing = start_on(loop.get_executor(), [&] { here = false; });
  static_assert(std::is_same_v<decltype(nothing), handle_of<void>>);
  loop.run();
  EXPECT_TRUE(std::move(nothing).wait().has_value());
  EXPECT_FALSE(here);

  auto movable = start_on(settle::inline_executor(), [p = std::make_unique<int>(3)]() mutable { return std::move(p); });
  EXPECT_TRUE(movable.is_released()) << "the inline executor: before it returns";
  EXPECT_EQ(*std::move(movable).wait().value(), 3);
}

TEST(start_on, a_throw_is_the_failure) {
  auto failed = start_on(settle::inline_executor(), []() -> int { throw std::runtime_error("no"); });
  EXPECT_THROW(std::move(failed).wait().error().raise(), std::runtime_error);
  auto cancelled = start_on(settle::inline_executor(), [] {
    throw settle::operation_cancelled(settle::cancellation(cause::overload, std::source_location::current()));
  });
  EXPECT_EQ(std::move(cancelled).wait().cancel().why, cause::overload);
}

TEST(start_on, the_closure_dies_there_right_after_it_ran) {
  manual_loop loop;
  int here = 0;
  int elsewhere = 0;
  auto h = start_on(loop.get_executor(), [m = mourner(loop, here, elsewhere)] {});
  bool dead_before_observers = false;
  h.on_done([&] { dead_before_observers = here == 1; });
  EXPECT_EQ(here + elsewhere, 0);
  loop.run();
  EXPECT_TRUE(dead_before_observers);
  EXPECT_EQ(elsewhere, 0);
}

TEST(G12_place, cancelled_before_its_turn_it_never_runs_and_dies_there) {
  for (int way = 0; way != 3; ++way) {
    manual_loop loop;
    int here = 0;
    int elsewhere = 0;
    bool ran = false;
    auto h = start_on(loop.get_executor(), [&, m = mourner(loop, here, elsewhere)] { ran = true; });
    settle::operation const op = h;
    if (way == 0) op.cancel(cause::overload);
    if (way == 1) op.request_cancel(cause::deadline);
    if (way == 2) h = {};
    EXPECT_EQ(op.is_settled(), way == 0);
    EXPECT_FALSE(op.is_released());
    EXPECT_EQ(here + elsewhere, 0);
    loop.run();
    EXPECT_FALSE(ran);
    EXPECT_EQ(here, 1);
    EXPECT_EQ(elsewhere, 0);
    EXPECT_TRUE(op.is_released());
    cause seen{};
    op.on_done([&](settle::ending e) { seen = e.cancel.why; });
    loop.run();
    EXPECT_EQ(seen, way == 0 ? cause::overload : way == 1 ? cause::deadline : cause::dropped);
  }
}

// One worker, busy with the job: whoever asks fires the token.
TEST(start_on, the_stop_token_fires_on_the_thread_that_asks) {
  for (int way = 0; way != 3; ++way) {
    thread_pool pool(1);
    std::atomic<bool> running = false;
    auto h = start_on(pool.get_executor(), [&](std::stop_token stop) {
      std::atomic<std::thread::id> fired;
      std::stop_callback on_stop(stop, [&] { fired = std::this_thread::get_id(); });
      running = true;
      running.notify_all();
      while (fired.load() == std::thread::id()) std::this_thread::yield();
      return fired.load();
    });
    settle::operation const op = h;
    auto w = h.watch();
    running.wait(false);
    if (way == 0) op.request_cancel();
    if (way == 1) op.cancel(cause::overload);
    if (way == 2) h = {};
    op.wait_released();
    if (way == 1) {
      EXPECT_EQ(w.peek()->cancel().why, cause::overload);
    } else {
      EXPECT_EQ(w.peek()->value(), std::this_thread::get_id()) << "a request leaves the outcome to the function";
    }
  }
}

// The job's executor is busy with the job: the token is not in the line of the cancel observers that wait for it.
TEST(start_on, the_token_does_not_wait_with_the_other_cancel_observers) {
  for (bool force : {false, true}) {
    manual_loop loop;
    bool stopped = false;
    int told = 0;
    handle_of<void> h;
    std::optional<settle::cancel_callback<std::function<void()>>> callback;
    h = start_on(loop.get_executor(), [&](std::stop_token stop) {
      std::thread([&] { force ? h.cancel() : h.request_cancel(); }).join();
      stopped = stop.stop_requested();
      EXPECT_EQ(told, 0);
    });
    callback.emplace(h, [&] { ++told; });
    h.on_cancel([&] { ++told; });
    loop.run();
    EXPECT_TRUE(stopped);
    EXPECT_EQ(told, 2);
    EXPECT_TRUE(h.is_released());
  }
}

TEST(start_on, the_token_fires_inside_the_call_that_asks) {
  manual_loop loop;
  std::optional<std::stop_token> token;
  auto pending = std::make_shared<std::optional<settle::resolver_of<int>>>();
  auto h = start_on(loop.get_executor(), [&](std::stop_token stop) {
    token = stop;
    settle::resolver_of<int> r;
    auto inner = r.get_handle();
    *pending = std::move(r);
    return inner;
  });
  loop.run();
  ASSERT_TRUE(token.has_value());
  bool inside = false;
  settle::resolver_of<void> trigger;
  trigger.op().on_done([&] {
    h.request_cancel();
    inside = token->stop_requested();
  });
  trigger.complete();
  EXPECT_TRUE(inside);
  EXPECT_TRUE((*pending)->op().cancel_requested());
  (*pending)->complete(1);
  loop.run();
  EXPECT_EQ(std::move(h).wait().value(), 1);
}

TEST(G07_pins, a_forced_cancel_settles_at_once_and_waits_for_the_function) {
  thread_pool pool(1);
  std::atomic<int> stage = 0;
  bool released_inside = true;
  settle::operation op;
  auto h = start_on(pool.get_executor(), [&] {
    stage = 1;
    stage.notify_all();
    stage.wait(1);
    released_inside = op.is_released();
  });
  op = h;
  stage.wait(0);
  EXPECT_TRUE(h.cancel());
  EXPECT_TRUE(h.is_settled());
  EXPECT_FALSE(h.is_released());
  stage = 2;
  stage.notify_all();
  EXPECT_EQ(std::move(h).wait().cancel().why, cause::requested);
  EXPECT_FALSE(released_inside);
}

TEST(G13_executor_loss, a_job_that_is_refused_thrown_or_destroyed_is_abandoned) {
  for (auto mood : {manual_loop::keeps, manual_loop::throws, manual_loop::drops}) {
    auto loop = std::make_unique<manual_loop>();
    loop->mood(mood);
    bool ran = false;
    long const before = tracked::alive;
    auto h = start_on(loop->get_executor(), [&, t = tracked(1)](std::stop_token) { ran = true; });
    if (mood == manual_loop::keeps) loop->drop_all();
    EXPECT_TRUE(h.is_released());
    EXPECT_EQ(tracked::alive, before);
    EXPECT_EQ(std::move(h).wait().cancel().why, cause::abandoned);
    EXPECT_FALSE(ran);
  }
  manual_loop inside;
  inside.mood(manual_loop::runs_inside);
  EXPECT_EQ(start_on(inside.get_executor(), [&] { return inside.is_here(); }).wait().value(), true);
}

TEST(start_on, a_handle_is_adopted_and_its_outcome_is_the_results) {
  for (way how : all_ways) {
    SCOPED_TRACE(way_names[static_cast<int>(how)]);
    for (bool already : {false, true}) {
      if (how == way::drop) continue;
      manual_loop loop;
      subject<counted<int>> s;
      if (already) s.try_to_end(how);
      bool inner_released_first = false;
      auto h = start_on(loop.get_executor(), [&] { return std::move(s.h); });
      h.on_cleanup([&] { inner_released_first = s.op.is_released(); });
      loop.run();
      EXPECT_EQ(h.is_settled(), already);
      if (!already) s.try_to_end(how);
      loop.run();
      ASSERT_TRUE(h.is_released());
      EXPECT_TRUE(inner_released_first);
      auto o = std::move(h).wait();
      EXPECT_EQ(o.has_value(), how == way::complete);
      EXPECT_EQ(o.has_error(), how == way::fail);
      if (o.is_cancelled()) {
        EXPECT_EQ(o.cancel().why, cause_of(how));
      }
    }
  }
  EXPECT_EQ(start_on(settle::inline_executor(), [] { return handle_of<int>(); }).wait().error().code(), settle::errc::no_memory);
}

TEST(G08_loud_cancel, a_cancelled_job_cancels_the_operation_it_returned) {
  subject<counted<int>> s;
  auto h = start_on(settle::inline_executor(), [&] { return std::move(s.h); });
  h.request_cancel(cause::deadline);
  EXPECT_TRUE(s.op.cancel_requested());
  EXPECT_FALSE(h.is_settled());
  h.cancel();
  EXPECT_TRUE(s.op.is_settled());
  EXPECT_FALSE(h.is_released());
  s.drop(s.r);
  EXPECT_TRUE(h.is_released());
}

handle_of<int> twice(settle::resolver_of<int>& from) {
  int const got = co_await from.get_handle();
  co_return 2 * got;
}

TEST(start_on, a_coroutine_function_runs_there_and_keeps_its_closure) {
  manual_loop loop;
  settle::resolver_of<int> inner;
  int steps_there = 0;
  auto h = start_on(loop.get_executor(), [&, factor = std::make_unique<int>(10)]() -> handle_of<int> {
    steps_there += loop.is_here() ? 1 : 0;
    handle_of<int> doubled = twice(inner);
    int const got = co_await std::move(doubled);
    steps_there += loop.is_here() ? 1 : 0;
    co_return *factor* got;
  });
  EXPECT_EQ(steps_there, 0);
  loop.run();
  EXPECT_EQ(steps_there, 1);
  inner.complete(3);
  EXPECT_EQ(steps_there, 1) << "a coroutine resumes at home";
  loop.run();
  EXPECT_EQ(steps_there, 2);
  EXPECT_EQ(std::move(h).wait().value(), 60);
}

TEST(start_on, each_job_is_submitted_by_itself_even_from_the_executors_own_drain) {
  manual_loop loop;
  std::array<handle_of<void>, 4> jobs;
  int ran = 0;
  auto h = start_on(loop.get_executor(), [&] {
    for (auto& j : jobs) j = start_on(loop.get_executor(), [&] { ++ran; });
  });
  std::size_t const before = loop.submissions();
  EXPECT_TRUE(loop.run_one());
  EXPECT_EQ(loop.submissions(), before + 4);
  EXPECT_EQ(ran, 0) << "they do not wait for the one that started them";
  EXPECT_TRUE(loop.run_one());
  EXPECT_EQ(ran, 1);
  loop.run();
  EXPECT_EQ(ran, 4);
}

TEST(start_on, is_one_allocation) {
  start_on(settle::inline_executor(), [] { return 1; }).detach();  // the thread's first asks for a note of its end
  settle::trim();
  test::allocation_count const count;
  auto h = start_on(settle::inline_executor(), [a = std::array<char, 100>()] { return static_cast<int>(a.size()); });
  EXPECT_EQ(count.now(), 1U);
  EXPECT_EQ(std::move(h).wait().value(), 100);
}

struct alignas(16) aligned {
  int value;
  bool is_aligned() const noexcept { return reinterpret_cast<std::uintptr_t>(this) % 16 == 0; }
};

TEST(start_on, closures_of_any_alignment) {
  auto h = start_on(settle::inline_executor(), [a = aligned{5}] { return a.is_aligned() ? a.value : 0; });
  EXPECT_EQ(std::move(h).wait().value(), 5);
}

TEST(start_on, what_moving_throws_starts_nothing) {
  for (int at = 1; at != 4; ++at) {
    auto job = [f = fragile(1)] { return f.value; };
    fragile::throw_at = at;
    auto const start = [&] { static_cast<void>(start_on(settle::inline_executor(), std::move(job))); };
    if (at <= 2) EXPECT_THROW(start(), std::runtime_error);
    else EXPECT_NO_THROW(start());
    fragile::throw_at = 0;
  }
  EXPECT_EQ(fragile::alive, 0);
}

TEST(start_on, of_one_thread) {
  bool stopped = true;
  auto h = start_on<settle::unsynchronized_terminal>(settle::inline_executor(), [&](std::stop_token stop) {
    stopped = stop.stop_requested();
    return 4;
  });
  EXPECT_EQ(std::move(h).wait().value(), 4);
  EXPECT_FALSE(stopped);
}

TEST(G09_flat, jobs_that_return_jobs) {
  constexpr int depth = 100'000;
  std::function<handle_of<int>(int)> next = [&](int left) -> handle_of<int> {
    if (left == 0) return start_on(settle::inline_executor(), [] { return 1; });
    return start_on(settle::inline_executor(), [&next, left] { return next(left - 1); });
  };
  auto h = next(depth);
  EXPECT_EQ(std::move(h).wait().value(), 1);
}

TEST(start_on, a_job_is_waited_for_no_longer_than_one_likes) {
  manual_loop loop;
  auto h = start_on(loop.get_executor(), [] { return 1; });
  EXPECT_FALSE(std::move(h).wait_for(std::chrono::nanoseconds(0)).has_value());
  loop.run();
  EXPECT_EQ(std::move(h).wait().value(), 1);
}

TEST(start_on, races_with_whoever_cancels) {
  thread_pool pool(2);
  crew threads(2);
  for (int round = 0; round != 500; ++round) {
    std::atomic<int> ran = 0;
    handle_of<void> h;
    settle::operation op;
    std::atomic<bool> started = false;
    threads.run([&](unsigned i) {
      if (i == 0) {
        h = start_on(pool.get_executor(), [&ran](std::stop_token stop) {
          while (!stop.stop_requested()) std::this_thread::yield();
          ++ran;
        });
        op = h;
        started = true;
      } else {
        while (!started) std::this_thread::yield();
        if (round % 2 == 0) op.request_cancel();
        else op.cancel();
      }
    });
    op.wait_released();
    EXPECT_LE(ran, 1);
  }
}

TEST(start_on, a_value_whose_move_throws_is_the_failure) {
  struct guard {
    ~guard() { fragile::throw_at = 0; }
  } const calm;
  fragile::throw_at = 0;
  for (int const at : {2, 0}) {  // out of the function, then into the operation; not at all
    fragile::throw_at = 0;
    auto h = settle::start_on(settle::inline_executor(), [at] {
      fragile f(1);
      fragile::throw_at = at;
      return fragile(std::move(f));
    });
    auto const o = std::move(h).wait();
    EXPECT_EQ(o.has_value(), at == 0);
    if (o.has_error()) {
      EXPECT_THROW(o.error().raise(), std::runtime_error);
    }
  }
}

TEST(start_on, a_function_that_may_throw_and_does_not) {
  for (bool const throws : {false, true}) {
    auto h = settle::start_on(settle::inline_executor(), [throws]() -> int {
      if (throws) throw std::runtime_error("job");
      return 7;
    });
    auto const o = std::move(h).wait();
    EXPECT_EQ(o.has_value(), !throws);
  }
}

}  // namespace
