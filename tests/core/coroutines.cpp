// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "../support/meanwhile.hpp"
#include "../support/situations.hpp"
#include "../support/stack.hpp"

// Coroutines that return handles: hot and cold, joining and watching, every way to end. (Closures and aggregates stand in
// no co_await expression here: g++ 12 destroys such temporaries twice.)
namespace {

using settle::cause;
using settle::operation;
using counted_int = test::counted<int>;
using counted_void = test::counted<void>;
using int_handle = settle::handle<counted_int>;
using void_handle = settle::handle<counted_void>;
using loop_executor = test::manual_loop::executor;

std::vector<std::string> trace;

/// Says when it goes.
struct local {
  char const* name;
  explicit local(char const* n) noexcept : name(n) {}
  local(local&&) = delete;
  ~local() { trace.emplace_back(name); }
};

std::vector<std::string> take_trace() { return std::exchange(trace, {}); }
using lines = std::vector<std::string>;

int_handle plus_one(int x) {
  local l("plus_one");
  co_return x + 1;
}
int_handle sum(int x) {
  local l("sum");
  int const a = co_await plus_one(x);
  int const b = co_await plus_one(a);
  co_return a + b;
}
int_handle passes_on(settle::inline_executor, int_handle h) {
  local l("passes_on");
  co_return co_await std::move(h) + 1;
}
int_handle on_loop(loop_executor, int_handle h) {
  local l("on_loop");
  int const v = co_await std::move(h);
  trace.emplace_back("resumed");
  co_return v;
}
void_handle throws(settle::inline_executor) {
  throw std::runtime_error("boom");
  co_return;
}

TEST(coroutine, cold_starts_with_its_owner_and_never_before) {
  auto h = sum(1);
  EXPECT_FALSE(h.is_settled());
  EXPECT_EQ(take_trace(), lines{});
  EXPECT_EQ(std::move(h).wait().value(), 5);
  EXPECT_EQ(take_trace(), (lines{"plus_one", "plus_one", "sum"}));
}

TEST(coroutine, cold_starts_by_every_door) {
  int seen = 0;
  auto observed = plus_one(1);
  observed.on_done([&](auto const& o) { seen += o.value(); });
  EXPECT_EQ(seen, 2);
  plus_one(2).on_done([&](auto&& o) { seen += std::move(o).value(); });
  EXPECT_EQ(seen, 5);
  operation const detached = plus_one(3).detach();
  EXPECT_TRUE(detached.is_released());
  auto const shared = plus_one(4).share();
  EXPECT_EQ(shared.peek()->value(), 5);
  EXPECT_EQ(plus_one(5).wait_for(std::chrono::seconds(1))->value(), 6);
  test::subject<counted_void> parent;
  auto child = plus_one(6);
  parent.h.adopt(child);
  EXPECT_TRUE(child.is_released());
  parent.end(test::way::complete);
  take_trace();
}

int_handle looks_at_a_cold_one(settle::inline_executor, int how) {
  auto h = plus_one(how);
  if (how == 1) {
    auto const& o = co_await h.settled();
    co_return o.value();
  }
  if (how == 2) {
    auto const p = co_await h.pinned();
    co_return p.result.value();
  }
  auto taken = co_await std::move(h).at_settled();
  co_return std::move(taken).value();
}
TEST(coroutine, cold_starts_when_it_is_looked_at) {
  for (int how = 1; how <= 3; ++how) {
    SCOPED_TRACE(how);
    auto h = looks_at_a_cold_one({}, how);
    EXPECT_TRUE(h.is_settled());
    auto const o = std::move(h).wait_for(std::chrono::seconds(0));
    ASSERT_TRUE(o);
    EXPECT_EQ(o->value(), how + 1);
  }
  take_trace();
}

TEST(coroutine, cold_starts_for_those_who_live_elsewhere) {
  test::subject<counted_void> place;
  settle::bound_to const there(place.op);
  int seen = 0;
  auto observed = plus_one(1);
  observed.on_done(there, [&](auto const& o) { seen += o.value(); });
  EXPECT_EQ(seen, 2);
  plus_one(2).on_done(there, [&](auto&& o) { seen += std::move(o).value(); });
  EXPECT_EQ(seen, 5);
  place.end(test::way::complete);
  take_trace();
}

TEST(coroutine, a_cold_one_that_is_dropped_or_cancelled_never_starts) {
  for (int how = 0; how < 3; ++how) {
    auto h = sum(1);
    operation const op = h;
    if (how == 0) h = {};
    if (how == 1) {
      EXPECT_TRUE(h.cancel(cause::overload));
    }
    if (how == 2) {
      EXPECT_TRUE(h.request_cancel(cause::overload));
    }
    EXPECT_TRUE(op.is_settled());
    EXPECT_TRUE(op.is_released());
    EXPECT_EQ(take_trace(), lines{});
    if (how != 0) {
      EXPECT_EQ(std::move(h).wait().cancel().why, cause::overload);
    }
  }
}

TEST(coroutine, hot_starts_at_once_and_joins_pending_and_settled_alike) {
  for (bool const settled : {false, true}) {
    test::subject<counted_int> s;
    operation const source = s.op;
    if (settled) {
      EXPECT_TRUE(s.r.complete(41));
    }
    auto h = passes_on({}, std::move(s.h));
    EXPECT_EQ(h.is_settled(), settled);
    if (!settled) {
      EXPECT_TRUE(s.r.complete(41));
    }
    EXPECT_EQ(std::move(h).wait().value(), 42);
    EXPECT_TRUE(source.is_released());
    EXPECT_EQ(take_trace(), lines{"passes_on"});
  }
}

TEST(coroutine, resumes_at_released_not_at_settled) {
  test::subject<counted_int> s;
  auto pin = s.op.pin();
  auto h = passes_on({}, std::move(s.h));
  EXPECT_TRUE(s.r.complete(1));
  EXPECT_FALSE(h.is_settled());
  pin.reset();
  EXPECT_EQ(std::move(h).wait().value(), 2);
  take_trace();
}

TEST(coroutine, runs_on_its_own_executor_only) {
  test::manual_loop loop;
  test::subject<counted_int> s;
  auto h = on_loop(loop.get_executor(), std::move(s.h));
  EXPECT_EQ(take_trace(), lines{});
  loop.run();
  EXPECT_TRUE(s.r.complete(7));
  EXPECT_EQ(take_trace(), lines{});
  EXPECT_FALSE(h.is_settled());
  loop.run();
  EXPECT_EQ(take_trace(), (lines{"resumed", "on_loop"}));
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().value(), 7);
}

