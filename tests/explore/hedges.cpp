// SPDX-License-Identifier: BSL-1.0
// A hedge in every interleaving: who wins beside the beginning of another item, the last to fail, and whoever asks for the end.
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "timed_stage.hpp"

namespace {

using namespace explore;
using namespace std::chrono_literals;

/// What each producer writes before its operation ends, for whoever hears how the hedge has.
struct hedge_stage : timed_stage {
  std::vector<std::unique_ptr<weave::plain<int>>> written;
  weave::plain<int> told = 0;
  weave::plain<int> read = 0;

  explicit hedge_stage(int n) : timed_stage(n) {
    for (; n != 0; --n) written.push_back(std::make_unique<weave::plain<int>>(0));
  }
  auto hedge() {
    std::vector<int> numbers;
    for (int i = 0; i != static_cast<int>(inputs.size()); ++i) numbers.push_back(i);
    return settle::hedge(1s, std::move(numbers), [this](int i) { return std::move(at(i).h); });
  }
  /// The first so many have ended when it has.
  void listen(handle<int> h, std::size_t ended) {
    result = h;
    std::move(h).on_done([this, ended](auto&&) {
      told = told + 1;
      for (std::size_t i = 0; i != ended; ++i) read = read + *written[i];
    });
  }
  void write_and_end(std::size_t i, end_t as) {
    *written[i] = 1;
    inputs[i]->end_as(as, static_cast<int>(i) + 1);
  }
};

TEST(explore_hedges, the_timer_is_stopped_when_an_item_wins_beside_its_end) {
  exploration explore(2, true);
  explore("three", [](weave::world& w) {
    auto const s = std::make_shared<hedge_stage>(3);
    s->begun(s->hedge());
    w.thread("first", [=] { s->at(0).end_as(end_t::value, 1); });
    w.thread("clock", [=] { s->clock.tick(); });
    w.finally([=, &w] {
      w.expect(s->clock.now.load() != clockwork::armed, "nothing is waited for");
      s->come_to_an_end(end_t::failure);
      for (auto& in : s->inputs) in->h = {};
      s->check(w);
      w.expect(s->how->has_value() && s->how->value() == 1, "the first wins");
    });
  });
}

/// Runs on a thread of the world, and has that timer.
class timed_queue : public weave::executor {
 public:
  timed_queue(weave::executor const& ex, clockwork& c) noexcept : executor(ex), clock_(&c) {}
  timed_executor::service timers() const noexcept { return timed_executor::service(clock_); }
  bool operator==(timed_queue const&) const = default;

 private:
  clockwork* clock_;
};
struct queued_stage {
  clockwork clock;
  source<cargo, timed_queue> first;
  source<cargo> second;
  std::optional<settle::cause> why;
  weave::plain<int> told = 0;

  explicit queued_stage(weave::executor const& ex) : first(timed_queue(ex, clock)) {}
};

// The turn that begins the second is queued before the value of the first, which the result is made of: that ends after both have looked
// for a loser.
TEST(explore_hedges, a_loser_is_let_off_before_the_result_ends) {
  exploration explore(2, true);
  explore("begins", [](weave::world& w) {
    auto const s = std::make_shared<queued_stage>(w.get_executor());
    s->second.op.on_cancel([s = s.get()](settle::cancellation const& c) {
      s->why = c.why;
      producer<cargo>(std::move(s->second.r)).cancel();
    });
    auto h = settle::hedge(1s, std::vector<int>{0, 1}, [s = s.get()](int i) { return std::move(i == 0 ? s->first.h : s->second.h); });
    std::move(h).on_done([s = s.get()](auto&& o) { s->told = o.has_value() ? int(o.value().number) : 9; });
    s->clock.tick();
    w.thread("first", [=] { s->first.end_as(end_t::value, 1); });
    w.finally([=, &w] {
      while (s->clock.tick()) {
      }
      w.expect(s->told == 1, "the first wins");
      w.expect(s->second.h || s->why == settle::cause::sibling, "who was begun was asked to stop because of that");
    });
  });
}

// Asked before, it ends when nobody is left who might yield something: the last to fail, or the timer, finds that out.
TEST(explore_hedges, asked_to_stop_it_ends_with_the_last_that_was_begun) {
  exploration explore(2, false);
  explore("asked", [](weave::world& w) {
    auto const s = std::make_shared<hedge_stage>(3);
    s->listen(s->hedge(), 1);
    s->result.request_cancel();
    w.thread("first", [=] { s->write_and_end(0, end_t::failure); });
    w.thread("clock", [=] { s->clock.tick(); });
    w.finally([=, &w] {
      w.expect(s->told == 1 && s->read == 1, "it has ended after the first");
      s->come_to_an_end(end_t::failure);
      w.expect(s->result.is_released() && s->clock.alive == 0, "and is released");
    });
  });
}

// The last to fail does not know yet that the other one was begun, which it would look at when it lets it off; and asked to stop, the
// result does not look at what it is made of either. Everyday runs see the first of what three threads may do here: whoever reads too
// early does so among those.
TEST(explore_hedges, all_have_failed_before_it_fails) {
  bool const all = most_threads == 3 && !sanitized;
  auto const r = weave::explore(
      [](weave::world& w) {
        auto const s = std::make_shared<hedge_stage>(2);
        auto begin = [s = s.get()](int i) {
          if (i == 1) s->result.request_cancel();
          return std::move(s->at(i).h);
        };
        s->listen(settle::hedge(1s, std::vector<int>{0, 1}, begin), 2);
        w.thread("clock", [=] { s->clock.tick(); });
        w.thread("second", [=] { s->write_and_end(1, end_t::failure); });
        w.thread("first", [=] { s->write_and_end(0, end_t::failure); });
        w.finally([=, &w] {
          s->come_to_an_end(end_t::failure);
          w.expect(s->told == 1 && s->read == 2, "it has failed after them");
          w.expect(s->result.is_released() && s->clock.alive == 0, "and is released");
        });
      },
      {.preemptions = 2,
       .old_values = 0,
       .max_executions = all         ? 0U
                         : sanitized ? 100U
                                     : 20'000U});
  EXPECT_TRUE(r.clean && (r.exhausted || !all)) << r.text();
}

// Whichever thread lets it off tells it so then and there.
TEST(explore_hedges, a_loser_is_asked_to_stop_even_if_it_begins_beside_the_win) {
  exploration explore(2, true);
  explore("begins", [](weave::world& w) {
    auto const s = std::make_shared<hedge_stage>(2);
    s->at(1).stops_when_asked();
    s->begun(s->hedge());
    w.thread("first", [=] { s->at(0).end_as(end_t::value, 1); });
    w.thread("clock", [=] { s->clock.tick(); });
    w.finally([=, &w] {
      w.expect(s->at(1).h || !s->at(1).r, "who was begun was asked to stop");
      w.expect(s->clock.now.load() != clockwork::armed, "and the timer is stopped");
      s->come_to_an_end(end_t::failure);
      s->at(1).h = {};
      s->check(w);
      w.expect(s->how->has_value() && s->how->value() == 1, "the first wins");
    });
  });
}

}  // namespace
