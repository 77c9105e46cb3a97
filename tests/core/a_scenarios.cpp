// SPDX-License-Identifier: BSL-1.0
// The acceptance scenarios of the core that need neither combinators nor coroutines. Others stand with their guarantee.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>

#include "situations.hpp"

namespace {

using namespace test;

TEST(A01_lifo_cleanup, on_every_end_after_the_observers) {
  on_each_executor([](auto& place) {
    in_each_way([&](way how) {
      using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
      subject<policy> s(place.get_executor());
      trail log;
      for (int i = 1; i <= 3; ++i) s.op.on_cleanup([&log, i] { log.push_back("cleanup " + std::to_string(i)); });
      s.op.on_done([&] { log.push_back("done"); });
      s.end(how);
      place.run();
      EXPECT_EQ(log, (trail{"done", "cleanup 3", "cleanup 2", "cleanup 1"}));
    });
  });
}

// Eight rivals: one producer, seven cancels.
TEST(A02_one_winner, eight_threads) {
  crew threads(8);
  for (int round = 1; round != 300; ++round) {
    using policy = counted<wide>;
    subject<policy> s;
    auto w = s.h.watch();
    std::atomic<int> sequences = 0;
    s.op.on_done([&] { ++sequences; });
    std::array<bool, 8> won{};
    threads.run([&](unsigned i) {
      won[i] = i == 0 ? s.r.complete(wide(static_cast<std::uint64_t>(round))) : s.op.cancel(static_cast<settle::cause>(i));
    });
    int winners = 0;
    for (unsigned i = 0; i != 8; ++i) {
      if (!won[i]) continue;
      ++winners;
      if (i == 0) {
        EXPECT_EQ(w.peek()->value().parts[7], static_cast<std::uint64_t>(round));
      } else {
        EXPECT_EQ(w.peek()->cancel().why, static_cast<settle::cause>(i));
      }
    }
    ASSERT_EQ(winners, 1);
    ASSERT_EQ(sequences, 1);
  }
}

TEST(A02_one_winner, complete_and_cancel_from_two_threads_fire_observers_once) {
  crew threads(2);
  for (int round = 0; round != 5000; ++round) {
    subject<counted<int>> s;
    std::atomic<int> done = 0;
    std::atomic<int> cleaned = 0;
    s.op.on_done([&] { ++done; });
    s.op.on_cleanup([&] { ++cleaned; });
    bool completed = false;
    bool cancelled = false;
    threads.run([&](unsigned i) {
      if (i == 0) completed = s.r.complete(1);
      else cancelled = s.op.cancel();
    });
    ASSERT_NE(completed, cancelled);
    ASSERT_EQ(done, 1);
    ASSERT_EQ(cleaned, 1);
  }
}

TEST(A04_cancel_is_loud, the_parent_and_the_observers_hear_of_it) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> parent(place.get_executor());
    subject<policy> child(place.get_executor());
    parent.op.adopt(child.op);
    trail log;
    child.op.on_done([&](settle::ending e) {
      EXPECT_EQ(e.kind, settle::ending::cancelled);
      log.push_back("child's observer");
    });
    child.op.on_cleanup([&] { log.push_back("child's cleanup"); });
    parent.op.on_cleanup([&] { log.push_back("parent's cleanup"); });
    child.end(way::cancel);
    parent.end(way::complete);
    place.run();
    EXPECT_EQ(log, (trail{"child's observer", "child's cleanup", "parent's cleanup"}));
  });
}

TEST(A08_cleanup_error, the_second_of_three_throws) {
  in_each_way([](way how) {
    subject<counted<int>> s;
    trail log;
    s.op.on_cleanup([&] { log.push_back("1"); });
    s.op.on_cleanup([&]() -> void {
      log.push_back("2");
      throw std::runtime_error("second");
    });
    s.op.on_cleanup([&] { log.push_back("3"); });
    s.end(how);
    EXPECT_EQ(log, (trail{"3", "2", "1"}));
    std::size_t threw = 0;
    for (auto const& r : recording_sink::take()) threw += r.what == settle::monitor_event::cleanup_threw && r.said == "second" ? 1 : 0;
    EXPECT_EQ(threw, 1U);
  });
}