int_handle inherits() {
  local l("inherits");
  co_return 3;
}
int_handle awaits_inheritor(loop_executor) { co_return co_await inherits(); }

TEST(coroutine, a_cold_one_runs_where_its_awaiter_runs) {
  test::manual_loop loop;
  auto h = awaits_inheritor(loop.get_executor());
  EXPECT_EQ(take_trace(), lines{});
  loop.run();
  EXPECT_EQ(take_trace(), lines{"inherits"});
  EXPECT_EQ(std::move(h).wait().value(), 3);
}

int_handle below(int_handle& h) { co_return co_await std::move(h); }
int_handle asks_itself_and_awaits_below(loop_executor, int_handle& h) {
  operation const self = co_await settle::this_operation;
  self.request_cancel(cause::shutdown);
  co_return co_await below(h);
}
int_handle ends_itself_and_awaits_below(loop_executor, int_handle& h) {
  operation const self = co_await settle::this_operation;
  self.cancel(cause::overload);
  co_return co_await below(h);
}

TEST(coroutine, a_cold_one_that_is_awaited_by_one_that_was_asked_never_starts) {
  test::manual_loop loop;
  test::subject<counted_int> s;
  auto h = asks_itself_and_awaits_below(loop.get_executor(), s.h);
  loop.run();
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, cause::shutdown);
  EXPECT_TRUE(s.h) << "its body did not run";
  s.r.cancel();
}

TEST(coroutine, a_cold_one_that_is_awaited_by_one_that_was_ended_never_starts) {
  test::manual_loop loop;
  test::subject<counted_int> s;
  auto h = ends_itself_and_awaits_below(loop.get_executor(), s.h);
  loop.run();
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().cancel().why, cause::overload);
  EXPECT_TRUE(s.h) << "its body did not run";
  s.r.cancel();
}

