// SPDX-License-Identifier: BSL-1.0
// What can be a value, an error or a closure, and what it costs.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "situations.hpp"

namespace {

using namespace test;

// The budget: an int, the inline executor, two cleanups.
static_assert(sizeof(settle::detail::cell<settle::plain<int>>) <= 128);
static_assert(sizeof(settle::detail::cell<settle::plain<void>>) <= sizeof(settle::detail::cell<settle::plain<int>>));
struct monitored : settle::plain<int> {
  using monitor = counting_monitor;
};
static_assert(sizeof(settle::detail::cell<monitored>) == sizeof(settle::detail::cell<settle::plain<int>>));

template <class V, class Check>
void goes_through(V const& given, Check check) {
  in_every_situation([&](auto& place, situation at) {
    using policy = counted<V, typename std::decay_t<decltype(place)>::executor>;
    if (at.how != way::complete) return;
    subject<policy> s(place.get_executor());
    int seen = 0;
    auto const wire = [&] {
      std::move(s.h).on_done([&](settle::outcome<V>&& out) {
        check(out.value());
        V const mine = std::move(out).value();
        check(mine);
        ++seen;
      });
    };
    if (at.when == moment::pending) wire();
    EXPECT_TRUE(s.r.complete(V(given)));
    if (at.when != moment::queued) place.run();
    if (at.when != moment::pending) wire();
    place.run();
    EXPECT_EQ(seen, 1);
  });
}

TEST(values, large_and_over_aligned_ones) {
  goes_through(over_aligned{7}, [](over_aligned const& v) {
    EXPECT_TRUE(v.aligned());
    EXPECT_EQ(v.value, 7);
  });
  huge h;
  h.bytes.back() = 9;
  goes_through(h, [](huge const& v) { EXPECT_EQ(v.bytes.back(), 9); });
  goes_through(std::vector<std::string>{"a", "b"}, [](std::vector<std::string> const& v) { EXPECT_EQ(v.size(), 2U); });
}

TEST(values, void_settles_without_one) {
  in_each_way([](way how) {
    subject<counted<void>> s;
    auto w = s.h.watch();
    int done = 0;
    s.h.on_done([&](settle::outcome<void> const& out) { done += out.how().kind == kind_of(how) ? 1 : 100; });
    s.end(how);
    EXPECT_EQ(done, 1);
    EXPECT_EQ(w.peek()->how().kind, kind_of(how));
  });
}

TEST(values, move_only_ones_are_taken_once) {
  subject<counted<std::unique_ptr<int>>> s;
  std::unique_ptr<int> got;
  std::move(s.h).on_done([&](settle::outcome<std::unique_ptr<int>>&& out) { got = std::move(out).value(); });
  EXPECT_TRUE(s.r.complete(std::make_unique<int>(5)));
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(*got, 5);
}

TEST(values, ones_that_throw_when_moved_out_tell_the_sink) {
  {
    using policy = counted<fragile>;
    subject<policy> s;
    int cleaned = 0;
    s.op.on_cleanup([&] { ++cleaned; });
    std::move(s.h).on_done([&](settle::outcome<fragile>&& out) {
      fragile::throw_at = 1;
      fragile const mine = std::move(out).value();
      ADD_FAILURE() << mine.value;
    });
    EXPECT_TRUE(s.r.complete(fragile(1)));
    EXPECT_EQ(cleaned, 1);
    auto const reports = recording_sink::take();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].what, settle::monitor_event::callback_threw);
  }
  EXPECT_EQ(fragile::alive, 0);
}

struct own_error {
  int code;
  explicit own_error(settle::errc e) noexcept : code(static_cast<int>(e)) {}
};
struct with_own_error : counted<int> {
  using error_type = own_error;
  static own_error make_error(settle::errc e) noexcept { return own_error(e); }
};

TEST(values, errors_of_any_type) {
  subject<with_own_error> s;
  auto w = s.h.watch();
  s.end(way::fail);
  EXPECT_EQ(w.peek()->error().code, static_cast<int>(settle::errc::closed));
  settle::resolver_of<int, std::error_code> r;
  auto h = r.get_handle();
  auto v = h.watch();
  EXPECT_TRUE(r.fail(make_error_code(std::errc::io_error)));
  EXPECT_EQ(v.peek()->error(), std::errc::io_error);
}

struct alignas(64) aligned_closure {
  int* ran;
  void operator()() const {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(this) % 64, 0U);
    ++*ran;
  }
};

TEST(values, closures_large_and_over_aligned) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    int ran = 0;
    std::array<char, 5000> big{};
    big[4999] = 1;
    play(place, at, s, [&] {
      s.op.on_done(aligned_closure{&ran});
      s.op.on_cleanup(aligned_closure{&ran});
      s.op.on_released(aligned_closure{&ran});
      s.op.on_done([&ran, big] { ran += big[4999]; });
      s.op.on_cleanup([&ran, big] { ran += big[4999]; });
    });
    EXPECT_EQ(ran, 5);
  });
}

TEST(values, handles_of_different_policies_convert_when_the_values_agree) {
  manual_loop loop;
  settle::resolver<counted<std::string, manual_loop::executor>> r(loop.get_executor());
  settle::handle_of<std::string> h = r.get_handle();
  settle::watcher_of<std::string> w = h.watch();
  std::string got;
  std::move(h).on_done([&](settle::outcome<std::string>&& out) { got = std::move(out).value(); });
  r.complete("text");
  EXPECT_EQ(got, "") << "it still runs on the producer's executor";
  loop.run();
  EXPECT_EQ(got, "text");
  EXPECT_EQ(w.peek()->value(), "text") << "a value that is watched is taken as a copy";
}

