// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_COMBINATOR_SUITE_HPP
#define SETTLE_TESTS_COMBINATOR_SUITE_HPP

#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "situations.hpp"

// The scenarios of combinators, scopes included, in few words, for executors that only their own folder has: tests/combine and
// tests/scope go further. A place has `get_executor()` and `run()`, which runs all that is ready, and ends when nothing is left.
namespace test {

/// A place that knows whether it runs: user code must not run meanwhile.
template <class Loop>
class watched_place : public Loop {
 public:
  void run() {
    runs_ = true;
    Loop::run();
    runs_ = false;
  }
  bool runs() const noexcept { return runs_; }

 private:
  bool runs_ = false;
};

/// What a step's function does.
enum class step_does { value, throws, done_handle, pending_handle, failed_handle, cancelled_handle };
inline constexpr step_does all_step_does[] = {step_does::value,          step_does::throws,        step_does::done_handle,
                                              step_does::pending_handle, step_does::failed_handle, step_does::cancelled_handle};

template <class Loop>
class combinators : public testing::Test {
 public:
  using policy = counted<int, typename Loop::executor>;
  using scene = subject<policy>;
  using outcome = settle::outcome<int>;

  auto ex() { return place.get_executor(); }
  void here() const { EXPECT_TRUE(place.runs()); }

  /// What comes of it, told on the executor.
  std::string told(settle::handle_of<int> h) {
    EXPECT_TRUE(h.is_released());
    std::string text = "nothing";
    std::move(h).on_done([&](outcome&& o) {
      here();
      text = o.has_value() ? std::to_string(o.value()) : o.has_error() ? "failed" : "cancelled";
    });
    place.run();
    return text;
  }

  /// `make(handle, function, function that returns a handle)` makes a step that calls one of the two when the source ends `how`.
  template <class Make>
  void matrix(way how, Make make) {
    for (bool const early : {false, true})
      for (step_does const what : all_step_does) {
        SCOPED_TRACE((early ? "early, " : "late, ") + std::to_string(static_cast<int>(what)));
        scene s(ex());
        scene inner(ex());
        int calls = 0;
        auto const called = [&] {
          here();
          ++calls;
          if (what == step_does::throws) throw std::runtime_error("thrown");
        };
        auto const value = [&] { return called(), 7; };
        auto const handle = [&] {
          called();
          if (what == step_does::done_handle) inner.end(way::complete);
          if (what == step_does::failed_handle) inner.end(way::fail);
          if (what == step_does::cancelled_handle) inner.end(way::cancel);
          return settle::handle_of<int>(std::move(inner.h));
        };
        if (early) s.end(how);
        settle::handle_of<int> h = make(std::move(s.h), what == step_does::value || what == step_does::throws, value, handle);
        if (!early) s.end(how);
        EXPECT_EQ(calls, 0) << "not inside the settling call";
        place.run();
        EXPECT_EQ(calls, 1);
        EXPECT_EQ(h.is_settled(), what != step_does::pending_handle);
        if (what == step_does::pending_handle) inner.end(way::complete);
        place.run();
        EXPECT_EQ(told(std::move(h)), what == step_does::value                                        ? "7"
                                      : what == step_does::throws || what == step_does::failed_handle ? "failed"
                                      : what == step_does::cancelled_handle                           ? "cancelled"
                                                                                                      : "42");
        inner.h = {};
        scene::drop(inner.r);
        place.run();
      }
  }

