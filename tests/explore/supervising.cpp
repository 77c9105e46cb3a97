// SPDX-License-Identifier: BSL-1.0
// What is given to a supervisor, and to a plan that stops, by a thread beside their coroutine: it comes after what that one did before.
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "clockwork.hpp"
#include "stage.hpp"

namespace {

using namespace explore;
using namespace std::chrono_literals;

/// A supervisor with one child.
struct supervised {
  producer<int> parent;
  handle<int> owner = parent.get_handle();
  source<int> first;
  std::optional<settle::basic_supervisor<C>> s;
  weave::plain<int> before = 0;
  int seen = 1;

  supervised() {
    auto& made = s.emplace(static_cast<operation const&>(owner), settle::restart::one_for_one, 3, 5s);
    made.add("first", [this] { return std::move(first.h); });
  }
  void add_second() {
    before = 1;
    s->add("second", [this] {
      seen = before;
      return settle::ready<int, settle::error, C>(0);
    });
  }
};

TEST(explore_supervising, a_child_that_was_added_before_it_is_joined_begins_whatever_ends_beside_that) {
  exploration explore(2, true);
  explore("joined", [](weave::world& w) {
    auto const s = std::make_shared<supervised>();
    s->seen = 0;
    auto const over = std::make_shared<handle<void>>();
    w.thread("ends", [=] { s->first.end_as(end_t::value, 1); });
    w.thread("adds and joins", [=] {
      s->add_second();
      *over = s->s->join();
    });
    w.finally([=, &w] {
      w.expect(s->seen == 1 && over->is_released(), "it had its turn before all was over");
      *over = {};
      s->s.reset();
      s->parent.complete(0);
    });
  });
}

TEST(explore_supervising, a_child_begins_after_what_was_done_before_it_was_added) {
  exploration explore(2, true);
  explore("added", [](weave::world& w) {
    auto const s = std::make_shared<supervised>();
    w.thread("ends", [=] { s->first.end_as(end_t::value, 1); });
    w.thread("adds", [=] { s->add_second(); });
    w.finally([=, &w] {
      auto over = s->s->join();
      w.expect(s->seen == 1 && over.is_released(), "what was done before");
      over = {};
      s->s.reset();
      s->parent.complete(0);
    });
  });
}

/// A plan with one part, which has something to drain and something that stops when it is asked to.
struct stopped {
  clockwork clock;
  source<int, timed_executor> work{timed_executor(clock)};
  std::optional<settle::basic_shutdown_plan<C>> stop;
  watcher<settle::shutdown_report> report;
  weave::plain<int> before = 0;
  bool drains = false;
  int seen = 1;

  stopped() {
    work.op.on_cancel([this] {
      if (!drains) seen = before;  // somebody is in a hurry
      producer<int, timed_executor> mine(std::move(work.r));
      mine.cancel();
    });
    stop.emplace(timed_executor(clock));
    settle::basic_subsystem<C> s;
    s.drain = [this] {
      drains = true;
      return settle::ready<settle::error, C>();
    };
    s.root = work.op;
    stop->add("part", std::move(s));
  }
};

TEST(explore_stopping, a_phase_that_is_left_out_comes_after_what_was_done_by_who_is_in_a_hurry) {
  exploration explore(2, true);
  explore("escalated", [](weave::world& w) {
    auto const s = std::make_shared<stopped>();
    w.thread("stops", [=] { s->report = s->stop->run(10s); });
    w.thread("hurries", [=] {
      s->before = 1;
      s->stop->escalate();
    });
    w.finally([=, &w] {
      while (s->clock.tick()) {
      }
      w.expect(s->seen == 1 && s->work.op.is_released(), "what was done before");
      w.expect(s->report.is_released() && s->report.peek()->has_value(), "there is a report");
      s->stop.reset();
      s->work.h = {};
    });
  });
}

}  // namespace