// A child that lives in its parent's memory.
TEST(A10_nested_order, a_child_uses_what_its_parent_owns) {
  on_each_executor([](auto& place) {
    in_each_way([&](way how) {
      using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
      subject<policy> parent(place.get_executor());
      auto& arena = parent.r.own(std::make_unique<std::array<int, 16>>());
      subject<policy> child(place.get_executor());
      parent.op.adopt(child.op);
      int sum = 0;
      int* const slot = &(*arena)[3];
      *slot = 5;
      child.op.on_cleanup([&sum, slot] { sum += *slot; });
      parent.end(how);
      place.run();
      *slot = 7;  // the child's producer is still at it
      subject<policy>::drop(child.r);
      place.run();
      EXPECT_EQ(sum, 7);
      EXPECT_TRUE(parent.op.is_released());
    });
  });
}

TEST(A11_status_monotonic, a_request_and_then_a_value) {
  crew threads(2);
  for (int round = 0; round != 2000; ++round) {
    using policy = counted<int>;
    subject<policy> s;
    auto w = s.h.watch();
    s.op.request_cancel();
    bool seen_cancelled = false;
    threads.run([&](unsigned i) {
      if (i == 0) {
        s.r.complete(1);
        return;
      }
      while (w.peek() == nullptr) std::this_thread::yield();
      seen_cancelled = w.peek()->is_cancelled();
    });
    ASSERT_FALSE(seen_cancelled);
    ASSERT_TRUE(w.peek()->has_value());
  }
}

// An operation that has failed before anybody could attach, and one that hangs on it.
TEST(A38_callback_after_start, attached_after_a_failure_inside_the_start) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    auto const submit = [&] {
      settle::resolver<policy> r(place.get_executor());
      auto h = r.get_handle();
      r.fail(settle::errc::closed);
      return h;
    };
    settle::resolver<policy> middle(place.get_executor());
    settle::resolver<policy> outer(place.get_executor());
    auto middle_handle = middle.get_handle();
    auto outer_handle = outer.get_handle();
    auto seen = outer_handle.watch();
    submit().on_done([&](settle::outcome<int>&& out) { middle.settle(std::move(out)); });
    std::move(middle_handle).on_done([&](settle::outcome<int>&& out) { outer.settle(std::move(out)); });
    place.run();
    ASSERT_NE(seen.peek(), nullptr);
    EXPECT_EQ(seen.peek()->error().code(), settle::errc::closed);
  });
}

// Ownership across a callback is in the types: borrowed is const, owned is moved out or dies there.
static_assert(!std::is_copy_constructible_v<settle::handle_of<int>> && !std::is_copy_constructible_v<settle::resolver_of<int>>);
static_assert(std::is_nothrow_move_constructible_v<settle::handle_of<int>> && std::is_nothrow_move_assignable_v<settle::handle_of<int>>);
static_assert(!std::is_copy_constructible_v<settle::pin> && !std::is_copy_constructible_v<settle::registration>);
static_assert(std::is_copy_constructible_v<settle::watcher_of<int>> && std::is_copy_constructible_v<settle::operation>);
static_assert(!std::is_convertible_v<settle::handle_of<int>&, settle::watcher_of<int>>);
static_assert(!std::is_constructible_v<settle::handle_of<int>, settle::handle_of<long>&&>);
static_assert(sizeof(settle::operation) == sizeof(void*) && sizeof(settle::handle_of<int>) == sizeof(void*));

TEST(A46_callback_ownership, a_payload_is_borrowed_or_moved) {
  using policy = counted<tracked>;
  {
    subject<policy> s;
    bool borrowed = false;
    tracked kept(0);
    s.h.on_done([&](auto&& out) {
      borrowed = std::is_const_v<std::remove_reference_t<decltype(out)>>;
      EXPECT_EQ(out.value().value, 42);
    });
    std::move(s.h).on_done([&](settle::outcome<tracked>&& out) { kept = std::move(out).value(); });
    s.r.complete(tracked(42));
    EXPECT_TRUE(borrowed);
    EXPECT_EQ(kept.value, 42);
  }
  EXPECT_EQ(tracked::alive, 0);
}

