// SPDX-License-Identifier: BSL-1.0
// G15: a value that has no taker is destroyed on the operation's executor, or handed to the function given to on_lost, once.
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "../support/situations.hpp"

namespace {

using namespace test;

using descriptor = counted<int, manual_loop::executor>;  // dies quietly: without on_lost nobody would notice

struct marked {
  static inline int alive = 0;
  marked() noexcept { ++alive; }
  marked(marked&&) noexcept { ++alive; }
  marked& operator=(marked&&) noexcept = default;
  ~marked() { --alive; }
};

struct G15_lost_values : testing::Test {
  manual_loop loop;
  std::vector<int> lost;
  std::shared_ptr<int> mark = std::make_shared<int>();
  std::weak_ptr<int> const alive = mark;
  subject<descriptor> s{loop.get_executor()};

  void give() {
    s.h = std::move(s.h).on_lost([this, m = std::move(mark)](int&& v) noexcept {
      EXPECT_TRUE(loop.is_here());
      lost.push_back(v);
    });
  }
  void expect_over(std::vector<int> const& expected) {
    loop.run();
    EXPECT_TRUE(s.op.is_released());
    EXPECT_EQ(lost, expected);
    EXPECT_TRUE(alive.expired()) << "the function is gone as well";
  }
};

TEST_F(G15_lost_values, a_dropped_handle_loses_the_value_that_comes_later) {
  give();
  s.h = {};
  s.r.complete(7);
  expect_over({7});
}

TEST_F(G15_lost_values, so_does_a_detached_one) {
  give();
  std::move(s.h).detach();
  s.r.complete(7);
  expect_over({7});
}

TEST_F(G15_lost_values, one_dropped_after_settled_and_one_after_released) {
  for (bool const released : {false, true}) {
    subject<descriptor> t(loop.get_executor());
    std::vector<int> here;
    t.h = std::move(t.h).on_lost([&](int&& v) noexcept { here.push_back(v); });
    t.r.complete(8);
    if (released) loop.run();
    EXPECT_EQ(t.op.is_released(), released);
    t.h = {};
    EXPECT_TRUE(here.empty()) << "on its executor, not here";
    loop.run();
    EXPECT_EQ(here, std::vector<int>{8});
  }
  give();
  s.r.complete(1);
  s.h = {};
  expect_over({1});
}

TEST_F(G15_lost_values, given_when_the_value_is_there_already) {
  s.r.complete(9);
  loop.run();
  give();
  s.h = {};
  expect_over({9});
}

TEST(G15_lost_values_of_no_value, a_failure_and_a_cancellation_leave_nothing_to_lose) {
  for (way const how : all_ways) {
    if (how == way::complete || how == way::drop) continue;  // a value; no handle that could go
    SCOPED_TRACE(way_names[static_cast<std::size_t>(how)]);
    manual_loop loop;
    subject<counted<tracked, manual_loop::executor>> s(loop.get_executor());
    s.end(how);
    loop.run();
    EXPECT_TRUE(s.op.is_released());
    auto const before = loop.submissions();
    s.drop(s.h);
    EXPECT_EQ(loop.submissions(), before) << "the executor has nothing to do for a handle that goes";
  }
}

TEST(G15_lost_values_of_observers, one_that_drops_the_handle_was_the_last_that_could_take_it) {
  on_each_executor([](auto& place) {
    enum { among_observers, among_callbacks, late };
    for (auto const where : {among_observers, among_callbacks, late}) {
      SCOPED_TRACE(where);
      subject<counted<tracked, typename std::decay_t<decltype(place)>::executor>> s(place.get_executor());
      std::optional<settle::done_callback<std::function<void()>>> callback;
      auto const let_go = [&] { s.drop(s.h); };
      if (where == among_callbacks) callback.emplace(s.op, [] {});
      if (where == late) s.op.on_done([&] { s.op.on_done(let_go); });
      else s.op.on_done(let_go);
      s.r.complete(tracked(5));
      place.run();
      EXPECT_TRUE(s.op.is_released());
      EXPECT_EQ(tracked::alive, 0) << "the value does not wait for those who only refer to the operation";
    }
  });
}

// It dies with the last reference, in the drain that ran its operation's end, and settles another operation there.
struct settles_another {
  settle::resolver<counted<int>> other;
  explicit settles_another(settle::resolver<counted<int>>&& r) noexcept : other(std::move(r)) {}
  settles_another(settles_another&&) noexcept = default;
  settles_another& operator=(settles_another&&) = default;
  ~settles_another() {
    if (other) other.complete(1);
  }
};
TEST(G15_lost_values_of_observers, one_that_was_watched_to_the_end_may_settle_another_operation) {
  manual_loop loop;
  subject<counted<int>> other;
  int told = 0;
  other.op.on_done([&] { ++told; });
  using policy = counted<settles_another, manual_loop::executor>;
  settle::watcher<policy> w;
  {
    subject<policy> s(loop.get_executor());
    w = s.h.watch();
    w.on_done([&] { w = {}; });
    s.r.complete(settles_another(std::move(other.r)));
  }
  EXPECT_EQ(told, 0);
  loop.run();
  EXPECT_EQ(told, 1);
}

// Nobody listens to events here, and the value has no destructor: the sequence ends the short way.
struct quiet : settle::default_policy {
  using value_type = int;
  using allocator_type = counting_allocator<std::byte>;
};

struct quiet_and_tracked : quiet {
  using value_type = tracked;
};
TEST(G15_lost_values_unmonitored, what_a_watcher_may_read_stays_while_it_does) {
  {
    subject<quiet_and_tracked> s;
    auto const w = s.h.watch();
    s.drop(s.h);
    EXPECT_TRUE(s.r.complete(tracked(5)));
    ASSERT_NE(w.peek(), nullptr);
    ASSERT_TRUE(w.peek()->has_value());
    EXPECT_EQ(w.peek()->value().value, 5);
    EXPECT_EQ(tracked::alive, 1);
  }
  EXPECT_EQ(tracked::alive, 0);
}

TEST(G15_lost_values_unmonitored, given_when_the_sequence_has_ended) {
  for (bool const with_cleanup : {false, true}) {
    subject<quiet> s;
    std::vector<int> lost;
    if (with_cleanup) s.op.on_cleanup([] {});
    s.op.on_done([] {});
    s.r.complete(9);
    s.h = std::move(s.h).on_lost([&](int&& v) noexcept { lost.push_back(v); });
    EXPECT_TRUE(lost.empty());
    s.h = {};
    EXPECT_EQ(lost, std::vector<int>{9}) << "while others refer to the operation yet";
  }
}

TEST(G15_lost_values_unmonitored, given_while_the_cleanups_run) {
  subject<quiet> s;
  std::vector<int> lost;
  s.op.on_done([] {});
  s.op.on_cleanup([&] {
    s.h = std::move(s.h).on_lost([&](int&& v) noexcept { lost.push_back(v); });
    s.h = {};
  });
  s.r.complete(9);
  EXPECT_EQ(lost, std::vector<int>{9});
}

TEST(G15_lost_values_unmonitored, given_while_the_sequence_ends) {
  crew threads(2);
  for (int round = 0; round != 2000; ++round) {
    subject<quiet> s;
    std::atomic<int> lost = 0;
    s.op.on_done([] {});
    threads.run([&](unsigned i) {
      if (i == 0) {
        s.r.complete(9);
        return;
      }
      auto h = std::move(s.h).on_lost([&](int&& v) noexcept { lost += v; });
      subject<quiet>::drop(h);
    });
    ASSERT_EQ(lost, 9);
  }
}

TEST_F(G15_lost_values, not_for_a_value_that_was_taken) {
  give();
  int taken = 0;
  s.r.complete(7);
  std::move(s.h).on_done([&](settle::outcome<int>&& o) { taken = o.value(); });
  expect_over({});
  EXPECT_EQ(taken, 7);
}

TEST_F(G15_lost_values, nor_for_one_that_a_thread_waited_for) {
  give();
  s.r.complete(7);
  loop.run();
  EXPECT_EQ(std::move(s.h).wait().value(), 7);
  expect_over({});
}

TEST(G15_lost_values_none, nor_for_a_failure_or_a_cancellation) {
  in_each_way([](way how) {
    if (how == way::complete) return;
    manual_loop loop;
    auto mark = std::make_shared<int>();
    std::weak_ptr<int> const alive = mark;
    subject<descriptor> s(loop.get_executor());
    bool ran = false;
    s.h = std::move(s.h).on_lost([&, m = std::move(mark)](int&&) noexcept { ran = true; });
    s.end(how);
    loop.run();
    EXPECT_TRUE(s.op.is_released());
    EXPECT_FALSE(ran);
    EXPECT_TRUE(alive.expired());
  });
}

TEST_F(G15_lost_values, nor_for_a_losing_complete_which_leaves_the_value_with_its_owner) {
  give();
  s.op.cancel();
  EXPECT_FALSE(s.r.complete(7));
  expect_over({});
}

TEST_F(G15_lost_values, watched_it_goes_with_the_last_who_lets_go) {
  give();
  auto w = s.h.watch();
  s.h = {};
  s.r.complete(7);
  loop.run();
  EXPECT_TRUE(lost.empty());
  EXPECT_EQ(w.peek()->value(), 7);
  s.op = {};
  loop.inside([&] { w = {}; });
  EXPECT_EQ(lost, std::vector<int>{7});
  EXPECT_TRUE(alive.expired());
}

TEST_F(G15_lost_values, given_to_one_that_was_cancelled_it_is_gone_at_once) {
  s.op.cancel();
  s.drop(s.r);
  loop.run();
  give();
  loop.run();
  EXPECT_TRUE(alive.expired()) << "not when the handle goes";
  expect_over({});
}

TEST_F(G15_lost_values, given_to_one_that_failed_it_does_not_look_at_the_error) {
  s.r.fail(settle::errc::closed);
  loop.run();
  give();
  loop.run();
  expect_over({});
  s.h = {};
  s.op = {};
  loop.run();
  EXPECT_EQ(recording_sink::count(settle::monitor_event::unseen_failure), 1U);
}

TEST_F(G15_lost_values, dropped_after_released_by_the_last_who_refers_to_it) {
  give();
  s.r.complete(7);
  loop.run();
  s.op = {};
  subject<descriptor> another(loop.get_executor());
  another.op.on_done([&] { s.h = {}; });  // whose drain keeps nothing of it
  another.end(way::complete);
  loop.run();
  EXPECT_EQ(lost, std::vector<int>{7});
  EXPECT_TRUE(alive.expired());
}

TEST_F(G15_lost_values, given_it_leaves_the_rest_of_the_context_there) {
  constexpr settle::context_slot<int> slot;
  EXPECT_TRUE(slot.set(s.op, 3));
  give();
  EXPECT_EQ(slot.of(s.op), 3);
  s.r.complete(7);
  s.h = {};
  expect_over({7});
  EXPECT_EQ(slot.of(s.op), 3);
}

TEST_F(G15_lost_values, given_in_vain_it_leaves_the_ending_as_it_was) {
  give();
  s.op.cancel(settle::cause::overload);
  s.h = {};
  s.drop(s.r);
  expect_over({});
  int told = 0;
  s.op.on_done([&](settle::ending e) {
    ++told;
    EXPECT_EQ(e.kind, settle::ending::cancelled);
  });
  loop.run();
  EXPECT_EQ(told, 1);
}

TEST_F(G15_lost_values, a_second_function_is_misuse) {
  give();
  auto second = std::make_shared<int>();
  std::weak_ptr<int> const second_alive = second;
  s.h = std::move(s.h).on_lost([m = std::move(second)](int&&) noexcept { ADD_FAILURE(); });
  EXPECT_TRUE(second_alive.expired());
  ASSERT_EQ(recording_sink::count(settle::monitor_event::misuse), 1u);
  recording_sink::take();
  s.h = {};
  s.r.complete(3);
  expect_over({3});
}

TEST_F(G15_lost_values, out_of_memory_leaves_the_handle_as_it_was) {
  for (long n = 0; n != 2; ++n) {
    dry_after const dry(n);
    EXPECT_THROW(static_cast<void>(std::move(s.h).on_lost([](int&&) noexcept {})), std::bad_alloc);
    EXPECT_TRUE(s.h);
  }
  give();
  s.h = {};
  s.r.complete(3);
  expect_over({3});
}

TEST_F(G15_lost_values, a_lost_executor_loses_no_value) {
  give();
  s.h = {};
  s.r.complete(3);
  loop.inside([&] { loop.drop_all(); });
  expect_over({3});
  recording_sink::take();
}

settle::handle_of<std::unique_ptr<int>> yields_late(settle::operation, settle::handle_of<void> gate) {
  co_await std::move(gate).as_outcome();
  co_return std::make_unique<int>(5);
}

// A coroutine that is suspended where settle cannot end it yields its value to nobody.
struct foreign_gate {
  std::coroutine_handle<>* resume;
  static constexpr bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) const noexcept { *resume = h; }
  void await_resume() const noexcept {}
  explicit foreign_gate(std::coroutine_handle<>* r) : resume(r) {}
};
settle::handle_of<std::unique_ptr<int>> yields_after(settle::operation, std::coroutine_handle<>* resume) {
  co_await foreign_gate(resume);
  co_return std::make_unique<int>(5);
}

