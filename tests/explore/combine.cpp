// SPDX-License-Identifier: BSL-1.0
// Groups in every interleaving: inputs that settle while they are wired, losers, whoever cancels the result meanwhile.
#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
#include <tuple>
#include <variant>

#include "stage.hpp"

namespace {

using namespace explore;

/// Which combinator, and what it may make of two inputs.
struct of_all {
  static constexpr char const* name = "all";
  template <class... H>
  static auto make(H&&... h) {
    return settle::all(std::forward<H>(h)...);
  }
  static bool may(end_t how, end_t a, end_t b) {
    bool const both = a == end_t::value && b == end_t::value;
    return how == end_t::value ? both : how == a || how == b;
  }
};
struct of_race {
  static constexpr char const* name = "race";
  template <class... H>
  static auto make(H&&... h) {
    return settle::race(std::forward<H>(h)...);
  }
  static bool may(end_t how, end_t a, end_t b) { return how == a || how == b; }
};
struct of_any {
  static constexpr char const* name = "any";
  template <class... H>
  static auto make(H&&... h) {
    return settle::any(std::forward<H>(h)...);
  }
  static bool may(end_t how, end_t a, end_t b) {
    bool const one = a == end_t::value || b == end_t::value;
    return one ? how == end_t::value : how == a || how == b;
  }
};
struct of_all_settled {
  static constexpr char const* name = "all_settled";
  template <class... H>
  static auto make(H&&... h) {
    return settle::all_settled(std::forward<H>(h)...);
  }
  static bool may(end_t how, end_t, end_t) { return how == end_t::value; }
};

/// Two inputs with the numbers 1 and 2, and what became of the result.
template <class Rule, class T>
struct stage {
  using result_type = decltype(Rule::make(handle<T>(), handle<T>()));

  source<T> a;
  source<T> b;
  watcher<T> watched;  // of b, when that is only watched
  operation result;
  weave::plain<int> told = 0;
  std::optional<end_t> how;
  weave::plain<int> released = 0;
  bool sound = true;  // what was yielded is what was produced

  void read(std::tuple<T, T> const& v) { sound = number_of(std::get<0>(v)) == 1 && number_of(std::get<1>(v)) == 2; }
  void read(std::variant<T, T> const& v) {
    sound = std::visit([](auto const& n) { return number_of(n); }, v) == static_cast<int>(v.index()) + 1;
  }
  void read(T const& v) { sound = number_of(v) == 1 || number_of(v) == 2; }
  void read(std::tuple<settle::outcome<T>, settle::outcome<T>> const& v) {
    settle::outcome<T> const& first = std::get<0>(v);
    settle::outcome<T> const& second = std::get<1>(v);
    sound = (!first.has_value() || number_of(first.value()) == 1) && (!second.has_value() || number_of(second.value()) == 2);
  }

