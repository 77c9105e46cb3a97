// SPDX-License-Identifier: BSL-1.0
// Corners that no other test comes to: one situation each.
#include <settle/coroutine.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "situations.hpp"
#include "timed_loop.hpp"

namespace {

using namespace test;
using namespace std::chrono_literals;
using number = counted<int>;
using clock_point = std::chrono::steady_clock::time_point;

/// Ends the process as a program would that takes note of it: regularly.
void leave_regularly() {
  std::set_terminate([] { std::exit(3); });
}

// --- bound hooks ---

TEST(G12_bound_corners, to_what_is_empty_or_over_no_hook_ever_runs) {
  subject<number> over;
  over.end(way::complete);
  subject<number> pending;
  for (settle::operation const& op : {settle::operation(), over.op, pending.op}) {
    settle::bound_to const where(op);
    subject<number> s;
    int ran = 0;
    bool const lives = op == pending.op;
    EXPECT_EQ(static_cast<bool>(s.h.on_done(where, [&](settle::outcome<int> const&) { ++ran; })), lives);
    EXPECT_EQ(static_cast<bool>(s.h.on_done(where, [&](settle::ending) { ++ran; })), lives);
    std::move(s.h).on_done(where, [&](settle::outcome<int>&&) { ++ran; });
    EXPECT_FALSE(s.h) << "given up all the same";
    EXPECT_FALSE(s.op.cancel_requested()) << "and not dropped";
    s.end(way::complete);
    EXPECT_TRUE(s.op.is_released());
    EXPECT_EQ(ran, lives ? 3 : 0);
  }
  pending.end(way::complete);
}

TEST(G12_bound_corners, of_an_empty_handle_no_hook_ever_runs) {
  subject<number> where;
  settle::handle<number> none;
  int ran = 0;
  EXPECT_FALSE(none.on_done(settle::bound_to(where.op), [&](settle::outcome<int> const&) { ++ran; }));
  EXPECT_FALSE(settle::operation().on_done(settle::bound_to(where.op), [&] { ++ran; }));
  std::move(none).on_done(settle::bound_to(where.op), [&](settle::outcome<int>&&) { ++ran; });
  where.end(way::complete);
  EXPECT_TRUE(where.op.is_released());
  EXPECT_EQ(ran, 0);
}

// --- coroutines ---

struct coded : settle::default_policy {
  using value_type = int;
  using error_type = std::error_code;
  static constexpr auto on_error = settle::await_error::propagates;
  static std::error_code make_error(settle::errc e) noexcept { return settle::make_error_code(e); }
};
settle::handle<coded> yields(settle::inline_executor, int n) { co_return n; }
settle::handle<coded> joins(settle::inline_executor, settle::handle<coded> h) { co_return co_await std::move(h) + 1; }
settle::handle<coded> watches(settle::inline_executor, settle::watcher<coded> w) { co_return co_await w + 1; }

TEST(coroutine, a_value_is_awaited_where_failures_propagate) {
  EXPECT_EQ(joins({}, yields({}, 1)).wait().value(), 2);
  EXPECT_EQ(watches({}, yields({}, 2).share()).wait().value(), 3);
}

settle::handle<counted<void>> waits_for_release(settle::inline_executor, settle::operation op) { co_await op.released(); }

TEST(coroutine, waiting_for_what_is_released_already) {
  subject<number> s;
  s.end(way::complete);
  ASSERT_TRUE(s.op.is_released());
  EXPECT_TRUE(waits_for_release({}, s.op).wait().has_value());
}

settle::handle<counted<void>> cold() { co_return; }

TEST(deadline, of_a_cold_coroutine_is_measured_by_the_steady_clock) {
  auto h = cold();
  ASSERT_TRUE(h.tighten(std::chrono::steady_clock::now() + 1h));
  EXPECT_GT(h.remaining(), 30min);
  EXPECT_LE(h.remaining(), 1h);
  EXPECT_TRUE(std::move(h).wait().has_value());
}

// --- the tree ---

TEST(deadline, is_found_behind_what_waits_for_the_release) {
  subject<number> above;
  subject<number> below;
  settle::pin hold = below.op.pin();
  below.op.on_released([] {});
  below.end(way::complete);
  above.op.adopt(below.op);  // settled already: the way up stands behind the others
  above.op.tighten(clock_point() + 1h);
  EXPECT_EQ(below.op.deadline(), clock_point() + 1h);
  hold.reset();
  above.end(way::complete);
  EXPECT_TRUE(above.op.is_released());
}

TEST(deadline, more_ways_up_at_once_than_are_looked_at) {
  subject<number> child;
  std::vector<subject<number>> parents(32);
  std::vector<subject<number>> grandparents(2);
  for (auto& p : parents) p.op.adopt(child.op);
  for (auto& p : parents)
    for (auto& g : grandparents) g.op.adopt(p.op);
  for (auto& g : grandparents) g.op.tighten(clock_point() + 5h);
  EXPECT_EQ(child.op.deadline(), clock_point() + 5h) << "the common ones are met again";
  child.end(way::complete);
  for (auto& p : parents) p.end(way::complete);
  for (auto& g : grandparents) {
    g.end(way::complete);
    EXPECT_TRUE(g.op.is_released());
  }
}

TEST(traps, a_cycle_is_looked_for_only_so_far) {
  subject<number> s;
  subject<number> other;
  for (int i = 0; i != 70; ++i) s.op.on_released([] {});
  other.op.on_cancel([] {});
  s.op.adopt(other.op);
  EXPECT_TRUE(recording_sink::take().empty());
  s.end(way::complete);
  EXPECT_FALSE(s.op.is_released());
  EXPECT_TRUE(other.op.cancel_requested());
  other.end(way::complete);
  EXPECT_TRUE(s.op.is_released());
}

TEST(traps, anothers_handle_is_for_an_operation_to_keep) {
  subject<number> s;
  subject<number> other;
  EXPECT_TRUE(s.op.own(std::move(other.h)));
  EXPECT_TRUE(recording_sink::take().empty());
  s.end(way::complete);
  EXPECT_TRUE(other.op.cancel_requested()) << "dropped with it";
  other.end(way::complete);
}

// --- one after the other on the short way ---

TEST(short_way, a_consumer_that_was_given_the_handle_and_somebody_who_looks_on) {
  settle::resolver_of<int> r;
  settle::operation const op = r.op();
  int got = 0;
  r.get_handle().on_done([&](settle::outcome<int>&& o) { got = std::move(o).value(); });
  EXPECT_TRUE(r.complete(5));
  EXPECT_EQ(got, 5);
  EXPECT_TRUE(op.is_released());
}

TEST(short_way, an_empty_resolver_completes_nothing) {
  settle::resolver_of<int> r;
  settle::resolver_of<int> to(std::move(r));
  EXPECT_FALSE(r.complete(1));  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(to.complete(2));
}

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
  auto r = settle::resolver<number>::with_done([&](settle::outcome<int>&&) { log.emplace_back("consumer"); });
  settle::done_callback const carried(r.op(), [&] { log.emplace_back("observer"); });
  EXPECT_TRUE(r.complete(1));
  EXPECT_EQ(log, (trail{"observer", "consumer"}));
}