TEST(G15_lost_coroutine, what_a_cancelled_coroutine_still_yields_is_handed_on) {
  settle::resolver_of<void> parent;
  std::coroutine_handle<> resume;
  int got = 0;
  auto h = yields_after(parent.op(), &resume).on_lost([&](std::unique_ptr<int>&& p) noexcept { got = *p; });
  settle::operation const op = h;
  h.cancel();
  EXPECT_TRUE(op.is_settled());
  EXPECT_FALSE(op.is_released());
  resume.resume();
  EXPECT_EQ(got, 5);
  EXPECT_TRUE(op.is_released());
  parent.complete();
}

TEST(G15_lost_coroutine, an_awaited_value_is_not_lost) {
  settle::resolver_of<void> parent;
  settle::resolver_of<void> gate;
  bool lost = false;
  auto h = yields_late(parent.op(), gate.get_handle()).on_lost([&](std::unique_ptr<int>&&) noexcept { lost = true; });
  gate.complete();
  EXPECT_EQ(*std::move(h).wait().value(), 5);
  EXPECT_FALSE(lost);
  parent.complete();
}

// Values that own handles of further values: lost one after the other, not one inside the other.
TEST(G09_flat, a_long_chain_of_values_that_own_each_other_is_lost_flat) {
  struct link {
    settle::handle_of<std::unique_ptr<link>> next;
  };
  settle::handle_of<std::unique_ptr<link>> head;
  for (int i = 0; i != 100'000; ++i) {
    settle::resolver_of<std::unique_ptr<link>> r;
    auto h = r.get_handle();
    r.complete(std::make_unique<link>(link{std::move(head)}));
    head = std::move(h);
  }
  head = {};
  EXPECT_FALSE(head);
}

