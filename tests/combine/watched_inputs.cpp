// SPDX-License-Identifier: BSL-1.0
// Watchers as inputs and as what a step returns: empty, cold, settled, read beside the owner; the result asked to cancel.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "situations.hpp"

namespace {

using namespace std::chrono_literals;
using namespace test;
using settle::errc;
using settle::handle_of;
using settle::watcher_of;

TEST(watched_inputs, an_empty_watcher_reads_as_failed) {
  EXPECT_EQ(settle::then(watcher_of<int>(), [](int) {}).wait().error().code(), errc::no_memory);
  EXPECT_EQ(settle::all(watcher_of<int>(), watcher_of<int>()).wait().error().code(), errc::no_memory);
}

int started = 0;
handle_of<int> job() {
  ++started;
  co_return 1;
}

TEST(watched_inputs, of_a_cold_coroutine_and_asked_before_the_start_nothing_starts) {
  started = 0;
  auto cold = job();
  auto const w = cold.watch();
  auto const expect_asked = [](auto h) {
    EXPECT_FALSE(h.is_settled());
    h.request_cancel(settle::cause::overload);
    EXPECT_TRUE(h.is_released());
    EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::overload);
  };
  int cleaned = 0;
  expect_asked(settle::then(w, [](int) { ADD_FAILURE(); }));
  expect_asked(settle::finally(w, [&] { ++cleaned; }));
  expect_asked(settle::race(w, w));
  expect_asked(settle::any(std::vector{w, w}));
  expect_asked(settle::within(w, 1s));
  EXPECT_EQ(cleaned, 1);
  EXPECT_EQ(started, 0);
  EXPECT_EQ(std::move(cold).wait().value(), 1);
}

TEST(watched_inputs, one_operation_is_an_input_of_several_which_all_know_before_it_is_observed) {
  for (bool const with_child : {false, true}) {
    settle::resolver_of<int> r;
    auto const owner = r.get_handle();
    settle::resolver_of<int> child;
    if (with_child) owner.adopt(child.op());
    auto const first = settle::race(owner.watch(), settle::never<int>());
    auto const second = settle::race(owner.watch(), settle::never<int>());
    int sum = 0;
    auto const third = settle::then(owner.watch(), [&](int v) { sum += v; });
    bool all_know = false;
    owner.on_done([&] { all_know = first.is_settled() && second.is_settled(); });
    r.complete(2);
    EXPECT_TRUE(all_know);
    EXPECT_TRUE(third.is_settled());
    EXPECT_EQ(sum, 2);
  }
}

TEST(watched_inputs, read_beside_the_owner_are_copied) {
  subject<counted<std::string>> s;
  auto w = s.h.watch();
  auto h = settle::then(std::move(s.h), [](std::string v) { return std::move(v) + "!"; });
  s.r.complete("a string that does not fit into itself");
  EXPECT_EQ(std::move(h).wait().value(), "a string that does not fit into itself!");
  EXPECT_EQ(w.peek()->value(), "a string that does not fit into itself");
}

TEST(watched_inputs, that_settled_before_the_result_was_asked_have_been_heard) {
  in_a_loop place;
  subject<counted<std::string, in_a_loop::executor>> s(place.get_executor());
  auto w = s.h.watch();
  auto step = settle::then(w, [](std::string v) { return v; });
  auto last = settle::finally(w, [] {});
  auto both = settle::all(w, w);
  s.r.complete("there");
  step.request_cancel();
  last.request_cancel();
  both.request_cancel();
  place.run();
  EXPECT_EQ(std::move(step).wait().value(), "there");
  EXPECT_EQ(std::move(last).wait().value(), "there");
  EXPECT_EQ(std::get<1>(std::move(both).wait().value()), "there");
}

TEST(watched_inputs, of_all_settled_are_cancelled_in_the_value_when_it_is_asked) {
  for (bool last : {false, true}) {
    subject<counted<std::string>> s;
    subject<counted<std::string>> t;
    auto h = settle::all_settled(s.h.watch(), std::move(t.h));
    if (last) t.r.complete("there");
    h.request_cancel(settle::cause::overload);
    EXPECT_EQ(h.is_settled(), last);
    if (!last) t.r.complete("late");
    auto o = std::move(h).wait();
    EXPECT_EQ(std::get<0>(o.value()).cancel().why, settle::cause::overload);
    EXPECT_EQ(std::get<1>(o.value()).value(), last ? "there" : "late");
    EXPECT_FALSE(s.op.cancel_requested());
    s.r.complete("later");
  }
}

/// When the result is asked, in what follows.
enum class asked { before, by_the_function, while_it_waits };