struct backwards : number {
  using notify = settle::reverse_order;
};

TEST(G04_order, callbacks_run_the_other_way_round_where_the_policy_says_so) {
  trail log;
  subject<backwards> s;
  settle::done_callback const one(s.op, [&] { log.emplace_back("1"); });
  s.op.on_done([&] { log.emplace_back("2"); });
  settle::done_callback const three(s.op, [&] { log.emplace_back("3"); });
  s.op.on_cancel([&] { log.emplace_back("asked"); });
  s.op.cancel();
  s.r.cancel();
  EXPECT_EQ(log, (trail{"3", "2", "1", "asked"}));
}

// --- values ---

/// Does something while it is moved.
template <bool Quiet>
struct busy_while_moved {
  std::function<void()> act;
  explicit busy_while_moved(std::function<void()> f) : act(std::move(f)) {}
  busy_while_moved(busy_while_moved&& o) noexcept(Quiet) : act(std::exchange(o.act, nullptr)) {
    if (auto const f = std::exchange(act, nullptr)) f();
  }
  busy_while_moved& operator=(busy_while_moved&&) = delete;
};

TEST(G01_once, a_shared_producer_that_has_claimed_is_asked_in_vain) {
  settle::resolver<counted<busy_while_moved<true>>> r;
  settle::operation const op = r.op();
  settle::shared_resolver<counted<busy_while_moved<true>>> shared(std::move(r));
  bool asked = true;
  EXPECT_TRUE(shared.complete(busy_while_moved<true>([&] { asked = op.request_cancel(); })));
  EXPECT_FALSE(asked);
  EXPECT_FALSE(op.cancel_requested());
  EXPECT_TRUE(op.is_settled());
}

