// SPDX-License-Identifier: BSL-1.0
// Three threads, every interleaving, with weak memory and without any bound: scenes that are small enough for that. What the other files
// explore in larger ones within bounds (who is told, in which order, what is cleaned up) is explored here to the end.
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "../stage.hpp"

namespace {

using namespace explore;

/// An operation, and nothing registered on it.
struct input {
  producer<int> r;
  handle<int> h = r.get_handle();

  void end_as(end_t how) {
    producer<int> mine(std::move(r));
    if (how == end_t::value) mine.complete(1);
    else if (how == end_t::failure) mine.fail(settle::errc::closed);
    else mine.cancel();
  }
  void stops_when_asked() {
    h.on_cancel([this] { end_as(end_t::cancelled); });
  }
  /// Whoever watches it does not keep it: it is let go at the end.
  watcher<int> lent() const { return h.watch(); }
};

template <class Scene>
void explore_all_of(char const* name, Scene scene) {
  exploration explore(3, false);
  explore(name, scene);
}

constexpr auto all_of = [](auto&&... in) { return settle::all(std::forward<decltype(in)>(in)...); };
constexpr auto race_of = [](auto&&... in) { return settle::race(std::forward<decltype(in)>(in)...); };
constexpr auto any_of = [](auto&&... in) { return settle::any(std::forward<decltype(in)>(in)...); };
constexpr auto all_settled_of = [](auto&&... in) { return settle::all_settled(std::forward<decltype(in)>(in)...); };

/// A14: two inputs end, a thread each, while a third one wires them.
template <class Combine>
void wired_while_both_end(char const* name, Combine combine, end_t first, end_t second, end_t result) {
  explore_all_of(name, [=](weave::world& w) {
    struct stage {
      input a, b;
      watcher<int> a_seen = a.lent(), b_seen = b.lent();
      std::optional<decltype(combine(watcher<int>(), watcher<int>()))> made;
    };
    auto s = std::make_shared<stage>();
    w.thread("wire", [=] { s->made.emplace(combine(std::move(s->a_seen), std::move(s->b_seen))); });
    w.thread("a", [=] { s->a.end_as(first); });
    w.thread("b", [=] { s->b.end_as(second); });
    w.finally([=, &w] {
      auto const seen = s->made->watch();
      auto const* const o = seen.peek();
      w.expect(o != nullptr && seen.is_released(), "the result has ended");
      if (o != nullptr)
        w.expect(result == end_t::value     ? o->has_value()
                 : result == end_t::failure ? o->has_error()
                                            : o->is_cancelled(),
                 "as its inputs let it");
      s->made.reset();
    });
  });
}
TEST(explore_three_threads, wiring_all) { wired_while_both_end("all", all_of, end_t::value, end_t::failure, end_t::failure); }
TEST(explore_three_threads, wiring_race) { wired_while_both_end("race", race_of, end_t::value, end_t::value, end_t::value); }
TEST(explore_three_threads, wiring_any) { wired_while_both_end("any", any_of, end_t::failure, end_t::value, end_t::value); }
TEST(explore_three_threads, wiring_all_settled) {
  wired_while_both_end("all_settled", all_settled_of, end_t::value, end_t::cancelled, end_t::value);
}

TEST(explore_three_threads, wiring_while_the_input_ends_and_is_asked_to_cancel) {
  explore_all_of("then", [](weave::world& w) {
    struct stage {
      input a;
      watcher<int> seen = a.lent();
      handle<int> made;
    };
    auto s = std::make_shared<stage>();
    w.thread("wire", [=] { s->made = settle::then(std::move(s->seen), [](int v) { return v + 1; }); });
    w.thread("a", [=] { s->a.end_as(end_t::value); });
    w.thread("ask", [op = s->a.r.op()]() mutable {
      op.request_cancel(settle::cause::overload);
      op = {};
    });
    w.finally([=, &w] {
      auto const made = s->made.watch();
      w.expect(made.is_released() && made.peek()->has_value() && made.peek()->value() == 2, "it has its value");
    });
  });
}

/// How often the result was told: a hundred times for each that is no value.
template <class H, class Stage>
void count_values(H result, std::shared_ptr<Stage> const& s) {
  std::move(result).on_done([s](auto&& o) { s->told += o.has_value() ? 1 : 100; });
}

/// A16, A17: three inputs end, a thread each; the result is told once, and has a value.
template <class Combine>
void three_inputs_end(char const* name, Combine combine, bool owned) {
  explore_all_of(name, [=](weave::world& w) {
    struct stage {
      input a, b, c;
      unsigned told = 0;
    };
    auto s = std::make_shared<stage>();
    if (owned) count_values(combine(std::move(s->a.h), s->b.lent(), s->c.lent()), s);
    else count_values(combine(s->a.lent(), s->b.lent(), s->c.lent()), s);
    w.thread("a", [=] { s->a.end_as(end_t::value); });
    w.thread("b", [=] { s->b.end_as(end_t::value); });
    w.thread("c", [=] { s->c.end_as(end_t::value); });
    w.finally([=, &w] { w.expect(s->told == 1, "the result is told once, of a value"); });
  });
}
TEST(explore_three_threads, losing_a_race_that_watches) { three_inputs_end("race", race_of, false); }
TEST(explore_three_threads, losing_an_any_that_watches) { three_inputs_end("any", any_of, false); }
TEST(explore_three_threads, ending_all_that_one_owns) { three_inputs_end("all", all_of, true); }

/// A loser that does nothing by itself: it stops when it is asked, once, whoever of the three wins.
TEST(explore_three_threads, losing_what_stops_when_it_is_asked) {
  explore_all_of("race", [](weave::world& w) {
    struct stage {
      input loser, a, b, c;
      unsigned told = 0;
    };
    auto s = std::make_shared<stage>();
    s->loser.stops_when_asked();
    operation const loser = s->loser.r.op();
    count_values(settle::race(std::move(s->loser.h), s->a.lent(), s->b.lent(), s->c.lent()), s);
    w.thread("a", [=] { s->a.end_as(end_t::value); });
    w.thread("b", [=] { s->b.end_as(end_t::value); });
    w.thread("c", [=] { s->c.end_as(end_t::value); });
    w.finally([=, &w] {
      w.expect(s->told == 1, "the result is told once, of a value");
      w.expect(!s->loser.r && loser.cancel_requested() && loser.is_released(), "the loser was asked, and stopped");
    });
  });
}

/// A58: two threads adopt a child each while a third one ends the parent.
TEST(explore_three_threads, adopting_two_while_the_parent_ends) {
  for (end_t const how : {end_t::value, end_t::cancelled})
    explore_all_of(how == end_t::value ? "it completes" : "it is cancelled", [how](weave::world& w) {
      struct stage {
        input parent, a, b;
        bool in_time = false;  // a child came before the parent was released
      };
      auto s = std::make_shared<stage>();
      for (input* each : {&s->parent, &s->a, &s->b}) std::move(each->h).detach();
      operation const parent = s->parent.r.op();
      for (input* each : {&s->a, &s->b})
        w.thread(each == &s->a ? "adopt a" : "adopt b", [s, p = parent, child = each->r.op()]() mutable {
          p.adopt(std::move(child));
          if (!p.is_released()) s->in_time = true;
          p = {};
        });
      w.thread("parent", [=] { s->parent.end_as(how); });
      w.finally([=, &w] {
        w.expect(!s->in_time || !parent.is_released(), "the parent waits for its children");
        w.expect(s->a.r.op().cancel_requested() && s->b.r.op().cancel_requested(), "G8: they are asked to cancel, however late they came");
        s->a.end_as(end_t::cancelled);
        s->b.end_as(end_t::cancelled);
        w.expect(parent.is_released(), "and for no longer");
      });
    });
}

/// A58: a child is adopted while it ends and its parent is asked to cancel.
TEST(explore_three_threads, adopting_while_the_child_ends_and_the_parent_is_asked) {
  explore_all_of("adopted", [](weave::world& w) {
    struct stage {
      input parent, child;
    };
    auto s = std::make_shared<stage>();
    for (input* each : {&s->parent, &s->child}) std::move(each->h).detach();
    operation const parent = s->parent.r.op();
    operation const child = s->child.r.op();
    w.thread("adopt", [p = parent, c = child]() mutable {
      p.adopt(std::move(c));
      p = {};
    });
    w.thread("ask", [p = parent]() mutable {
      p.request_cancel(settle::cause::shutdown);
      p = {};
    });
    w.thread("child", [=] { s->child.end_as(end_t::value); });
    w.finally([=, &w] {
      w.expect(child.is_released() && !parent.is_settled(), "the child has ended, and the parent has not");
      s->parent.end_as(end_t::value);
      w.expect(parent.is_released(), "which nothing holds any more");
    });
  });
}

using scope = settle::basic_scope<C>;

/// A scope with a child in it, and one that wants to get in.
struct closing_scope {
  input a, b;
  std::unique_ptr<scope> in = std::make_unique<scope>(settle::inline_executor());
  operation whole = in->op();
  watcher<int> first;
  watcher<int> late;

