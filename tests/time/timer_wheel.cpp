// SPDX-License-Identifier: BSL-1.0
// The wheel against a sorted list, under clocks that misbehave.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <tuple>
#include <vector>

#include "allocations.hpp"

namespace {

using namespace std::chrono_literals;
using settle::timer_done;
using settle::timer_end;
using time_point = std::chrono::steady_clock::time_point;

/// A clock that stands where a test puts it.
struct test_clock {
  static inline time_point at{1000h};
  static time_point now() noexcept { return at; }
};
using wheel = settle::basic_timer_wheel<settle::single_thread_sync, test_clock>;
using locked_wheel = settle::basic_timer_wheel<settle::std_sync, test_clock>;

static_assert(sizeof(wheel::timer) <= 48 && sizeof(settle::timer_wheel::timer) <= 48);
static_assert(settle::timer_service<wheel> && settle::timer_service<settle::timer_wheel>);
static_assert(!std::is_move_constructible_v<wheel::timer> && !std::is_copy_constructible_v<wheel::timer>);

/// A timer that writes down how it ended.
template <class W>
struct entry {
  typename W::timer timer;
  std::vector<std::pair<int, timer_end>>* log;
  int name;
  int calls = 0;

  entry(W& w, std::vector<std::pair<int, timer_end>>& l, int n) : timer(w), log(&l), name(n) {}
  void over(timer_end how) noexcept {
    ++calls;
    log->emplace_back(name, how);
  }
  bool start(time_point when) { return timer.start(when, timer_done::to<&entry::over>(*this)); }
};
using book = std::vector<std::pair<int, timer_end>>;

TEST(timer_wheel, fires_what_is_due_and_no_sooner) {
  wheel w(1ns);
  book log;
  entry<wheel> a(w, log, 1);
  entry<wheel> b(w, log, 2);
  ASSERT_TRUE(a.start(w.now() + 5ms));
  ASSERT_TRUE(b.start(w.now() + 3ms));
  EXPECT_EQ(w.size(), 2U);
  w.advance(w.now() + 3ms - 1ns);
  EXPECT_TRUE(log.empty());
  w.advance(w.now() + 3ms);
  EXPECT_EQ(log, (book{{2, timer_end::fired}}));
  EXPECT_LE(w.next_expiry(), w.now() + 5ms);
  EXPECT_GT(w.next_expiry(), w.now() + 3ms);
  w.advance(w.now() + 1h);
  EXPECT_EQ(log, (book{{2, timer_end::fired}, {1, timer_end::fired}}));
  EXPECT_EQ(w.next_expiry(), time_point::max());
  EXPECT_EQ(w.size(), 0U);
}

TEST(timer_wheel, stop_lets_go_later_and_only_once) {
  wheel w;
  book log;
  entry<wheel> a(w, log, 1);
  a.timer.stop();  // not started: nothing
  ASSERT_TRUE(a.start(w.now() + 5ms));
  a.timer.stop();
  EXPECT_TRUE(log.empty()) << "never from inside stop()";
  EXPECT_EQ(w.next_expiry(), time_point::min()) << "the driver is to come by";
  a.timer.stop();
  w.advance(w.now());
  EXPECT_EQ(log, (book{{1, timer_end::stopped}}));
  a.timer.stop();
  w.advance(w.now() + 1h);
  EXPECT_EQ(a.calls, 1);
}

TEST(timer_wheel, a_time_that_is_past_fires_with_the_next_call) {
  wheel w;
  book log;
  entry<wheel> a(w, log, 1);
  entry<wheel> b(w, log, 2);
  ASSERT_TRUE(a.start(w.now()));
  ASSERT_TRUE(b.start(time_point::min()));
  EXPECT_TRUE(log.empty()) << "never from inside start()";
  EXPECT_EQ(w.next_expiry(), time_point::min());
  w.advance(w.now());
  EXPECT_EQ(log, (book{{1, timer_end::fired}, {2, timer_end::fired}})) << "in the order in which they were started";
}

TEST(timer_wheel, the_end_of_time_never_comes_by_itself) {
  for (auto const resolution : {1ns, std::chrono::nanoseconds(1ms)}) {
    wheel w(resolution);
    book log;
    entry<wheel> a(w, log, 1);
    entry<wheel> b(w, log, 2);
    ASSERT_TRUE(a.start(time_point::max()));
    ASSERT_TRUE(b.start(w.now() + 24h * 365 * 100));
    w.advance(w.now() + 24h * 365 * 101);
    EXPECT_EQ(log, (book{{2, timer_end::fired}}));
    EXPECT_GT(w.next_expiry(), w.now() + 24h * 365 * 101);
    a.timer.stop();
    w.advance(w.now());
    EXPECT_EQ(log.back(), (std::pair{1, timer_end::stopped}));
  }
}

TEST(timer_wheel, a_clock_that_goes_back_is_ignored) {
  wheel w(1ns);
  book log;
  entry<wheel> a(w, log, 1);
  entry<wheel> b(w, log, 2);
  time_point const t = w.now();
  w.advance(t + 10ms);
  ASSERT_TRUE(a.start(t + 15ms));
  w.advance(t - 5h);
  w.advance(t);
  w.advance(time_point::min());
  EXPECT_TRUE(log.empty());
  ASSERT_TRUE(b.start(t + 10ms));  // no later than the wheel has come already
  w.advance(t);
  EXPECT_EQ(log, (book{{2, timer_end::fired}}));
  w.advance(t + 15ms);
  EXPECT_EQ(log.size(), 2U);
}

TEST(timer_wheel, a_clock_that_stands_fires_nothing_and_one_that_jumps_fires_all_in_order) {
  wheel w(1ns);
  book log;
  std::vector<std::unique_ptr<entry<wheel>>> all;
  time_point const t = w.now();
  for (int i = 0; i != 500; ++i) {
    all.push_back(std::make_unique<entry<wheel>>(w, log, i));
    ASSERT_TRUE(all.back()->start(t + 1s * ((i * 7919) % 500 + 1)));
  }
  for (int i = 0; i != 100; ++i) w.advance(t);
  EXPECT_TRUE(log.empty());
  w.advance(t + 24h * 365 * 50);
  ASSERT_EQ(log.size(), 500U);
  for (std::size_t i = 1; i != log.size(); ++i) EXPECT_LT((log[i - 1].first * 7919) % 500, (log[i].first * 7919) % 500);
}

TEST(timer_wheel, equal_deadlines_fire_in_the_order_they_were_started) {
  wheel w(1ns);
  book log;
  std::vector<std::unique_ptr<entry<wheel>>> all;
  time_point const t = w.now();
  time_point const deadline = t + 12345678ns;
  for (int i = 0; i != 200; ++i) {  // from all distances: each waits on another level when the next one comes
    w.advance(t + (deadline - t) * i / 200);
    all.push_back(std::make_unique<entry<wheel>>(w, log, i));
    ASSERT_TRUE(all.back()->start(deadline));
  }
  w.advance(deadline);
  ASSERT_EQ(log.size(), 200U);
  for (int i = 0; i != 200; ++i) EXPECT_EQ(log[static_cast<std::size_t>(i)].first, i);
}

// What a wheel does, done simply.
class reference {
 public:
  explicit reference(time_point origin, unsigned shift) : origin_(origin), shift_(shift) {}

