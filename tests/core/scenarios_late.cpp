// SPDX-License-Identifier: BSL-1.0
// Acceptance scenarios about moments: who looks, registers or cleans up before, during and after the end, and a queue that is full.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "scale.hpp"
#include "situations.hpp"

namespace {

using namespace test;

constexpr std::size_t interleavings = a_million;

/// A value whose move may throw is claimed first and written then.
struct slow_wide : wide {
  explicit slow_wide(std::uint64_t v) noexcept : wide(v) {}
  slow_wide(slow_wide&& o) noexcept(false) : wide(o) {}
};

// A03: one thread spins on the status, in each way that there is to ask, while another one ends it.
template <class P, class End>
void spin_while(End end) {
  crew threads(2);
  for (int round = 1; round != 3000; ++round) {
    subject<P> s;
    settle::watcher<P> w = s.h.watch();
    threads.run([&](unsigned i) {
      if (i == 0) return end(s, static_cast<std::uint64_t>(round));
      int const how = round % 3;
      if (how == 0) {
        while (!s.op.is_settled()) std::this_thread::yield();
      } else if (how == 1) {
        while (w.peek() == nullptr) std::this_thread::yield();
      } else {
        while (!s.op.is_released()) std::this_thread::yield();
      }
      auto const* const out = w.peek();
      ASSERT_NE(out, nullptr) << "an ending was visible before the outcome";
      ASSERT_NE(out->has_value() + out->has_error() + out->is_cancelled(), 0);
      if (out->has_value()) {
        EXPECT_TRUE(out->value().whole());
        EXPECT_EQ(out->value().parts[7], static_cast<std::uint64_t>(round));
      }
      if (out->has_error()) {
        EXPECT_EQ(out->error().code(), settle::errc::closed);
      }
      if (out->is_cancelled()) {
        EXPECT_EQ(out->cancel().why, settle::cause::disconnect);
      }
    });
  }
}

TEST(A03_payload_before_status, of_a_value) {
  spin_while<counted<wide>>([](auto& s, std::uint64_t n) { EXPECT_TRUE(s.r.complete(wide(n))); });
}
TEST(A03_payload_before_status, of_a_value_that_is_claimed_first) {
  spin_while<counted<slow_wide>>([](auto& s, std::uint64_t n) { EXPECT_TRUE(s.r.complete(slow_wide(n))); });
}
TEST(A03_payload_before_status, of_a_value_from_rivals) {
  spin_while<counted<wide>>([](auto& s, std::uint64_t n) {
    settle::shared_resolver<counted<wide>> a(std::move(s.r));
    settle::shared_resolver<counted<wide>> const b(a);
    EXPECT_TRUE(a.complete(wide(n)));
  });
}
TEST(A03_payload_before_status, of_an_error) {
  spin_while<counted<wide>>([](auto& s, std::uint64_t) { EXPECT_TRUE(s.r.fail(settle::errc::closed)); });
}
TEST(A03_payload_before_status, of_a_cause) {
  spin_while<counted<wide>>([](auto& s, std::uint64_t) {
    EXPECT_TRUE(s.op.cancel(settle::cause::disconnect));
    subject<counted<wide>>::drop(s.r);
  });
}

// A05: a cleanup that comes when everything is over.
TEST(A05_late_cleanup, on_a_released_operation_is_handed_to_its_executor_once) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      subject<policy> s(place.get_executor());
      s.end(how);
      place.run();
      ASSERT_TRUE(s.op.is_released());
      int ran = 0;
      bool told = false;
      EXPECT_FALSE(s.op.on_cleanup([&](settle::ending e) {
        ++ran;
        told = e.kind == kind_of(how);
      })) << "ownership is refused, in so many words";
      EXPECT_EQ(ran, std::decay_t<decltype(place)>::queued ? 0 : 1) << "at once means on its executor";
      place.run();
      EXPECT_EQ(ran, 1);
      EXPECT_TRUE(told);
      EXPECT_TRUE(s.op.is_released());
    });
  });
}

