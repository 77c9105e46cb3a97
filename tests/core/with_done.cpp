// SPDX-License-Identifier: BSL-1.0
// resolver::with_done: an operation whose consumer is born with it.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "allocations.hpp"
#include "situations.hpp"

namespace {

using namespace test;

/// Ends an operation that has no handle; `way::drop` is no way then.
template <class P>
void end(settle::resolver<P>& r, way how) {
  auto const op = r.op();
  if (how == way::complete) {
    EXPECT_TRUE(r.complete(typename P::value_type(42)));
  }
  if (how == way::fail) {
    EXPECT_TRUE(r.fail(settle::errc::closed));
  }
  if (how == way::cancel) {
    EXPECT_TRUE(op.cancel(settle::cause::overload));
  }
  if (how == way::request) {
    EXPECT_TRUE(op.request_cancel(settle::cause::deadline));
  }
  settle::resolver<P> gone(std::move(r));
}

constexpr way ways[] = {way::complete, way::fail, way::cancel, way::request, way::abandon};

TEST(with_done, the_consumer_runs_once_on_every_path_where_the_executor_says) {
  on_each_executor([](auto& place) {
    for (way how : ways) {
      SCOPED_TRACE(way_names[static_cast<int>(how)]);
      using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
      using outcome = settle::outcome<int>;
      int told = 0;
      auto r = settle::resolver<policy>::with_done(
          [&](outcome&& out) {
            ++told;
            EXPECT_EQ(out.how().kind, kind_of(how));
            if (how == way::complete) {
              EXPECT_EQ(out.value(), 42);
            }
            if (how == way::fail) {
              EXPECT_EQ(out.error().code(), settle::errc::closed);
            }
            if (out.is_cancelled()) {
              EXPECT_EQ(out.cancel().why, cause_of(how));
            }
          },
          place.get_executor());
      auto const op = r.op();
      EXPECT_FALSE(r.get_handle()) << "there is nothing left to own";
      EXPECT_EQ(told, 0);
      end(r, how);
      EXPECT_EQ(told, place.queued ? 0 : 1);
      place.run();
      EXPECT_EQ(told, 1);
      EXPECT_TRUE(op.is_released());
    }
  });
}

TEST(with_done, observers_run_before_it_and_cleanups_after_it) {
  trail seen;
  auto r = settle::resolver<counted<int>>::with_done([&] { seen.emplace_back("consumer"); });
  r.on_cleanup([&] { seen.emplace_back("first cleanup"); });
  r.on_cleanup([&] { seen.emplace_back("second cleanup"); });
  auto const op = r.op();
  op.on_done([&] { seen.emplace_back("observer"); });
  op.on_released([&] { seen.emplace_back("released"); });
  r.complete(42);
  EXPECT_EQ(seen, (trail{"observer", "consumer", "second cleanup", "first cleanup", "released"}));
}

TEST(with_done, the_order_is_the_policys) {
  struct policy : counted<int> {
    struct notify : settle::notify_order<settle::notice::consumer, settle::notice::cancel, settle::notice::done, settle::notice::cleanup> {
    };
  };
  trail seen;
  auto r = settle::resolver<policy>::with_done([&] { seen.emplace_back("consumer"); });
  auto const op = r.op();
  op.on_done([&] { seen.emplace_back("observer"); });
  op.on_cancel([&] { seen.emplace_back("cancel observer"); });
  op.cancel();
  EXPECT_EQ(seen, (trail{"consumer", "cancel observer", "observer"}));
}

TEST(with_done, a_closure_may_be_move_only_and_dies_right_after_it_ran) {
  tracked::alive = 0;
  bool cleaned = false;
  auto r = settle::resolver<counted<int>>::with_done([t = tracked(1)](settle::ending e) {
    EXPECT_EQ(e.kind, settle::ending::value);
    EXPECT_EQ(t.value, 1);
  });
  EXPECT_EQ(tracked::alive, 1);
  r.on_cleanup([&] {
    cleaned = true;
    EXPECT_EQ(tracked::alive, 0);
  });
  r.complete(42);
  EXPECT_TRUE(cleaned);
}

TEST(with_done, it_takes_the_value_and_what_it_leaves_dies_with_the_call) {
  using policy = counted<tracked>;
  tracked::alive = 0;
  int got = 0;
  auto taking = settle::resolver<policy>::with_done([&](settle::outcome<tracked>&& out) { got = std::move(out).value().value; });
  taking.complete(tracked(7));
  EXPECT_EQ(got, 7);
  auto leaving = settle::resolver<policy>::with_done([](settle::outcome<tracked>&&) { EXPECT_EQ(tracked::alive, 2); });
  leaving.on_cleanup([] { EXPECT_EQ(tracked::alive, 1) << "the one that was moved from, at the caller's"; });
  auto const op = leaving.op();
  leaving.complete(tracked(8));
  EXPECT_EQ(tracked::alive, 0);
}

TEST(with_done, a_watching_observer_beside_it_finds_nothing_to_take_away) {
  using policy = counted<std::string>;
  std::string got;
  bool again = false;
  auto r = settle::resolver<policy>::with_done([&](settle::outcome<std::string>&& out) { got = std::move(out).value(); });
  auto const op = r.op();
  r.complete("text");
  EXPECT_EQ(got, "text");
  op.on_done([&] { again = true; });
  EXPECT_TRUE(again) << "too late for the ring: at once";
}

TEST(with_done, it_may_drop_the_last_reference_or_settle_others) {
  settle::basic_operation<settle::cas_terminal> op;
  int second = 0;
  auto next = settle::resolver<counted<int>>::with_done([&] { ++second; });
  auto r = settle::resolver<counted<int>>::with_done([&] {
    op = {};
    next.complete(2);
    EXPECT_EQ(second, 0) << "never nested";
  });
  op = r.op();
  r.complete(1);
  EXPECT_EQ(second, 1);
}

TEST(with_done, one_allocation_the_state_with_the_closure_in_it) {
  struct policy : settle::default_policy {
    using value_type = int;
    using allocator_type = std::allocator<std::byte>;
  };
  int got = 0;
  allocation_count made;
  auto r = settle::resolver<policy>::with_done([&got](settle::outcome<int>&& out) { got = out.value(); });
  EXPECT_EQ(made.now(), 1U);
  r.complete(42);
  EXPECT_EQ(made.now(), 1U);
  EXPECT_EQ(got, 42);
}

TEST(with_done, the_state_of_a_small_one_is_no_larger_than_a_hook_would_make_it) {
  auto closure = [p = static_cast<int*>(nullptr)] { static_cast<void>(p); };
  static_assert(sizeof(settle::detail::born_cell<settle::plain<int>, decltype(closure)>) ==
                sizeof(settle::detail::cell<settle::plain<int>>) + sizeof(void*));
  SUCCEED();
}

TEST(with_done, a_monitor_sees_all_of_it) {
  long const before = counting_monitor::destroyed;
  auto r = settle::resolver<counted<int>>::with_done([] { EXPECT_EQ(counting_monitor::live(), 1); });
  EXPECT_EQ(counting_monitor::live(), 1);
  r.fail(settle::errc::closed);
  EXPECT_EQ(counting_monitor::destroyed, before + 1);
  EXPECT_EQ(recording_sink::count(settle::monitor_event::unseen_failure), 0U) << "the consumer saw it";
}

TEST(with_done, abandoned_it_is_reported) {
  bool told = false;
  {
    auto const r = settle::resolver<counted<int>>::with_done(
        [&](settle::outcome<int>&& out) { told = out.is_cancelled() && out.cancel().why == settle::cause::abandoned; });
  }
  EXPECT_TRUE(told);
  EXPECT_EQ(recording_sink::count(settle::monitor_event::abandoned), 1U);
}

TEST(with_done, an_executor_that_drops_the_work_loses_nothing) {
  manual_loop loop;
  int told = 0;
  auto r = settle::resolver<counted<int, manual_loop::executor>>::with_done([&] { ++told; }, loop.get_executor());
  loop.mood(manual_loop::drops);
  r.complete(42);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(recording_sink::count(settle::monitor_event::executor_lost), 1U);
  recording_sink::take();
}

TEST(with_done, without_atomic_operations_the_same) {
  struct policy : counted<int> {
    using terminal = settle::unsynchronized_terminal;
  };
  for (way how : ways) {
    int told = 0;
    auto r = settle::resolver<policy>::with_done([&](settle::outcome<int>&& out) {
      ++told;
      EXPECT_EQ(out.how().kind, kind_of(how));
    });
    end(r, how);
    EXPECT_EQ(told, 1);
  }
}

TEST(with_done, producer_and_canceller_race_and_it_runs_once) {
  crew threads(2);
  int values = 0;
  int const rounds = 2000;
  for (int i = 0; i != rounds; ++i) {
    std::atomic<int> told = 0;
    bool value = false;
    auto r = settle::resolver<counted<int>>::with_done([&](settle::outcome<int>&& out) {
      value = out.has_value();
      ++told;
    });
    auto const op = r.op();
    std::atomic<int> winners = 0;
    threads.run([&](unsigned who) { winners += (who == 0 ? r.complete(42) : op.cancel()) ? 1 : 0; });
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(told, 1);
    values += value ? 1 : 0;
  }
  EXPECT_LE(values, rounds);
}

#if defined(__cpp_exceptions)
TEST(with_done, what_it_throws_goes_to_the_sink_and_the_rest_goes_on) {
  bool cleaned = false;
  auto r = settle::resolver<counted<int>>::with_done([](settle::outcome<int>&&) { throw std::runtime_error("consumer"); });
  r.on_cleanup([&] { cleaned = true; });
  EXPECT_TRUE(r.complete(42));
  EXPECT_TRUE(cleaned);
  auto const reports = recording_sink::take();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].what, settle::monitor_event::callback_threw);
  EXPECT_EQ(reports[0].said, "consumer");
}