  void start(int name, time_point when) {
    std::uint64_t tick = 0;
    if (when > origin_) {
      auto const since = static_cast<std::uint64_t>((when - origin_).count());
      tick = (since + (std::uint64_t{1} << shift_) - 1) >> shift_;
    }
    if (tick <= now_) due_.emplace_back(name, timer_end::fired);
    else waiting_.emplace(std::pair(tick, ++last_), name);
  }
  void stop(int name) {
    auto const at = std::find_if(waiting_.begin(), waiting_.end(), [&](auto const& w) { return w.second == name; });
    if (at == waiting_.end()) return;
    waiting_.erase(at);
    due_.emplace_back(name, timer_end::stopped);
  }
  book advance(time_point now) {
    if (now > origin_) now_ = std::max(now_, static_cast<std::uint64_t>((now - origin_).count()) >> shift_);
    while (!waiting_.empty() && waiting_.begin()->first.first <= now_) {
      due_.emplace_back(waiting_.begin()->second, timer_end::fired);
      waiting_.erase(waiting_.begin());
    }
    return std::exchange(due_, {});
  }
  bool anything_due() const { return !due_.empty(); }
  bool empty() const { return waiting_.empty() && due_.empty(); }
  time_point first() const { return origin_ + std::chrono::nanoseconds(waiting_.begin()->first.first << shift_); }
  std::size_t size() const { return waiting_.size() + due_.size(); }