TEST(A05_late_cleanup, during_the_cleanups_from_another_thread) {
  crew threads(2);
  for (int round = 0; round != 2000; ++round) {
    subject<counted<int>> s;
    std::atomic<bool> inside = false;
    std::atomic<bool> registered = false;
    std::atomic<int> order = 0;
    std::atomic<int> first = 0;
    std::atomic<int> late = 0;
    s.op.on_cleanup([&] { first = ++order; });
    s.op.on_cleanup([&] {
      inside = true;
      while (!registered) std::this_thread::yield();
    });
    threads.run([&](unsigned i) {
      if (i == 0) return s.end(all_ways[round % 6]);
      while (!inside) std::this_thread::yield();
      EXPECT_TRUE(s.op.on_cleanup([&] { late = ++order; }));
      registered = true;
    });
    ASSERT_EQ(late, 1) << "what comes during the cleanups is next";
    ASSERT_EQ(first, 2);
    ASSERT_TRUE(s.op.is_released());
  }
}

/// As many operations as fit into a batch, settled by one thread while others register on them, all in the same order: each is an
/// interleaving of its own.
template <class Register, class Check>
void interleave(unsigned registrants, Register register_on, Check check) {
  constexpr std::size_t batch = 500;
  crew threads(registrants + 1);
  auto const begun = std::chrono::steady_clock::now();
  for (std::size_t done = 0; done < interleavings; done += batch) {
    std::deque<subject<counted<int>>> all(batch);
    std::vector<std::array<std::atomic<int>, 4>> ran(batch);
    threads.run([&](unsigned i) {
      for (std::size_t k = 0; k != batch; ++k) {
        if (i == 0) all[k].end(all_ways[k % 6]);
        else register_on(all[k].op, ran[k], i);
      }
    });
    for (std::size_t k = 0; k != batch; ++k) {
      ASSERT_TRUE(check(ran[k])) << k << " of the batch at " << done;
      ASSERT_TRUE(all[k].op.is_released());
    }
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(100));
}

TEST(A05_late_cleanup, raced) {
  interleave(
      1,
      [](settle::operation const& op, auto& ran, unsigned) {
        op.on_cleanup([&ran] { ++ran[0]; });
        op.own(std::unique_ptr<int, void (*)(int*)>(nullptr, [](int*) {}));
        op.on_cleanup([&ran] { ++ran[1]; });
      },
      [](auto const& ran) { return ran[0] == 1 && ran[1] == 1; });
}
/// Side by side each time: the releaser leaves while the registration is under way, and comes when it is through.
TEST(A05_late_cleanup, raced_in_step) {
  constexpr int rounds = 20'000;
  std::atomic<int> begun = 0;
  std::atomic<int> registered = 0;
  std::atomic<int> ran = 0;
  settle::operation op;
  std::thread other([&] {
    for (int i = 1; i <= rounds; ++i) {
      for (int n = 1; begun != i; ++n)
        if (n % 2'000 == 0) std::this_thread::yield();  // else too late
      op.on_cleanup([&ran] { ++ran; });
      registered = i;
    }
  });
  for (int i = 1; i <= rounds; ++i) {
    settle::resolver_of<int> r;
    auto h = r.get_handle();
    op = r.op();
    op.on_cleanup([&ran] { ++ran; });
    begun = i;
    for (int n = 0; n != i % 64; ++n) static_cast<void>(registered.load());
    r.complete(7);
    while (registered != i) std::this_thread::yield();
    ASSERT_EQ(ran, 2 * i);
    ASSERT_TRUE(op.is_released());
    op = {};
  }
  other.join();
}

// A06: two threads attach before, during and after the end.
TEST(A06_late_observer, each_fires_exactly_once) {
  interleave(
      2,
      [](settle::operation const& op, auto& ran, unsigned i) {
        op.on_done([&ran, i] { ++ran[i - 1]; });
        op.on_done([&ran, i] { ++ran[i + 1]; });
      },
      [](auto const& ran) { return ran[0] == 1 && ran[1] == 1 && ran[2] == 1 && ran[3] == 1; });
}

TEST(A06_late_observer, before_during_and_after_on_each_executor) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    auto w = s.h.watch();
    trail log;
    w.on_done([&](settle::outcome<int> const&) {
      log.push_back("first");
      w.on_done([&](settle::outcome<int> const&) { log.push_back("during"); });
    });
    play(place, at, s, [&] {
      for (int n = 0; n != 5; ++n) w.on_done([&log, n](settle::outcome<int> const&) { log.push_back(std::to_string(n)); });
    });
    w.on_done([&](settle::outcome<int> const&) { log.push_back("after"); });
    place.run();
    bool const wired_first = at.when == moment::pending || (at.when == moment::queued && std::decay_t<decltype(place)>::queued);
    EXPECT_EQ(log, wired_first ? (trail{"first", "0", "1", "2", "3", "4", "during", "after"})
                               : (trail{"first", "during", "0", "1", "2", "3", "4", "after"}));
  });
}

