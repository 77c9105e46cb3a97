// SPDX-License-Identifier: BSL-1.0
// Attempts in every interleaving: one after the other, whichever threads end them, and the pauses between them.
#include <chrono>
#include <memory>

#include "timed_stage.hpp"

namespace {

using namespace explore;
using namespace std::chrono_literals;

/// The next attempt, as a number of them says.
auto attempts_of(std::shared_ptr<timed_stage> const& s) {
  return [s = s.get()](unsigned n) { return std::move(s->at(static_cast<int>(n)).h); };
}

// Released by the one thread, heard of by the other: whoever is last has the next one begun.
TEST(explore_retries, an_attempt_that_fails_while_it_is_wired_is_released_before_the_next) {
  exploration explore(2, true);
  explore("wired", [](weave::world& w) {
    auto const s = std::make_shared<timed_stage>(2);
    w.thread("wires", [=] {
      s->begun(settle::retry(settle::backoff::none(2), [s = s.get()](unsigned n) {
        if (n != 0) s->at(0).cleaned = int(s->at(0).cleaned);
        return std::move(s->at(static_cast<int>(n)).h);
      }));
    });
    w.thread("ends", [=] { s->at(0).end_as(end_t::failure, 1); });
    w.finally([=, &w] {
      w.expect(!s->at(1).h, "the second is begun");
      s->come_to_an_end(end_t::value);
      s->check(w);
      w.expect(s->how->has_value() && s->how->value() == 9, "with what it yields");
    });
  });
}

TEST(explore_retries, a_pause_that_is_over_at_once_is_followed_by_another) {
  exploration explore(2, true);
  explore("two pauses", [](weave::world& w) {
    auto const s = std::make_shared<timed_stage>(3);
    s->begun(settle::retry(settle::backoff::constant(1ms, 3), attempts_of(s)));
    s->at(1).end_as(end_t::failure, 2);
    w.thread("first", [=] { s->at(0).end_as(end_t::failure, 1); });
    w.thread("clock", [=] { s->clock.tick(); });
    w.finally([=, &w] {
      s->come_to_an_end(end_t::value);
      s->check(w);
      w.expect(s->how->has_value() && s->how->value() == 9, "with what the third yields");
    });
  });
}

TEST(explore_retries, a_pause_is_stopped_by_whoever_asks_beside_its_beginning) {
  with_two_and_three([](exploration& explore) {
    explore("asked", [threads = explore.threads](weave::world& w) {
      auto const s = std::make_shared<timed_stage>(2);
      s->begun(settle::retry(settle::backoff::constant(1ms, 2), attempts_of(s)));
      w.thread("first", [=] { s->at(0).end_as(end_t::failure, 1); });
      w.thread("asks", [=] { s->result.request_cancel(); });
      if (threads == 3) w.thread("clock", [=] { s->clock.tick(); });
      w.finally([=, &w] {
        w.expect(threads == 3 || s->clock.now.load() != clockwork::armed, "nothing is waited for");
        s->come_to_an_end(end_t::value);
        s->at(1).end_as(end_t::value, 9);
        s->check(w);
        w.expect(!s->how->has_value() || threads == 3, "it is not tried again");
      });
    });
  });
}

}  // namespace
