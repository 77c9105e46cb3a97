// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_TIMER_LIFECYCLE_SUITE_HPP
#define SETTLE_TESTS_TIMER_LIFECYCLE_SUITE_HPP

#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../include/settle/testing/quiescent.hpp"  // no part of the single header, and needs nothing of it

// Everything that waits for a time (sleep, schedule, an interval's next tick and its calls) through every moment at which it may be
// cancelled, on each place (timer_service_suite.hpp says what that is): A26, A27.
namespace test {

template <class Place>
class timer_lifecycle : public testing::Test {
 public:
  using executor = typename Place::executor;
  static constexpr bool is_virtual = !requires { Place::is_real; };
  static constexpr int rounds = is_virtual ? 25 : 1;

  executor ex() { return place.get_executor(); }
  /// What was asked to end does so at once; loops may take a few turns for it.
  void expect_the_end_of(settle::operation const& op) {
    place.pass(std::chrono::nanoseconds(0));
    for (int turn = 0; !is_virtual && !op.is_released() && turn != 1'000; ++turn) place.pass(std::chrono::milliseconds(1));
    EXPECT_TRUE(op.is_released());
  }
  void expect_nothing_left() {
    if constexpr (requires { place.timers().size(); }) {
      EXPECT_EQ(place.timers().size(), 0U);
    }
    if constexpr (requires { place.sim; }) {
      EXPECT_QUIESCENT(place.sim);
    }
  }

  /// Ways to have something timed, each with a callback that holds `state` and counts in it.
  using beginner = std::function<settle::operation(executor, std::shared_ptr<int>)>;
  static std::vector<beginner> kinds() {
    using namespace std::chrono_literals;
    return {
        [](executor ex, std::shared_ptr<int> state) {
          auto h = settle::sleep(ex, 10ms);
          h.on_done([state](settle::ending e) { *state += e.kind == settle::ending::value ? 1 : 0; });
          return std::move(h).detach();
        },
        [](executor ex, std::shared_ptr<int> state) { return settle::schedule(ex, 10ms, [state] { ++*state; }).detach(); },
        [](executor ex, std::shared_ptr<int> state) {
          return settle::then(settle::interval(ex, 10ms).next(), [state] { ++*state; }).detach();
        },
        [](executor ex, std::shared_ptr<int> state) { return settle::interval(ex, 10ms).each([state] { ++*state; }).detach(); },
    };
  }

  Place place;
};
TYPED_TEST_SUITE_P(timer_lifecycle);

TYPED_TEST_P(timer_lifecycle, A26_cancelled_at_every_moment_of_its_timer) {
  using namespace std::chrono_literals;
  enum moment { before_armed, armed, firing, closing, fired };
  for (std::size_t k = 0; k != this->kinds().size(); ++k) {
    for (moment const when : {before_armed, armed, firing, closing, fired}) {
      for (int round = 0; round != 2 * this->rounds; ++round) {
        SCOPED_TRACE(std::to_string(k) + ' ' + std::to_string(when) + ' ' + std::to_string(round));
        auto const state = std::make_shared<int>(0);
        settle::operation const op = this->kinds()[k](this->ex(), state);
        auto const cancel = [&] {
          if (round % 2 != 0) op.cancel(settle::cause::shutdown);
          else op.request_cancel(settle::cause::shutdown);
        };
        if (when == armed || when == closing) this->place.pass(1ms);
        if (when == firing) this->place.pass(10ms - 1ns);
        if (when == fired) this->place.pass(10ms);
        if (this->is_virtual) {
          EXPECT_EQ(*state, when == fired ? 1 : 0);
        } else {
          while (when == fired && *state == 0) this->place.pass(1ms);
        }
        cancel();
        if (when == closing) op.cancel(settle::cause::overload);
        cancel();
        if (when == firing) this->place.pass(1ns);
        this->expect_the_end_of(op);
        EXPECT_EQ(state.use_count(), 1);
        int const calls = *state;
        this->place.pass(1s);
        EXPECT_EQ(*state, calls);
      }
    }
    this->expect_nothing_left();
  }
}

/// The moment between the timer's end and its turn: another one of the same time is first, or last, and cancels.
TYPED_TEST_P(timer_lifecycle, A26_cancelled_when_its_timer_has_ended_and_its_turn_has_not_come) {
  using namespace std::chrono_literals;
  using service = std::remove_cvref_t<decltype(this->place.timers())>;
  struct canceller {
    typename service::timer timer;
    std::function<void()> cancel;
    void over(settle::timer_end) noexcept { cancel(); }
  };
  enum { by_timer_before, by_timer_after, by_observer_before, by_observer_after };
  for (std::size_t k = 0; k != this->kinds().size(); ++k)
    for (auto const who : {by_timer_before, by_timer_after, by_observer_before, by_observer_after}) {
      int in_between = 0;
      for (int round = 0; round != 2 * this->rounds; ++round) {
        bool const forced = round % 2 != 0;
        SCOPED_TRACE(std::to_string(k) + ' ' + std::to_string(who) + (forced ? " forced" : ""));
        auto const state = std::make_shared<int>(0);
        settle::operation op;
        int turns = 0;
        int calls = 0;
        bool was_settled = false;
        bool yields = false;
        auto const begin = [&] {
          op = this->kinds()[k](this->ex(), state);
          op.on_done([&yields](settle::ending e) { yields = e.kind == settle::ending::value; });
        };
        auto const cancel = [&] {
          ++turns;
          calls = *state;
          was_settled = op.is_settled();
          if (forced) op.cancel(settle::cause::shutdown);
          else op.request_cancel(settle::cause::shutdown);
        };
        if (who == by_timer_after || who == by_observer_after) begin();
        auto&& timers = this->place.timers();
        auto const when = timers.now() + 10ms;
        canceller c{typename service::timer(timers), cancel};
        if (who == by_timer_before || who == by_timer_after) {
          ASSERT_TRUE(c.timer.start(when, settle::timer_done::to<&canceller::over>(c)));
        } else {
          settle::sleep(this->ex(), when).on_done([&cancel] { cancel(); });
        }
        if (who == by_timer_before || who == by_observer_before) begin();
        while (!this->is_virtual && timers.now() < when + 2ms) {
        }
        this->place.pass(this->is_virtual ? 10ms : 0ms);
        while (turns == 0) this->place.pass(0ms);
        this->expect_the_end_of(op);
        if (calls == 0 && !was_settled) ++in_between;
        EXPECT_EQ(turns, 1);
        EXPECT_EQ(*state, yields ? 1 : calls) << "a tick that is on its way may come, with the value, and else nothing does";
        EXPECT_FALSE(forced && !was_settled && yields);
        EXPECT_EQ(state.use_count(), 1);
        calls = *state;
        this->place.pass(1s);
        EXPECT_EQ(*state, calls);
      }
      if (who == by_timer_before) {
        EXPECT_GT(in_between, 0);
      }
    }
  this->expect_nothing_left();
}

TYPED_TEST_P(timer_lifecycle, A26_the_executor_goes_down_with_everything_pending) {
  for (auto const& begin : this->kinds()) {
    TypeParam dying;
    auto const state = std::make_shared<int>(0);
    std::vector<settle::operation> all;
    testing::internal::CaptureStderr();  // the default sink says which executor was lost
    for (int i = 0; i != 100; ++i) {
      all.push_back(begin(dying.get_executor(), state));
      if (i % 3 == 1) all.back().request_cancel();
      if (i % 3 == 2) all.back().cancel();
    }
    dying.go_down();
    testing::internal::GetCapturedStderr();
    for (auto const& op : all) EXPECT_TRUE(op.is_released());
    EXPECT_EQ(state.use_count(), 1);
    EXPECT_EQ(*state, 0);
  }
}

TYPED_TEST_P(timer_lifecycle, A27_interval_self_cancel) {
  using namespace std::chrono_literals;
  for (int how = 0; how != 4; ++how) {
    SCOPED_TRACE(how);
    auto const state = std::make_shared<int>(0);
    settle::handle_of<void> h;
    settle::operation op;
    h = settle::interval(this->ex(), 1ms).each([&, state] {
      if (++*state != 3) return;
      if (how == 0) op.request_cancel();
      if (how == 1) op.cancel(settle::cause::overload);
      if (how == 2) h = {};
      if (how == 3) std::move(h).detach().cancel();
      EXPECT_FALSE(op.is_released()) << "it is running";
      op.cancel();
    });
    op = h;
    this->place.pass(3ms);
    while (!this->is_virtual && *state < 3) this->place.pass(1ms);
    this->expect_the_end_of(op);
    EXPECT_EQ(state.use_count(), 1) << "what the callback held is gone";
    this->place.pass(1h);
    EXPECT_EQ(*state, 3);
    op = settle::operation();  // clang 16 forgets to destroy the argument of `op = {}` in a template
    h = {};
    this->expect_nothing_left();
  }
}

REGISTER_TYPED_TEST_SUITE_P(timer_lifecycle, A26_cancelled_at_every_moment_of_its_timer,
                            A26_cancelled_when_its_timer_has_ended_and_its_turn_has_not_come,
                            A26_the_executor_goes_down_with_everything_pending, A27_interval_self_cancel);

}  // namespace test

#endif