TEST(coroutine, a_cancelled_operation_ends_the_awaiter_without_an_exception) {
  test::subject<counted_int> s;
  auto h = passes_on({}, std::move(s.h));
  std::optional<settle::cancellation> seen;
  h.on_done([&](auto const& o) {
    seen = o.cancel();
    trace.emplace_back("done");
  });
  EXPECT_TRUE(s.op.cancel(cause::disconnect));
  EXPECT_FALSE(h.is_settled()) << "joined: the producer still holds the operation";
  s.end(test::way::abandon);
  EXPECT_EQ(take_trace(), (lines{"passes_on", "done"}));
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->why, cause::disconnect);
}

TEST(coroutine, a_request_reaches_what_it_awaits) {
  test::subject<counted_int> s;
  auto h = passes_on({}, std::move(s.h));
  EXPECT_TRUE(h.request_cancel(cause::shutdown));
  EXPECT_TRUE(s.op.cancel_requested());
  EXPECT_FALSE(h.is_settled());
  EXPECT_TRUE(s.r.cancel());
  EXPECT_TRUE(h.is_released());
  auto const out = std::move(h).wait();
  EXPECT_EQ(out.cancel().why, cause::shutdown);
  EXPECT_EQ(take_trace(), lines{"passes_on"});
}

TEST(coroutine, a_request_that_comes_too_late_for_the_awaited_lets_it_go_on) {
  test::subject<counted_int> s;
  auto h = passes_on({}, std::move(s.h));
  EXPECT_TRUE(h.request_cancel());
  EXPECT_TRUE(s.r.complete(1));
  EXPECT_EQ(std::move(h).wait().value(), 2);
  take_trace();
}

TEST(coroutine, forced_it_settles_now_and_keeps_its_frame_until_it_has_joined) {
  test::subject<counted_int> s;
  auto h = passes_on({}, std::move(s.h));
  h.on_cleanup([] { trace.emplace_back("cleanup"); });
  EXPECT_TRUE(h.cancel(cause::overload));
  EXPECT_TRUE(h.is_settled());
  EXPECT_FALSE(h.is_released());
  EXPECT_TRUE(s.op.is_settled()) << "forced down the tree";
  EXPECT_EQ(take_trace(), lines{}) << "what it awaits may still write into the frame";
  s.end(test::way::abandon);
  EXPECT_EQ(take_trace(), (lines{"passes_on", "cleanup"}));
  EXPECT_TRUE(h.is_released());
}

void_handle catches(settle::inline_executor, bool* caught) {
  try {
    co_await throws({});
  } catch (std::runtime_error const&) {
    *caught = true;
  }
}
int_handle leaves_cancelled(settle::inline_executor) {
  throw settle::operation_cancelled(settle::cancellation(cause::overload, std::source_location::current()));
  co_return 1;
}
struct bad_at_the_end {
  ~bad_at_the_end() noexcept(false) { throw std::runtime_error("late"); }
};
int_handle throws_after_its_value(settle::inline_executor) {
  bad_at_the_end b;
  co_return 1;
}

TEST(coroutine, exceptions) {
  bool caught = false;
  EXPECT_TRUE(catches({}, &caught).wait().has_value());
  EXPECT_TRUE(caught);
  auto failed = throws({}).wait();
  ASSERT_TRUE(failed.has_error());
  EXPECT_THROW(failed.error().raise(), std::runtime_error);
  EXPECT_EQ(leaves_cancelled({}).wait().cancel().why, cause::overload);
  EXPECT_TRUE(throws_after_its_value({}).wait().has_error());
}

struct coded : counted_int {
  using error_type = std::error_code;
  static std::error_code make_error(settle::errc e) noexcept { return make_error_code(e); }
  static constexpr auto on_error = settle::await_error::propagates;
};
settle::handle<coded> coded_failure(settle::inline_executor) {
  throw std::system_error(make_error_code(settle::errc::closed));
  co_return 1;
}
settle::handle<coded> propagates(settle::inline_executor, settle::handle<coded> h) {
  local l("propagates");
  co_return co_await std::move(h);
}
settle::handle<coded> propagates_watched(settle::inline_executor, settle::watcher<coded> w) {
  local l("propagates");
  co_return co_await w;
}

