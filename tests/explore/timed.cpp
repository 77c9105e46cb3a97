// SPDX-License-Identifier: BSL-1.0
// Combinators with a clock, whose timer ends on a thread of its own, under every interleaving.
#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "timed_stage.hpp"

namespace {

using namespace explore;
using namespace std::chrono_literals;
constexpr end_t v = end_t::value, f = end_t::failure, c = end_t::cancelled;

TEST(explore_timed, within_against_its_input_and_whoever_cancels) {
  with_two_and_three([](exploration& explore) {
    for (end_t const ends : {v, f, c})
      for (bool const forced : {false, true}) {
        explore(std::string(1, name_of(ends)) + (forced ? ", by force" : ", asked"), [=, threads = explore.threads](weave::world& w) {
          auto const s = std::make_shared<timed_stage>(1);
          s->begun(settle::within(std::move(s->at(0).h), 1s));
          w.thread("input", [=] { s->at(0).end_as(ends, 1); });
          w.thread("clock", [=] { s->clock.tick(); });
          if (threads == 3) w.thread("cancels", [=] { forced ? s->result.cancel() : s->result.request_cancel(); });
          w.finally([=, &w] {
            s->come_to_an_end(v);
            s->check(w);
            bool const late = s->how->has_error() && s->how->error().code() == settle::errc::timed_out;
            bool const as_input = ends == v ? s->how->has_value() : ends == f ? s->how->has_error() : s->how->is_cancelled();
            w.expect(late || as_input || (threads == 3 && s->how->is_cancelled()), "it ends by the one or the other");
          });
        });
      }
  });
}

TEST(explore_timed, within_that_is_wired_while_its_input_ends) {
  with_two_and_three([](exploration& explore) {
    for (end_t const ends : {v, f, c})
      explore(std::string(1, name_of(ends)), [=, threads = explore.threads](weave::world& w) {
        auto const s = std::make_shared<timed_stage>(1);
        w.thread("wires", [=] { s->begun(settle::within(std::move(s->at(0).h), 1s)); });
        w.thread("input", [=] { s->at(0).end_as(ends, 1); });
        if (threads == 3) w.thread("clock", [=] { s->clock.tick(); });
        w.finally([=, &w] {
          w.expect(s->clock.now.load() != clockwork::armed, "nothing is waited for");
          s->come_to_an_end(v);
          s->check(w);
          bool const late = s->how->has_error() && s->how->error().code() == settle::errc::timed_out;
          bool const as_input = ends == v ? s->how->has_value() : ends == f ? s->how->has_error() : s->how->is_cancelled();
          w.expect(as_input || (threads == 3 && late), "it ends as its input");
        });
      });
  });
}

TEST(explore_timed, hedge_whose_first_item_fails_beside_its_time) {
  with_two_and_three([](exploration& explore) {
    for (end_t const ends : {v, f, c})
      for (end_t const other : {v, f}) {
        explore(std::string(1, name_of(ends)) + name_of(other), [=, threads = explore.threads](weave::world& w) {
          auto const s = std::make_shared<timed_stage>(3);
          s->begun(settle::hedge(1s, std::vector<int>{0, 1, 2}, [s = s.get()](int i) { return std::move(s->at(i).h); }));
          w.thread("first", [=] { s->at(0).end_as(ends, 1); });
          w.thread("clock", [=] { s->clock.tick(); });
          if (threads == 3) w.thread("second", [=] { s->at(1).end_as(other, 2); });
          w.finally([=, &w] {
            s->come_to_an_end(other);
            s->check(w);
            bool const has_value = ends == v || other == v;
            w.expect(has_value ? s->how->has_value() : !s->how->has_value(), "the first value, if there is one");
          });
        });
      }
  });
}

TEST(explore_timed, hedge_that_is_cancelled_beside_its_time) {
  with_two_and_three([](exploration& explore) {
    for (bool const forced : {false, true}) {
      explore(forced ? "by force" : "asked", [=, threads = explore.threads](weave::world& w) {
        auto const s = std::make_shared<timed_stage>(2);
        s->at(0).stops_when_asked();
        s->begun(settle::hedge(1s, std::vector<int>{0, 1}, [s = s.get()](int i) { return std::move(s->at(i).h); }));
        w.thread("cancels", [=] { forced ? s->result.cancel() : s->result.request_cancel(); });
        w.thread("clock", [=] { s->clock.tick(); });
        if (threads == 3) w.thread("second", [=] { s->at(1).end_as(f, 2); });
        w.finally([=, &w] {
          s->come_to_an_end(c);
          s->check(w);
          w.expect(!s->how->has_value(), "there was no value");
          w.expect(!forced || s->how->is_cancelled(), "forced, it is cancelled");
        });
      });
    }
  });
}

TEST(explore_timed, retry_that_is_cancelled_beside_its_pause) {
  with_two_and_three([](exploration& explore) {
    for (bool const forced : {false, true}) {
      explore(forced ? "by force" : "asked", [=, threads = explore.threads](weave::world& w) {
        auto const s = std::make_shared<timed_stage>(2);
        s->begun(settle::retry(settle::backoff::constant(1ms, 2),
                               [s = s.get()](unsigned n) { return std::move(s->at(static_cast<int>(n)).h); }));
        if (threads == 2) s->at(0).end_as(f, 1);
        else w.thread("first", [=] { s->at(0).end_as(f, 1); });
        w.thread("cancels", [=] { forced ? s->result.cancel() : s->result.request_cancel(); });
        w.thread("clock", [=] { s->clock.tick(); });
        w.finally([=, &w] {
          s->come_to_an_end(v);
          s->check(w);
          w.expect(forced ? s->how->is_cancelled() : s->how->is_cancelled() || s->how->has_error() || s->how->value() == 9,
                   "cancelled, or it came too late");
        });
      });
    }
  });
}

TEST(explore_timed, a_second_attempt_ends_beside_whoever_cancels) {
  with_two_and_three([](exploration& explore) {
    for (end_t const ends : {v, f}) {
      explore(std::string(1, name_of(ends)), [=, threads = explore.threads](weave::world& w) {
        auto const s = std::make_shared<timed_stage>(2);
        s->begun(settle::retry(settle::backoff::none(2), [s = s.get()](unsigned n) { return std::move(s->at(static_cast<int>(n)).h); }));
        if (threads == 2) s->at(0).end_as(f, 1);
        else w.thread("first", [=] { s->at(0).end_as(f, 1); });
        w.thread("second", [=] { s->at(1).end_as(ends, 2); });
        w.thread("cancels", [=] { s->result.request_cancel(); });
        w.finally([=, &w] {
          s->come_to_an_end(v);
          s->check(w);
        });
      });
    }
  });
}

}  // namespace
