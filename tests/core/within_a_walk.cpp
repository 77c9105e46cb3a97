// SPDX-License-Identifier: BSL-1.0
// What a std::stop_callback does in the middle of a walk, where the cancel happens; and what executors make ready inside execute().
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;
using number = counted<int>;

template <class F>
auto when_stopped(settle::operation const& op, F f) {
  return std::stop_callback<F>(op.stop_token(), std::move(f));
}

TEST(G09_flat, what_a_stop_callback_completes_is_told_after_the_walk) {
  settle::resolver_of<int> asked;
  auto h = asked.get_handle();
  settle::resolver_of<int> other;
  bool told = false;
  bool told_inside = false;
  other.get_handle().on_done([&](settle::outcome<int>&& o) { told = o.has_value(); });
  auto const stop = when_stopped(h, [&] {
    other.complete(1);
    told_inside = told;
  });
  h.request_cancel();
  EXPECT_FALSE(told_inside);
  EXPECT_TRUE(told);
  asked.cancel();
}

TEST(G04_order, a_stop_callback_that_completes_its_operation_goes_before_who_is_told) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    trail log;
    settle::cancel_callback const asked(s.op, [&] { log.emplace_back("asked"); });
    auto const stop = when_stopped(s.op, [&] {
      s.r.complete(1);
      log.emplace_back("completed");
    });
    s.h.on_done([&] { log.emplace_back("done"); });
    EXPECT_TRUE(s.op.request_cancel());
    EXPECT_TRUE(s.op.is_settled());
    place.run();
    EXPECT_EQ(log, (trail{"completed", "asked", "done"}));
    EXPECT_TRUE(s.op.is_released());
  });
}

TEST(G06_never_late, what_a_stop_callback_registers_on_its_cancelled_operation_is_told_in_order) {
  subject<number> s;
  trail log;
  s.h.on_done([&] { log.emplace_back("first"); });
  auto second = [&] { log.emplace_back("second"); };
  std::optional<settle::done_callback<decltype(second)>> carried;
  auto const stop = when_stopped(s.op, [&] {
    carried.emplace(s.op, second);
    s.op.on_done([&] { log.emplace_back("third"); });
    log.emplace_back("stopped");
  });
  EXPECT_TRUE(s.op.cancel());
  EXPECT_EQ(log, (trail{"stopped", "first", "second", "third"}));
  s.r.cancel();
}

TEST(G17_withdrawal, a_cancel_callback_that_takes_another_one_away) {
  subject<number> s;
  trail log;
  auto never = [&] { log.emplace_back("never"); };
  std::optional<settle::cancel_callback<decltype(never)>> gone;
  settle::cancel_callback const first(s.op, [&] {
    gone.reset();
    log.emplace_back("first");
  });
  gone.emplace(s.op, never);
  settle::cancel_callback const last(s.op, [&] { log.emplace_back("last"); });
  s.op.request_cancel();
  EXPECT_EQ(log, (trail{"first", "last"}));
  s.r.cancel();
}

TEST(traps, a_blocking_wait_inside_a_stop_callback) {
  subject<number> s;
  subject<number> other;
  bool waited = false;
  auto const stop = when_stopped(s.op, [&] { waited = !std::move(other.h).wait_for(std::chrono::nanoseconds(0)).has_value(); });
  s.op.request_cancel();
  EXPECT_TRUE(waited);
  EXPECT_EQ(recording_sink::count(settle::monitor_event::misuse), 1U);
  recording_sink::take();
  s.r.cancel();
  other.r.complete(1);
}

// --- executors ---

template <class Ex>
struct chained {
  settle::resolver<counted<int, Ex>> r;
  explicit chained(Ex ex) : r(std::move(ex)) {}
};

TEST(G12_place, what_is_met_inside_execute_goes_to_each_executor_once) {
  manual_loop inside;
  manual_loop one;
  manual_loop two;
  inside.mood(manual_loop::runs_inside);
  using producer = chained<manual_loop::executor>;
  producer first(inside.get_executor());
  producer a(one.get_executor());
  producer b(two.get_executor());
  producer c(two.get_executor());
  trail log;
  auto const says = [&](char const* what, manual_loop& where) {
    return [&log, &where, what] { log.emplace_back(where.is_here() ? what : "elsewhere"); };
  };
  a.r.op().on_done(says("a", one));
  b.r.op().on_done(says("b", two));
  c.r.op().on_done(says("c", two));
  first.r.op().on_done([&] {
    a.r.complete(1);
    b.r.complete(1);
    c.r.complete(1);
  });
  first.r.complete(1);
  EXPECT_EQ(one.submissions(), 1U);
  EXPECT_EQ(two.submissions(), 1U);
  one.run();
  two.run();
  EXPECT_EQ(log, (trail{"a", "b", "c"}));
}

/// Takes the work, and throws.
struct two_faced {
  manual_loop* loop;
  template <class F>
  void execute(F f) const {
    loop->get_executor().execute(std::move(f));
    throw std::runtime_error("taken all the same");
  }
  bool operator==(two_faced const&) const = default;
};

TEST(G13_executor_loss, an_executor_that_takes_the_work_and_throws_runs_it) {
  manual_loop loop;
  subject<counted<int, two_faced>> s(two_faced{&loop});
  bool here = false;
  s.h.on_done([&] { here = loop.is_here(); });
  s.end(way::complete);
  EXPECT_FALSE(here);
  auto const told = recording_sink::take();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].what, settle::monitor_event::executor_lost);
  EXPECT_EQ(told[0].said, "taken all the same");
  loop.run();
  EXPECT_TRUE(here);
  EXPECT_TRUE(s.op.is_released());
}

/// Takes nodes, but for the first few.
struct picky {
  struct state {
    int refuses = 1;
    settle::work_node* kept = nullptr;
  };
  state* at;
  void submit(settle::work_node& n) const {
    if (at->refuses-- > 0) throw std::runtime_error("not this one");
    n.link(at->kept);
    at->kept = &n;
  }
  bool operator==(picky const&) const = default;
};

TEST(G13_executor_loss, nodes_behind_a_refused_one_are_refused_with_it) {
  manual_loop inside;
  inside.mood(manual_loop::runs_inside);
  picky::state kept;
  chained<manual_loop::executor> first(inside.get_executor());
  chained<picky> a(picky{&kept});
  chained<picky> b(picky{&kept});
  trail log;
  a.r.op().on_done([&] { log.emplace_back("a"); });
  b.r.op().on_done([&] { log.emplace_back("b"); });
  first.r.op().on_done([&] {
    a.r.complete(1);
    b.r.complete(1);
  });
  first.r.complete(1);
  EXPECT_EQ(kept.kept, nullptr);
  EXPECT_EQ(log, (trail{"a", "b"})) << "nothing is lost: it runs on the thread that submits";
  EXPECT_GE(recording_sink::count(settle::monitor_event::executor_lost), 1U);
  recording_sink::take();
}

}  // namespace