TEST(coroutine, a_failure_propagates_without_an_exception_where_the_policy_says_so) {
  EXPECT_EQ(propagates({}, coded_failure({})).wait().error(), make_error_code(settle::errc::closed));
  EXPECT_EQ(take_trace(), lines{"propagates"});
  EXPECT_EQ(propagates({}, {}).wait().error(), make_error_code(settle::errc::no_memory)) << "an empty handle reads as failed";
  EXPECT_EQ(propagates_watched({}, coded_failure({}).share()).wait().error(), make_error_code(settle::errc::closed));
  take_trace();
}

int_handle sees_all_three(settle::inline_executor, int_handle h) {
  auto o = co_await std::move(h).as_outcome();
  co_return o.has_value() ? 1 : o.has_error() ? 2 : 3;
}

TEST(coroutine, as_outcome_sees_all_three) {
  test::in_each_way([](test::way w) {
    if (w == test::way::drop) return;  // it has the handle
    test::subject<counted_int> s;
    auto h = sees_all_three({}, std::move(s.h));
    s.end(w);
    EXPECT_EQ(std::move(h).wait().value(), w == test::way::complete ? 1 : w == test::way::fail ? 2 : 3);
  });
  EXPECT_EQ(sees_all_three({}, {}).wait().value(), 2);
}

int_handle watches(settle::inline_executor, settle::watcher<counted_int> w) {
  local l("watches");
  int const& v = co_await w;
  auto const& o = co_await w.settled();
  co_return v + o.value();
}

TEST(A55_destroyed_awaiter, what_it_only_watched_is_let_go_and_goes_on) {
  for (bool const force : {false, true}) {
    test::subject<counted_int> s;
    auto const w = s.h.watch();
    auto h = watches({}, w);
    EXPECT_TRUE(force ? h.cancel(cause::shutdown) : h.request_cancel(cause::shutdown));
    EXPECT_TRUE(h.is_released());
    EXPECT_EQ(take_trace(), lines{"watches"});
    EXPECT_EQ(std::move(h).wait().cancel().why, cause::shutdown);
    EXPECT_FALSE(s.op.is_settled());
    EXPECT_FALSE(s.op.cancel_requested());
    s.end(test::way::complete);
  }
}

TEST(coroutine, a_watcher_is_read_at_settled) {
  test::subject<counted_int> s;
  auto pin = s.op.pin();
  auto h = watches({}, s.h.watch());
  EXPECT_TRUE(s.r.complete(21));
  EXPECT_EQ(std::move(h).wait().value(), 42);
  take_trace();
}

TEST(coroutine, a_watched_operation_that_is_cancelled_ends_the_awaiter) {
  test::subject<counted_int> s;
  auto h = watches({}, s.h.watch());
  s.end(test::way::cancel);
  EXPECT_EQ(std::move(h).wait().cancel().why, cause::overload);
  EXPECT_EQ(take_trace(), lines{"watches"});
}

TEST(A51_long_lived_watched, awaited_by_coroutines_that_are_destroyed_leaves_nothing) {
  test::subject<counted_int> s;
  auto const w = s.h.watch();
  {
    auto warm_up = watches({}, w);
  }
  long const bytes = test::ledger::bytes;
  for (int i = 0; i < 1000; ++i) {
    auto h = watches({}, w);
    h.cancel();
  }
  EXPECT_EQ(test::ledger::bytes, bytes);
  s.end(test::way::complete);
  take_trace();
}

int_handle looks(settle::inline_executor, int_handle h) {
  auto const& o = co_await h.settled();
  trace.push_back("settled " + std::to_string(o.value()));
  {
    auto p = co_await h.pinned();
    trace.push_back(p.pin ? "pinned" : "too late");
  }
  auto taken = co_await std::move(h).at_settled();
  co_return std::move(taken).value();
}

TEST(coroutine, looks_at_settled_without_joining) {
  test::subject<counted_int> s;
  auto pin = s.op.pin();
  s.op.on_cleanup([] { trace.emplace_back("cleanup"); });
  auto h = looks({}, std::move(s.h));
  EXPECT_TRUE(s.r.complete(5));
  EXPECT_TRUE(h.is_settled());
  EXPECT_FALSE(h.is_released()) << "the rest stays its child";
  pin.reset();
  EXPECT_EQ(take_trace(), (lines{"settled 5", "pinned", "cleanup"}));
  EXPECT_EQ(std::move(h).wait().value(), 5);
}

