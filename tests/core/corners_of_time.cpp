// SPDX-License-Identifier: BSL-1.0
// What another thread may do between two steps of one call, at exactly that place: the test's allocator, timers and atomics
// do it when the step passes by them.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>

#include "hooks.hpp"
#include "situations.hpp"
#include "timed_loop.hpp"

namespace {

using namespace test;
using namespace std::chrono_literals;
using clock_point = std::chrono::steady_clock::time_point;

/// Runs once, when something passes by.
class meanwhile {
 public:
  explicit meanwhile(std::function<void()> f) { waiting() = std::move(f); }
  meanwhile(meanwhile&&) = delete;
  ~meanwhile() { EXPECT_FALSE(waiting()) << "nothing passed by"; }
  static void pass() noexcept {
    if (auto const f = std::exchange(waiting(), nullptr)) f();
  }

 private:
  static std::function<void()>& waiting() noexcept {
    static std::function<void()> f;
    return f;
  }
};

struct passing_allocator {
  static void* try_allocate(std::size_t bytes, std::size_t align) noexcept {
    meanwhile::pass();
    return settle::recycling::try_allocate(bytes, align);
  }
  static void deallocate(void* p, std::size_t bytes, std::size_t align) noexcept { settle::recycling::deallocate(p, bytes, align); }
};

template <class Value, class Ex = settle::inline_executor>
struct interrupted : counted<Value, Ex> {
  using allocator_type = passing_allocator;
};

// --- the context of an operation ---

TEST(deadline, two_who_say_the_first_one_at_once) {
  subject<interrupted<int>> s;
  clock_point const late = clock_point() + 20h;
  clock_point const early = clock_point() + 10h;
  {
    meanwhile const other([&] { EXPECT_TRUE(s.op.tighten(early)); });
    EXPECT_TRUE(s.op.tighten(late));
  }
  EXPECT_EQ(s.op.deadline(), early);
  s.end(way::complete);
}

TEST(stop_token, two_who_ask_for_the_first_one_at_once_get_the_same) {
  subject<interrupted<int>> s;
  ASSERT_TRUE(s.op.tighten(clock_point() + 10h)) << "the context is there";
  std::stop_token theirs;
  std::stop_token mine;
  {
    meanwhile const other([&] { theirs = s.op.stop_token(); });
    mine = s.op.stop_token();
  }
  EXPECT_EQ(mine, theirs);
  s.op.request_cancel();
  EXPECT_TRUE(mine.stop_requested());
  s.r.cancel();
}

// --- callbacks that come late ---

TEST(G17_withdrawal, a_late_cancel_callback_whose_operation_completes_meanwhile_is_taken_away_unrun) {
  manual_loop loop;
  subject<interrupted<int, manual_loop::executor>> s(loop.get_executor());
  s.op.request_cancel();
  bool ran = false;
  auto f = [&] { ran = true; };
  std::optional<settle::cancel_callback<decltype(f)>> late;
  {
    meanwhile const other([&] { s.end(way::complete); });
    late.emplace(s.op, f);
  }
  late.reset();
  loop.run();
  EXPECT_FALSE(ran);
  EXPECT_TRUE(s.op.is_released());
}

// --- an observer that comes while the value dies ---

struct last_words {
  settle::operation op;
  std::function<void()> told;
  last_words(settle::operation o, std::function<void()> f) : op(std::move(o)), told(std::move(f)) {}
  last_words(last_words&&) noexcept = default;
  last_words& operator=(last_words&&) noexcept = default;
  ~last_words() {
    if (op) op.on_released(told);
  }
};

TEST(G06_never_late, a_value_nobody_takes_registers_on_its_operation_while_it_dies) {
  bool told = false;
  settle::resolver_of<last_words> r;
  settle::operation const op = r.op();
  r.complete(last_words(op, [&] { told = op.is_released(); }));
  EXPECT_TRUE(told);
}

// --- what an asynchronous cleanup waits for is released while its timer is made ---

class passing_timers {
 public:
  class timer {
   public:
    explicit timer(passing_timers const& s) noexcept : rest_(s.inner_) {}
    bool start(clock_point when, settle::timer_done done) noexcept {
      bool const made = rest_.start(when, done);
      meanwhile::pass();
      return made;
    }
    void stop() noexcept { rest_.stop(); }

   private:
    timed_loop::service::timer rest_;
  };
  explicit passing_timers(timed_loop& l) noexcept : inner_(l) {}
  clock_point now() const noexcept { return inner_.now(); }