TEST(G15_racing, a_handle_dropped_while_the_value_comes) {
  for (int i = 0; i != 5'000; ++i) {
    std::atomic<int> lost = 0;
    settle::resolver_of<int> r;
    auto h = r.get_handle().on_lost([&](int&&) noexcept { ++lost; });
    settle::operation const op = h;
    std::thread a([&] { r.complete(1); });
    std::thread b([&] { h = {}; });
    a.join();
    b.join();
    EXPECT_TRUE(op.is_released());
    EXPECT_EQ(lost, 1);
  }
}

TEST(G15_lost_values_late, a_function_given_to_what_is_settled_already) {
  int lost = 0;
  auto const take = [&](int&& v) noexcept { lost += v; };
  settle::resolver<counted<int>> r;
  auto h = r.get_handle();
  r.complete(1);
  EXPECT_EQ(std::move(h).on_lost(take).wait().value(), 1) << "taken";
  EXPECT_EQ(lost, 0);
  settle::resolver<counted<int>> again;
  h = again.get_handle();
  again.complete(2);
  h = std::move(h).on_lost(take);
  h = {};
  EXPECT_EQ(lost, 2);
  settle::resolver<counted<int>> failed;
  h = failed.get_handle();
  failed.fail(settle::errc::closed);
  EXPECT_EQ(std::move(h).on_lost(take).wait().error(), settle::errc::closed);
  EXPECT_EQ(lost, 2);
  EXPECT_FALSE(settle::handle<counted<int>>().on_lost(take));
}