void_handle awaits_release(settle::inline_executor, operation op) {
  co_await op.released();
  trace.emplace_back("released");
}

TEST(coroutine, awaits_released_of_an_operation) {
  test::subject<counted_int> s;
  auto pin = s.op.pin();
  auto h = awaits_release({}, s.op);
  s.end(test::way::complete);
  EXPECT_FALSE(h.is_settled());
  pin.reset();
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(take_trace(), lines{"released"});
  EXPECT_TRUE(awaits_release({}, operation()).is_released()) << "an empty operation is released";
  take_trace();
}

void_handle under(operation) {
  local l("under");
  operation const self = co_await settle::this_operation;
  EXPECT_FALSE(self.is_settled());
  settle::resolver<counted_int> r;
  auto const w = r.get_handle().share();
  co_await w;
}

TEST(coroutine, given_an_operation_it_is_hot_and_its_child) {
  test::subject<counted_void> parent;
  parent.h.on_cleanup([] { trace.emplace_back("parent's cleanup"); });
  auto h = under(parent.op);
  EXPECT_FALSE(h.is_settled());
  parent.end(test::way::cancel);
  EXPECT_EQ(take_trace(), (lines{"under", "parent's cleanup"}));
  EXPECT_EQ(std::move(h).wait().cancel().root, cause::overload);
  EXPECT_TRUE(under(operation()).cancel()) << "under nothing: only hot";
  take_trace();
}

struct member {
  int value = 4;
  int_handle hot(settle::inline_executor) { co_return value; }
  int_handle cold() { co_return value; }
};

TEST(coroutine, a_member_is_hot_by_the_argument_after_its_object) {
  member m;
  auto h = m.hot({});
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(std::move(h).wait().value(), 4);
  auto c = m.cold();
  EXPECT_FALSE(c.is_settled());
  EXPECT_EQ(std::move(c).wait().value(), 4);
}

settle::handle<test::counted<long>> deep(long n) {
  if (n == 0) co_return 0;
  co_return co_await deep(n - 1) + 1;
}

TEST(G09_flat, a_million_nested_awaits) {
  test::on_a_stack_of(8 * 1024 * 1024, [] { EXPECT_EQ(deep(1'000'000).wait().value(), 1'000'000); });
  auto h = deep(1'000);
  EXPECT_TRUE(h.cancel());
}

TEST(coroutine, no_memory_is_an_empty_handle) {
  test::dry_after const dry(0);
  auto h = plus_one(1);
  EXPECT_FALSE(h);
  EXPECT_TRUE(std::move(h).wait().has_error());
}

struct throws_when_moved {
  throws_when_moved() = default;
  throws_when_moved(throws_when_moved&&) { throw std::runtime_error("move"); }
};
int_handle takes(throws_when_moved) { co_return 1; }

TEST(coroutine, an_argument_that_throws_on_its_way_into_the_frame_leaves_nothing) {
  EXPECT_THROW(static_cast<void>(takes(throws_when_moved())), std::runtime_error);
}

TEST(G14_last_reference, a_failed_coroutine_that_nobody_looked_at_is_reported) {
  throws({}).detach();
  coded_failure({}).detach();
  auto const reports = test::recording_sink::take();
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[0].what, settle::monitor_event::unseen_failure);
  EXPECT_EQ(reports[0].said, "boom");
  EXPECT_EQ(reports[1].what, settle::monitor_event::unseen_failure);
}

using text_handle = settle::handle<test::counted<std::string>>;
text_handle yields_text(settle::inline_executor) { co_return "a text that lives on the heap, to be lost"; }

