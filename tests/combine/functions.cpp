// SPDX-License-Identifier: BSL-1.0
// What the functions given to combinators may return: a value or nothing, a handle, a watcher, each there at once or later; or a throw.
// In each combinator it comes to the same.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "situations.hpp"

namespace {

using namespace test;
using namespace std::chrono_literals;
using settle::handle_of;
using settle::watcher_of;

/// A value that cannot be copied, so nor watched by combinators.
struct only_moved {
  std::unique_ptr<int> n;
  explicit only_moved(int v) : n(std::make_unique<int>(v)) {}
};

enum class form { value, handle, watcher };

/// A function of the user's, and the operation behind what it returns.
template <class T, form Form>
struct function {
  subject<counted<T>> behind;
  bool throws = false;
  int calls = 0;

  auto operator()() {
    ++calls;
    if (throws) throw std::runtime_error("called");
    if constexpr (Form == form::value) return some_value<T>();
    else if constexpr (Form == form::handle) return handle_of<T>(std::move(behind.h));
    else return watcher_of<T>(behind.h.watch());
  }
};

// Each calls `f` once, and yields what comes of it.
struct by_then {
  template <class F>
  static auto begin(F& f) {
    return settle::then(settle::ready(), [&f] { return f(); });
  }
};
struct by_or_else {
  template <class F>
  static auto begin(F& f) {
    using T = decltype(settle::retry(settle::backoff::none(1), [&f](unsigned) { return f(); }))::T;
    return settle::or_else(settle::failed<T>(settle::errc::closed), [&f](settle::error const&) { return f(); });
  }
};
struct by_retry {
  template <class F>
  static auto begin(F& f) {
    return settle::retry(settle::backoff::none(1), [&f](unsigned) { return f(); });
  }
};
struct by_hedge {
  template <class F>
  static auto begin(F& f) {
    return settle::hedge(1h, std::vector{0}, [&f](int) { return f(); });
  }
};
struct by_map_concurrent {
  template <class F>
  static auto begin(F& f) {
    return settle::map_concurrent(std::vector{0}, 1, [&f](int) { return f(); });
  }
};
struct by_use {
  template <class F>
  static auto begin(F& f) {
    return settle::bracket([] { return 0; }, [&f](int&) { return f(); }, [](int) {});
  }
};
struct by_acquire {
  template <class F>
  static auto begin(F& f) {
    return settle::bracket([&f] { return f(); }, [] {}, [] {});
  }
};
// These call it in the end, whatever comes; it may only spoil what there is.
struct by_finally {
  template <class F>
  static auto begin(F& f) {
    return settle::finally(settle::ready(), [&f] { return f(); });
  }
};
struct by_release {
  template <class F>
  static auto begin(F& f) {
    return settle::bracket([] { return 0; }, [](int&) { return std::string("used"); }, [&f](int) { return f(); });
  }
};

template <class By>
constexpr bool in_the_end = std::is_same_v<By, by_finally> || std::is_same_v<By, by_release>;
template <class By>
constexpr bool yields_it = !in_the_end<By> && !std::is_same_v<By, by_acquire>;

void expect_some(int v) { EXPECT_EQ(v, 42); }
void expect_some(only_moved const& v) { EXPECT_EQ(*v.n, 42); }
void expect_some(std::monostate) {}
template <class T>
void expect_some(std::vector<T> const& v) {
  ASSERT_EQ(v.size(), 1U);
  expect_some(v[0]);
}

template <class By, class H>
void expect_end(H h, way how) {
  ASSERT_TRUE(h.is_released());
  auto o = std::move(h).wait();
  EXPECT_EQ(o.has_value(), how == way::complete);
  bool const counts_as_failed = how == way::cancel && std::is_same_v<By, by_hedge>;
  EXPECT_EQ(o.has_error(), how == way::fail || counts_as_failed);
  EXPECT_EQ(o.is_cancelled(), how == way::cancel && !counts_as_failed);
  if constexpr (yields_it<By> && !std::is_void_v<typename H::T>)
    if (o.has_value()) expect_some(o.value());
}

template <class T, form Form, class By>
void ends() {
  for (way const how : {way::complete, way::fail, way::cancel})
    for (bool const late : {false, true}) {
      if (Form == form::value && (late || how != way::complete)) continue;
      if (in_the_end<By> && how == way::cancel) continue;  // nobody to ask: it was shielded
      SCOPED_TRACE(std::string(way_names[static_cast<int>(how)]) + (late ? " later" : " at once"));
      function<T, Form> f;
      if (!late) f.behind.end(how);
      auto h = By::begin(f);
      EXPECT_EQ(f.calls, 1);
      if (late) {
        EXPECT_FALSE(h.is_settled());
        f.behind.end(how);
      }
      expect_end<By>(std::move(h), how);
    }
  function<T, Form> thrower;
  thrower.throws = true;
  auto h = By::begin(thrower);
  thrower.behind.end(way::complete);
  ASSERT_TRUE(h.is_released());
  EXPECT_THROW(std::move(h).wait().value(), std::runtime_error);
  EXPECT_EQ(thrower.calls, 1);
}

// What is adopted hears of a request, and has the last word; what is only watched is left.
template <class T, form Form, class By>
void asked() {
  function<T, Form> f;
  auto h = By::begin(f);
  h.request_cancel(settle::cause::overload);
  EXPECT_EQ(f.behind.op.cancel_requested(), Form == form::handle && !in_the_end<By>);
  EXPECT_EQ(h.is_settled(), Form == form::watcher && !in_the_end<By>);
  f.behind.end(way::complete);
  ASSERT_TRUE(h.is_released());
}

template <class T, class By>
void in_every_form() {
  ends<T, form::value, By>();
  ends<T, form::handle, By>();
  asked<T, form::handle, By>();
  if constexpr (!std::is_same_v<T, only_moved>) {
    ends<T, form::watcher, By>();
    asked<T, form::watcher, By>();
  }
}
template <class By>
void of_every_type() {
  in_every_form<int, By>();
  in_every_form<void, By>();
  in_every_form<only_moved, By>();
}

template <class By>
class functions : public testing::Test {};
using all_of_them = testing::Types<by_then, by_or_else, by_retry, by_hedge, by_map_concurrent, by_use, by_acquire, by_finally, by_release>;
TYPED_TEST_SUITE(functions, all_of_them);

TYPED_TEST(functions, return_values_of_every_type_in_every_form_or_throw) { of_every_type<TypeParam>(); }

// A view sees what is somebody else's; a container that is given away is taken apart.
TEST(functions, items_that_a_view_sees_stay_whole) {
  std::vector<std::string> const whole{"a string that does not fit into itself", "another one that does not either"};
  auto const length = [](std::string s) { return s.size(); };
  auto const lengths = std::vector{whole[0].size(), whole[1].size()};
  std::vector<std::string> mine = whole;
  EXPECT_EQ(settle::map_concurrent(std::span(mine), 1, length).wait().value(), lengths);
  EXPECT_EQ(settle::map_concurrent(std::views::all(mine), 2, length).wait().value(), lengths);
  EXPECT_EQ(settle::map_concurrent(mine | std::views::reverse, 1, length).wait().value(), (std::vector{lengths[1], lengths[0]}));
  EXPECT_EQ(settle::hedge(std::chrono::seconds(1), std::views::all(mine), length).wait().value(), lengths[0]);
  EXPECT_EQ(mine, whole);
  EXPECT_EQ(settle::map_concurrent(std::list<std::string>(mine.begin(), mine.end()), 1, length).wait().value(), lengths);
}
TEST(functions, items_of_a_container_that_is_given_away_are_moved) {
  auto const made = [] {
    std::vector<std::unique_ptr<int>> v;
    for (int i : {1, 2, 3}) v.push_back(std::make_unique<int>(i));
    return v;
  };
  auto const look = [](std::unique_ptr<int> p) { return *p; };
  std::vector const values{1, 2, 3};
  EXPECT_EQ(settle::map_concurrent(made(), 2, look).wait().value(), values);
  EXPECT_EQ(settle::map_concurrent(std::views::all(made()), 2, look).wait().value(), values);
  EXPECT_TRUE(settle::map_concurrent(std::views::all(std::vector<std::unique_ptr<int>>()), 2, look).wait().value().empty());
  std::deque<std::unique_ptr<int>> others;
  others.push_back(std::make_unique<int>(4));
  EXPECT_EQ(settle::hedge(std::chrono::seconds(1), std::move(others), look).wait().value(), 4);
}

}  // namespace