TEST(G01_once, values_whose_moves_end_each_others_operations) {
  using value = busy_while_moved<false>;
  subject<counted<value>> outer;
  subject<counted<value>> inner;
  bool cancelled = true;
  EXPECT_TRUE(outer.r.complete(value([&] { EXPECT_TRUE(inner.r.complete(value([&] { cancelled = outer.op.cancel(); }))); })));
  EXPECT_FALSE(cancelled);
  EXPECT_TRUE(outer.op.cancel_requested());
  EXPECT_TRUE(std::move(outer.h).wait().has_value());
  EXPECT_TRUE(std::move(inner.h).wait().has_value());
}

TEST(error, a_cancellation_as_an_error_says_whether_the_time_was_over) {
  auto const here = std::source_location::current();
  EXPECT_EQ(settle::default_policy::make_error(settle::cancellation(settle::cause::deadline, here)), settle::errc::timed_out);
  EXPECT_EQ(settle::default_policy::make_error(settle::cancellation(settle::cause::shutdown, here)), settle::errc::cancelled);
}

// --- on_lost ---

TEST(G15_lost_values, a_function_given_to_what_is_settled_already) {
  int lost = 0;
  auto const take = [&](int&& v) noexcept { lost += v; };
  settle::resolver<number> r;
  auto h = r.get_handle();
  r.complete(1);
  EXPECT_EQ(std::move(h).on_lost(take).wait().value(), 1) << "taken";
  EXPECT_EQ(lost, 0);
  settle::resolver<number> again;
  h = again.get_handle();
  again.complete(2);
  h = std::move(h).on_lost(take);
  h = {};
  EXPECT_EQ(lost, 2);
  settle::resolver<number> failed;
  h = failed.get_handle();
  failed.fail(settle::errc::closed);
  EXPECT_EQ(std::move(h).on_lost(take).wait().error(), settle::errc::closed);
  EXPECT_EQ(lost, 2);
  EXPECT_FALSE(settle::handle<number>().on_lost(take));
}

TEST(G15_lost_values, beside_a_stop_token) {
  int lost = 0;
  subject<number> s;
  s.h = std::move(s.h).on_lost([&](int&& v) noexcept { lost = v; });
  auto const token = s.op.stop_token();
  EXPECT_EQ(token, s.op.stop_token()) << "found behind the other";
  std::move(s.h).detach();
  s.end(way::complete);
  EXPECT_EQ(lost, 42);
  EXPECT_FALSE(token.stop_requested());
}

// --- cleanups ---

template <class Value, class Storage, class Ex = settle::inline_executor>
struct stored_in : counted<Value, Ex> {
  using cleanup = Storage;
};
struct wide_slots : settle::lifo_cleanup<2> {
  static constexpr std::size_t slot_bytes = 512;
};

/// What a cleanup begins and the test ends.
struct begun : subject<counted<void>> {
  bool called = false;
  auto cleanup() {
    return [this] {
      called = true;
      return std::move(h);
    };
  }
};

template <class Storage>
void an_asynchronous_cleanup_of_the_sole_producer() {
  trail log;
  begun first;
  settle::resolver<stored_in<int, Storage>> r;
  EXPECT_TRUE(r.on_cleanup([&] { log.emplace_back("last"); }));
  EXPECT_TRUE(r.on_cleanup(first.cleanup()));
  settle::operation const op = r.op();
  r.complete(1);
  EXPECT_TRUE(first.called);
  EXPECT_EQ(log, trail{});
  first.end(way::complete);
  EXPECT_EQ(log, trail{"last"});
  EXPECT_TRUE(op.is_released());
}

TEST(G05_LIFO, an_asynchronous_cleanup_that_would_fit_the_state) {
  an_asynchronous_cleanup_of_the_sole_producer<wide_slots>();
  an_asynchronous_cleanup_of_the_sole_producer<settle::fixed_cleanup<2, 512>>();
}

template <class Storage>
void an_asynchronous_cleanup_of_what_is_released() {
  timed_loop loop;
  subject<stored_in<int, Storage, timed_loop::executor>> s(loop.get_executor());
  s.end(way::complete);
  loop.run_all();
  ASSERT_TRUE(s.op.is_released());
  begun late;
  EXPECT_FALSE(s.op.on_cleanup(late.cleanup()));
  loop.run_all();
  EXPECT_TRUE(late.called);
  late.end(way::complete);
  loop.run_all();
  EXPECT_EQ(loop.made(), 0U);
  subject<counted<void>> over;
  over.end(way::complete);
  EXPECT_FALSE(s.op.on_cleanup([&] { return std::move(over.h); })) << "there is nothing to wait for";
  loop.run_all();
}