// A07: what a cleanup may do to everybody.
TEST(A07_cleanup_reentrancy, registers_cancels_and_drops) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      subject<policy> s(place.get_executor());
      subject<policy> other(place.get_executor());
      trail log;
      other.op.on_done([&] { log.push_back("other's observer"); });
      other.op.on_cleanup([&] { log.push_back("other's cleanup"); });
      s.op.on_cleanup([&] { log.push_back("first registered"); });
      s.op.on_cleanup([&] {
        log.push_back("registers");
        EXPECT_TRUE(s.op.on_cleanup([&] {
          log.push_back("registered");
          subject<policy>::drop(s.h);
          s.op = {};
        }));
        s.op.on_done([&] { log.push_back("late observer"); });
      });
      s.op.on_cleanup([&] {
        log.push_back("cancels");
        EXPECT_TRUE(other.op.cancel());
        subject<policy>::drop(other.r);
      });
      s.end(how);
      place.run();
      EXPECT_EQ(log,
                (trail{"cancels", "registers", "registered", "first registered", "other's observer", "other's cleanup", "late observer"}));
      EXPECT_TRUE(other.op.is_released());
    });
  });
}

// The last reference of all goes in a cleanup: nothing of it is touched afterwards (the sanitizers look).
TEST(A07_cleanup_reentrancy, drops_the_last_reference) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (bool const cancelled : {false, true}) {
      subject<policy> s(place.get_executor());
      long const destroyed = counting_monitor::destroyed;
      trail log;
      s.op.on_cleanup([&] { log.push_back("first"); });
      s.op.on_cleanup([&] {
        log.push_back("last");
        subject<policy>::drop(s.h);
        s.op = {};
      });
      if (cancelled) s.op.cancel();
      subject<policy>::drop(s.r);
      place.run();
      EXPECT_EQ(log, (trail{"last", "first"}));
      EXPECT_EQ(counting_monitor::destroyed, destroyed + 1);
    }
  });
}

/// Room for a few pieces of work; more are refused.
class tiny_queue {
 public:
  static constexpr std::size_t capacity = 4;
  class executor {
   public:
    explicit executor(tiny_queue& q) noexcept : queue_(&q) {}
    template <class F>
    void execute(F f) const {
      ++queue_->submissions;
      if (queue_->work_.size() == capacity) throw std::runtime_error("full");
      queue_->work_.emplace_back(std::move(f));
    }
    bool running_in_this_thread() const noexcept { return queue_->inside_; }
    bool operator==(executor const&) const = default;

   private:
    tiny_queue* queue_;
  };
  void run() {
    inside_ = true;
    while (!work_.empty()) {
      task t = std::move(work_.front());
      work_.pop_front();
      t();
    }
    inside_ = false;
  }
  std::size_t submissions = 0;

 private:
  std::deque<task> work_;
  bool inside_ = false;
};

std::size_t pressure = 0;
void feel(std::exception_ptr p, settle::monitor_event const& e) noexcept {
  if (e.what == settle::monitor_event::executor_lost && p != nullptr) ++pressure;
}
struct queued_tiny : counted<int, tiny_queue::executor> {
  using error_sink = settle::function_sink<&feel>;
};