// What every registration allocates comes back: counted by the allocator, kind by kind.
TEST(values, memory_balances_for_each_kind_of_hook) {
  in_each_way([](way how) {
    subject<counted<int>> s;
    subject<counted<int>> child;
    auto const costs = [](auto registers) {
      long const before = ledger::made;
      registers();
      return ledger::made - before;
    };
    EXPECT_EQ(costs([&] { s.op.on_done([] {}); }), 1);
    EXPECT_EQ(costs([&] { s.op.on_cancel([] {}); }), 1);
    EXPECT_EQ(costs([&] { s.op.on_released([] {}); }), 1);
    EXPECT_EQ(costs([&] { s.op.on_cleanup([] {}); }), 1);
    EXPECT_EQ(costs([&] { s.op.adopt(child.op); }), 1);
    EXPECT_EQ(costs([&] { static_cast<void>(s.op.pin()); }), 0);
    EXPECT_EQ(costs([&] {
                settle::resolver<counted<int>> r;
                r.own(std::make_unique<int>(1));
                r.on_cleanup([&r] { static_cast<void>(r); });
                r.complete(1);
              }),
              1)
        << "one allocation, two cleanups in it";
    s.end(how);
    subject<counted<int>>::drop(child.r);
    EXPECT_TRUE(s.op.is_released());
    EXPECT_EQ(ledger::blocks, 2) << "the two states";
  });
}

// The sinks that are shipped.
template <class Sink>
struct with_sink : settle::default_policy {
  using value_type = int;
  using error_sink = Sink;
};
template <class Sink>
void throws_in_a_callback() {
  subject<with_sink<Sink>> s;
  s.op.on_done([] { throw std::runtime_error("thrown"); });
  s.end(way::complete);
  EXPECT_TRUE(s.op.is_released());
}
template <class Sink>
void throws_in_a_cleanup() {
  subject<with_sink<Sink>> s;
  s.op.on_cleanup([] { throw std::runtime_error("thrown"); });
  s.end(way::complete);
  EXPECT_TRUE(s.op.is_released());
}

int calls_of_mine = 0;
void mine(std::exception_ptr p, settle::monitor_event const& e) noexcept {
  ++calls_of_mine;
  EXPECT_NE(p, nullptr);
  EXPECT_TRUE(e.what == settle::monitor_event::callback_threw || e.what == settle::monitor_event::cleanup_threw);
}

TEST(error_sink, ignore_log_and_a_function_of_the_user_go_on) {
  throws_in_a_callback<settle::ignore_sink>();
  throws_in_a_cleanup<settle::ignore_sink>();
  throws_in_a_callback<settle::function_sink<&mine>>();
  throws_in_a_cleanup<settle::function_sink<&mine>>();
  EXPECT_EQ(calls_of_mine, 2);
  testing::internal::CaptureStderr();
  throws_in_a_callback<settle::log_sink>();
  throws_in_a_cleanup<settle::log_sink>();
  std::string const said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("settle: callback threw"), std::string::npos) << said;
  EXPECT_NE(said.find("settle: cleanup threw"), std::string::npos) << said;
  EXPECT_NE(said.find("situations.hpp"), std::string::npos) << "where it was created: " << said;
}

TEST(error_sink, terminate_logs_what_is_no_exception) {
  testing::internal::CaptureStderr();
  {
    subject<with_sink<settle::terminate_sink>> s;
    s.end(way::abandon);
    subject<with_sink<settle::terminate_sink>> t;
    t.end(way::fail);
  }
  std::string const said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("settle: abandoned"), std::string::npos) << said;
  EXPECT_NE(said.find("settle: failure that nobody saw"), std::string::npos) << said;
}

TEST(error_sinkDeathTest, terminate_ends_the_program) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(throws_in_a_callback<settle::terminate_sink>(), "settle: callback threw");
  EXPECT_DEATH(throws_in_a_cleanup<settle::terminate_sink>(), "settle: cleanup threw");
}

struct two : settle::default_policy {
  using value_type = int;
  using monitor = settle::monitors<counting_monitor, counting_monitor>;
};

TEST(monitors, compose) {
  long const created = counting_monitor::created;
  {
    subject<two> s;
    s.end(way::complete);
  }
  EXPECT_EQ(counting_monitor::created, created + 2);
  EXPECT_EQ(counting_monitor::destroyed, created + 2);
}

// While such a value is moved rivals wait; once it is there nobody does.
TEST(values, one_whose_move_may_throw_leaves_a_settled_operation_that_nobody_waits_for) {
  settle::resolver_of<fragile> r;
  auto const h = r.get_handle();
  EXPECT_TRUE(r.complete(fragile(5)));
  EXPECT_FALSE(h.cancel());
  EXPECT_FALSE(h.request_cancel());
}

TEST(values, an_outcome_whose_value_may_throw_is_passed_on) {
  settle::resolver_of<fragile> from;
  auto first = from.get_handle();
  EXPECT_TRUE(from.complete(fragile(5)));
  settle::resolver_of<fragile> to;
  auto second = to.get_handle();
  EXPECT_TRUE(to.settle(std::move(first).wait()));
  EXPECT_EQ(std::move(second).wait().value().value, 5);
}

}  // namespace
