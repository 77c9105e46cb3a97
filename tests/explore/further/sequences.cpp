// SPDX-License-Identifier: BSL-1.0
// Combinators whose operations come one after the other, each ended on a thread of its own, under every interleaving.
#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../stage.hpp"

namespace {

using namespace explore;
constexpr end_t v = end_t::value, f = end_t::failure, c = end_t::cancelled;
enum class stop_t : unsigned char { none, asked, forced };
inline std::string name_of(stop_t s) { return s == stop_t::none ? "" : s == stop_t::asked ? ", asked" : ", by force"; }

/// Operations, and what a combinator made of them.
template <class T>
struct sequence_stage {
  source<int> a, b;
  handle<T> out;
  operation result;
  weave::plain<bool> first_won = false;
  weave::plain<int> given_back = 0;
  std::optional<settle::outcome<T>> how;

  source<int>& at(int i) { return i == 0 ? a : b; }
  void begun(handle<T> h) {
    out = std::move(h);
    result = static_cast<operation const&>(out);
  }
  void stop(stop_t how_so) {
    if (how_so == stop_t::forced) result.cancel();
    if (how_so == stop_t::asked) result.request_cancel();
  }
  void come_to_an_end() {
    if (a.r) a.end_as(v, 8);
    if (b.r) b.end_as(v, 9);
  }
  void check(weave::world& w) {
    w.expect(result.is_released(), "the result is released");
    how = std::move(out).wait();
    for (source<int>* s : {&a, &b}) w.expect(!s->h || s->op.is_settled(), "an operation has ended");
    for (source<int>* s : {&a, &b}) s->h = {};
    for (source<int>* s : {&a, &b}) w.expect(s->op.is_released() && s->cleaned == 1, "an operation is released");
  }
};

/// A thread for each of the operations; one that stops the result, where there are three or it is wanted.
template <class T, class Make, class Check>
void together(Make make, Check check) {
  with_two_and_three([=](exploration& explore) {
    for (end_t const first : {v, f})
      for (end_t const second : {v, c})
        for (stop_t const stops : {stop_t::none, stop_t::asked, stop_t::forced}) {
          if (explore.threads == 3 && stops == stop_t::none) continue;
          explore(std::string(1, explore::name_of(first)) + explore::name_of(second) + name_of(stops),
                  [=, threads = explore.threads](weave::world& w) {
                    auto const s = std::make_shared<sequence_stage<T>>();
                    s->begun(make(*s));
                    w.thread("first", [=] { s->first_won = s->a.end_as(first, 1); });
                    if (threads == 3 || stops == stop_t::none) w.thread("second", [=] { s->b.end_as(second, 2); });
                    if (stops != stop_t::none) w.thread("stops", [=] { s->stop(stops); });
                    w.finally([=, &w] {
                      s->come_to_an_end();
                      s->check(w);
                      check(w, *s, first, second, stops);
                    });
                  });
        }
  });
}

void two_at_a_time(std::size_t limit) {
  together<std::vector<int>>(
      [limit](auto& s) { return settle::map_concurrent(std::vector<int>{0, 1}, limit, [&s](int i) { return std::move(s.at(i).h); }); },
      [](weave::world& w, auto& s, end_t first, end_t second, stop_t stops) {
        if (stops != stop_t::none) return;
        w.expect(s.how->has_value() == (first == v && second == v), "all values, or none");
        w.expect(first == v || second == v || !s.how->has_value(), "the first to end otherwise");
      });
}
TEST(explore_sequences, map_concurrent_one_at_a_time) { two_at_a_time(1); }
TEST(explore_sequences, map_concurrent_two_at_a_time) { two_at_a_time(2); }

TEST(explore_sequences, then_with_an_operation) {
  together<int>(
      [](auto& s) { return settle::then(std::move(s.a.h), [&s](int) { return std::move(s.b.h); }); },
      [](weave::world& w, auto& s, end_t first, end_t second, stop_t stops) {
        if (stops != stop_t::none) return;
        w.expect(first == f ? s.how->has_error() : second == v ? s.how->has_value() : s.how->is_cancelled(), "as the last that ran");
      });
}

// What is only watched goes on when the result is asked to cancel.
TEST(explore_sequences, then_with_a_watched_operation) {
  together<int>(
      [](auto& s) { return settle::then(std::move(s.a.h), [&s](int) { return s.b.h.watch(); }); },
      [](weave::world& w, auto& s, end_t first, end_t second, stop_t stops) {
        w.expect(second == c || !s.b.op.cancel_requested(), "nobody asked it");
        if (stops != stop_t::none) return;
        w.expect(first == f ? s.how->has_error() : second == v ? s.how->has_value() : s.how->is_cancelled(), "as the last that ran");
      });
}
TEST(explore_sequences, a_watched_operation_then_one_of_its_own) {
  together<int>(
      [](auto& s) { return settle::then(s.a.h.watch(), [&s](int) { return std::move(s.b.h); }); },
      [](weave::world& w, auto& s, end_t first, end_t second, stop_t stops) {
        w.expect(!s.a.op.cancel_requested(), "nobody asked it");
        if (stops != stop_t::none) return;
        w.expect(first == f ? s.how->has_error() : second == v ? s.how->has_value() : s.how->is_cancelled(), "as the last that ran");
      });
}

TEST(explore_sequences, or_else_with_an_operation) {
  together<int>([](auto& s) { return settle::or_else(std::move(s.a.h), [&s](settle::error const&) { return std::move(s.b.h); }); },
                [](weave::world& w, auto& s, end_t first, end_t second, stop_t stops) {
                  if (stops != stop_t::none) return;
                  w.expect(first == v || second == v ? s.how->has_value() : s.how->is_cancelled(), "as the last that ran");
                });
}

// Whatever comes between, what it began has ended before the result does.
TEST(explore_sequences, finally_with_an_operation) {
  together<int>([](auto& s) { return settle::finally(std::move(s.a.h), [&s] { return std::move(s.b.h); }); },
                [](weave::world& w, auto& s, end_t first, end_t, stop_t stops) {
                  if (stops != stop_t::none) return;
                  w.expect(first == v ? s.how->has_value() : s.how->has_error(), "as its source");
                });
}

// A resource is given back once, whatever happens to its user and to the result: a request ends nothing by itself, and force what has
// not ended yet, so whoever completes the acquiring knows whether there was a resource.
TEST(explore_sequences, bracket) {
  together<int>(
      [](auto& s) {
        return settle::bracket([&s] { return std::move(s.a.h); }, [&s](int&) { return std::move(s.b.h); },
                               [&s](int&&) { s.given_back = s.given_back + 1; });
      },
      [](weave::world& w, auto& s, end_t first, end_t, stop_t stops) {
        bool const won = s.first_won;
        w.expect(won || stops == stop_t::forced, "nobody else ends it");
        w.expect(s.given_back == (first == v && won ? 1 : 0), "given back once if it was had");
      });
}

}  // namespace