TEST(A37_queue_saturation, notification_needs_no_slot) {
  constexpr std::size_t transitions = 100'000;
  tiny_queue q;
  pressure = 0;
  std::deque<subject<queued_tiny>> all;
  std::size_t told = 0;
  std::size_t cleaned = 0;
  for (std::size_t i = 0; i != transitions; ++i) {
    all.emplace_back(tiny_queue::executor(q));
    all.back().op.on_done([&] { ++told; });
    all.back().op.on_cleanup([&] { ++cleaned; });
  }
  subject<queued_tiny> first{tiny_queue::executor(q)};
  first.op.on_done([&] {
    for (std::size_t i = 0; i != transitions; ++i) all[i].end(all_ways[i % 6]);
  });
  first.end(way::complete);
  q.run();
  EXPECT_EQ(told, transitions);
  EXPECT_EQ(cleaned, transitions);
  EXPECT_EQ(q.submissions, 1U) << "from inside the queue's own thread nothing is queued there";
  EXPECT_EQ(pressure, 0U);
}

TEST(A37_queue_saturation, what_the_queue_refuses_is_told_and_not_lost) {
  constexpr std::size_t transitions = 100'000;
  tiny_queue q;
  pressure = 0;
  std::deque<subject<queued_tiny>> all;
  std::size_t told = 0;
  std::size_t cleaned = 0;
  for (std::size_t i = 0; i != transitions; ++i) {
    all.emplace_back(tiny_queue::executor(q));
    all.back().op.on_done([&] { ++told; });
    all.back().op.on_cleanup([&] { ++cleaned; });
    all.back().end(all_ways[i % 3]);
  }
  EXPECT_EQ(told, transitions - tiny_queue::capacity) << "these ran here, the others wait";
  EXPECT_EQ(pressure, transitions - tiny_queue::capacity) << "the error sink hears of each refusal";
  q.run();
  EXPECT_EQ(told, transitions);
  EXPECT_EQ(cleaned, transitions);
  for (auto const& s : all) ASSERT_TRUE(s.op.is_released());
}

// A60, on the operation's own executor, whether its user code is posted or not: what the value points into is there until its
// observers have run.
template <class Ex, bool Dispatch>
struct of_a_view : counted<int const*, Ex> {
  static constexpr bool dispatch = Dispatch;
};
template <bool Dispatch, class Place>
void borrows(Place& place, bool settled_first) {
  settle::resolver<of_a_view<typename Place::executor, Dispatch>> r(place.get_executor());
  auto h = r.get_handle();
  auto& arena = r.own(std::make_unique<std::array<int, 4>>(std::array<int, 4>{1, 2, 3, 4}));
  int const* const view = arena->data() + 2;
  int sum = 0;
  int given_back = 0;
  r.on_cleanup([&] { given_back = sum; });
  auto const wire = [&] {
    h.on_done([&](settle::outcome<int const*> const& out) { sum += *out.value(); });
    std::move(h).on_done([&](settle::outcome<int const*>&& out) { sum += *std::move(out).value(); });
  };
  settle::pin late = settled_first ? r.op().pin() : settle::pin();
  auto const settle_it = [&] {
    EXPECT_TRUE(r.complete(view));
    if constexpr (Place::queued) {
      EXPECT_EQ(sum, !settled_first && Dispatch ? 6 : 0);
    }
  };
  if (!settled_first) wire();
  if constexpr (Place::queued) place.loop.inside(settle_it);
  else settle_it();
  if (settled_first) wire();
  late.reset();
  place.run();
  EXPECT_EQ(sum, 6);
  EXPECT_EQ(given_back, 6) << "after both";
}
TEST(A60_borrowed_view, is_alive_for_observers_and_the_consumer) {
  on_each_executor([](auto& place) {
    for (bool const settled_first : {false, true}) {
      borrows<true>(place, settled_first);
      borrows<false>(place, settled_first);
    }
  });
}

}  // namespace