  watched_place<Loop> place;
};
TYPED_TEST_SUITE_P(combinators);

TYPED_TEST_P(combinators, A16_everyone_hears_of_a_shared_input) {
  for (way const how : {way::complete, way::fail, way::cancel}) {
    SCOPED_TRACE(way_names[static_cast<int>(how)]);
    typename TestFixture::scene s(this->ex());
    auto const w = s.h.watch();
    int observed = 0;
    auto const then = [&] { return settle::then(w, [this](int v) { return this->here(), v; }); };
    auto const finally = [&] { return settle::finally(w, [this] { this->here(); }); };
    auto const or_else = [&] { return settle::or_else(w, [this](settle::error const&) { return this->here(), 7; }); };
    w.on_done([&](typename TestFixture::outcome const&) { ++observed; });
    auto all = settle::all(w, then(), finally(), or_else());
    auto first = settle::race(or_else(), settle::never<int>());
    auto some = settle::any(w, then(), finally());
    auto each = settle::all_settled(std::move(s.h), w, then(), or_else());
    s.end(how);
    EXPECT_EQ(observed, 0);
    this->place.run();
    EXPECT_EQ(observed, 1);
    EXPECT_TRUE(all.is_released() && first.is_released() && some.is_released() && each.is_released());
    bool const value = how == way::complete;
    EXPECT_EQ(std::move(all).wait().has_value(), value);
    EXPECT_EQ(std::move(first).wait().has_value(), how != way::cancel);
    auto const last = std::move(some).wait();
    EXPECT_EQ(last.has_value(), value);
    EXPECT_EQ(last.has_error(), !value) << "a cancelled input counts as failed";
    auto const outcomes = std::move(each).wait();
    EXPECT_EQ(std::get<0>(outcomes.value()).has_value(), value);
    EXPECT_EQ(std::get<2>(outcomes.value()).has_value(), value);
    EXPECT_EQ(std::get<3>(outcomes.value()).has_value(), how != way::cancel);
    this->place.run();
  }
}

TYPED_TEST_P(combinators, A18_then_calls_on_the_executor_whatever_the_function_does) {
  this->matrix(way::complete, [](auto h, bool at_once, auto value, auto handle) {
    if (at_once) return settle::then(std::move(h), [value](int v) { return value() + v - 42; });
    return settle::then(std::move(h), [handle](int) { return handle(); });
  });
  for (way const how : {way::fail, way::cancel}) {
    typename TestFixture::scene s(this->ex());
    auto h = settle::then(std::move(s.h), [](int) { return ADD_FAILURE(), 0; });
    s.end(how);
    EXPECT_TRUE(h.is_settled()) << "at once, whatever the executor is doing";
    this->place.run();
    EXPECT_EQ(this->told(std::move(h)), how == way::fail ? "failed" : "cancelled");
  }
}

TYPED_TEST_P(combinators, A19_or_else_catches_an_error_and_nothing_else) {
  this->matrix(way::fail, [](auto h, bool at_once, auto value, auto handle) {
    if (at_once) return settle::or_else(std::move(h), [value](settle::error const&) { return value(); });
    return settle::or_else(std::move(h), [handle](settle::error const&) { return handle(); });
  });
  for (way const how : {way::complete, way::cancel}) {
    typename TestFixture::scene s(this->ex());
    auto h = settle::or_else(std::move(s.h), [] { return ADD_FAILURE(), 0; });
    s.end(how);
    this->place.run();
    EXPECT_EQ(this->told(std::move(h)), how == way::complete ? "42" : "cancelled");
  }
}

TYPED_TEST_P(combinators, A20_finally_runs_once_and_the_outcome_stays) {
  for (way const how : {way::complete, way::fail, way::cancel})
    for (bool const early : {false, true})
      for (bool const waits : {false, true}) {
        SCOPED_TRACE(way_names[static_cast<int>(how)] + std::string(early ? " early" : "") + (waits ? " waits" : ""));
        typename TestFixture::scene s(this->ex());
        typename TestFixture::scene inner(this->ex());
        int calls = 0;
        auto const called = [&](settle::ending e) {
          this->here();
          ++calls;
          EXPECT_EQ(e.kind, kind_of(how));
        };
        if (early) s.end(how);
        settle::handle_of<int> h;
        if (waits) h = settle::finally(std::move(s.h), [&](settle::ending e) { return called(e), std::move(inner.h); });
        else h = settle::finally(std::move(s.h), called);
        if (!early) s.end(how);
        this->place.run();
        EXPECT_EQ(calls, 1);
        EXPECT_EQ(h.is_settled(), !waits);
        inner.end(way::complete);
        this->place.run();
        EXPECT_EQ(calls, 1);
        EXPECT_EQ(this->told(std::move(h)), how == way::complete ? "42" : how == way::fail ? "failed" : "cancelled");
      }
}

TYPED_TEST_P(combinators, A21_bracket_releases_what_was_acquired_once) {
  for (bool const early : {false, true})
    for (way const acquired : {way::complete, way::fail, way::cancel})
      for (way const used : {way::complete, way::fail, way::cancel, way::drop})  // drop: use throws
        for (bool const asked : {false, true}) {
          SCOPED_TRACE(std::string(way_names[static_cast<int>(acquired)]) + " " + way_names[static_cast<int>(used)] +
                       (early ? " early" : "") + (asked ? " asked" : ""));
          typename TestFixture::scene a(this->ex());
          typename TestFixture::scene u(this->ex());
          std::vector<int> given;
          int uses = 0;
          auto const use = [&](int& resource) {
            this->here();
            ++uses;
            ++resource;
            if (used == way::drop) throw std::runtime_error("use");
            return std::move(u.h);
          };
          auto const release = [&](int resource) {
            this->here();
            given.push_back(resource);
          };
          way const use_ends = used == way::drop ? way::complete : used;
          if (early) a.end(acquired), u.end(use_ends);
          auto h = settle::bracket([&] { return std::move(a.h); }, use, release);
          if (asked) h.request_cancel();
          if (!early) a.try_to_end(acquired);
          this->place.run();
          if (!early) u.try_to_end(use_ends);
          this->place.run();
          EXPECT_EQ(uses, acquired == way::complete && !asked ? 1 : 0);
          EXPECT_EQ(given, acquired != way::complete ? std::vector<int>() : std::vector{42 + uses});
          EXPECT_TRUE(h.is_released());
          EXPECT_EQ(std::move(h).wait().has_value(), acquired == way::complete && used == way::complete && !asked);
          u.h = {};
          this->place.run();
        }
}

TYPED_TEST_P(combinators, A22_a_scope_ends_after_its_children_which_hear_of_a_failure_and_of_a_request) {
  for (bool const fails : {true, false}) {
    typename TestFixture::scene child(this->ex());
    typename TestFixture::scene sibling(this->ex());
    typename TestFixture::scene grandchild(this->ex());
    auto const begin = [this](auto& which) {
      return [this, &which] {
        this->here();
        return std::move(which.h);
      };
    };
    settle::scope s(this->ex());
    settle::scope below(s.op());
    s.spawn(begin(child));
    s.spawn(begin(sibling));
    below.spawn(begin(grandchild));
    this->place.run();
    EXPECT_FALSE(s.op().is_settled() || below.op().is_settled());
    if (fails) child.end(way::fail);
    else s.op().request_cancel(settle::cause::shutdown);
    this->place.run();
    EXPECT_TRUE(sibling.op.cancel_requested());
    EXPECT_TRUE(grandchild.op.cancel_requested());
    EXPECT_EQ(child.op.cancel_requested(), !fails);
    EXPECT_FALSE(s.op().is_released());
    if (!fails) child.end(way::complete);
    sibling.end(way::cancel);
    this->place.run();
    EXPECT_FALSE(s.op().is_released()) << "the grandchild is not yet";
    grandchild.end(way::complete);
    this->place.run();
    EXPECT_TRUE(below.op().is_released());
    EXPECT_TRUE(s.op().is_released());
    auto joined = s.join();
    this->place.run();
    auto const o = std::move(joined).wait();
    EXPECT_EQ(o.has_error(), fails);
    EXPECT_EQ(o.is_cancelled(), !fails);
  }
}

TYPED_TEST_P(combinators, A25_a_throw_at_the_third_item_cancels_and_cleans_the_others) {
  int calls = 0;
  int cleaned = 0;
  auto const nap = [&](int i) {
    ++calls;
    if (i == 3) throw std::runtime_error("third");
    auto h = settle::sleep(this->ex(), std::chrono::hours(1));
    h.on_cleanup([this, &cleaned] {
      this->here();
      ++cleaned;
    });
    return h;
  };
  auto h = settle::map_concurrent(std::vector{1, 2, 3, 4, 5}, 9, nap);
  EXPECT_TRUE(h.is_settled());
  EXPECT_EQ(cleaned, 0);
  this->place.run();
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(cleaned, 2);
  EXPECT_TRUE(h.is_released());
  EXPECT_THROW(std::move(h).wait().value(), std::runtime_error);
}

REGISTER_TYPED_TEST_SUITE_P(combinators, A16_everyone_hears_of_a_shared_input, A18_then_calls_on_the_executor_whatever_the_function_does,
                            A19_or_else_catches_an_error_and_nothing_else, A20_finally_runs_once_and_the_outcome_stays,
                            A21_bracket_releases_what_was_acquired_once,
                            A22_a_scope_ends_after_its_children_which_hear_of_a_failure_and_of_a_request,
                            A25_a_throw_at_the_third_item_cancels_and_cleans_the_others);

}  // namespace test

#endif