TEST(G06_never_late, an_asynchronous_cleanup_of_what_is_released) {
  an_asynchronous_cleanup_of_what_is_released<settle::lifo_cleanup_2>();
  an_asynchronous_cleanup_of_what_is_released<settle::fixed_cleanup<2, 512>>();
}

TEST(G06_never_late, an_asynchronous_cleanup_of_no_operation) {
  begun one;
  EXPECT_FALSE(settle::operation().on_cleanup(one.cleanup()));
  EXPECT_TRUE(one.called);
  EXPECT_FALSE(one.op.cancel_requested()) << "left to itself";
  one.end(way::complete);
  begun two;
  EXPECT_FALSE(settle::operation().on_cleanup([&](settle::ending) { return std::move(two.h); }));
  EXPECT_FALSE(two.op.cancel_requested());
  two.end(way::complete);
}

/// A cleanup whose move may throw, and does not.
struct loud_cleanup {
  int* ran;
  explicit loud_cleanup(int* r) : ran(r) {}
  loud_cleanup(loud_cleanup&& o) noexcept(false) : ran(o.ran) {}
  ~loud_cleanup() {}
  void operator()() { ++*ran; }
};

TEST(G05_LIFO, a_cleanup_whose_move_might_throw_fits_the_state_all_the_same) {
  int ran = 0;
  settle::resolver_of<int> r;
  EXPECT_TRUE(r.on_cleanup(loud_cleanup(&ran)));
  r.complete(1);
  EXPECT_EQ(ran, 1);
}

// --- doors ---

TEST(start_on, a_value_whose_move_throws_is_the_failure) {
  struct guard {
    ~guard() { fragile::throw_at = 0; }
  } const calm;
  fragile::throw_at = 0;
  for (int const at : {2, 0}) {  // out of the function, then into the operation; not at all
    fragile::throw_at = 0;
    auto h = settle::start_on(settle::inline_executor(), [at] {
      fragile f(1);
      fragile::throw_at = at;
      return fragile(std::move(f));
    });
    auto const o = std::move(h).wait();
    EXPECT_EQ(o.has_value(), at == 0);
    if (o.has_error()) {
      EXPECT_THROW(o.error().raise(), std::runtime_error);
    }
  }
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

TEST(start_on, a_function_that_may_throw_and_does_not) {
  for (bool const throws : {false, true}) {
    auto h = settle::start_on(settle::inline_executor(), [throws]() -> int {
      if (throws) throw std::runtime_error("job");
      return 7;
    });
    auto const o = std::move(h).wait();
    EXPECT_EQ(o.has_value(), !throws);
  }
}

TEST(initiate, a_throw_with_the_resolver_elsewhere_ends_a_program_that_wants_it_so) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  std::optional<settle::resolver_of<int>> kept;
  EXPECT_EXIT((leave_regularly(), static_cast<void>(settle::initiate<int>(settle::inline_executor(),
                                                                          [&](settle::resolver_of<int> r) {
                                                                            kept = std::move(r);
                                                                            throw std::runtime_error("too early");
                                                                          }))),
              testing::ExitedWithCode(3), "callback threw");
}

TEST(policy_terminal_death_test, a_thread_that_would_wait_for_itself_is_trapped) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  settle::single_thread_sync::atomic<std::uint32_t> const word(1);
  EXPECT_EXIT((leave_regularly(), settle::single_thread_sync::pause(0, word)), testing::ExitedWithCode(3), "it would wait for itself");
}

TEST(policy_terminal, an_empty_operation_of_one_thread_is_not_waited_for) {
  settle::basic_operation<settle::unsynchronized_terminal> const none;
  none.wait_released();
  EXPECT_TRUE(none.is_released());
}

TEST(executor, the_inline_one_runs_here_and_now_and_is_like_any_other) {
  settle::inline_executor const ex;
  std::unique_ptr<int> got;
  ex.execute([&got, v = std::make_unique<int>(3)]() mutable { got = std::move(v); });
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(*got, 3);
  EXPECT_TRUE(ex == settle::inline_executor());
}

}  // namespace