TEST(G15_lost_values_late, beside_a_stop_token) {
  int lost = 0;
  subject<counted<int>> s;
  s.h = std::move(s.h).on_lost([&](int&& v) noexcept { lost = v; });
  auto const token = s.op.stop_token();
  EXPECT_EQ(token, s.op.stop_token()) << "found behind the other";
  std::move(s.h).detach();
  s.end(way::complete);
  EXPECT_EQ(lost, 42);
  EXPECT_FALSE(token.stop_requested());
}

// Where nothing else is to be done at the release: the pin and the owner go inside one structural step.
TEST(G15_lost_values_late, its_owner_goes_while_the_release_is_under_way) {
  marked::alive = 0;
  settle::resolver_of<void> parent;
  auto const above = parent.get_handle();
  {
    settle::resolver_of<marked> r(above, settle::inline_executor());
    auto h = r.get_handle();
    auto pin = r.op().pin();
    r.complete(marked());
    settle::resolver_of<void> other;
    auto const asked = other.get_handle();
    std::stop_callback const both_go(asked.stop_token(), [&] {
      pin.reset();
      h = {};
    });
    asked.request_cancel();
    other.complete();
  }
  EXPECT_EQ(marked::alive, 0);
  parent.complete();
  EXPECT_TRUE(above.is_released());
}

}  // namespace