 private:
  mutable timed_loop::service inner_;
};
struct passing_executor : manual_loop::executor {
  timed_loop* loop;
  explicit passing_executor(timed_loop& l) noexcept : manual_loop::executor(l), loop(&l) {}
  passing_timers timers() const noexcept { return passing_timers(*loop); }
  bool operator==(passing_executor const&) const = default;
};
static_assert(settle::has_timers<passing_executor>);

void released_while_the_timer_is_made(bool with_timers, way how) {
  timed_loop loop;
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

TEST(G05_LIFO, what_an_asynchronous_cleanup_waits_for_is_released_while_its_timer_is_made) {
  in_each_way([](way how) {
    if (how == way::drop) return;  // the cleanup has the handle
    released_while_the_timer_is_made(true, how);
    released_while_the_timer_is_made(false, how);
  });
}

// --- atomics that another thread is at ---

/// std_sync; a deadline's compare-and-exchange, and a blocking wait, let something pass.
struct passing_sync : settle::std_sync {
  template <class T>
  struct atomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    bool compare_exchange_weak(T& expected, T v, std::memory_order a, std::memory_order b) noexcept {
      if constexpr (std::is_same_v<T, clock_point::rep>) meanwhile::pass();
      return std::atomic<T>::compare_exchange_weak(expected, v, a, b);
    }
  };
  class event : public settle::std_sync::event {
   public:
    template <class TimePoint>
    bool wait_until(TimePoint const& t) {
      meanwhile::pass();
      return settle::std_sync::event::wait_until(t);
    }
  };
};
using passing = settle::basic_cas_terminal<passing_sync>;
template <class T>
struct on_passing : settle::default_policy {
  using value_type = T;
  using terminal = passing;
  using error_sink = recording_sink;
};

TEST(deadline, two_who_tighten_it_at_once) {
  for (bool const other_is_first : {true, false}) {
    settle::resolver<on_passing<int>> r;
    auto const op = r.op();
    clock_point const start = clock_point() + 30h;
    clock_point const mine = clock_point() + 20h;
    clock_point const theirs = clock_point() + (other_is_first ? 10h : 25h);
    ASSERT_TRUE(op.tighten(start));
    {
      meanwhile const other([&] { op.tighten(theirs); });
      EXPECT_TRUE(op.tighten(mine));
    }
    EXPECT_EQ(op.deadline(), std::min(mine, theirs));
    r.complete(1);
  }
}

TEST(traps, a_blocked_thread_is_no_parent) {
  settle::resolver<on_passing<int>> a;
  settle::resolver<on_passing<int>> b;
  b.op().on_cancel([] {});  // there is something below b, so a is looked at
  auto h = a.get_handle();
  {
    meanwhile const other([&] { a.op().adopt(b.op()); });
    EXPECT_FALSE(std::move(h).wait_until(clock_point()).has_value());
  }
  EXPECT_EQ(recording_sink::count(settle::monitor_event::misuse), 0U);
  {
    meanwhile const other([&] { b.op().adopt(a.op()); });
    EXPECT_FALSE(std::move(h).wait_until(clock_point()).has_value());
  }
  EXPECT_EQ(recording_sink::count(settle::monitor_event::misuse), 1U) << "that one is a cycle";
  recording_sink::take();
  b.complete(1);
  a.complete(1);
  EXPECT_TRUE(b.op().is_released());
}

/// std_sync; the next compare-and-exchange of an operation's word on a thread lets something pass, and waiting is seen.
struct stepping_sync : settle::std_sync {
  template <class T>
  struct atomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    bool compare_exchange_strong(T& expected, T v, std::memory_order a, std::memory_order b) noexcept {
      if constexpr (std::is_same_v<T, std::uint32_t>)
        if (auto const f = std::exchange(before_lock(), nullptr)) f();
      return std::atomic<T>::compare_exchange_strong(expected, v, a, b);
    }
  };
  template <class A>
  static void pause(unsigned, A const&) noexcept {
    waits.store(true);
    waits.notify_all();
    std::this_thread::yield();
  }
  static std::function<void()>& before_lock() noexcept {
    static thread_local std::function<void()> f;
    return f;
  }
  static inline std::atomic<bool> waits = false;
};
struct stepping : settle::default_policy {
  using value_type = int;
  using terminal = settle::basic_cas_terminal<stepping_sync>;
};

TEST(G17_withdrawal, the_sequence_waits_for_a_withdrawal_that_is_under_way) {
  stepping_sync::waits = false;
  settle::resolver<stepping> r;
  int ran = 0;
  auto kept = r.op().on_done([&] { ++ran; });
  std::atomic<bool> begun = false;
  bool withdrawn = false;
  std::thread other([&] {
    stepping_sync::before_lock() = [&] {  // it is claimed, and still on its ring
      begun.store(true);
      begun.notify_all();
      stepping_sync::waits.wait(false);
    };
    withdrawn = kept.withdraw();
  });
  begun.wait(false);
  r.complete(1);
  other.join();
  EXPECT_TRUE(stepping_sync::waits.load());
  EXPECT_TRUE(withdrawn);
  EXPECT_EQ(ran, 0);
}

// --- stop hooks, as combinators register them ---

struct told_hook : settle::detail::hook<settle::cas_terminal> {
  using hook = settle::detail::hook<settle::cas_terminal>;
  static inline int told = 0;
  static void tell(hook&, settle::detail::hook_action action) { told += action == settle::detail::hook_action::invoke ? 1 : 0; }
  static constexpr settle::detail::hook_type<settle::cas_terminal> stop_type{&tell, 0, 0};
  explicit told_hook(settle::operation const& op) {
    kind = settle::detail::hook_kind::stop;
    owner = settle::detail::state_access::get(op);
    type = &stop_type;
  }
};

TEST(G08_loud_cancel, a_stop_hook_learns_at_once_that_it_came_too_late) {
  auto const add = [](settle::operation const& op, told_hook& h) {
    return settle::detail::registry<settle::cas_terminal>::add_stop(*settle::detail::state_access::get(op), h);
  };
  told_hook::told = 0;
  for (way const how : all_ways) {
    subject<counted<int>> pending;
    told_hook in_time(pending.op);
    EXPECT_TRUE(add(pending.op, in_time));
    pending.end(how);
    settle::pin const hold = pending.op.pin();
    told_hook too_late(pending.op);
    EXPECT_EQ(add(pending.op, too_late), !is_cancelled(how)) << "a value or an error stops nobody";
  }
  subject<counted<int>> asked;
  asked.op.request_cancel();
  told_hook too_late(asked.op);
  EXPECT_FALSE(add(asked.op, too_late));
  EXPECT_EQ(hooks_on(asked.op), 0U);
  asked.r.cancel();
  EXPECT_EQ(told_hook::told, 4);
}

}  // namespace