TEST(A46_callback_ownership, after_the_consumer_took_it_watchers_see_taken) {
  using policy = counted<tracked>;
  subject<policy> s;
  auto w = s.h.watch();
  std::move(s.h).on_done([](settle::outcome<tracked>&& out) { EXPECT_EQ(std::move(out).value().value, 42); });
  s.r.complete(tracked(42));
  ASSERT_NE(w.peek(), nullptr);
  EXPECT_TRUE(w.peek()->is_taken());
  EXPECT_FALSE(w.peek()->has_value());
}

// An owner that is destroyed with operations in flight: it withdraws, or its callbacks are gone by then.
TEST(A47_late_callback, an_owner_dies_with_operations_in_flight) {
  crew threads(2);
  struct owner {
    std::atomic<int>& calls;
    std::vector<settle::registration> hooks;
    std::unique_ptr<int> state = std::make_unique<int>(1);
    explicit owner(std::atomic<int>& c) : calls(c) {}
    void watch(settle::operation const& op) {
      hooks.push_back(op.on_done([this] { calls += *state; }));
    }
    bool let_go() {
      bool all = true;
      for (auto& h : hooks) all = h.withdraw() && all;
      return all;
    }
  };
  for (int round = 0; round != 1000; ++round) {
    std::atomic<int> calls = 0;
    manual_loop loop;
    std::vector<std::unique_ptr<subject<counted<int, manual_loop::executor>>>> in_flight;
    auto o = std::make_unique<owner>(calls);
    for (int i = 0; i != 3; ++i) {
      in_flight.push_back(std::make_unique<subject<counted<int, manual_loop::executor>>>(loop.get_executor()));
      o->watch(in_flight.back()->op);
    }
    threads.run([&](unsigned i) {
      if (i == 0) {
        for (auto& s : in_flight) s->end(way::complete);
      } else if (o->let_go()) {
        o.reset();  // the loop has not run: none of them will
      }
    });
    ASSERT_EQ(o, nullptr);
    loop.run();
    ASSERT_EQ(calls, 0);
  }
}

// What an operation owns is given to it when it is made: there is no way to make a resource of it without.
TEST(A49_enforcement, ownership_is_taken_or_refused_in_words) {
  subject<counted<int>> s;
  EXPECT_TRUE(s.op.own(std::make_unique<int>(1)));
  s.end(way::complete);
  EXPECT_FALSE(s.op.own(std::make_unique<int>(1)));
  settle::pin const none = s.op.pin();
  EXPECT_FALSE(none) << "no pin, no reference into it";
}

// What somebody made and nobody ends, the error sink names by the place that made it.
TEST(A49_enforcement, what_is_let_go_of_unended_is_named_by_the_place_that_made_it) {
  settle::resolver_of<void> child;
  testing::internal::CaptureStderr();
  constexpr auto abandoned_at = __LINE__ + 2;
  {
    settle::resolver_of<int> const abandoned;
  }
  constexpr auto destroyed_at = __LINE__ + 2;
  {
    settle::scope work{settle::inline_executor()};
    work.spawn([&child] { return child.get_handle(); });
  }
  std::string const said = testing::internal::GetCapturedStderr();
  auto const place = [](int line) { return std::string("(") + __FILE__ + ":" + std::to_string(line) + ")\n"; };
  EXPECT_NE(said.find("settle: abandoned " + place(abandoned_at)), std::string::npos) << said;
  EXPECT_NE(said.find("before its children have ended: they are asked to cancel " + place(destroyed_at)), std::string::npos) << said;
  EXPECT_TRUE(child.op().cancel_requested());
  child.cancel();
}

