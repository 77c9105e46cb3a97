// SPDX-License-Identifier: BSL-1.0
// G15 through combinators, in every interleaving: a value that an input yielded goes to the result's consumer or to the function
// that was given to the input's on_lost, and never to both.
#include <chrono>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "../stage.hpp"

namespace {

using namespace explore;
enum class stop_t : unsigned char { asked, forced };

/// Two inputs with the numbers 1 and 2, and where these went.
template <class T>
struct stage {
  source<T> in[2];
  operation result;
  weave::plain<int> lost[2];
  weave::plain<int> delivered[2];
  weave::plain<int> accepted[2];
  weave::plain<int> over = 0;

  /// Its end, waiting for its loss.
  handle<T> take(int i) {
    return std::move(in[i].h).on_lost([this, i](T&& v) noexcept {
      if (number_of(v) == i + 1) lost[i] = lost[i] + 1;
    });
  }
  void yield(int i) {
    producer<T> mine(std::move(in[i].r));
    if (mine.complete(T(i + 1))) accepted[i] = 1;
  }
  void count(T const& v) {
    int const n = number_of(v);
    if (n == 1 || n == 2) delivered[n - 1] = delivered[n - 1] + 1;
  }
  void count(std::tuple<T, T> const& v) {
    count(std::get<0>(v));
    count(std::get<1>(v));
  }
  void count(std::variant<T, T> const& v) {
    std::visit([&](auto const& each) { count(each); }, v);
  }
  void count(std::vector<T> const& v) {
    for (T const& each : v) count(each);
  }
  template <class H>
  void listen(H h) {
    result = h;
    std::move(h).on_done([this](auto&& o) {
      over = over + 1;
      if (o.has_value()) count(o.value());
    });
  }
  void check(weave::world& w) {
    w.expect(over == 1 && result.is_released(), "the result has ended");
    for (int i = 0; i != 2; ++i) {
      bool const unused = in[i].h && lost[i] == 0 && delivered[i] == 0;  // never asked for
      in[i].h = {};
      w.expect(in[i].op.is_released() && in[i].cleaned == 1, "an input is released");
      w.expect(unused || lost[i] + delivered[i] == accepted[i], "G15: a value is delivered or lost, once");
    }
  }
};

/// Both inputs yield, while somebody ends the result.
template <class T, class Make>
void conserves(Make make) {
  with_two_and_three([=](exploration& explore) {
    for (stop_t const stops : {stop_t::asked, stop_t::forced}) {
      explore(stops == stop_t::asked ? "asked" : "by force", [=, threads = explore.threads](weave::world& w) {
        auto const s = std::make_shared<stage<T>>();
        s->listen(make(*s));
        w.thread("yields", [=] {
          s->yield(0);
          if (threads == 2) s->yield(1);
        });
        if (threads == 3) w.thread("yields too", [=] { s->yield(1); });
        w.thread("stops", [=] { stops == stop_t::forced ? s->result.cancel() : s->result.request_cancel(); });
        w.finally([=, &w] { s->check(w); });
      });
    }
  });
}

TEST(explore_lost, all) {
  conserves<token>([](auto& s) { return settle::all(s.take(0), s.take(1)); });
}
TEST(explore_lost, all_of_values_that_are_copied) {
  conserves<int>([](auto& s) { return settle::all(s.take(0), s.take(1)); });
}
TEST(explore_lost, race) {
  conserves<token>([](auto& s) { return settle::race(s.take(0), s.take(1)); });
}
TEST(explore_lost, any) {
  conserves<token>([](auto& s) { return settle::any(s.take(0), s.take(1)); });
}
TEST(explore_lost, finally) {
  conserves<token>([](auto& s) { return settle::finally(s.take(0), [] {}); });
}
TEST(explore_lost, via) {
  conserves<token>([](auto& s) { return settle::via(s.take(0), settle::inline_executor()); });
}
TEST(explore_lost, or_else) {
  conserves<token>([](auto& s) { return settle::or_else(s.take(0), [&s](settle::error const&) { return s.take(1); }); });
}
TEST(explore_lost, retry) {
  conserves<token>([](auto& s) { return settle::retry(settle::backoff::none(1), [&s](unsigned) { return s.take(0); }); });
}
TEST(explore_lost, hedge) {
  conserves<token>([](auto& s) { return settle::hedge(std::chrono::seconds(1), std::vector<int>{0}, [&s](int i) { return s.take(i); }); });
}
TEST(explore_lost, bracket) {
  conserves<token>([](auto& s) { return settle::bracket([] { return 0; }, [&s](int&) { return s.take(0); }, [](int) {}); });
}
TEST(explore_lost, map_concurrent) {
  conserves<token>([](auto& s) { return settle::map_concurrent(std::vector<int>{0, 1}, 2, [&s](int i) { return s.take(i); }); });
}

}  // namespace
