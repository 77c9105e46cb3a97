// SPDX-License-Identifier: BSL-1.0
// A result is cancelled by force while its value or its error is on the way: what comes too late is gone, and nothing leaks.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "loop_with_timers.hpp"
#include "values.hpp"

namespace {

using namespace std::chrono_literals;
using namespace test;
using settle::handle_of;

/// Does something when it is moved or copied for the n-th time. Counts the objects alive.
struct meddler {
  static inline int left = 0;
  static inline long alive = 0;
  static inline std::function<void()> meddle;
  int value;

  explicit meddler(int v) noexcept : value(v) { ++alive; }
  explicit meddler(std::error_code c) noexcept : meddler(c.value()) {}
  meddler(meddler const& o) noexcept : value(o.value) {
    ++alive;
    if (left > 0 && --left == 0) meddle();
  }
  meddler& operator=(meddler const&) = default;
  ~meddler() { --alive; }
};

struct forced : testing::Test {
  void TearDown() override {
    meddler::left = 0;
    meddler::meddle = nullptr;
    EXPECT_EQ(meddler::alive, 0);
  }
};

/// f(i) with the i-th move of the producer's value or error as the one that does something, until there are not as many.
template <class F>
void at_every_move(F f) {
  for (int i = 1;; ++i) {
    meddler::left = i;
    f();
    if (std::exchange(meddler::left, 0) != 0) break;
  }
}

TEST_F(forced, from_inside_the_move_of_its_value) {
  at_every_move([] {
    settle::resolver_of<meddler> r;
    auto h = settle::via(r.get_handle(), settle::inline_executor());
    bool cancelled = false;
    meddler::meddle = [&] { cancelled = h.cancel(settle::cause::overload); };
    r.complete(meddler(1));
    EXPECT_TRUE(h.is_released());
    auto w = std::move(h).share();
    EXPECT_EQ(w.peek()->is_cancelled(), cancelled);
    EXPECT_EQ(w.peek()->has_value(), !cancelled);
  });
}

TEST_F(forced, from_inside_the_move_of_its_value_which_is_not_lost_twice) {
  settle::resolver_of<meddler> r;
  int lost = 0;
  auto h = settle::via(r.get_handle(), settle::inline_executor());
  h = std::move(h).on_lost([&](meddler&&) noexcept { ++lost; });
  meddler::meddle = [&] { h.cancel(); };
  meddler::left = 2;
  r.complete(meddler(1));
  EXPECT_TRUE(h.is_released());
  EXPECT_LE(lost, 1);
}

TEST_F(forced, from_inside_the_move_of_its_error) {
  at_every_move([] {
    settle::resolver_of<int, meddler> r;
    auto h = settle::via(r.get_handle(), settle::inline_executor());
    bool cancelled = false;
    meddler::meddle = [&] { cancelled = h.cancel(settle::cause::overload); };
    r.fail(meddler(1));
    EXPECT_TRUE(h.is_released());
    auto w = std::move(h).share();
    EXPECT_EQ(w.peek()->is_cancelled(), cancelled);
    EXPECT_EQ(w.peek()->has_error(), !cancelled);
  });
}

TEST_F(forced, by_a_function_that_throws_afterwards) {
  settle::resolver_of<int> r;
  handle_of<int> h;
  h = settle::then(r.get_handle(), [&](int v) -> int {
    h.cancel(settle::cause::overload);
    if (v == 1) throw std::runtime_error("thrown");
    return v;
  });
  r.complete(1);
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::overload);
}

TEST_F(forced, when_its_source_has_settled_but_was_not_heard_yet) {
  loop_with_timers loop;
  for (bool fails : {false, true}) {
    settle::resolver_of<std::string, meddler, loop_with_timers::executor> r(loop.get_executor());
    auto h = settle::within(r.get_handle(), 1s);
    if (fails) r.fail(meddler(1));
    else r.complete("late");
    EXPECT_TRUE(h.cancel(settle::cause::overload));
    loop.run_all();
    EXPECT_TRUE(h.is_released());
    EXPECT_TRUE(std::move(h).wait().is_cancelled());
    EXPECT_EQ(loop.made(), 0U);
  }
}

}  // namespace
