// SPDX-License-Identifier: BSL-1.0
// An error type whose copies run user code: errors go where values of such types go, on the executor.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "loop_with_timers.hpp"

namespace {

using namespace std::chrono_literals;
using namespace test;

struct trouble {
  std::string said;
  explicit trouble(std::string s) : said(std::move(s)) {}
  explicit trouble(std::error_code c) : said(c.message()) {}
};
using loop_resolver = settle::resolver_of<int, trouble, loop_with_timers::executor>;
using handle = settle::handle_of<int, trouble>;

/// f(handle) makes a result of it; that fails with the handle's error, not before the loop has run.
template <class F>
void expect_failure_by_way_of_the_loop(F f) {
  for (bool early : {false, true}) {
    loop_with_timers loop;
    loop_resolver r(loop.get_executor());
    handle h = r.get_handle();
    if (early) r.fail(trouble("trouble"));
    auto result = f(std::move(h));
    if (!early) r.fail(trouble("trouble"));
    EXPECT_FALSE(result.is_settled());
    loop.run_all();
    EXPECT_TRUE(result.is_released());
    EXPECT_EQ(std::move(result).wait().error().said, "trouble");
    EXPECT_EQ(loop.made(), 0U);
  }
}
template <class F>
void expect_value(F f) {
  loop_with_timers loop;
  loop_resolver r(loop.get_executor());
  auto result = f(handle(r.get_handle()));
  r.complete(1);
  loop.run_all();
  EXPECT_TRUE(std::move(result).wait().has_value());
  EXPECT_EQ(loop.made(), 0U);
}
template <class F>
void expect_both(F f) {
  expect_failure_by_way_of_the_loop(f);
  expect_value(f);
}

TEST(errors_of_ones_own, pass_steps) {
  expect_both([](handle h) { return settle::then(std::move(h), [](int v) { return v; }); });
  expect_both([](handle h) { return settle::finally(std::move(h), [] {}); });
  expect_both([](handle h) { return settle::via(std::move(h), settle::inline_executor()); });
  expect_both([](handle h) { return settle::within(std::move(h), 1s); });
}

TEST(errors_of_ones_own, pass_groups) {
  auto const fine = [] { return settle::ready<int, trouble>(2); };
  expect_both([&](handle h) { return settle::all(fine(), std::move(h)); });
  expect_both([](handle h) { return settle::race(std::move(h)); });
  expect_both([](handle h) { return settle::any(std::move(h)); });
  loop_with_timers loop;
  loop_resolver r(loop.get_executor());
  auto both = settle::all_settled(fine(), r.get_handle());
  r.fail(trouble("trouble"));
  loop.run_all();
  EXPECT_EQ(std::get<1>(std::move(both).wait().value()).error().said, "trouble");
}

TEST(errors_of_ones_own, pass_what_begins_operations) {
  auto const once = [](handle& h) { return [&h](auto&&...) { return std::move(h); }; };
  expect_both([&](handle h) { return settle::retry(settle::backoff::none(1), once(h)); });
  expect_both([&](handle h) { return settle::hedge(1s, std::vector{1}, once(h)); });
  expect_both([&](handle h) { return settle::map_concurrent(std::vector{1}, 1, once(h)); });
  expect_both([&](handle h) {
    return settle::bracket(
        once(h), [](int& v) { return settle::ready<int, trouble>(int(v)); }, [](int) { return settle::ready<trouble>(); });
  });
}

// Functions that return no operation are of the kind of the one that does: its error type, its terminal.
TEST(errors_of_ones_own, and_of_one_thread_are_what_a_bracket_has_where_one_of_its_functions_returns_an_operation) {
  using settle::unsynchronized_terminal;
  using one_thread = settle::resolver_of<int, trouble, settle::inline_executor, unsynchronized_terminal>;
  for (int which : {0, 1, 2}) {
    one_thread r;
    auto h = r.get_handle();
    int given_back = 0;
    auto const plain = [](auto&&...) { return 2; };
    auto const give_back = [&](int) { ++given_back; };
    auto const pending = [&](auto&&...) { return std::move(h); };
    using result = settle::handle_of<int, trouble, unsynchronized_terminal>;
    result out = which == 0   ? settle::bracket(pending, plain, give_back)
                 : which == 1 ? settle::bracket(plain, pending, give_back)
                              : settle::bracket(plain, plain, pending);
    EXPECT_FALSE(out.is_settled());
    r.complete(1);
    EXPECT_EQ(std::move(out).wait().value(), which == 1 ? 1 : 2);
    EXPECT_EQ(given_back, which == 2 ? 0 : 1);
  }
}

TEST(errors_of_ones_own, of_the_use_of_a_resource_pass_once_it_is_given_back) {
  int released = 0;
  expect_failure_by_way_of_the_loop([&](handle h) {
    return settle::bracket([] { return settle::ready<int, trouble>(1); }, [&](int&) { return std::move(h); },
                           [&](int) { return ++released, settle::ready<trouble>(); });
  });
  EXPECT_EQ(released, 2);
}

TEST(errors_of_ones_own, are_tried_again_whatever_they_say) {
  int calls = 0;
  auto h = settle::retry(settle::backoff::none(3),
                         [&](unsigned n) { return ++calls, settle::failed<int, trouble>(trouble(std::to_string(n))); });
  EXPECT_EQ(std::move(h).wait().error().said, "2");
  EXPECT_EQ(calls, 3);
}

TEST(errors_of_ones_own, of_what_a_step_returned_pass) {
  for (bool cleanup : {false, true})
    expect_failure_by_way_of_the_loop([&](handle inner) {
      auto const give = [&inner](auto&&...) { return std::move(inner); };
      if (cleanup) return settle::finally(settle::ready<int, trouble>(1), give);
      return settle::then(settle::ready<int, trouble>(1), give);
    });
}

TEST(errors_of_ones_own, of_the_second_of_two_items_come_too_late) {
  loop_with_timers loop;
  std::vector<loop_resolver> r;
  auto h = settle::map_concurrent(std::vector{1, 2, 3}, 2, [&](int) { return r.emplace_back(loop.get_executor()).get_handle(); });
  r[0].fail(trouble("first"));
  r[1].fail(trouble("second"));
  loop.run_all();
  EXPECT_EQ(r.size(), 2U);
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().error().said, "first");
}