 private:
  time_point origin_;
  unsigned shift_;
  std::uint64_t now_ = 0;
  std::uint64_t last_ = 0;
  std::map<std::pair<std::uint64_t, std::uint64_t>, int> waiting_;
  book due_;
};

TEST(timer_wheel, agrees_with_a_sorted_list_whatever_is_done_to_it) {
  for (unsigned seed = 1; seed != 61; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    auto const below = [&](std::uint64_t n) { return random() % n; };
    unsigned const shift = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 10 : 19;
    time_point const origin = test_clock::at = time_point(std::chrono::hours(below(100'000)));
    wheel w(std::chrono::nanoseconds(std::uint64_t{1} << shift));
    reference model(origin, shift);
    book log;
    std::vector<std::unique_ptr<entry<wheel>>> all;
    time_point now = origin;
    for (int step = 0; step != 3'000; ++step) {
      switch (below(8)) {
        case 0:
        case 1:
        case 2: {
          int const name = static_cast<int>(all.size());
          auto const reach = std::int64_t{1} << below(50);
          std::chrono::nanoseconds const in(static_cast<std::int64_t>(below(static_cast<std::uint64_t>(reach))) - reach / 16);
          time_point const when = below(5) == 0 ? now + 1ms : now + in;  // many equal ones
          all.push_back(std::make_unique<entry<wheel>>(w, log, name));
          ASSERT_TRUE(all.back()->start(when));
          model.start(name, when);
          break;
        }
        case 3:
        case 4:
          if (!all.empty()) {
            auto const i = below(all.size());
            all[i]->timer.stop();
            model.stop(static_cast<int>(i));
          }
          break;
        case 5:
          now += std::chrono::nanoseconds(below(std::uint64_t{1} << below(45)));
          break;
        case 6: {
          time_point const at = below(10) == 0 ? now - 1h : now;
          w.advance(at);
          ASSERT_EQ(log, model.advance(at));
          log.clear();
          break;
        }
        default:
          ASSERT_EQ(w.size(), model.size());
          if (model.anything_due()) {
            ASSERT_EQ(w.next_expiry(), time_point::min());
          } else if (model.empty()) {
            ASSERT_EQ(w.next_expiry(), time_point::max());
          } else {
            ASSERT_LE(w.next_expiry(), model.first());
          }
      }
    }
    w.advance(now + 24h * 365 * 200);
    ASSERT_EQ(log, model.advance(now + 24h * 365 * 200));
    for (auto const& e : all) ASSERT_EQ(e->calls, 1);
    test_clock::at = time_point(1000h);
  }
}

// A driver that sleeps until next_expiry() misses nothing, and comes by rarely.
TEST(timer_wheel, next_expiry_leads_to_every_timer_in_a_few_steps) {
  wheel w(1ns);
  book log;
  std::mt19937_64 random(7);
  std::vector<std::unique_ptr<entry<wheel>>> all;
  time_point const t = w.now();
  std::vector<time_point> deadlines;
  for (int i = 0; i != 300; ++i) {
    deadlines.push_back(t + std::chrono::nanoseconds(random() % (std::uint64_t{1} << (random() % 50))) + 1ns);
    all.push_back(std::make_unique<entry<wheel>>(w, log, i));
    ASSERT_TRUE(all.back()->start(deadlines.back()));
  }
  std::size_t steps = 0;
  for (time_point next = w.next_expiry(); next != time_point::max(); next = w.next_expiry(), ++steps) {
    std::size_t const before = log.size();
    w.advance(next);
    for (std::size_t i = before; i != log.size(); ++i) ASSERT_EQ(deadlines[static_cast<std::size_t>(log[i].first)], next);
  }
  EXPECT_EQ(log.size(), 300U);
  EXPECT_LT(steps, 300U * 11U);
}

TEST(timer_wheel, from_inside_an_end_everything_may_be_done) {
  struct restless {
    wheel* w;
    wheel::timer timer;
    wheel::timer* other;
    int rounds = 0;
    explicit restless(wheel& wh) : w(&wh), timer(wh), other(nullptr) {}
    void over(timer_end) noexcept {
      ++rounds;
      if (other != nullptr) other->stop();
      bool const again = rounds >= 5 || timer.start(w->now(), timer_done::to<&restless::over>(*this));
      EXPECT_TRUE(again) << "it has ended: it may start anew";
      w->advance(w->now() - 1h);
    }
  };
  wheel w(1ns);
  restless a(w);
  restless b(w);
  a.other = &b.timer;
  b.other = &a.timer;
  ASSERT_TRUE(a.timer.start(w.now(), timer_done::to<&restless::over>(a)));
  ASSERT_TRUE(b.timer.start(w.now(), timer_done::to<&restless::over>(b)));
  for (int i = 0; i != 20; ++i) w.advance(w.now());
  EXPECT_EQ(a.rounds, 5);
  EXPECT_EQ(b.rounds, 5);
  EXPECT_EQ(w.size(), 0U);
}

TEST(timer_wheel, an_end_may_destroy_its_timer) {
  struct own {
    wheel::timer timer;
    explicit own(wheel& w) : timer(w) {}
    void over(timer_end) noexcept { delete this; }
  };
  wheel w;
  auto const before = test::live_allocations_of_this_thread();
  for (int i = 0; i != 10; ++i) {
    auto* o = new own(w);
    ASSERT_TRUE(o->timer.start(w.now() + 1ms * (i % 3), timer_done::to<&own::over>(*o)));
    if (i % 4 == 0) o->timer.stop();
  }
  w.advance(w.now() + 1s);
  EXPECT_EQ(test::live_allocations_of_this_thread(), before);
}

template <class W>
void destroyed_it_ends_all_as_lost(bool closed_before) {
  book log;
  auto w = std::make_unique<W>();
  std::vector<std::unique_ptr<entry<W>>> all;
  for (int i = 0; i != 20; ++i) {
    all.push_back(std::make_unique<entry<W>>(*w, log, i));
    ASSERT_TRUE(all.back()->start(w->now() + 1s * i));
  }
  all[3]->timer.stop();
  struct meddler {
    std::vector<std::unique_ptr<entry<W>>>* all;
    typename W::timer timer;
    typename W::timer fresh;
    int calls = 0;
    meddler(W& wh, std::vector<std::unique_ptr<entry<W>>>& a) : all(&a), timer(wh), fresh(wh) {}
    void over(timer_end how) noexcept {
      EXPECT_EQ(how, timer_end::lost);
      ++calls;
      for (auto& e : *all) e->timer.stop();
      EXPECT_FALSE(timer.start(time_point(), timer_done::to<&meddler::over>(*this)));
      EXPECT_FALSE(fresh.start(time_point(), timer_done::to<&meddler::over>(*this)));
    }
  } m(*w, all);
  ASSERT_TRUE(m.timer.start(w->now(), timer_done::to<&meddler::over>(m)));
  if (closed_before) {
    w->close();
    EXPECT_EQ(w->size(), 0U);
    EXPECT_EQ(w->next_expiry(), time_point::max());
    w->advance(w->now() + 1h);
    w->close();
  } else {
    w.reset();
  }
  EXPECT_EQ(m.calls, 1);
  ASSERT_EQ(log.size(), 20U);
  for (auto const& e : all) {
    EXPECT_EQ(e->calls, 1);
    e->timer.stop();  // nobody is there any more
    EXPECT_FALSE(e->start(time_point()));
  }
  for (auto const& l : log) EXPECT_EQ(l.second, timer_end::lost);
}
TEST(timer_wheel, destroyed_or_closed_it_ends_all_as_lost) {
  for (bool const closed_before : {false, true}) {
    destroyed_it_ends_all_as_lost<wheel>(closed_before);
    destroyed_it_ends_all_as_lost<locked_wheel>(closed_before);
    destroyed_it_ends_all_as_lost<settle::timer_wheel>(closed_before);
  }
}

TEST(timer_wheel, at_the_very_ends_of_time) {
  book log;
  {
    test_clock::at = time_point::min();
    wheel w(0ns);  // as fine as it gets
    entry<wheel> a(w, log, 1);
    ASSERT_TRUE(a.start(time_point::max()));
    w.advance(time_point::max() - 1h);
    EXPECT_TRUE(log.empty());
    w.advance(time_point::max());
    EXPECT_EQ(log, (book{{1, timer_end::fired}}));
  }
  {
    test_clock::at = time_point::max() - 1us;
    wheel w(1ms);
    entry<wheel> a(w, log, 2);
    ASSERT_TRUE(a.start(time_point::max()));
    EXPECT_EQ(w.next_expiry(), time_point::max());
    w.advance(time_point::max());
    EXPECT_EQ(log.size(), 1U) << "less than one step of the resolution has passed";
    a.timer.stop();
    w.advance(time_point::max());
    EXPECT_EQ(log.back(), (std::pair{2, timer_end::stopped}));
  }
  test_clock::at = time_point(1000h);
}

TEST(timer_wheel, allocates_nothing) {
  wheel w;
  book log;
  log.reserve(100);
  auto const all = std::make_unique<std::vector<std::unique_ptr<entry<wheel>>>>();
  for (int i = 0; i != 100; ++i) all->push_back(std::make_unique<entry<wheel>>(w, log, i));
  test::allocation_count const count;
  for (int i = 0; i != 100; ++i) all->at(static_cast<std::size_t>(i))->start(w.now() + 1s * i);
  for (std::size_t i = 0; i != 100; i += 2) all->at(i)->timer.stop();
  w.advance(w.now() + 1h);
  EXPECT_EQ(count.now(), 0U);
  EXPECT_EQ(log.size(), 100U);
}

TEST(timer_wheel, wakes_its_driver_when_it_has_to_come_earlier) {
  static int woken;
  woken = 0;
  wheel w(1ns, [](void* at) noexcept { ++*static_cast<int*>(at); }, &woken);
  book log;
  entry<wheel> a(w, log, 1);
  entry<wheel> b(w, log, 2);
  entry<wheel> c(w, log, 3);
  a.start(w.now() + 100ns);
  EXPECT_EQ(woken, 1) << "it slept for ever";
  EXPECT_LE(w.next_expiry(), w.now() + 100ns);
  b.start(w.now() + 200ns);
  EXPECT_EQ(woken, 1) << "it comes by before that";
  c.start(w.now() + 10ns);
  EXPECT_EQ(woken, 2);
  b.timer.stop();
  EXPECT_EQ(woken, 3);
  c.timer.stop();
  EXPECT_EQ(woken, 3) << "it is on its way";
  w.advance(w.now());
  EXPECT_EQ(log.size(), 2U);
  w.advance(w.now() + 1us);
  EXPECT_EQ(log.size(), 3U);
}

TEST(timer_wheel, driven_and_used_by_many_threads_each_timer_ends_once) {
  settle::timer_wheel w(1us);
  std::atomic<bool> finished = false;
  std::atomic<int> ended = 0;
  struct shared {
    settle::timer_wheel::timer timer;
    std::atomic<int>* ended;
    std::atomic<int> calls = 0;
    time_point when{};
    bool early = false;
    shared(settle::timer_wheel& wh, std::atomic<int>& n) : timer(wh), ended(&n) {}
    void over(timer_end how) noexcept {
      early = how == timer_end::fired && std::chrono::steady_clock::now() < when;
      ++calls;
      ++*ended;
    }
  };
  constexpr int each = 2'000;
  std::vector<std::unique_ptr<shared>> all;
  for (int i = 0; i != 2 * each; ++i) all.push_back(std::make_unique<shared>(w, ended));
  auto const drive = [&] {
    while (!finished) w.advance(w.now());
  };
  auto const use = [&](int from) {
    for (int i = from; i != from + each; ++i) {
      shared& s = *all[static_cast<std::size_t>(i)];
      s.when = w.now() + std::chrono::microseconds(i % 50);
      EXPECT_TRUE(s.timer.start(s.when, timer_done::to<&shared::over>(s)));
      if (i % 3 == 0) s.timer.stop();
    }
  };
  std::thread d1(drive);
  std::thread d2(drive);
  std::thread u1(use, 0);
  std::thread u2(use, each);
  u1.join();
  u2.join();
  while (ended != 2 * each) std::this_thread::yield();
  finished = true;
  d1.join();
  d2.join();
  for (auto const& s : all) {
    EXPECT_EQ(s->calls, 1);
    EXPECT_FALSE(s->early);
  }
  EXPECT_EQ(w.size(), 0U);
}

}  // namespace
