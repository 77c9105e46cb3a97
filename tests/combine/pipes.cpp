// SPDX-License-Identifier: BSL-1.0
// A pipe is the combinator's other spelling: of a handle that is moved in and of a watcher, whatever becomes of the input.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "loop_with_timers.hpp"

namespace {

using namespace std::chrono_literals;
using namespace test;
using settle::errc;

enum class fate { completes, fails, is_cancelled, comes_too_late, comes_after_a_request };
constexpr fate all_fates[] = {fate::completes, fate::fails, fate::is_cancelled, fate::comes_too_late, fate::comes_after_a_request};

/// An input, and everything that can be told of what is made of it.
struct scene {
  loop_with_timers home;
  loop_with_timers elsewhere;
  settle::resolver_of<int, settle::error, loop_with_timers::executor> r{home.get_executor()};
  std::string told;

  void tell(std::string const& what) {
    told += std::string(told.empty() ? "" : ", ") + what + (home.is_here() ? " at home" : elsewhere.is_here() ? " elsewhere" : "");
  }

  template <class Result>
  void play(Result result, fate what) {
    result.on_done([this](settle::outcome<int> const& o) {
      tell(o.has_value() ? "value " + std::to_string(o.value()) : o.timed_out() ? "late" : o.has_error() ? "failed" : "cancelled");
    });
    if (what == fate::comes_after_a_request) result.request_cancel();
    if (what == fate::comes_too_late) home.advance(2s);
    if (r.op().cancel_requested()) tell("asked");
    if (what == fate::fails) r.fail(errc::closed);
    else if (what == fate::is_cancelled) r.cancel();
    else r.complete(1);
    home.run_all();
    elsewhere.run_all();
    EXPECT_TRUE(result.is_released());
    EXPECT_EQ(home.armed() + home.made(), 0U);
  }
};

/// What is told in each fate. `combine(scene&)` says how: called with the input it is the function, and without one the pipe.
template <class Combine>
std::string story(bool watched, bool piped, Combine combine) {
  std::string all;
  for (fate const what : all_fates) {
    scene s;
    auto h = s.r.get_handle();
    auto const w = h.watch();
    auto const how = combine(s);
    if (watched && piped) s.play(w | how(), what);
    else if (watched) s.play(how(w), what);
    else if (piped) s.play(std::move(h) | how(), what);
    else s.play(how(std::move(h)), what);
    all += (all.empty() ? "" : "; ") + s.told;
  }
  return all;
}

template <class Combine>
void expect_both(std::string const& moved, std::string const& watched, Combine combine) {
  EXPECT_EQ(story(false, false, combine), moved);
  EXPECT_EQ(story(false, true, combine), moved) << "as a pipe";
  EXPECT_EQ(story(true, false, combine), watched);
  EXPECT_EQ(story(true, true, combine), watched) << "as a pipe";
}

TEST(pipes, then_is_the_function_then) {
  std::string const either = "called at home, value 2 at home; failed at home; cancelled at home; called at home, value 2 at home; ";
  expect_both(either + "asked, called at home, value 2 at home", either + "cancelled at home", [](scene& s) {
    return [&s](auto&&... in) { return settle::then(std::forward<decltype(in)>(in)..., [&s](int v) { return s.tell("called"), v + 1; }); };
  });
}
TEST(pipes, or_else_is_the_function_or_else) {
  std::string const either = "value 1 at home; called at home, value 7 at home; cancelled at home; value 1 at home; ";
  expect_both(either + "asked, value 1 at home", either + "cancelled at home", [](scene& s) {
    return [&s](auto&&... in) { return settle::or_else(std::forward<decltype(in)>(in)..., [&s] { return s.tell("called"), 7; }); };
  });
}
TEST(pipes, finally_is_the_function_finally) {
  std::string const either =
      "called at home, value 1 at home; called at home, failed at home; called at home, cancelled at home; called at home, value 1 at "
      "home; ";
  expect_both(either + "asked, called at home, value 1 at home", either + "called at home, cancelled at home", [](scene& s) {
    return [&s](auto&&... in) { return settle::finally(std::forward<decltype(in)>(in)..., [&s] { s.tell("called"); }); };
  });
}
TEST(pipes, via_is_the_function_via) {
  std::string const either = "value 1 elsewhere; failed elsewhere; cancelled elsewhere; value 1 elsewhere; ";
  expect_both(either + "asked, value 1 elsewhere", either + "cancelled elsewhere", [](scene& s) {
    return [&s](auto&&... in) { return settle::via(std::forward<decltype(in)>(in)..., s.elsewhere.get_executor()); };
  });
}
TEST(pipes, within_a_time_or_until_one_is_the_function_within) {
  std::string const moved = "value 1 at home; failed at home; cancelled at home; late at home, asked; asked, value 1 at home";
  std::string const watched = "value 1 at home; failed at home; cancelled at home; late at home; cancelled at home";
  expect_both(moved, watched, [](scene&) { return [](auto&&... in) { return settle::within(std::forward<decltype(in)>(in)..., 1s); }; });
  expect_both(moved, watched, [](scene& s) {
    return [until = s.home.now() + 1s](auto&&... in) { return settle::within(std::forward<decltype(in)>(in)..., until); };
  });
}

}  // namespace