/// A cancelled input counts as failed: what that is called is made where the user's code runs.
template <class F>
void expect_cancelled_to_be_told(F f) {
  loop_with_timers loop;
  loop_resolver r(loop.get_executor());
  auto result = f(handle(r.get_handle()));
  r.cancel();
  EXPECT_FALSE(result.is_settled());
  loop.run_all();
  EXPECT_EQ(std::move(result).wait().error().said, settle::make_error_code(settle::errc::cancelled).message());
  EXPECT_EQ(loop.made(), 0U);
}
TEST(errors_of_ones_own, any_and_hedge_call_a_cancelled_input_one) {
  expect_cancelled_to_be_told([](handle h) { return settle::any(std::move(h)); });
  expect_cancelled_to_be_told([](handle h) { return settle::hedge(1h, std::vector{1}, [&h](int) { return std::move(h); }); });
}

/// It can say what settle says, and nothing of an exception.
struct only_codes {
  settle::errc code;
  explicit only_codes(settle::errc c) : code(c) {}
};
TEST(errors_of_ones_own, that_cannot_hold_an_exception_say_that_something_was_wanting) {
  settle::resolver_of<int, only_codes> r;
  auto result = settle::then(r.get_handle(), [](int) { throw 1; });
  r.complete(1);
  EXPECT_EQ(std::move(result).wait().error().code, settle::errc::no_memory);
}

}  // namespace
