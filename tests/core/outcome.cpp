// SPDX-License-Identifier: BSL-1.0
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "values.hpp"

namespace {

using settle::cancellation;
using settle::cause;
using settle::outcome;

outcome<std::string> value() { return {std::in_place, "text"}; }
outcome<std::string> failure() { return settle::error(settle::errc::closed); }
outcome<std::string> cancelled() { return cancellation(cause::shutdown, std::source_location::current()); }

/// As JSON values are: one of themselves is in them.
struct nested {
  using value_type = nested;
  using allocator_type = std::allocator<nested>;
};
static_assert(settle::detail::is_copyable<nested>);
static_assert(settle::detail::is_copyable<std::vector<std::string>>);
static_assert(!settle::detail::is_copyable<std::unique_ptr<int>>);
static_assert(!settle::detail::is_copyable<std::vector<std::vector<std::unique_ptr<int>>>>, "what std::vector says of itself is not so");
static_assert(!std::is_copy_constructible_v<settle::outcome<std::vector<std::unique_ptr<int>>>>);

TEST(outcome, is_one_of_three) {
  EXPECT_TRUE(value().has_value() && !value().has_error() && !value().is_cancelled() && value());
  EXPECT_TRUE(!failure().has_value() && failure().has_error() && !failure().is_cancelled() && !failure());
  EXPECT_TRUE(!cancelled().has_value() && !cancelled().has_error() && cancelled().is_cancelled() && !cancelled());
  EXPECT_FALSE(value().is_taken());
}

TEST(outcome, value_throws_what_it_is_instead) {
  EXPECT_EQ(value().value(), "text");
  auto out = value();
  out.value() += "s";
  EXPECT_EQ(std::as_const(out).value(), "texts");
  try {
    failure().value();
    FAIL();
  } catch (std::system_error const& e) {
    EXPECT_EQ(e.code(), settle::errc::closed);
  }
  try {
    cancelled().value();
    FAIL();
  } catch (settle::operation_cancelled const& e) {
    EXPECT_EQ(e.why().why, cause::shutdown);
    EXPECT_STREQ(e.what(), "settle: the operation was cancelled");
  }
  outcome<int, int> own = 7;
  EXPECT_THROW(std::move(own).value(), int);
  outcome<int, std::error_code> code = make_error_code(std::errc::io_error);
  EXPECT_THROW(std::move(code).value(), std::system_error);
  outcome<int> thrown = settle::error(std::make_exception_ptr(std::out_of_range("far")));
  EXPECT_THROW(std::move(thrown).value(), std::out_of_range);
}

TEST(outcome, copies_and_moves) {
  for (auto make : {&value, &failure, &cancelled}) {
    for (auto other : {&value, &failure, &cancelled}) {
      auto a = make();
      auto b = a;
      EXPECT_EQ(a.how().kind, b.how().kind);
      auto c = std::move(a);
      EXPECT_EQ(c.how().kind, b.how().kind);
      auto d = other();
      d = c;
      EXPECT_EQ(d.how().kind, c.how().kind);
      if (d) {
        EXPECT_EQ(d.value(), "text");
      }
      if (d.is_cancelled()) {
        EXPECT_EQ(d.cancel().why, cause::shutdown);
      }
    }
  }
}

TEST(outcome, move_only_values) {
  outcome<std::unique_ptr<int>> out(std::in_place, std::make_unique<int>(3));
  auto moved = std::move(out);
  std::unique_ptr<int> const p = std::move(moved).value();
  EXPECT_EQ(*p, 3);
  static_assert(!std::is_copy_constructible_v<outcome<std::unique_ptr<int>>>);
  static_assert(std::is_nothrow_move_constructible_v<outcome<std::unique_ptr<int>>>);
  static_assert(!std::is_nothrow_move_constructible_v<outcome<test::fragile>>);
}

TEST(outcome, a_throwing_move_leaves_nothing_half_made) {
  {
    outcome<test::fragile> out(std::in_place, test::fragile(1));
    test::fragile::throw_at = 1;
    EXPECT_THROW(outcome<test::fragile>(std::move(out)), std::runtime_error);
    test::fragile::throw_at = 0;
    EXPECT_EQ(out.value().value, 1);
  }
  EXPECT_EQ(test::fragile::alive, 0);
}

TEST(outcome, of_void) {
  outcome<void> out(std::in_place, {});
  static_assert(std::is_void_v<decltype(out.value())>);
  out.value();
  EXPECT_TRUE(out);
  EXPECT_EQ(out.visit([] { return 1; }, [](auto const&) { return 2; }, [](auto const&) { return 3; }), 1);
}

TEST(outcome, visit_is_exhaustive) {
  auto const which = [](outcome<std::string> const& o) {
    return o.visit([](std::string const&) { return 'v'; }, [](settle::error const&) { return 'e'; },
                   [](cancellation const&) { return 'c'; });
  };
  EXPECT_EQ(which(value()), 'v');
  EXPECT_EQ(which(failure()), 'e');
  EXPECT_EQ(which(cancelled()), 'c');
  outcome<std::unique_ptr<int>> out(std::in_place, std::make_unique<int>(4));
  auto const taken = std::move(out).visit([](std::unique_ptr<int> p) { return p; }, [](auto&&) { return std::unique_ptr<int>(); },
                                          [](auto const&) { return std::unique_ptr<int>(); });
  EXPECT_EQ(*taken, 4);
}

TEST(outcome, timed_out_has_two_faces) {
  using out = outcome<int>;
  EXPECT_TRUE(out(settle::error(settle::errc::timed_out)).timed_out());
  EXPECT_TRUE(out(settle::error(make_error_code(std::errc::timed_out))).timed_out());
  EXPECT_FALSE(out(settle::error(settle::errc::closed)).timed_out());
  EXPECT_TRUE(out(cancellation(cause::deadline, {})).timed_out());
  EXPECT_TRUE(out(cancellation(cause::deadline, {}).passed_down()).timed_out()) << "somebody above ran out of time";
  EXPECT_FALSE(out(cancellation(cause::shutdown, {})).timed_out());
  EXPECT_FALSE(out(std::in_place, 1).timed_out());
  EXPECT_TRUE((outcome<int, std::error_code>(make_error_code(std::errc::timed_out)).timed_out()));
  EXPECT_FALSE((outcome<int, int>(5).timed_out()));
}

/// What std::expected needs of a neighbour.
template <class T, class E>
struct expected {
  struct unexpected_type {
    E error;
  };
  std::variant<T, unexpected_type> is;
  expected(T v) : is(std::move(v)) {}
  expected(unexpected_type u) : is(std::move(u)) {}
};

TEST(outcome, to_expected_and_its_like) {
  using target = expected<std::string, settle::error>;
  auto const map = [](cancellation const&) { return settle::error(settle::errc::no_inputs); };
  EXPECT_EQ(std::get<0>(value().to<target>(map).is), "text");
  EXPECT_EQ(std::get<1>(failure().to<target>(map).is).error.code(), settle::errc::closed);
  EXPECT_EQ(std::get<1>(cancelled().to<target>(map).is).error.code(), settle::errc::no_inputs);
  EXPECT_EQ(std::get<1>(cancelled().to<target>().is).error.code(), std::errc::operation_canceled);
  settle::outcome<std::string> late(settle::cancellation(settle::cause::parent, settle::cause::deadline, {}));
  EXPECT_EQ(std::get<1>(std::move(late).to<target>().is).error.code(), std::errc::timed_out);
  EXPECT_EQ(std::get<1>((cancelled().to<target, settle::default_policy>()).is).error.code(), settle::errc::cancelled);
  struct spells : settle::default_policy {
    using settle::default_policy::make_error;
    static settle::error make_error(settle::cancellation const& c) noexcept {
      return c.why == settle::cause::parent ? settle::errc::no_timers : settle::errc::closed;
    }
  };
  EXPECT_EQ(std::get<1>((cancelled().to<target, spells>()).is).error.code(), settle::errc::closed);
}

TEST(outcome, how_is_the_same_without_its_types) {
  EXPECT_EQ(value().how().kind, settle::ending::value);
  EXPECT_EQ(failure().how().kind, settle::ending::failure);
  EXPECT_EQ(cancelled().how().kind, settle::ending::cancelled);
  EXPECT_EQ(cancelled().how().cancel.why, cause::shutdown);
}

TEST(outcome, causes_have_names_and_pass_down) {
  char const* const names[] = {"requested", "parent", "sibling", "deadline", "disconnect", "overload", "shutdown", "abandoned", "dropped"};
  for (int i = 0; i != 9; ++i) EXPECT_EQ(to_string(static_cast<cause>(i)), names[i]);
  auto const here = std::source_location::current();
  cancellation const c = cancellation(cause::deadline, here).passed_down().passed_down();
  EXPECT_EQ(c.why, cause::parent);
  EXPECT_EQ(c.root, cause::deadline);
  EXPECT_EQ(c.where.line(), here.line());
}

}  // namespace