TEST(with_done, moving_the_closure_throws_and_nothing_is_left) {
  using resolver = settle::resolver<counted<int>>;
  fragile::alive = 0;
  for (int at = 1; at <= 3; ++at) {
    auto closure = [f = fragile(1)](settle::outcome<int>&&) { static_cast<void>(f); };
    fragile::throw_at = at;
    bool thrown = false;
    try {
      auto r = resolver::with_done(std::move(closure));
      r.complete(42);
    } catch (std::runtime_error const&) {
      thrown = true;
    }
    EXPECT_EQ(thrown, at <= 2) << "into the parameter, and from there into the state";
    fragile::throw_at = 0;
    EXPECT_EQ(fragile::alive, 1) << "ours";
    expect_balanced();
  }
}

TEST(with_done, no_memory_is_thrown) {
  dry_after const none(0);
  EXPECT_THROW(static_cast<void>(settle::resolver<counted<int>>::with_done([] {})), std::bad_alloc);
}
#endif

TEST(with_done, told_by_the_engine_when_others_refer_to_it) {
  int got = 0;
  auto r =
      settle::resolver_of<std::string>::with_done([&](settle::outcome<std::string>&& o) { got += static_cast<int>(o.value().size()); });
  settle::operation const op = r.op();
  EXPECT_TRUE(r.complete("four"));
  EXPECT_EQ(got, 4);
  EXPECT_TRUE(op.is_released());
}

TEST(with_done, cleanups_that_do_not_fit_the_state_come_after_it) {
  for (bool const some_fit : {true, false}) {
    trail log;
    auto r = settle::resolver_of<int>::with_done([&](settle::outcome<int>&&) { log.emplace_back("consumer"); });
    if (some_fit)
      for (char const* name : {"1", "2"}) r.on_cleanup([&log, name] { log.emplace_back(name); });
    r.on_cleanup([&log, name = std::string("large"), room = std::array<char, 64>()] { log.push_back(room[0] == 0 ? name : ""); });
    EXPECT_TRUE(r.complete(1));
    EXPECT_EQ(log, some_fit ? (trail{"consumer", "large", "2", "1"}) : (trail{"consumer", "large"}));
  }
}

TEST(with_done, beside_an_observer_that_may_be_taken_away) {
  trail log;
  auto r = settle::resolver<counted<int>>::with_done([&](settle::outcome<int>&&) { log.emplace_back("consumer"); });
  settle::done_callback const carried(r.op(), [&] { log.emplace_back("observer"); });
  EXPECT_TRUE(r.complete(1));
  EXPECT_EQ(log, (trail{"observer", "consumer"}));
}

}  // namespace