  closing_scope() {
    first = in->spawn([this] { return std::move(a.h); });
  }
  void spawn_late() {
    late = in->spawn([this] { return std::move(b.h); });
  }
  void check(weave::world& w) {
    w.expect(first.is_released(), "the first child has ended");
    bool const refused = late && late.peek() != nullptr && late.peek()->has_error() && late.peek()->error().code() == settle::errc::closed;
    w.expect(!late || refused == static_cast<bool>(b.h), "the late one is refused and has not run, or is let in and runs");
    if (late && !refused) w.expect(!whole.is_settled(), "then the scope waits for it");
    b.h = {};
    if (b.r) b.end_as(end_t::value);
    w.expect(whole.is_released(), "the scope has ended");
    in.reset();
  }
};

TEST(explore_three_threads, closing_a_scope_while_a_child_ends_and_another_is_spawned) {
  explore_all_of("close", [](weave::world& w) {
    auto s = std::make_shared<closing_scope>();
    w.thread("close", [=] { s->in->close(); });
    w.thread("child", [=] { s->a.end_as(end_t::value); });
    w.thread("spawn", [=] { s->spawn_late(); });
    w.finally([=, &w] { s->check(w); });
  });
}
TEST(explore_three_threads, closing_a_scope_while_a_child_ends_and_it_is_cancelled) {
  explore_all_of("close", [](weave::world& w) {
    auto s = std::make_shared<closing_scope>();
    w.thread("close", [=] { s->in->close(); });
    w.thread("child", [=] { s->a.end_as(end_t::value); });
    w.thread("ask", [op = s->whole]() mutable {
      op.request_cancel(settle::cause::shutdown);
      op = {};
    });
    w.finally([=, &w] { s->check(w); });
  });
}

}  // namespace
