// SPDX-License-Identifier: BSL-1.0
// What combinators do in the structural part, whatever the executors are doing; races of wiring; long-lived inputs; depth.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "allocations.hpp"
#include "hooks.hpp"
#include "loop_with_timers.hpp"
#include "scale.hpp"
#include "situations.hpp"
#include "stack.hpp"

namespace {

using namespace test;
using settle::errc;
using settle::handle_of;
using on_loop = manual_loop::executor;

constexpr int deep = static_cast<int>(a_million_when_optimised);
constexpr int as_deep_as_it_gets = static_cast<int>(a_million_all_the_same);

/// Its conversion is where another thread comes in between.
struct interrupting {
  static inline std::function<void()> meanwhile;
  std::error_code code;
  // NOLINTNEXTLINE(google-explicit-constructor,hicpp-explicit-conversions)
  interrupting(std::error_code e) noexcept : code(e) {
    if (auto const f = std::exchange(meanwhile, nullptr)) f();
  }
};
TEST(G04_first, a_loser_that_settles_while_it_is_asked_has_told_its_children_before_the_result_is_observed) {
  loop_with_timers loop;
  auto timers = loop.get_executor().timers();
  settle::resolver_of<int, interrupting> r;
  auto source = r.get_handle();
  settle::resolver_of<int> child(source, settle::inline_executor());
  settle::operation const below = child.op();
  auto const h = settle::within(std::move(source), std::chrono::seconds(1), timers);
  bool was_asked = false;
  h.on_done([&] { was_asked = below.cancel_requested(); });
  interrupting::meanwhile = [&] { r.complete(3); };
  loop.advance(std::chrono::seconds(1));
  EXPECT_TRUE(h.is_settled());
  EXPECT_TRUE(was_asked);
  child.cancel();
}

TEST(G04_first, losers_are_asked_and_failures_pass_while_every_executor_is_blocked) {
  manual_loop a;
  manual_loop b;
  subject<counted<int, on_loop>> s(a.get_executor());
  subject<counted<int, on_loop>> t(b.get_executor());
  subject<counted<int, on_loop>> u(b.get_executor());
  auto both = settle::all(std::move(s.h), std::move(t.h)) | settle::then([](auto const&) { return 1; });
  auto first = settle::race(std::move(both), std::move(u.h));
  t.r.fail(errc::closed);
  EXPECT_TRUE(s.op.cancel_requested());
  EXPECT_TRUE(u.op.cancel_requested());
  EXPECT_TRUE(first.is_settled());
  EXPECT_EQ(a.size() + b.size(), a.submissions() + b.submissions()) << "nothing has run";
  u.r.fail(errc::closed);
  subject<counted<int, on_loop>>::drop(s.r);
  while (a.run() + b.run() != 0) {
  }
  EXPECT_EQ(std::move(first).wait().error().code(), errc::closed);
}

TEST(G04_first, the_winner_is_the_first_to_settle_not_the_first_whose_executor_runs) {
  manual_loop a;
  manual_loop b;
  settle::resolver_of<std::string, settle::error, on_loop> r(a.get_executor());
  settle::resolver_of<std::string, settle::error, on_loop> q(b.get_executor());
  auto first = settle::race(r.get_handle(), q.get_handle());
  r.complete("first");
  EXPECT_TRUE(q.op().cancel_requested());
  q.complete("second");
  b.run();
  EXPECT_FALSE(first.is_settled());
  a.run();
  b.run();
  auto o = std::move(first).wait();
  EXPECT_EQ(std::get<0>(o.value()), "first");
}

// The observers of its request wait in an executor yet, and force goes on without them.
TEST(G04_first, force_has_reached_the_children_before_a_combinator_tells_anybody) {
  manual_loop loop;
  subject<counted<int, on_loop>> parent(loop.get_executor());
  subject<counted<int>> other;
  subject<counted<int>> child;
  settle::cancel_callback callback(parent.op, [] {});
  parent.op.request_cancel();
  auto first = settle::race(other.h.watch(), parent.h.watch());
  parent.op.adopt(child.op);
  int told = 0;
  first.on_done([&] {
    ++told;
    EXPECT_TRUE(child.op.is_settled());
  });
  EXPECT_FALSE(child.op.is_settled());
  parent.op.cancel();
  EXPECT_EQ(told, 1);
  loop.run();
}

TEST(race, settles_at_once_and_is_released_with_the_losers_which_end_as_they_do) {
  subject<counted<int>> s;
  subject<counted<int>> t;
  auto loser = settle::watcher_of<int>(t.h.watch());
  auto first = settle::race(std::move(s.h), std::move(t.h));
  s.r.complete(1);
  EXPECT_TRUE(first.is_settled());
  EXPECT_FALSE(first.is_released());
  t.r.complete(2);
  EXPECT_EQ(loser.peek()->value(), 2);
  EXPECT_TRUE(first.is_released());
}

TEST(race, a_loser_is_let_off_and_asked_once) {
  for (bool asked_before : {false, true}) {
    settle::resolver_of<int> winner;
    settle::resolver_of<int> r;
    settle::operation const loser = r.op();
    int asked = 0;
    loser.on_cancel([&] { ++asked; });
    auto first = settle::race(winner.get_handle(), r.get_handle());
    if (asked_before) loser.request_cancel(settle::cause::shutdown);
    std::size_t const wired = hooks_on(loser);
    winner.complete(1);
    EXPECT_EQ(asked, 1);
    EXPECT_LT(hooks_on(loser), wired);
    settle::cause why{};
    loser.on_done([&](settle::ending const& e) { why = e.cancel.why; });
    static_cast<void>(settle::resolver_of<int>(std::move(r)));
    EXPECT_EQ(why, asked_before ? settle::cause::shutdown : settle::cause::sibling);
    EXPECT_TRUE(first.is_released());
  }
}

TEST(race, the_value_of_a_loser_dies_where_it_lives) {
  manual_loop a;
  tracked::alive = 0;
  subject<counted<tracked, on_loop>> s(a.get_executor());
  settle::resolver_of<int> r;
  auto first = settle::race(r.get_handle(), std::move(s.h));
  r.complete(1);
  s.r.complete(tracked(2));
  EXPECT_EQ(tracked::alive, 1);
  EXPECT_FALSE(first.is_released());
  a.run();
  EXPECT_EQ(tracked::alive, 0);
  EXPECT_TRUE(first.is_released());
}

TEST(all, values_that_came_die_with_the_result_on_its_executor_when_another_fails) {
  manual_loop a;
  tracked::alive = 0;
  static manual_loop* loop = nullptr;
  loop = &a;
  tracked::on_death = [] { EXPECT_TRUE(loop->is_here()); };
  subject<counted<tracked, on_loop>> s(a.get_executor());
  subject<counted<tracked, on_loop>> t(a.get_executor());
  auto both = settle::all(std::move(s.h), std::move(t.h));
  s.r.complete(tracked(1));
  a.run();
  EXPECT_EQ(tracked::alive, 1);
  t.r.fail(errc::closed);
  EXPECT_TRUE(both.is_settled());
  a.run();
  EXPECT_EQ(tracked::alive, 0);
  tracked::on_death = nullptr;
  EXPECT_TRUE(both.is_released());
}

TEST(combinators, take_no_inputs_as_a_range) {
  std::vector<handle_of<int>> none;
  EXPECT_TRUE(settle::all(std::move(none)).wait().value().empty());
  none.clear();
  EXPECT_TRUE(settle::all_settled(std::move(none)).wait().value().empty());
  none.clear();
  EXPECT_EQ(settle::race(std::move(none)).wait().error().code(), errc::no_inputs);
  none.clear();
  EXPECT_EQ(settle::any(std::move(none)).wait().error().code(), errc::no_inputs);
}

TEST(combinators, take_no_inputs_as_a_pack) {
  EXPECT_EQ(settle::all().wait().value(), std::tuple<>());
  EXPECT_EQ(settle::all_settled().wait().value(), std::tuple<>());
  EXPECT_EQ(settle::race().wait().error().code(), errc::no_inputs);
  EXPECT_EQ(settle::any().wait().error().code(), errc::no_inputs);
}

TEST(combinators, read_an_empty_handle_as_failed) {
  EXPECT_EQ(settle::then(handle_of<int>(), [](int) {}).wait().error().code(), errc::no_memory);
  EXPECT_EQ(settle::race(handle_of<int>()).wait().error().code(), errc::no_memory);
  std::vector<handle_of<int>> one_is_empty(1);
  EXPECT_EQ(settle::all(std::move(one_is_empty)).wait().error().code(), errc::no_memory);
}

TEST(combinators, mix_policies_errors_and_kinds_of_inputs) {
  manual_loop a;
  settle::resolver_of<std::unique_ptr<int>, std::error_code, on_loop> r(a.get_executor());
  settle::resolver_of<void> q;
  settle::resolver_of<int> p;
  auto w = settle::watcher_of<int>(p.get_handle());
  auto all = settle::all(r.get_handle(), q.get_handle(), w, w);
  static_assert(std::is_same_v<decltype(all), handle_of<std::tuple<std::unique_ptr<int>, std::monostate, int, int>>>);
  p.complete(3);
  q.complete();
  r.complete(std::make_unique<int>(5));
  a.run();
  auto o = std::move(all).wait();
  EXPECT_EQ(*std::get<0>(o.value()) + std::get<2>(o.value()) + std::get<3>(o.value()), 11);
}

// on_lost of an input: of a loser it is called, of what goes on it is not.
TEST(G15_lost, values_that_go_on_are_not_lost_and_losers_are) {
  for (int round = 0; round != 3; ++round) {
    subject<counted<int>> s;
    subject<counted<int>> t;
    int lost_s = 0;
    int lost_t = 0;
    auto a = std::move(s.h).on_lost([&](int&&) noexcept { ++lost_s; });
    auto b = std::move(t.h).on_lost([&](int&&) noexcept { ++lost_t; });
    if (round == 0) {
      auto h = settle::race(std::move(a), std::move(b));
      s.r.complete(1);
      t.r.complete(2);
      EXPECT_EQ(std::get<0>(std::move(h).wait().value()), 1);
    } else if (round == 1) {
      auto h = settle::all(std::move(a), std::move(b));
      t.r.complete(2);
      s.r.complete(1);
      EXPECT_EQ(std::move(h).wait().value(), std::tuple(1, 2));
    } else {
      auto h = settle::then(std::move(a), [&](int) { return std::move(b); });
      s.r.complete(1);
      t.r.complete(2);
      EXPECT_EQ(std::move(h).wait().value(), 2);
    }
    b = {};
    EXPECT_EQ(lost_s, 0);
    EXPECT_EQ(lost_t, round == 0 ? 1 : 0);
  }
}

TEST(combinators, work_without_threads) {
  using C = settle::unsynchronized_terminal;
  settle::resolver_of<std::string, settle::error, settle::inline_executor, C> r;
  settle::resolver_of<int, settle::error, settle::inline_executor, C> q;
  auto both = settle::all(r.get_handle(), settle::then(q.get_handle(), [](int i) { return i + 1; }));
  auto h = settle::finally(std::move(both), [] {});
  r.complete("r");
  q.complete(1);
  EXPECT_EQ(std::get<1>(std::move(h).wait().value()), 2);
}

TEST(A16_shared_input, everyone_hears_it) {
  on_each_executor([](auto& place) {
    for (way how : {way::complete, way::fail, way::cancel}) {
      subject<counted<int, typename std::decay_t<decltype(place)>::executor>> s(place.get_executor());
      auto w = s.h.watch();
      int observed = 0;
      w.on_done([&](settle::outcome<int> const&) { ++observed; });
      auto a = settle::all(w, settle::then(w, [](int v) { return v; }), settle::finally(w, [] {}));
      auto b = settle::race(settle::or_else(w, [](settle::error const&) { return 42; }), settle::never<int>());
      auto c = settle::any(w, settle::then(w, [](int v) { return v; }));
      auto d = settle::all_settled(std::move(s.h), w, settle::finally(settle::then(w, [](int v) { return v; }), [] {}));
      s.end(how);
      place.run();
      EXPECT_EQ(observed, 1);
      bool const value = how == way::complete;
      EXPECT_EQ(std::move(a).wait().has_value(), value);
      EXPECT_EQ(std::move(b).wait().has_value(), how != way::cancel);
      EXPECT_EQ(std::move(c).wait().has_value(), value);
      EXPECT_EQ(std::get<2>(std::move(d).wait().value()).has_value(), value);
      place.run();
    }
  });
}

/// What there is to see, in words.
struct seen {
  std::string operator()(int v) const { return std::to_string(v); }
  std::string operator()(std::variant<int, int> const& v) const { return std::visit(*this, v); }
  template <class A, class B>
  std::string operator()(std::tuple<A, B> const& v) const {
    return (*this)(std::get<0>(v)) + " " + (*this)(std::get<1>(v));
  }
  template <class T>
  std::string operator()(settle::outcome<T> const& o) const {
    return o.has_value() ? (*this)(o.value()) : o.has_error() ? "failed" : "cancelled";
  }
};
template <class Combine, class Step>
void hears_pending_steps(way how, std::string const& of_step, std::string const& of_all, Combine combine, Step step) {
  on_each_executor([&](auto& place) {
    SCOPED_TRACE(way_names[static_cast<int>(how)]);
    subject<counted<int, typename std::decay_t<decltype(place)>::executor>> s(place.get_executor());
    auto const w = s.h.watch();
    auto const single = step(w);
    auto const both = combine(step(w), step(std::move(s.h)));
    EXPECT_FALSE(single.is_settled() || both.is_settled());
    s.end(how);
    place.run();
    EXPECT_TRUE(both.is_released());
    std::string told;
    both.on_done([&](auto const& o) { told = seen()(o); });
    single.on_done([&](auto const& o) { told += ", " + seen()(o); });
    place.run();
    EXPECT_EQ(told, of_all + ", " + of_step);
  });
}
template <class Step>
void is_an_input_of_every_combinator(way how, std::string const& of_step, Step step) {
  bool const yields = of_step != "failed" && of_step != "cancelled";
  std::string const twice = of_step + " " + of_step;
  auto const check = [&](std::string const& of_all, auto combine) { hears_pending_steps(how, of_step, of_all, combine, step); };
  check(yields ? twice : of_step, [](auto a, auto b) { return settle::all(std::move(a), std::move(b)); });
  check(of_step, [](auto a, auto b) { return settle::race(std::move(a), std::move(b)); });
  check(twice, [](auto a, auto b) { return settle::all_settled(std::move(a), std::move(b)); });
  std::string const of_any = of_step == "cancelled" ? "failed" : of_step;  // to which a cancelled input counts as failed
  check(of_any, [](auto a, auto b) { return settle::any(std::move(a), std::move(b)); });
}
TEST(A16_shared_input, pending_steps_of_every_kind_are_inputs_of_every_combinator) {
  for (way const how : {way::complete, way::fail, way::cancel}) {
    bool const value = how == way::complete;
    std::string const without = how == way::fail ? "failed" : "cancelled";
    auto then = [](auto h) { return settle::then(std::move(h), [](int v) { return v + 1; }); };
    auto or_else = [](auto h) { return settle::or_else(std::move(h), [](settle::error const&) { return 7; }); };
    auto finally = [](auto h) { return settle::finally(std::move(h), [] {}); };
    is_an_input_of_every_combinator(how, value ? "43" : without, then);
    is_an_input_of_every_combinator(how, value ? "42" : how == way::fail ? "7" : without, or_else);
    is_an_input_of_every_combinator(how, value ? "42" : without, finally);
  }
}

// What a group has collected and then does not yield is lost like any other value: to its on_lost, once, where it lives.
template <class Combine>
void collected_and_lost(Combine combine, bool forced) {
  manual_loop a;
  tracked::alive = 0;
  subject<counted<tracked, on_loop>> s(a.get_executor());
  subject<counted<tracked, on_loop>> t(a.get_executor());
  int lost = 0;
  auto caught = [&](tracked&& v) noexcept {
    EXPECT_TRUE(a.is_here());
    lost += v.value;
  };
  auto h = combine(std::move(s.h).on_lost(caught), std::move(t.h).on_lost([](tracked&&) noexcept {}));
  s.r.complete(tracked(7));
  a.run();
  EXPECT_EQ(lost, 0) << "the group may yet yield it";
  EXPECT_EQ(tracked::alive, 1);
  if (forced) h.cancel();
  t.r.fail(errc::closed);
  a.run();
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(lost, 7);
  EXPECT_EQ(tracked::alive, 0);
}
TEST(G15_lost, what_an_all_has_collected_when_it_fails) {
  auto of_pack = [](auto&&... h) { return settle::all(std::move(h)...); };
  auto of_range = [](auto&&... h) {
    std::vector<settle::handle<counted<tracked, on_loop>>> list;
    (list.push_back(std::move(h)), ...);
    return settle::all(std::move(list));
  };
  for (bool forced : {false, true}) {
    collected_and_lost(of_pack, forced);
    collected_and_lost(of_range, forced);
    collected_and_lost(
        [](auto&&... h) {
          std::vector<settle::handle<counted<tracked, on_loop>>> list;
          (list.push_back(std::move(h)), ...);
          auto one = [&list](int i) { return std::move(list[static_cast<std::size_t>(i)]); };
          return settle::map_concurrent(std::vector{0, 1}, 2, one);
        },
        forced);
  }
  collected_and_lost([](auto&&... h) { return settle::all_settled(std::move(h)...); }, true);
}
TEST(G15_lost, what_somebody_watches_is_copied_and_stays) {
  for (bool forced : {false, true}) {
    int lost = 0;
    auto caught = [&](int&& v) noexcept {
      EXPECT_EQ(v, 7);
      ++lost;
    };
    {
      subject<counted<int>> s;
      subject<counted<int>> t;
      auto const w = s.h.watch();
      auto h = settle::all(std::move(s.h).on_lost(caught), std::move(t.h).on_lost(caught));
      s.r.complete(7);
      if (forced) h.cancel();
      t.r.complete(8);
      EXPECT_EQ(std::move(h).wait().has_value(), !forced);
      EXPECT_EQ(w.peek()->value(), 7);
      EXPECT_EQ(lost, 0) << "who watches has it still; the other one was taken, or never came";
    }
    EXPECT_EQ(lost, forced ? 1 : 0) << "nobody has it any more, or a copy was delivered";
  }
}
TEST(G15_lost, what_was_copied_for_one_that_watches_is_delivered) {
  auto const ended = [](auto combined) {
    int lost = 0;
    {
      subject<counted<int>> s;
      auto const w = s.h.watch();
      auto h = combined(std::move(s.h).on_lost([&](int&&) noexcept { ++lost; }));
      s.r.complete(7);
      EXPECT_TRUE(std::move(h).wait().has_value());
    }
    return lost;
  };
  EXPECT_EQ(ended([](auto h) { return settle::then(std::move(h), [](int v) { return v; }); }), 0);
  EXPECT_EQ(ended([](auto h) { return settle::finally(std::move(h), [] {}); }), 0);
  EXPECT_EQ(ended([](auto h) { return settle::race(std::move(h), settle::never<int>()); }), 0);
  EXPECT_EQ(ended([](auto h) { return settle::all_settled(std::move(h)); }), 0);
  EXPECT_EQ(ended([](auto h) {
              auto given = [&h](int) { return std::move(h); };
              return settle::map_concurrent(std::vector{0}, 1, given);
            }),
            0);
}
// Its copy ends what it was made for.
struct fatal {
  static inline std::function<void()> when_copied;
  int n = 0;
  fatal() = default;
  explicit fatal(int i) : n(i) {}
  fatal(fatal const& o) : n(o.n) {
    if (auto const f = std::exchange(when_copied, nullptr)) f();
  }
  fatal(fatal&&) noexcept = default;
  fatal& operator=(fatal&&) noexcept = default;
  fatal& operator=(fatal const&) = default;
  ~fatal() = default;
};
TEST(G15_lost, a_copy_that_comes_too_late_is_no_delivery) {
  auto const told = [](auto combined) {
    int lost = 0;
    {
      settle::resolver_of<fatal> r;
      auto given = r.get_handle().on_lost([&](fatal&& v) noexcept { lost = v.n; });
      auto const w = given.watch();
      auto const h = combined(std::move(given));
      fatal::when_copied = [&] { h.cancel(); };
      r.complete(fatal(5));
      EXPECT_TRUE(h.is_settled());
      EXPECT_TRUE(h.cancel_requested());
      EXPECT_EQ(lost, 0) << "who watches has it still";
    }
    return lost;
  };
  EXPECT_EQ(told([](auto given) { return settle::or_else(std::move(given), [](settle::error const&) { return fatal(9); }); }), 5);
  EXPECT_EQ(told([](auto given) { return settle::race(std::move(given), settle::never<fatal>()); }), 5);
}
TEST(G15_lost, a_list_that_comes_too_late_is_no_delivery) {
  int lost = 0;
  {
    settle::resolver_of<fatal> r;
    settle::watcher_of<fatal> w;
    auto h = settle::map_concurrent(std::vector{0}, 1, [&](int) {
      auto given = r.get_handle().on_lost([&](fatal&& v) noexcept { lost = v.n; });
      w = given.watch();
      return given;
    });
    fatal::when_copied = [&] { h.cancel(); };
    r.complete(fatal(5));
    EXPECT_TRUE(h.cancel_requested());
  }
  EXPECT_EQ(lost, 5);
}
TEST(G15_lost, of_what_is_only_watched_nothing_is_delivered) {
  int lost = 0;
  {
    subject<counted<int>> s;
    subject<counted<int>> t;
    subject<counted<int>> u;
    auto h = settle::all(std::move(s.h).on_lost([&](int&&) noexcept { ++lost; }), t.h.watch(), std::move(u.h));
    s.r.complete(1);
    t.r.complete(2);
    u.r.complete(3);
    EXPECT_TRUE(std::move(h).wait().has_value());
    auto failing = settle::resolver_of<int>();
    auto given = failing.get_handle().on_lost([&](int&&) noexcept { ++lost; });
    auto const w = given.watch();
    auto saved = settle::or_else(std::move(given), [](settle::error const&) { return 3; });
    failing.fail(errc::closed);
    EXPECT_EQ(std::move(saved).wait().value(), 3);
  }
  EXPECT_EQ(lost, 0);
}
TEST(G15_lost, what_is_yielded_after_all_is_not_lost) {
  manual_loop a;
  int lost = 0;
  auto caught = [&](int&&) noexcept { ++lost; };
  {
    subject<counted<int, on_loop>> s(a.get_executor());
    subject<counted<int, on_loop>> t(a.get_executor());
    std::vector<settle::handle<counted<int, on_loop>>> list;
    list.push_back(std::move(s.h).on_lost(caught));
    list.push_back(std::move(t.h).on_lost(caught));
    auto one = [&list](int i) { return std::move(list[static_cast<std::size_t>(i)]); };
    auto h = settle::map_concurrent(std::vector{0, 1}, 2, one);
    t.r.complete(2);
    s.r.complete(1);
    a.run();
    EXPECT_EQ(std::move(h).wait().value(), (std::vector{1, 2}));
  }
  EXPECT_EQ(lost, 0);
}

// Who looks for where a group came from finds the call, not a header.
// In the moment at which it would go on the result is over by force: it never leaves its input.
TEST(G15_lost, what_comes_too_late_by_force_stays_where_its_loss_is_told) {
  using numbers = counted<std::unique_ptr<int>, on_loop>;
  auto const each = [](auto make) {
    for (bool forced : {false, true}) {
      manual_loop loop;
      int lost = 0;
      auto caught = [&](std::unique_ptr<int>&&) noexcept { ++lost; };
      subject<numbers> s(loop.get_executor());
      auto h = make(std::move(s.h).on_lost(caught));
      settle::operation const result = h;
      bool delivered = false;
      s.r.complete(std::make_unique<int>(1));
      if (forced) result.cancel();
      loop.run();
      if (!forced) delivered = std::move(h).wait().has_value();
      else static_cast<void>(std::move(h).detach());
      EXPECT_TRUE(result.is_released());
      EXPECT_EQ(lost, forced ? 1 : 0);
      EXPECT_EQ(delivered, !forced);
    }
  };
  each([](auto h) { return settle::race(std::move(h)); });
  each([](auto h) { return settle::all(std::move(h)); });
  each([](auto h) { return settle::finally(std::move(h), [] {}); });
  each([](auto h) { return settle::bracket([] { return 0; }, [&](int&) { return std::move(h); }, [](int) {}); });
}

TEST(G15_lost, what_a_bracket_yields_is_not_lost_though_it_is_copied_and_is_when_nothing_came_of_it) {
  for (bool watched : {false, true})
    for (bool fails : {false, true}) {
      int lost = 0;
      {
        settle::resolver_of<int> r;
        auto used = r.get_handle().on_lost([&](int&&) noexcept { ++lost; });
        settle::watcher_of<int> w;
        if (watched) w = used.watch();
        auto give_back = [fails](int) { return fails ? settle::failed<void>(errc::closed) : settle::ready(); };
        auto h = settle::bracket([] { return 0; }, [&](int&) { return std::move(used); }, give_back);
        r.complete(7);
        auto const out = std::move(h).wait();
        EXPECT_EQ(out.has_value() ? out.value() : 0, fails ? 0 : 7);
      }
      EXPECT_EQ(lost, fails ? 1 : 0) << watched;
    }
}

#if defined(__cpp_exceptions)
TEST(G15_lost, one_whose_move_throws_when_it_is_certain_to_be_delivered_is_the_failure) {
  auto const at_move = [](int n, auto make) {
    manual_loop loop;
    settle::resolver_of<fragile, settle::error, on_loop> r(loop.get_executor());
    auto h = make(r.get_handle().on_lost([](fragile&&) noexcept {}));
    r.complete(fragile(1));
    fragile::throw_at = n;
    loop.run();
    fragile::throw_at = 0;
    ASSERT_TRUE(h.is_released());
    EXPECT_TRUE(std::move(h).wait().has_error());
  };
  at_move(1, [](auto h) { return settle::race(std::move(h)); });
  at_move(1, [](auto h) { return settle::all(std::move(h)); });
  at_move(2, [](auto h) { return settle::all(std::move(h)); });
  at_move(1, [](auto h) { return settle::finally(std::move(h), [] {}); });
  EXPECT_EQ(fragile::alive, 0);
}
#endif

TEST(A14_all, a_list_of_what_cannot_be_copied_is_taken) {
  using one = std::unique_ptr<int>;
  static_assert(!std::is_copy_constructible_v<settle::outcome<std::vector<one>, settle::error>>);
  std::vector<settle::handle_of<one>> list;
  for (int const i : {1, 2}) list.push_back(settle::ready(std::make_unique<int>(i)));
  std::vector<one> const all = settle::all(std::move(list)).wait().value();
  EXPECT_EQ(*all.at(1), 2);
  int sum = 0;
  auto begin = [](int i) { return std::make_unique<int>(i); };
  settle::map_concurrent(std::vector{3, 4}, 2, begin).on_done([&](settle::outcome<std::vector<one>>&& o) {
    for (one const& v : o.value()) sum += *v;
  });
  EXPECT_EQ(sum, 7);
}

TEST(creation_site, of_a_group_is_the_call) {
  auto one = [] { return settle::ready(1); };
  auto const expect_here = [](settle::operation const& op, unsigned line) {
    std::source_location const at = settle::detail::state_access::get(op)->created;
    EXPECT_EQ(at.line(), line);
    EXPECT_STREQ(at.file_name(), __FILE__);
  };
  expect_here(settle::all(one(), one()), __LINE__);
  expect_here(settle::race(one(), one(), one()), __LINE__);
  expect_here(settle::any(one(), one(), one(), one()), __LINE__);
  expect_here(settle::all_settled(one(), one()), __LINE__);
  expect_here(settle::all(one()), __LINE__);
  expect_here(settle::race(one()), __LINE__);
  expect_here(settle::any(one()), __LINE__);
  expect_here(settle::all_settled(one()), __LINE__);
  expect_here(settle::all(one(), one(), one(), one(), one()), __LINE__);
  expect_here(settle::race(one(), one(), one(), one(), one(), one()), __LINE__);
  expect_here(settle::any(one(), one(), one(), one(), one(), one(), one()), __LINE__);
  expect_here(settle::all_settled(one(), one(), one(), one(), one(), one(), one(), one()), __LINE__);
}
TEST(creation_site, of_a_group_of_more_than_can_be_counted_is_its_first_inputs) {
  auto one = [] { return settle::ready(1); };
  auto first = settle::ready(1);
  unsigned const line = __LINE__ - 1;
  auto const expect_there = [&](settle::operation const& op) {
    std::source_location const at = settle::detail::state_access::get(op)->created;
    EXPECT_EQ(at.line(), line);
    EXPECT_STREQ(at.file_name(), __FILE__);
  };
  auto nine = settle::all(std::move(first), one(), one(), one(), one(), one(), one(), one(), one());
  expect_there(nine);
  EXPECT_EQ(std::move(nine).wait().value(), std::tuple(1, 1, 1, 1, 1, 1, 1, 1, 1));
  settle::handle_of<int> none;
  EXPECT_TRUE(settle::race(std::move(none), one(), one(), one(), one(), one(), one(), one(), one()).wait().has_error())
      << "nor has it a site";
}

// Of what somebody made of the result, and then does not want any more, the result hears nothing.
template <class Combine>
void a_continuation_is_no_input(Combine combine, way how) {
  subject<counted<int>> s;
  subject<counted<int>> t;
  auto w = combine(std::move(s.h), std::move(t.h)).share();
  auto next = settle::then(w, [](auto const&) { return 1; });
  if (how == way::request) next.request_cancel();
  if (how == way::cancel) next.cancel();
  if (how == way::drop) next = {};
  EXPECT_FALSE(w.cancel_requested());
  EXPECT_FALSE(s.op.cancel_requested() || t.op.cancel_requested());
  s.r.complete(1);
  t.r.complete(2);
  EXPECT_TRUE(w.peek()->has_value());
}
TEST(A17_continuation_not_input, cancelled_leaves_the_combinator_alone) {
  for (way const how : {way::request, way::cancel, way::drop}) {
    SCOPED_TRACE(way_names[static_cast<int>(how)]);
    a_continuation_is_no_input([](auto a, auto b) { return settle::all(std::move(a), std::move(b)); }, how);
    a_continuation_is_no_input([](auto a, auto b) { return settle::race(std::move(a), std::move(b)); }, how);
    a_continuation_is_no_input([](auto a, auto b) { return settle::any(std::move(a), std::move(b)); }, how);
    a_continuation_is_no_input([](auto a, auto b) { return settle::all_settled(std::move(a), std::move(b)); }, how);
  }
}

TEST(A56_cached_not_cancelled, a_watched_operation_that_loses_stays_pending_for_everyone_else) {
  subject<counted<int>> s;
  auto w = s.h.watch();
  EXPECT_EQ(settle::race(w, settle::ready(1)).wait().value().index(), 1U);
  EXPECT_EQ(settle::any(w, settle::ready(1)).wait().value(), 1);
  EXPECT_TRUE(settle::all(w, settle::failed<int>(errc::closed)).wait().has_error());
  EXPECT_FALSE(s.op.cancel_requested());
  auto waiting = settle::all_settled(w, settle::ready(2));
  waiting.request_cancel(settle::cause::overload);
  auto o = std::move(waiting).wait();
  EXPECT_EQ(std::get<0>(o.value()).cancel().why, settle::cause::overload);
  EXPECT_EQ(std::get<1>(o.value()).value(), 2);
  auto forced = settle::race(w, settle::never());
  forced.cancel();
  EXPECT_TRUE(forced.is_released());
  EXPECT_FALSE(s.op.is_settled());
  s.r.complete(3);
  EXPECT_EQ(w.peek()->value(), 3);
}

TEST(A51_long_lived_watched, a_stop_signal_raced_a_million_times_stays_as_it_was) {
  settle::resolver<counted<int>> stop;
  auto const w = stop.get_handle().share();
  auto round = [&](int i) {
    settle::resolver<counted<int>> r;
    auto first = settle::race(w, r.get_handle());
    if (i % 3 == 0) first.request_cancel();
    r.complete(i);
  };
  for (int i = 0; i != 100; ++i) round(i);
  std::size_t const hooks = hooks_on(stop.op());
  long const bytes = ledger::bytes;
  std::int64_t const before = live_allocations_of_this_thread();
  for (int i = 0; i != deep; ++i) {
    round(i);
    ASSERT_EQ(hooks_on(stop.op()), hooks) << "in round " << i;
  }
  EXPECT_EQ(ledger::bytes, bytes);
  EXPECT_EQ(live_allocations_of_this_thread(), before);
  stop.complete(0);
}

TEST(G10_nofail, from_settling_to_released_combinators_allocate_nothing) {
  subject<counted<std::string>> s;
  subject<counted<std::string>> t;
  std::vector<handle_of<std::string>> list;
  list.push_back(std::move(s.h));
  list.push_back(std::move(t.h) | settle::then([](std::string v) { return v; }) | settle::finally([] {}));
  auto h = settle::all(std::move(list)) | settle::then([](std::vector<std::string> v) { return std::move(v[1]); });
  settle::resolver_of<int> never;
  auto first = settle::race(std::move(h), never.get_handle());
  std::string text = "a string that does not fit into itself";
  allocation_count count;
  s.r.complete(std::string());
  t.r.complete(std::move(text));
  never.cancel();
  EXPECT_EQ(count.now(), 0U);
  EXPECT_TRUE(first.is_released());
  EXPECT_EQ(std::get<0>(std::move(first).wait().value()), "a string that does not fit into itself");
}

TEST(A14_all_wiring_race, inputs_that_complete_while_they_are_wired_fill_every_slot_once) {
  crew threads(3);
  for (int round = 0; round != 500; ++round) {
    settle::resolver_of<std::string> a;
    settle::resolver_of<int> b;
    auto ha = a.get_handle();
    auto hb = b.get_handle();
    std::optional<settle::outcome<std::tuple<std::string, int>>> got;
    std::atomic<int> times = 0;
    threads.run([&](unsigned i) {
      if (i == 1) a.complete("value");
      if (i == 2) b.complete(round);
      if (i != 0) return;
      settle::all(std::move(ha), std::move(hb)).on_done([&](settle::outcome<std::tuple<std::string, int>>&& o) {
        got.emplace(std::move(o));
        ++times;
      });
    });
    ASSERT_EQ(times, 1);
    ASSERT_EQ(got->value(), std::tuple(std::string("value"), round));
  }
}

TEST(A14_all_wiring_race, a_race_that_is_wired_settled_and_cancelled_ends_once) {
  crew threads(3);
  for (int round = 0; round != 500; ++round) {
    subject<counted<std::string>> a;
    subject<counted<int>> b;
    std::atomic<int> times = 0;
    settle::handle_of<std::variant<std::string, int>> result;
    if (round % 2 == 0) result = settle::race(std::move(a.h), std::move(b.h));
    threads.run([&](unsigned i) {
      if (i == 1) a.r.complete("value");
      if (i == 2) b.r.fail(errc::closed);
      if (i == 0 && round % 4 == 0) result.cancel();
      if (i == 0 && round % 4 == 2) result.request_cancel();
      if (i == 0 && round % 2 == 1) result = settle::race(std::move(a.h), std::move(b.h));
    });
    std::move(result).on_done([&](settle::ending) { ++times; });
    ASSERT_EQ(times, 1);
    ASSERT_TRUE(a.op.is_released());
    ASSERT_TRUE(b.op.is_released());
  }
}

TEST(A14_all_wiring_race, a_watched_signal_fires_while_races_come_and_go) {
  crew threads(3);
  for (int round = 0; round != 300; ++round) {
    settle::resolver_of<int> stop;
    auto const w = settle::watcher_of<int>(stop.get_handle());
    std::atomic<int> ended = 0;
    threads.run([&](unsigned i) {
      if (i == 2) return static_cast<void>(stop.complete(1));
      for (int n = 0; n != 20; ++n) {
        settle::resolver_of<int> r;
        auto first = settle::race(w, r.get_handle(), w);
        if (n % 2 == 0) first.request_cancel();
        else r.complete(2);
        std::move(first).on_done([&](settle::ending) { ++ended; });
      }
    });
    ASSERT_EQ(ended, 40);
  }
}

// The stack of a thread that runs these has room for a few hundred calls.
void on_a_small_stack(std::function<void()> f) { on_a_stack_of(a_small_stack, std::move(f)); }

handle_of<int> chain(handle_of<int> h, int links = deep) {
  for (int i = 0; i != links; ++i) h = settle::then(std::move(h), [](int v) { return v + 1; });
  return h;
}
TEST(A12_deep_graph, a_chain_of_a_million_thens_completes) {
  on_a_small_stack([] {
    settle::resolver_of<int> r;
    auto h = chain(r.get_handle(), as_deep_as_it_gets);
    r.complete(0);
    EXPECT_EQ(std::move(h).wait().value(), as_deep_as_it_gets);
  });
}
TEST(A12_deep_graph, a_chain_of_a_million_thens_fails_and_is_cancelled) {
  on_a_small_stack([] {
    settle::resolver_of<int> r;
    auto h = chain(r.get_handle());
    r.fail(errc::closed);
    EXPECT_EQ(std::move(h).wait().error().code(), errc::closed);
    settle::resolver_of<int> q;
    auto k = chain(q.get_handle());
    k.request_cancel();
    EXPECT_TRUE(q.op().cancel_requested());
    q.cancel();
    EXPECT_TRUE(std::move(k).wait().is_cancelled());
    settle::resolver_of<int> p;
    auto forced = chain(p.get_handle());
    forced.cancel();
    EXPECT_TRUE(p.op().is_settled());
    p.cancel();
    EXPECT_TRUE(forced.is_released());
  });
}
TEST(A12_deep_graph, a_chain_is_dropped_before_its_source_ends) {
  on_a_small_stack([] {
    settle::resolver_of<int> r;
    {
      auto gone = chain(r.get_handle());
    }
    EXPECT_TRUE(r.op().cancel_requested());
  });
}
TEST(A12_deep_graph, an_all_of_a_million) {
  enum { completes, is_cancelled, is_dropped };
  on_a_small_stack([] {
    for (auto how : {completes, is_cancelled, is_dropped}) {
      std::vector<settle::resolver_of<int>> r(static_cast<std::size_t>(how == completes ? as_deep_as_it_gets : deep));
      std::vector<handle_of<int>> h;
      h.reserve(r.size());
      for (auto& x : r) h.push_back(x.get_handle());
      auto all = settle::all(std::move(h));
      settle::operation const op = all;
      if (how == is_cancelled) all.request_cancel();
      if (how == is_dropped) all = {};
      for (auto& x : r) {
        EXPECT_EQ(x.op().cancel_requested(), how != completes);
        how != completes ? x.cancel() : x.complete(1);
      }
      EXPECT_TRUE(op.is_released());
      if (how == is_dropped) continue;
      auto o = std::move(all).wait();
      EXPECT_EQ(o.is_cancelled(), how == is_cancelled);
      ASSERT_EQ(o.has_value(), how == completes);
      if (how == completes) {
        EXPECT_EQ(o.value().size(), r.size());
      }
    }
  });
}
TEST(A12_deep_graph, a_chain_that_alternates_between_two_executors) {
  enum { completes, is_cancelled };
  on_a_small_stack([] {
    for (auto how : {completes, is_cancelled}) {
      manual_loop a;
      manual_loop b;
      settle::resolver_of<int> r;
      handle_of<int> h = r.get_handle();
      for (int i = 0; i != deep; ++i) h = settle::via(std::move(h), i % 2 == 0 ? a.get_executor() : b.get_executor());
      h = settle::then(std::move(h), [](int v) { return v + 1; });
      if (how == is_cancelled) h.request_cancel();
      how == is_cancelled ? r.cancel() : r.complete(1);
      while (a.run() + b.run() != 0) {
      }
      auto o = std::move(h).wait();
      EXPECT_EQ(o.is_cancelled(), how == is_cancelled);
      EXPECT_EQ(o.has_value() ? o.value() : 2, 2);
    }
  });
}
// Each step's function on the other executor than the one before.
TEST(A12_deep_graph, steps_that_alternate_between_two_executors) {
  on_a_small_stack([] {
    manual_loop a;
    manual_loop b;
    settle::resolver_of<int> r;
    handle_of<int> h = r.get_handle();
    constexpr int links = deep / 2;  // two operations each
    for (int i = 0; i != links; ++i)
      h = settle::via(std::move(h), i % 2 == 0 ? a.get_executor() : b.get_executor()) | settle::then([](int v) { return v + 1; });
    r.complete(0);
    while (a.run() + b.run() != 0) {
    }
    EXPECT_EQ(std::move(h).wait().value(), links);
  });
}

}  // namespace
