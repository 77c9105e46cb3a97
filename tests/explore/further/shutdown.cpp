// SPDX-License-Identifier: BSL-1.0
// A shutdown plan in every interleaving: what it waits for ends beside its clock and whoever is in a hurry.
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "../clockwork.hpp"
#include "../stage.hpp"

namespace {

using namespace explore;
using namespace std::chrono_literals;
using plan = settle::basic_shutdown_plan<C>;

/// One subsystem: what it drains, and a piece of work that stops when it is asked to.
struct stage {
  clockwork clock;
  producer<void, timed_executor> drained{timed_executor(clock)};
  settle::handle_of<void, settle::error, C> draining = drained.get_handle();
  source<int, timed_executor> work{timed_executor(clock)};
  weave::plain<int> stopped_accepting = 0;
  std::optional<plan> stop;
  watcher<settle::shutdown_report> report;

  stage() {
    work.stops_when_asked();
    stop.emplace(timed_executor(clock));
    settle::basic_subsystem<C> s;
    s.stop_accepting = [this] { stopped_accepting = stopped_accepting + 1; };
    s.drain = [this] { return std::move(draining); };
    s.root = work.op;
    stop->add("part", std::move(s));
    report = stop->run(10s);
  }
  void drain() {
    producer<void, timed_executor> mine(std::move(drained));
    mine.complete();
  }
  void check(weave::world& w) {
    while (clock.tick()) {
    }
    drain();
    while (clock.tick()) {
    }
    w.expect(stopped_accepting == 1, "it took no new work");
    w.expect(work.op.is_released() && work.cleaned == 1, "the work was stopped and released");
    w.expect(report.is_released() && report.peek()->has_value() && report.peek()->value().thrown.empty(), "there is a report");
    w.expect(clock.alive == 0, "no timer is left");
    stop.reset();
    work.h = {};
  }
};

void shutting_down(bool drains, bool escalates, bool ticks) {
  exploration all(2, true);
  all("part", [=](weave::world& w) {
    auto const s = std::make_shared<stage>();
    if (drains) w.thread("drains", [=] { s->drain(); });
    if (escalates) w.thread("hurries", [=] { s->stop->escalate(); });
    if (ticks) w.thread("clock", [=] { s->clock.tick(); });
    w.finally([=, &w] { s->check(w); });
  });
}
TEST(explore_shutdown, drained_beside_the_clock) { shutting_down(true, false, true); }
TEST(explore_shutdown, drained_beside_who_is_in_a_hurry) { shutting_down(true, true, false); }
TEST(explore_shutdown, the_clock_beside_who_is_in_a_hurry) { shutting_down(false, true, true); }

}  // namespace