// A58: the child is adopted while it settles or is released, and while the parent settles.
template <class End>
void adopt_race(End end_parent) {
  crew threads(3);
  for (int round = 0; round != 3000; ++round) {
    using policy = counted<int>;
    subject<policy> parent;
    subject<policy> child;
    std::atomic<int> child_done = 0;
    std::atomic<int> child_released = 0;
    std::atomic<int> order = 0;
    child.op.on_done([&] { ++child_done; });
    child.op.on_released([&] { child_released = ++order; });
    std::atomic<int> cleaned = 0;
    parent.op.on_cleanup([&] { cleaned = ++order; });
    settle::pin hold = parent.op.pin();
    threads.run([&](unsigned i) {
      if (i == 0) parent.op.adopt(child.op);
      else if (i == 1) child.try_to_end(all_ways[round % 5]);
      else end_parent(parent, round);
    });
    hold.reset();
    subject<policy>::drop(parent.r);
    ASSERT_EQ(child_done, 1);
    ASSERT_TRUE(parent.op.is_released());
    ASSERT_TRUE(child.op.is_released());
    ASSERT_EQ(child_released, 1) << "released before its parent's cleanups";
    ASSERT_EQ(cleaned, 2);
  }
}
TEST(A58_adopt_races_settle, of_the_child) {
  adopt_race([](auto&, int) {});
}
TEST(A58_adopt_races_settle, of_both) {
  adopt_race([](auto& parent, int round) {
    if (round % 3 == 0) parent.op.cancel();
    else if (round % 3 == 1) parent.op.request_cancel();
    else parent.r.complete(1);
  });
}

// The parent may be gone altogether when it comes to adopt.
TEST(A58_adopt_races_settle, a_parent_that_is_released_meanwhile) {
  crew threads(2);
  for (int round = 0; round != 3000; ++round) {
    using policy = counted<int>;
    subject<policy> parent;
    subject<policy> child;
    threads.run([&](unsigned i) {
      if (i == 0) parent.op.adopt(child.op);
      else parent.end(all_ways[round % 5]);
    });
    ASSERT_TRUE(child.op.cancel_requested()) << "told by the parent, or when it was adopted";
    subject<policy>::drop(child.r);
    ASSERT_TRUE(parent.op.is_released());
    ASSERT_TRUE(child.op.is_released());
  }
}

// A59: an executor in the middle of the tree never runs.
TEST(A59_structure_without_executors, the_leafs_io_is_cancelled_at_once) {
  for (bool const forced : {false, true}) {
    manual_loop blocked;
    subject<counted<int>> root;
    subject<counted<int, manual_loop::executor>> middle(blocked.get_executor());
    subject<counted<int>> leaf;
    root.op.adopt(middle.op);
    middle.op.adopt(leaf.op);
    bool io_stopped = false;
    int middle_ran = 0;
    leaf.op.on_cancel([&] { io_stopped = true; });
    middle.op.on_cancel([&] { ++middle_ran; });
    middle.op.on_cleanup([&] { ++middle_ran; });
    if (forced) root.op.cancel();
    else root.op.request_cancel();
    EXPECT_TRUE(io_stopped);
    EXPECT_EQ(middle_ran, 0);
    subject<counted<int>>::drop(leaf.r);
    subject<counted<int, manual_loop::executor>>::drop(middle.r);
    subject<counted<int>>::drop(root.r);
    EXPECT_TRUE(leaf.op.is_released());
    EXPECT_FALSE(root.op.is_released());
    blocked.run();
    EXPECT_EQ(middle_ran, 2);
    EXPECT_TRUE(root.op.is_released());
  }
}

TEST(A09_abandoned, a_counting_monitor_agrees_with_what_is_there) {
  long const live = counting_monitor::live();
  {
    std::vector<settle::resolver<counted<int>>> producers(10);
    EXPECT_EQ(counting_monitor::live(), live + 10);
    std::vector<settle::operation> seen;
    for (auto& r : producers) seen.push_back(r.op());
    long const settled = counting_monitor::settled;
    producers.resize(5);
    EXPECT_EQ(counting_monitor::settled, settled + 5);
    EXPECT_EQ(counting_monitor::live(), live + 10) << "still referenced";
  }
  EXPECT_EQ(counting_monitor::live(), live);
}

}  // namespace
