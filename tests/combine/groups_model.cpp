// SPDX-License-Identifier: BSL-1.0
// all, race, any and all_settled against a model of ten lines: three inputs, every mixture of endings, every order, any
// number of them settled before they are wired, adopted or watched, quiet values and others, on each executor.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "situations.hpp"

namespace {

using namespace test;

enum class end_t { value, failure, cancelled };
constexpr end_t all_ends[] = {end_t::value, end_t::failure, end_t::cancelled};

/// How three inputs end: each one's ending, the order in which they settle, how many of them before wiring.
struct plot {
  std::array<end_t, 3> ends;
  std::array<int, 3> order;
  int early;
  bool watched;
};

/// In which order the combinator sees them: those settled before it was wired in argument order, then the others.
std::vector<int> seen_order(plot const& p) {
  std::vector<int> seen(p.order.begin(), p.order.end());
  std::sort(seen.begin(), seen.begin() + p.early);
  return seen;
}

/// Who decides: its index; 3: all together. `at`: with how many inputs seen.
struct verdict {
  int by;
  int at;
};
verdict expect_all(plot const& p) {
  std::vector<int> const seen = seen_order(p);
  for (int n = 0; n != 3; ++n)
    if (p.ends[static_cast<std::size_t>(seen[static_cast<std::size_t>(n)])] != end_t::value)
      return {seen[static_cast<std::size_t>(n)], n + 1};
  return {3, 3};
}
verdict expect_race(plot const& p) { return {seen_order(p)[0], 1}; }
verdict expect_any(plot const& p) {
  std::vector<int> const seen = seen_order(p);
  for (int n = 0; n != 3; ++n)
    if (p.ends[static_cast<std::size_t>(seen[static_cast<std::size_t>(n)])] == end_t::value)
      return {seen[static_cast<std::size_t>(n)], n + 1};
  return {seen[2], 3};
}

template <class T>
T value_of(int i) {
  if constexpr (std::is_same_v<T, std::string>) return "a string that does not fit into itself, number " + std::to_string(i);
  else return i;
}

template <class T, class Ex>
void end_as(subject<counted<T, Ex>>& s, end_t how, int i) {
  if (how == end_t::value) s.r.complete(value_of<T>(i));
  else if (how == end_t::failure) s.r.fail(settle::error(std::error_code(i + 1, std::generic_category())));
  else s.op.cancel(static_cast<settle::cause>(i + 4));
  subject<counted<T, Ex>>::drop(s.r);
}

template <class O>
void expect_ending(O const& o, plot const& p, int by) {
  end_t const how = p.ends[static_cast<std::size_t>(by)];
  if (how == end_t::failure) {
    ASSERT_TRUE(o.has_error());
    EXPECT_EQ(o.error().code(), std::error_code(by + 1, std::generic_category()));
  } else if (how == end_t::cancelled) {
    ASSERT_TRUE(o.is_cancelled());
    EXPECT_EQ(o.cancel().why, static_cast<settle::cause>(by + 4));
  } else {
    ASSERT_TRUE(o.has_value());
  }
}

/// f(plot) for each.
template <class F>
void in_every_plot(F f) {
  for (bool watched : {false, true})
    for (end_t a : all_ends)
      for (end_t b : all_ends)
        for (end_t c : all_ends) {
          std::array<int, 3> order{0, 1, 2};
          do {
            for (int early = 0; early <= 3; ++early) f(plot{{a, b, c}, order, early, watched});
          } while (std::next_permutation(order.begin(), order.end()));
        }
}
std::string text(plot const& p) {
  std::string t;
  for (end_t e : p.ends) t += e == end_t::value ? "v" : e == end_t::failure ? "f" : "c";
  t += " order";
  for (int i : p.order) t += " " + std::to_string(i);
  return t + " early " + std::to_string(p.early) + (p.watched ? " watched" : " adopted");
}

template <class T, class Place, class Combine, class Check>
void play(Place& place, plot const& p, Combine combine, verdict v, Check check) {
  using Ex = typename Place::executor;
  using S = subject<counted<T, Ex>>;
  SCOPED_TRACE(text(p));
  std::array<S, 3> s{S(place.get_executor()), S(place.get_executor()), S(place.get_executor())};
  for (int n = 0; n != p.early; ++n) {
    auto const i = static_cast<std::size_t>(p.order[static_cast<std::size_t>(n)]);
    end_as<T, Ex>(s[i], p.ends[i], static_cast<int>(i));
  }
  using wh = settle::watcher<counted<T, Ex>>;
  std::array<wh, 3> w;
  if (p.watched)
    for (std::size_t i = 0; i != 3; ++i) w[i] = wh(std::move(s[i].h));
  auto wire = [&] {
    if (p.watched) return combine(w[0], w[1], w[2]);
    return combine(std::move(s[0].h), std::move(s[1].h), std::move(s[2].h));
  };
  auto result = wire();
  int seen = p.early;
  for (;;) {
    place.run();
    EXPECT_EQ(result.is_settled(), seen >= v.at) << "with " << seen << " inputs settled";
    if (seen == 3) break;
    auto const i = static_cast<std::size_t>(p.order[static_cast<std::size_t>(seen++)]);
    bool const asked = s[i].op.cancel_requested();
    EXPECT_EQ(asked, !p.watched && seen > v.at && v.by != 3) << "losers are asked, what is watched is not";
    end_as<T, Ex>(s[i], p.ends[i], static_cast<int>(i));
  }
  place.run();
  EXPECT_TRUE(result.is_released());
  auto o = std::move(result).wait();
  check(o);
}

template <class T>
void all_plots() {
  on_each_executor([](auto& place) {
    in_every_plot([&](plot const& p) {
      verdict const v = expect_all(p);
      play<T>(
          place, p, [](auto&&... h) { return settle::all(std::forward<decltype(h)>(h)...); }, v,
          [&](auto const& o) {
            if (v.by != 3) return expect_ending(o, p, v.by);
            ASSERT_TRUE(o.has_value());
            EXPECT_EQ(o.value(), std::tuple(value_of<T>(0), value_of<T>(1), value_of<T>(2)));
          });
    });
  });
}
TEST(A14_all, agrees_with_the_model_on_quiet_values) { all_plots<int>(); }
TEST(A14_all, agrees_with_the_model_on_values_that_move) { all_plots<std::string>(); }

template <class T>
void race_plots() {
  on_each_executor([](auto& place) {
    in_every_plot([&](plot const& p) {
      verdict const v = expect_race(p);
      play<T>(
          place, p, [](auto&&... h) { return settle::race(std::forward<decltype(h)>(h)...); }, v,
          [&](auto const& o) {
            expect_ending(o, p, v.by);
            if (!o.has_value()) return;
            EXPECT_EQ(o.value().index(), static_cast<std::size_t>(v.by));
            std::visit([&](auto const& x) { EXPECT_EQ(x, value_of<T>(v.by)); }, o.value());
          });
    });
  });
}
TEST(A15_race, agrees_with_the_model_on_quiet_values) { race_plots<int>(); }
TEST(A15_race, agrees_with_the_model_on_values_that_move) { race_plots<std::string>(); }

template <class T>
void any_plots() {
  on_each_executor([](auto& place) {
    in_every_plot([&](plot const& p) {
      verdict const v = expect_any(p);
      play<T>(
          place, p, [](auto&&... h) { return settle::any(std::forward<decltype(h)>(h)...); }, v,
          [&](auto const& o) {
            if (p.ends[static_cast<std::size_t>(v.by)] == end_t::cancelled) {
              ASSERT_TRUE(o.has_error()) << "a cancelled input counts as failed";
              EXPECT_EQ(o.error().code(), settle::errc::cancelled);
              return;
            }
            expect_ending(o, p, v.by);
            if (o.has_value()) {
              EXPECT_EQ(o.value(), value_of<T>(v.by));
            }
          });
    });
  });
}
TEST(A15_any, agrees_with_the_model_on_quiet_values) { any_plots<int>(); }
TEST(A15_any, agrees_with_the_model_on_values_that_move) { any_plots<std::string>(); }

/// Its inputs are asked with it, and end so.
TEST(A15_any, asked_to_cancel_itself_it_is_cancelled_with_its_inputs) {
  for (bool watched : {false, true}) {
    subject<counted<int>> a;
    subject<counted<int>> b;
    settle::watcher<counted<int>> const wa = a.h.watch();
    settle::watcher<counted<int>> const wb = b.h.watch();
    auto result = watched ? settle::any(wa, wb) : settle::any(std::move(a.h), std::move(b.h));
    result.request_cancel(settle::cause::overload);
    a.r.cancel();
    b.r.cancel();
    auto const o = std::move(result).wait();
    ASSERT_TRUE(o.is_cancelled());
    EXPECT_EQ(o.cancel().why, settle::cause::overload);
  }
}
TEST(A15_any, a_deadline_of_the_last_input_is_told_as_one) {
  settle::resolver_of<std::string> r;
  settle::operation const op = r.op();
  auto result = settle::any(r.get_handle());
  op.cancel(settle::cause::deadline);
  r.cancel();
  EXPECT_EQ(std::move(result).wait().error().code(), settle::errc::timed_out);
}
template <class T>
void all_settled_plots() {
  on_each_executor([](auto& place) {
    in_every_plot([&](plot const& p) {
      play<T>(
          place, p, [](auto&&... h) { return settle::all_settled(std::forward<decltype(h)>(h)...); }, verdict{3, 3},
          [&](auto const& o) {
            ASSERT_TRUE(o.has_value());
            expect_ending(std::get<0>(o.value()), p, 0);
            expect_ending(std::get<1>(o.value()), p, 1);
            expect_ending(std::get<2>(o.value()), p, 2);
            if (p.ends[1] == end_t::value) {
              EXPECT_EQ(std::get<1>(o.value()).value(), value_of<T>(1));
            }
          });
    });
  });
}
TEST(A15_all_settled, agrees_with_the_model_on_quiet_values) { all_settled_plots<int>(); }
TEST(A15_all_settled, agrees_with_the_model_on_values_that_move) { all_settled_plots<std::string>(); }

// The same of a range, which has its slots elsewhere.
TEST(A14_all, of_a_range_agrees_with_the_model) {
  on_each_executor([](auto& place) {
    in_every_plot([&](plot const& p) {
      verdict const v = expect_all(p);
      auto of_range = [](auto&&... h) {
        std::vector<std::common_type_t<std::remove_cvref_t<decltype(h)>...>> list;
        (list.push_back(std::forward<decltype(h)>(h)), ...);
        return settle::all(std::move(list));
      };
      play<std::string>(place, p, of_range, v, [&](auto const& o) {
        if (v.by != 3) return expect_ending(o, p, v.by);
        ASSERT_TRUE(o.has_value());
        EXPECT_EQ(o.value(), (std::vector{value_of<std::string>(0), value_of<std::string>(1), value_of<std::string>(2)}));
      });
    });
  });
}
TEST(A15_race, of_a_range_agrees_with_the_model) {
  on_each_executor([](auto& place) {
    in_every_plot([&](plot const& p) {
      verdict const v = expect_race(p);
      auto of_range = [](auto&&... h) {
        std::vector<std::common_type_t<std::remove_cvref_t<decltype(h)>...>> list;
        (list.push_back(std::forward<decltype(h)>(h)), ...);
        return settle::race(std::move(list));
      };
      play<std::string>(place, p, of_range, v, [&](auto const& o) {
        expect_ending(o, p, v.by);
        if (o.has_value()) {
          EXPECT_EQ(o.value(), (std::pair{static_cast<std::size_t>(v.by), value_of<std::string>(v.by)}));
        }
      });
    });
  });
}

}  // namespace
