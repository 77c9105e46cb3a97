// SPDX-License-Identifier: BSL-1.0
// map_concurrent, bracket and groups on the ways that the models do not go: moves that throw, items that are ready, cold ranges.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#if __has_include(<unwind.h>)
#include <unwind.h>
#endif

#include "loop_with_timers.hpp"
#include "values.hpp"

namespace {

using namespace test;
using settle::errc;
using settle::handle_of;

template <class T>
using loop_resolver = settle::resolver_of<T, settle::error, loop_with_timers::executor>;

handle_of<std::string> pending(std::vector<loop_resolver<std::string>>& r, loop_with_timers& loop) {
  return r.emplace_back(loop.get_executor()).get_handle();
}

TEST(map_concurrent, of_what_is_ready_in_one_place_takes_one_item_after_the_other) {
  auto h = settle::map_concurrent(std::vector{1, 2, 3}, 1, [](int i) { return i + 1; });
  EXPECT_EQ(std::move(h).wait().value(), (std::vector{2, 3, 4}));
}

TEST(map_concurrent, asked_begins_no_more_even_if_the_one_that_runs_completes) {
  loop_with_timers loop;
  std::vector<loop_resolver<std::string>> r;
  auto h = settle::map_concurrent(std::vector{1, 2, 3}, 1, [&](int) { return pending(r, loop); });
  h.request_cancel(settle::cause::overload);
  r[0].complete("all the same");
  loop.run_all();
  EXPECT_EQ(r.size(), 1U);
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::overload);
}

TEST(map_concurrent, the_first_that_is_cancelled_decides_whatever_the_others_do) {
  loop_with_timers loop;
  std::vector<loop_resolver<std::string>> r;
  auto h = settle::map_concurrent(std::vector{1, 2, 3, 4}, 3, [&](int) { return pending(r, loop); });
  r[0].complete("not heard yet");
  r[1].op().cancel(settle::cause::overload);
  EXPECT_TRUE(h.is_settled());
  r[2].op().cancel(settle::cause::shutdown);
  r.clear();
  loop.run_all();
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::overload);
}

TEST(map_concurrent, a_value_whose_move_throws_fails_the_result_once) {
  for (bool decided : {false, true}) {
    loop_with_timers loop;
    std::vector<loop_resolver<fragile>> r;
    auto h = settle::map_concurrent(std::vector{1, 2}, 2, [&](int) { return r.emplace_back(loop.get_executor()).get_handle(); });
    r[0].complete(fragile(1));
    fragile::throw_at = 1;
    loop.run_all();
    fragile::throw_at = 0;
    EXPECT_TRUE(h.is_settled());
    if (decided) r[1].complete(fragile(2));
    r.clear();
    loop.run_all();
    EXPECT_TRUE(h.is_released());
    EXPECT_TRUE(std::move(h).wait().has_error());
  }
  loop_with_timers loop;
  loop_resolver<fragile> last(loop.get_executor());
  auto h = settle::map_concurrent(std::vector{1}, 1, [&](int) { return last.get_handle(); });
  last.complete(fragile(1));
  fragile::throw_at = 1;
  loop.run_all();
  fragile::throw_at = 0;
  EXPECT_TRUE(std::move(h).wait().has_error());
  EXPECT_EQ(fragile::alive, 0);
}

/// Does something when it is copied.
struct meddler {
  static inline std::function<void()> meddle;
  meddler() = default;
  meddler& operator=(meddler const&) = default;
  meddler(meddler const&) {
    if (meddle) std::exchange(meddle, nullptr)();
  }
};
TEST(map_concurrent, a_value_whose_move_throws_after_another_was_cancelled_is_too_late) {
  loop_with_timers loop;
  std::vector<loop_resolver<meddler>> r;
  auto h = settle::map_concurrent(std::vector{1, 2}, 2, [&](int) { return r.emplace_back(loop.get_executor()).get_handle(); });
  r[0].complete(meddler());
  meddler::meddle = [&] {
    r[1].op().cancel(settle::cause::overload);
    throw std::runtime_error("late");
  };
  loop.run_all();
  EXPECT_FALSE(meddler::meddle);
  r.clear();
  loop.run_all();
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::overload);
}

// bracket
TEST(bracket, a_release_that_fails_is_the_outcome) {
  auto h = settle::bracket([] { return 1; }, [](int& v) { return v; }, [](int) { return settle::failed<void>(errc::closed); });
  EXPECT_EQ(std::move(h).wait().error().code(), errc::closed);
}

TEST(bracket, a_resource_whose_move_throws_is_not_used) {
  loop_with_timers loop;
  loop_resolver<fragile> r(loop.get_executor());
  int calls = 0;
  auto h = settle::bracket([&] { return r.get_handle(); }, [&](fragile&) { ++calls; }, [&](fragile&&) { ++calls; });
  r.complete(fragile(1));
  fragile::throw_at = 1;
  loop.run_all();
  fragile::throw_at = 0;
  EXPECT_TRUE(h.is_released());
  EXPECT_TRUE(std::move(h).wait().has_error());
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(fragile::alive, 0);
}

// all
TEST(all, values_whose_moves_throw_fail_the_result_with_the_first) {
  for (int bad : {1, 2}) {
    loop_with_timers loop;
    loop_resolver<fragile> r(loop.get_executor());
    loop_resolver<fragile> q(loop.get_executor());
    auto h = settle::all(r.get_handle(), q.get_handle());
    r.complete(fragile(1));
    q.complete(fragile(2));
    for (int i = 0; i != bad; ++i) {
      fragile::throw_at = 1;
      loop.run_one();
    }
    fragile::throw_at = 0;
    loop.run_all();
    EXPECT_TRUE(h.is_released());
    EXPECT_TRUE(std::move(h).wait().has_error());
    EXPECT_EQ(fragile::alive, 0);
  }
}