struct unmonitored_text : settle::default_policy {
  using value_type = std::string;
  using error_sink = test::recording_sink;
};
[[noreturn]] std::string fail_with_words() { throw std::runtime_error("what went wrong, in words that live on the heap"); }
text_handle monitored_failure(loop_executor, int_handle gate) {
  co_await std::move(gate);
  co_return fail_with_words();
}
settle::handle<unmonitored_text> unmonitored_failure(loop_executor, int_handle gate) {
  co_await std::move(gate);
  co_return fail_with_words();
}
template <class F>
void expect_told_of_the_error(F fails, bool owner_goes_before) {
  test::manual_loop loop;
  settle::resolver<counted_int> gate;
  auto text = fails(loop.get_executor(), gate.get_handle());
  if (owner_goes_before) std::move(text).detach();
  gate.complete(1);
  loop.run();
  if (!owner_goes_before) std::move(text).detach();
  auto const reports = test::recording_sink::take();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].what, settle::monitor_event::unseen_failure);
  EXPECT_EQ(reports[0].said, "what went wrong, in words that live on the heap");
}
TEST(G14_last_reference, a_failed_coroutine_that_nobody_looked_at_still_has_its_error) {
  for (bool const before : {true, false}) {
    SCOPED_TRACE(before);
    expect_told_of_the_error(monitored_failure, before);
    expect_told_of_the_error(unmonitored_failure, before);
  }
}

TEST(coroutine, a_value_nobody_takes_dies_with_it) {
  operation const op = yields_text({}).detach();
  EXPECT_TRUE(op.is_released());
  auto const kept = yields_text({});
  EXPECT_TRUE(kept.is_released());
}

struct cancels_at_the_end {
  ~cancels_at_the_end() noexcept(false) {
    throw settle::operation_cancelled(settle::cancellation(cause::overload, std::source_location::current()));
  }
};
settle::handle_of<std::shared_ptr<int>> is_cancelled_after_its_value(settle::inline_executor, std::shared_ptr<int> value) {
  cancels_at_the_end c;
  co_return std::move(value);
}

TEST(coroutine, a_value_that_a_destructor_cancels_dies) {
  auto value = std::make_shared<int>(1);
  std::weak_ptr<int> const there = value;
  EXPECT_EQ(is_cancelled_after_its_value({}, std::move(value)).wait().cancel().why, cause::overload);
  EXPECT_TRUE(there.expired());
}

/// A coroutine type of somebody else's.
struct foreign {
  struct promise_type {
    foreign get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};
/// Notes the coroutine down, and goes on.
struct marks {
  std::coroutine_handle<>* at;
  explicit marks(std::coroutine_handle<>* p) noexcept : at(p) {}
  static bool await_ready() noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> h) const noexcept {
    *at = h;
    return false;
  }
  static void await_resume() noexcept {}
};
foreign awaits_ours(int_handle h, int* got) { *got = co_await std::move(h); }
foreign awaits_empty(int_handle h, bool* failed) {
  auto const o = co_await std::move(h).as_outcome();
  *failed = o.has_error();
}
foreign abandoned_wait(int_handle h, std::coroutine_handle<>* at) {
  co_await marks(at);
  static_cast<void>(co_await std::move(h));
}

TEST(coroutine, a_foreign_coroutine_that_is_destroyed_while_it_waits_is_not_resumed) {
  std::coroutine_handle<> at;
  test::subject<counted_int> s;
  operation const op = s.op;
  abandoned_wait(std::move(s.h), &at);
  auto pin = op.pin();
  at.destroy();
  EXPECT_TRUE(op.cancel_requested()) << "its handle is gone";
  s.end(test::way::abandon);
  pin.reset();
  EXPECT_TRUE(op.is_released());
}

TEST(coroutine, foreign_coroutines_may_await_a_handle) {
  int got = 0;
  awaits_ours(plus_one(1), &got);
  EXPECT_EQ(got, 2);
  test::subject<counted_int> s;
  awaits_ours(std::move(s.h), &got);
  s.end(test::way::complete);
  EXPECT_EQ(got, 42);
  bool failed = false;
  awaits_empty({}, &failed);
  EXPECT_TRUE(failed);
  take_trace();
}

struct paused {
  std::coroutine_handle<>* at;
  explicit paused(std::coroutine_handle<>* p) noexcept : at(p) {}
  static bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> h) const noexcept { *at = h; }
  static void await_resume() noexcept {}
};
int_handle in_foreign_hands(settle::inline_executor, std::coroutine_handle<>* at) {
  local l("in_foreign_hands");
  co_await paused(at);
  co_return 1;
}
int_handle returns_late(settle::inline_executor, std::coroutine_handle<>* at) {
  co_await paused(at);
  throw std::runtime_error("nobody cares");
  co_return 1;
}