TEST(watched_inputs, returned_by_a_function_are_left_when_the_result_is_asked) {
  for (asked when : {asked::before, asked::by_the_function, asked::while_it_waits})
    for (bool source_watched : {false, true}) {
      SCOPED_TRACE(static_cast<int>(when));
      if (source_watched && when == asked::before) continue;  // the source is left then
      subject<counted<int>> s;
      subject<counted<int>> t;
      handle_of<int> result;
      auto const f = [&](int) {
        if (when == asked::by_the_function) result.request_cancel(settle::cause::overload);
        return watcher_of<int>(t.h.watch());
      };
      auto const w = s.h.watch();
      if (source_watched) result = settle::then(w, f);
      else result = settle::then(std::move(s.h), f);
      if (when == asked::before) result.request_cancel(settle::cause::overload);
      s.r.complete(1);
      if (when == asked::while_it_waits) {
        EXPECT_FALSE(result.is_settled());
        result.request_cancel(settle::cause::overload);
      }
      EXPECT_TRUE(result.is_settled());
      EXPECT_FALSE(t.op.cancel_requested());
      EXPECT_EQ(std::move(result).wait().cancel().why, settle::cause::overload);
      t.r.complete(2);
    }
}

TEST(watched_inputs, and_handles_returned_by_a_function_yield_what_they_yield) {
  for (bool watched : {false, true})
    for (way how : {way::complete, way::fail, way::cancel}) {
      subject<counted<int>> s;
      subject<counted<int>> t;
      handle_of<int> result;
      if (watched) result = settle::then(std::move(s.h), [&](int) { return t.h.watch(); });
      else result = settle::then(std::move(s.h), [&](int) { return std::move(t.h); });
      s.r.complete(1);
      EXPECT_FALSE(result.is_settled());
      t.end(how);
      auto o = std::move(result).wait();
      EXPECT_EQ(o.has_value(), how == way::complete);
      EXPECT_EQ(o.has_error(), how == way::fail);
      EXPECT_EQ(o.is_cancelled(), how == way::cancel);
    }
}

TEST(watched_inputs, a_function_without_a_result_yields_nothing) {
  subject<counted<int>> s;
  int calls = 0;
  handle_of<void> h = settle::then(s.h.watch(), [&](int) { ++calls; });
  s.r.complete(1);
  EXPECT_TRUE(std::move(h).wait().has_value());
  EXPECT_EQ(calls, 1);
}

TEST(quiet_values, that_wait_for_their_loss_go_by_way_of_user_code) {
  in_a_loop place;
  int lost = 0;
  auto const with_taker = [&](auto& s) { return std::move(s.h).on_lost([&](int&&) noexcept { ++lost; }); };
  subject<counted<int, in_a_loop::executor>> s(place.get_executor());
  subject<counted<int, in_a_loop::executor>> t(place.get_executor());
  auto moved = settle::via(with_taker(s), settle::inline_executor());
  auto kept = settle::or_else(with_taker(t), [](settle::error const&) { return 42; });
  s.r.complete(1);
  t.r.complete(2);
  EXPECT_FALSE(moved.is_settled());
  EXPECT_FALSE(kept.is_settled());
  place.run();
  EXPECT_EQ(std::move(moved).wait().value(), 1);
  EXPECT_EQ(std::move(kept).wait().value(), 2);
  EXPECT_EQ(lost, 0);
}

// What finally's function begins.
TEST(finally, waits_for_a_watcher_that_its_function_returned) {
  for (way how : {way::complete, way::fail}) {
    subject<counted<int>> s;
    subject<counted<int>> t;
    auto h = settle::finally(std::move(s.h), [&] { return t.h.watch(); });
    s.r.complete(1);
    EXPECT_FALSE(h.is_settled());
    t.end(how);
    EXPECT_TRUE(h.is_settled());
    auto o = std::move(h).wait();
    EXPECT_EQ(o.has_error(), how == way::fail);
    EXPECT_EQ(o.has_value(), how == way::complete);
  }
}

TEST(finally, takes_what_was_released_before_and_one_that_throws_before_it_returns) {
  auto done = settle::ready(7);
  EXPECT_TRUE(done.is_released());
  EXPECT_EQ(settle::finally(settle::ready(1), [&] { return std::move(done); }).wait().value(), 1);
  auto h = settle::finally(settle::ready(1), []() -> handle_of<int> { throw std::runtime_error("thrown"); });
  EXPECT_TRUE(std::move(h).wait().has_error());
}

TEST(finally, of_a_watcher_that_is_left_waits_for_what_its_function_began) {
  for (way how : {way::complete, way::fail}) {
    subject<counted<int>> s;
    subject<counted<int>> t;
    auto h = settle::finally(s.h.watch(), [&] { return std::move(t.h); });
    h.request_cancel(settle::cause::overload);
    EXPECT_FALSE(h.is_settled());
    EXPECT_FALSE(t.op.cancel_requested()) << "shielded";
    t.end(how);
    EXPECT_TRUE(h.is_released());
    auto o = std::move(h).wait();
    EXPECT_EQ(o.has_error(), how == way::fail);
    EXPECT_EQ(o.is_cancelled(), how == way::complete);
    s.r.complete(1);
  }
}

TEST(never, is_abandoned_with_its_last_watcher) {
  auto w = settle::never<int>().share();
  auto h = settle::then(w, [](int v) { return v; });
  w = {};
  EXPECT_FALSE(h.is_settled());
  h.request_cancel(settle::cause::overload);
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::overload);
  w = settle::never<int>().share();
  settle::ending how{};
  w.on_done([&](settle::ending e) { how = e; });
  EXPECT_TRUE(w);
  w = {};
  EXPECT_EQ(how.cancel.why, settle::cause::abandoned);
}

}  // namespace