  /// On the thread that wires.
  static void listen(result_type h, std::shared_ptr<stage> const& s) {
    s->result = h;
    s->result.on_released([s] {
      s->released = s->released + 1;
      if (!s->watched) s->b.cleaned = int(s->b.cleaned);  // an input is released before
      s->a.cleaned = int(s->a.cleaned);
    });
    std::move(h).on_done([s](auto&& o) {
      s->told = s->told + 1;
      s->how = o.has_value() ? end_t::value : o.has_error() ? end_t::failure : end_t::cancelled;
      if (o.has_value()) s->read(o.value());
    });
  }
  static void wire(std::shared_ptr<stage> const& s, bool watch) {
    if (watch) s->watched = s->b.h.watch();
    if constexpr (std::is_copy_constructible_v<T>) {
      if (watch) return listen(Rule::make(std::move(s->a.h), s->watched), s);
    }
    listen(Rule::make(std::move(s->a.h), std::move(s->b.h)), s);
  }
  void check(weave::world& w, bool allowed) {
    w.expect(told == 1, "the result is told once");
    w.expect(released == 1, "the result is released once");
    w.expect(a.cleaned == 1 && b.cleaned == 1, "and so are the inputs");
    w.expect(allowed, "the result ends as an input let it");
    w.expect(sound, "the values are those of the inputs");
    b.h = {};
    watched = {};
    w.expect(token::alive == 0, "G15: a value is left");
  }
};

constexpr end_t v = end_t::value;
constexpr end_t f = end_t::failure;
constexpr end_t c = end_t::cancelled;
using mixture = std::pair<end_t, end_t>;
std::string name_of(char const* rule, mixture m) { return std::string(rule) + " of " + name_of(m.first) + name_of(m.second); }

/// The inputs end, on a thread each where there are three.
template <class S>
void end_both(weave::world& w, unsigned threads, mixture m, S const& s) {
  w.thread("a", [=] {
    s->a.end_as(m.first, 1);
    if (threads == 2) s->b.end_as(m.second, 2);
  });
  if (threads == 3) w.thread("b", [=] { s->b.end_as(m.second, 2); });
}

/// A14: while another thread wires them.
template <class Rule, class T>
void wiring(bool watch, std::initializer_list<mixture> mixtures) {
  with_two_and_three([&](exploration& explore) {
    for (mixture const& m : mixtures)
      explore(name_of(Rule::name, m), [=, threads = explore.threads](weave::world& w) {
        token::alive = 0;
        auto s = std::make_shared<stage<Rule, T>>();
        w.thread("wire", [=] { stage<Rule, T>::wire(s, watch); });
        end_both(w, threads, m, s);
        w.finally([=, &w] { s->check(w, s->how && Rule::may(*s->how, m.first, m.second)); });
      });
  });
}
TEST(explore_wiring, all) { wiring<of_all, int>(false, {{v, v}, {v, f}}); }
TEST(explore_wiring, all_of_values_that_move) { wiring<of_all, token>(false, {{v, v}}); }
TEST(explore_wiring, race) { wiring<of_race, int>(false, {{v, c}}); }
TEST(explore_wiring, race_of_values_that_move) { wiring<of_race, token>(false, {{v, v}}); }
TEST(explore_wiring, race_and_one_watched) { wiring<of_race, int>(true, {{v, f}}); }
TEST(explore_wiring, any) { wiring<of_any, int>(false, {{v, f}, {f, c}}); }
TEST(explore_wiring, all_settled) { wiring<of_all_settled, int>(false, {{f, c}}); }

/// They end while somebody cancels the result.
template <class Rule, class T>
void cancelled(bool watch, bool force, mixture m) {
  with_two_and_three([&](exploration& explore) {
    explore(name_of(Rule::name, m), [=, threads = explore.threads](weave::world& w) {
      token::alive = 0;
      auto s = std::make_shared<stage<Rule, T>>();
      stage<Rule, T>::wire(s, watch);
      end_both(w, threads, m, s);
      w.thread("cancel", [=, op = std::exchange(s->result, {})]() mutable {
        force ? op.cancel() : op.request_cancel();
        op = {};
      });
      w.finally([=, &w] { s->check(w, s->how && (*s->how == c || Rule::may(*s->how, m.first, m.second))); });
    });
  });
}
TEST(explore_cancelled, all_by_a_request) { cancelled<of_all, int>(false, false, {v, v}); }
TEST(explore_cancelled, all_by_force) { cancelled<of_all, token>(false, true, {v, v}); }
TEST(explore_cancelled, race_that_watches) { cancelled<of_race, int>(true, false, {v, v}); }
TEST(explore_cancelled, any_by_force) { cancelled<of_any, int>(false, true, {f, v}); }

/// A loser does nothing by itself: it stops when it is asked, once, and the result is released after it.
template <class Rule>
void losing(end_t how) {
  with_two_and_three([&](exploration& explore) {
    explore(std::string("a loser of ") + Rule::name, [=, threads = explore.threads](weave::world& w) {
      auto s = std::make_shared<stage<Rule, int>>();
      s->b.stops_when_asked();
      w.thread("wire", [=] { stage<Rule, int>::wire(s, false); });
      w.thread("a", [=] { s->a.end_as(how, 1); });
      if (threads == 3)
        w.thread("another", [=, op = s->b.op]() mutable {
          op.request_cancel(settle::cause::overload);
          op = {};
        });
      w.finally([=, &w] {
        w.expect(!s->b.r && s->b.op.cancel_requested(), "the loser was asked");
        s->check(w, s->how && (*s->how == how || threads == 3));
      });
    });
  });
}
TEST(explore_losers, of_a_race) { losing<of_race>(v); }
TEST(explore_losers, of_any) { losing<of_any>(v); }
TEST(explore_losers, of_an_all_that_failed) { losing<of_all>(f); }

/// Two inputs, each of which ends after its producer has written something that whoever hears of the result reads. Asked to stop before,
/// which they do not, the result has nothing to tell them when it ends, and does not look at them.
template <class Rule, class T>
void written_before(mixture m, bool asked = false) {
  with_two_and_three([&](exploration& explore) {
    explore(name_of(Rule::name, m), [=](weave::world& w) {
      auto s = std::make_shared<stage<Rule, T>>();
      auto written = std::make_shared<std::array<weave::plain<int>, 2>>();
      auto read = std::make_shared<weave::plain<int>>(0);
      auto h = Rule::make(std::move(s->a.h), std::move(s->b.h));
      if (asked) h.request_cancel();
      std::move(h).on_done([=](auto&&) { *read = (*written)[0] + (*written)[1]; });
      w.thread("a", [=] {
        (*written)[0] = 1;
        s->a.end_as(m.first, 1);
      });
      w.thread("b", [=] {
        (*written)[1] = 2;
        s->b.end_as(m.second, 2);
      });
      w.finally([=, &w] { w.expect(*read == 3, "both have ended before"); });
    });
  });
}
TEST(explore_written, before_all_have_ended) { written_before<of_all, int>({v, v}); }
TEST(explore_written, before_all_have_ended_that_were_asked_to_stop) { written_before<of_all, int>({v, v}, true); }
TEST(explore_written, before_all_of_values_that_run_something) { written_before<of_all, token>({v, v}); }
TEST(explore_written, before_all_have_settled) { written_before<of_all_settled, int>({v, f}); }
TEST(explore_written, before_all_have_settled_that_were_asked_to_stop) { written_before<of_all_settled, int>({v, f}, true); }
TEST(explore_written, before_any_has_failed) { written_before<of_any, int>({f, f}); }

/// Moves once without a throw, to where its producer puts it.
struct moves_once {
  weave::plain<int> moves = 0;

  explicit moves_once(int) {}
  moves_once(moves_once&& o) : moves(o.moves + 1) {
    if (moves > 1) throw 1;
  }
  moves_once& operator=(moves_once&&) = delete;
};

// The first throw is the failure, whichever thread it was met on.
TEST(explore_throwing, moves_of_the_values_of_all) {
  with_two_and_three([](exploration& explore) {
    explore("both", [](weave::world& w) {
      auto a = std::make_shared<source<moves_once>>();
      auto b = std::make_shared<source<moves_once>>();
      auto how = std::make_shared<std::optional<end_t>>();
      settle::all(std::move(a->h), std::move(b->h)).on_done([=](auto&& o) { *how = o.has_error() ? f : o.has_value() ? v : c; });
      w.thread("a", [=] { a->end_as(v, 1); });
      w.thread("b", [=] { b->end_as(v, 2); });
      w.finally([=, &w] { w.expect(*how == f, "it has failed"); });
    });
  });
}

}  // namespace