TEST(coroutine, suspended_in_foreign_hands_it_pins_until_it_comes_back) {
  std::coroutine_handle<> at;
  auto h = in_foreign_hands({}, &at);
  EXPECT_TRUE(h.cancel());
  EXPECT_FALSE(h.is_released());
  at.resume();
  EXPECT_TRUE(h.is_released());
  EXPECT_TRUE(std::move(h).wait().is_cancelled());
  auto f = returns_late({}, &at);
  EXPECT_TRUE(f.cancel());
  at.resume();
  EXPECT_TRUE(f.is_released());
  take_trace();
}

int_handle pooled(test::thread_pool::executor, int_handle h) { co_return co_await std::move(h); }

TEST(coroutine, many_threads_complete_and_cancel) {
  test::thread_pool workers(2);
  for (int i = 0; i < 2'000; ++i) {
    test::subject<counted_int> s;
    auto h = pooled(workers.get_executor(), std::move(s.h));
    operation const op = h;
    std::thread other([&] { op.cancel(cause::overload); });
    static_cast<void>(s.r.complete(i));
    other.join();
    s.end(test::way::abandon);
    auto const out = std::move(h).wait();
    EXPECT_TRUE(out.is_cancelled() || out.value() == i);
  }
}

TEST(coroutine, a_lambda_is_hot_or_cold_by_its_own_first_parameter) {
  int ran = 0;
  auto const cold = [&ran](int n) -> int_handle {
    ran += n;
    co_return n;
  };
  auto const hot = [&ran](settle::inline_executor, int n) -> int_handle {
    ran += n;
    co_return n;
  };
  auto const below = [&ran](operation, int n) -> int_handle {
    ran += n;
    co_return n;
  };
  test::subject<counted_void> parent;
  auto a = cold(1);
  EXPECT_EQ(ran, 0);
  auto b = hot({}, 10);
  EXPECT_EQ(ran, 10);
  auto c = below(parent.op, 100);
  EXPECT_EQ(ran, 110);
  EXPECT_EQ(std::move(a).wait().value() + std::move(b).wait().value() + std::move(c).wait().value(), 111);
  parent.end(test::way::complete);
}

settle::handle<coded> coded_value(settle::inline_executor) { co_return 1; }

TEST(coroutine, a_value_is_awaited_where_failures_propagate) {
  EXPECT_EQ(propagates({}, coded_value({})).wait().value(), 1);
  EXPECT_EQ(propagates_watched({}, coded_value({}).share()).wait().value(), 1);
  take_trace();
}

TEST(coroutine, waiting_for_what_is_released_already) {
  test::subject<counted_int> s;
  s.end(test::way::complete);
  ASSERT_TRUE(s.op.is_released());
  EXPECT_TRUE(awaits_release({}, s.op).is_released());
  take_trace();
}

/// std_sync; taking a hold lets something pass.
struct holding_sync : settle::std_sync {
  template <class T>
  struct atomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    T fetch_add(T v, std::memory_order o) noexcept {
      if constexpr (std::is_same_v<T, std::uint64_t>) test::meanwhile::pass();
      return std::atomic<T>::fetch_add(v, o);
    }
  };
};
struct interrupted_job : settle::default_policy {
  using value_type = int;
  using terminal = settle::basic_cas_terminal<holding_sync>;
};
settle::handle<interrupted_job> counts_as(int& started, int v) {
  ++started;
  co_return v;
}
settle::handle<interrupted_job> interrupted_before_its_child_starts(settle::handle<interrupted_job> child) {
  settle::basic_operation<interrupted_job::terminal> const op = child;
  test::meanwhile const between([op] { op.cancel(settle::cause::overload); });
  co_return co_await std::move(child);
}

TEST(coroutine, what_is_awaited_ends_when_it_is_tied_and_not_yet_started) {
  int started = 0;
  auto h = interrupted_before_its_child_starts(counts_as(started, 1));
  settle::outcome<int> const o = std::move(h).wait();
  ASSERT_TRUE(o.is_cancelled());
  EXPECT_EQ(o.cancel().why, settle::cause::overload);
  EXPECT_EQ(started, 0);
}

}  // namespace