// any, of a range
TEST(all, values_whose_moves_may_throw_come_together_unless_one_throws_in_the_end) {
  for (bool throws : {false, true}) {
    loop_with_timers loop;
    loop_resolver<fragile> r(loop.get_executor());
    loop_resolver<fragile> q(loop.get_executor());
    auto h = settle::all(r.get_handle(), q.get_handle());
    r.complete(fragile(1));
    q.complete(fragile(2));
    fragile::throw_at = throws ? 4 : 0;  // two go to their slots, the second of them is the last to go on
    loop.run_all();
    fragile::throw_at = 0;
    EXPECT_TRUE(h.is_released());
    auto w = std::move(h).share();
    EXPECT_EQ(w.peek()->has_error(), throws);
    if (!throws) {
      EXPECT_EQ(std::get<0>(w.peek()->value()).value + std::get<1>(w.peek()->value()).value, 3);
    }
  }
  EXPECT_EQ(fragile::alive, 0);
}

TEST(any, of_a_range_yields_the_first_value) {
  for (bool quick : {false, true}) {
    loop_with_timers loop;
    std::vector<loop_resolver<std::string>> r;
    std::vector<handle_of<std::string>> list;
    for (int i = 0; i != 3; ++i) list.push_back(pending(r, loop));
    auto h = settle::any(std::move(list));
    r[0].fail(errc::closed);
    if (quick) r[1].complete("first");
    loop.run_all();
    r[2].complete("second");
    r.clear();
    loop.run_all();
    EXPECT_EQ(std::move(h).wait().value(), quick ? "first" : "second");
  }
}

TEST(any, of_what_yields_nothing_yields_nothing_or_the_last_error) {
  for (bool const in_a_range : {false, true})
    for (bool const one_comes : {true, false}) {
      loop_with_timers loop;
      loop_resolver<void> r(loop.get_executor());
      loop_resolver<void> q(loop.get_executor());
      handle_of<void> h;
      if (in_a_range) {
        std::vector<handle_of<void>> list;
        list.push_back(r.get_handle());
        list.push_back(q.get_handle());
        h = settle::any(std::move(list));
      } else {
        h = settle::any(r.get_handle(), q.get_handle());
      }
      r.fail(errc::timed_out);
      EXPECT_FALSE(h.is_settled());
      if (one_comes) q.complete();
      else q.fail(errc::closed);
      loop.run_all();
      EXPECT_TRUE(h.is_released());
      auto const o = std::move(h).wait();
      EXPECT_EQ(o.has_value(), one_comes);
      if (!one_comes) {
        EXPECT_EQ(o.error().code(), errc::closed);
      }
    }
}

TEST(all_settled, of_what_cannot_be_copied_has_each_value_moved_in) {
  using one = std::unique_ptr<int>;
  loop_with_timers loop;
  loop_resolver<one> r(loop.get_executor());
  loop_resolver<one> q(loop.get_executor());
  auto h = settle::all_settled(r.get_handle(), q.get_handle(), settle::ready(std::make_unique<int>(3)));
  static_assert(std::is_same_v<decltype(h), handle_of<std::tuple<settle::outcome<one>, settle::outcome<one>, settle::outcome<one>>>>);
  q.fail(errc::closed);
  r.complete(std::make_unique<int>(1));
  loop.run_all();
  auto [first, second, third] = std::move(h).wait().value();
  EXPECT_EQ(*first.value(), 1);
  EXPECT_EQ(second.error().code(), errc::closed);
  EXPECT_EQ(*third.value(), 3);

  std::vector<loop_resolver<one>> each;
  std::vector<handle_of<one>> list;
  for (int i = 0; i != 3; ++i) list.push_back(each.emplace_back(loop.get_executor()).get_handle());
  auto k = settle::all_settled(std::move(list));
  each[2].complete(std::make_unique<int>(2));
  each[0].complete(std::make_unique<int>(5));
  each[1].cancel();
  loop.run_all();
  std::vector<settle::outcome<one>> const all = std::move(k).wait().value();
  EXPECT_EQ(*all.at(0).value(), 5);
  EXPECT_TRUE(all.at(1).is_cancelled());
  EXPECT_EQ(*all.at(2).value(), 2);
}

#if __has_include(<unwind.h>)
/// As another language's runtime does it.
[[noreturn]] void throw_as_others_do() {
  static _Unwind_Exception thrown{};
  thrown.exception_class = 0x6f74686572000000;  // "other"
  thrown.exception_cleanup = [](_Unwind_Reason_Code, _Unwind_Exception*) {};
  _Unwind_RaiseException(&thrown);
  std::abort();  // nobody catches it
}
TEST(retry, an_exception_of_another_language_is_a_failure) {
  auto h = settle::retry(settle::backoff::none(2), [](unsigned before) {
    if (before != 0) throw_as_others_do();
    return settle::failed<int>(errc::closed);
  });
  ASSERT_TRUE(h.is_released());
  EXPECT_TRUE(std::move(h).wait().has_error());
}
#endif

handle_of<int> cold_one(int v) { co_return v; }
TEST(all, of_a_range_of_cold_coroutines_starts_with_its_owner) {
  std::vector<handle_of<int>> list;
  list.push_back(cold_one(1));
  list.push_back(cold_one(2));
  auto h = settle::all(std::move(list));
  EXPECT_FALSE(h.is_settled());
  EXPECT_EQ(std::move(h).wait().value(), (std::vector{1, 2}));
}

}  // namespace
