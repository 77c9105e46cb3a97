// SPDX-License-Identifier: BSL-1.0
// There is no memory: for a result, for its timer, for what a function was to begin.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "loop_with_timers.hpp"

#if defined(SETTLE_TEST_NEW_RUNS_DRY)

namespace {

using namespace std::chrono_literals;
using namespace test;
using settle::errc;
using settle::handle_of;
using loop_resolver = settle::resolver_of<int, settle::error, loop_with_timers::executor>;

/// From here on there is none.
struct without_memory {
  no_memory_after dry;
  explicit without_memory(long n = 0) : dry((settle::trim(), n)) {}
};

TEST(no_memory, for_a_result_throws_and_the_input_is_dropped) {
  settle::resolver_of<int> r;
  auto h = r.get_handle();
  {
    without_memory none;
    EXPECT_THROW(static_cast<void>(settle::then(std::move(h), [](int v) { return v; })), std::bad_alloc);
    EXPECT_THROW(static_cast<void>(settle::never<int>()), std::bad_alloc);
  }
  EXPECT_TRUE(r.op().cancel_requested());
  r.cancel();
}

TEST(no_memory, for_a_timer_fails_the_result) {
  loop_with_timers loop;
  loop_resolver r(loop.get_executor());
  auto source = r.get_handle();
  std::optional<handle_of<int>> h;
  {
    without_memory none(1);
    h.emplace(settle::within(std::move(source), 1s));
  }
  EXPECT_TRUE(h->is_settled());
  EXPECT_TRUE(r.op().cancel_requested());
  r.cancel();
  loop.run_all();
  EXPECT_EQ(std::move(*h).wait().error().code(), errc::no_memory);

  auto failed = [&](unsigned) {
    loop_resolver q(loop.get_executor());
    auto mine = q.get_handle();
    q.fail(errc::closed);
    return mine;
  };
  std::optional<handle_of<int>> k;
  {
    without_memory none(2);
    k.emplace(settle::retry(settle::backoff::constant(1ms, 2), failed));
  }
  loop.run_all();
  EXPECT_EQ(std::move(*k).wait().error().code(), errc::no_memory);
}

/// Fails, and there is no memory to say so.
struct fails_without_memory {
  std::optional<without_memory>* none;
  [[noreturn]] void operator()() const {
    none->emplace();
    throw std::runtime_error("thrown");
  }
};

TEST(no_memory, for_a_later_attempt_fails_the_result) {
  std::optional<without_memory> none;
  auto h = settle::retry(settle::backoff::none(3), [&](unsigned n) -> handle_of<int> {
    if (n != 0) fails_without_memory{&none}();
    return settle::failed<int>(errc::closed);
  });
  EXPECT_TRUE(none.has_value());
  none.reset();
  EXPECT_EQ(std::move(h).wait().error().code(), errc::no_memory);
}

TEST(no_memory, for_a_later_item_fails_the_result_and_the_others_are_asked_to_stop) {
  loop_with_timers loop;
  for (bool hedged : {false, true}) {
    std::optional<without_memory> none;
    std::vector<loop_resolver> r;
    auto begin = [&](int i) -> handle_of<int> {
      if (i == 3) fails_without_memory{&none}();
      return r.emplace_back(loop.get_executor()).get_handle();
    };
    auto check = [&](auto h) {
      if (hedged) loop.advance(10ms);
      if (hedged) loop.advance(10ms);
      if (hedged) loop.advance(10ms);
      EXPECT_TRUE(none.has_value());
      none.reset();
      EXPECT_TRUE(h.is_settled());
      ASSERT_EQ(r.size(), 3U);
      for (auto& x : r) EXPECT_TRUE(x.op().cancel_requested());
      r[0].fail(errc::closed);
      loop.run_all();
      r[1].complete(1);
      loop.run_all();
      EXPECT_FALSE(h.is_released());
      r[2].cancel();
      loop.run_all();
      EXPECT_TRUE(h.is_released());
      EXPECT_EQ(std::move(h).wait().error().code(), errc::no_memory);
    };
    if (hedged) check(settle::hedge(10ms, std::vector{0, 1, 2, 3, 4}, begin));
    else check(settle::map_concurrent(std::vector{0, 1, 2, 3, 4}, 4, begin));
    EXPECT_EQ(loop.made(), 0U);
  }
}

TEST(no_memory, for_a_later_item_changes_nothing_when_an_earlier_one_has_won_by_then) {
  loop_with_timers loop;
  std::optional<without_memory> none;
  std::vector<loop_resolver> r;
  auto h = settle::hedge(10ms, std::vector{0, 1, 2}, [&](int i) -> handle_of<int> {
    if (i == 1) {
      r[0].complete(1);
      fails_without_memory{&none}();
    }
    return r.emplace_back(loop.get_executor()).get_handle();
  });
  loop.advance(10ms);
  EXPECT_TRUE(none.has_value());
  none.reset();
  loop.run_all();
  EXPECT_EQ(loop.made(), 0U);
  EXPECT_EQ(std::move(h).wait().value(), 1);
}

TEST(no_memory, for_the_use_of_a_resource_gives_it_back_all_the_same) {
  std::optional<without_memory> none;
  int released = 0;
  auto h = settle::bracket([] { return 1; }, [&](int&) { fails_without_memory{&none}(); },
                           [&](int) {
                             none.reset();
                             ++released;
                           });
  EXPECT_EQ(released, 1);
  EXPECT_EQ(std::move(h).wait().error().code(), errc::no_memory);
}

TEST(no_memory, for_the_release_of_a_resource_fails_the_result) {
  std::optional<without_memory> none;
  auto h = settle::bracket([] { return 1; }, [](int& v) { return v + 1; }, [&](int) { fails_without_memory{&none}(); });
  EXPECT_TRUE(none.has_value());
  none.reset();
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().error().code(), errc::no_memory);
}

}  // namespace

#endif
