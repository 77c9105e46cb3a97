// SPDX-License-Identifier: BSL-1.0
#include <settle/error.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <exception>
#include <new>
#include <source_location>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "allocations.hpp"

namespace {

using settle::errc;
using settle::error;

static_assert(sizeof(error) == 16 && std::is_nothrow_move_constructible_v<error> && std::is_nothrow_copy_constructible_v<error>);
static_assert(std::is_error_code_enum_v<errc>);

error thrown() { return std::make_exception_ptr(std::runtime_error("boom")); }

TEST(error, is_a_code) {
  error const e = errc::closed;
  EXPECT_EQ(e.code(), errc::closed);
  EXPECT_EQ(e.exception(), nullptr);
  EXPECT_EQ(error(make_error_code(std::errc::io_error)).code(), std::errc::io_error);
}

enum class their_errc { refused = 1 };
class their_category final : public std::error_category {
 public:
  char const* name() const noexcept override { return "theirs"; }
  std::string message(int) const override { return "refused"; }
};
std::error_code make_error_code(their_errc e) {
  static their_category const category;
  return {static_cast<int>(e), category};
}

}  // namespace

template <>
struct std::is_error_code_enum<their_errc> : std::true_type {};

namespace {

TEST(error, of_another_library) {
  error const e = their_errc::refused;
  EXPECT_EQ(e, their_errc::refused);
  EXPECT_NE(e, errc::closed);
  EXPECT_EQ(e.code(), make_error_code(their_errc::refused));
}

TEST(error, or_an_exception) {
  EXPECT_NE(thrown().exception(), nullptr);
  EXPECT_EQ(thrown().code(), std::errc::state_not_recoverable);
  EXPECT_EQ(error(std::make_exception_ptr(std::bad_alloc())).code(), errc::no_memory);
  EXPECT_EQ(error(std::make_exception_ptr(std::system_error(make_error_code(errc::no_timers)))).code(), errc::no_timers);
  EXPECT_EQ(error(std::make_exception_ptr(5)).code(), std::errc::state_not_recoverable);
}

TEST(error, raises_what_it_is) {
  EXPECT_THROW(thrown().raise(), std::runtime_error);
  EXPECT_THROW(error(errc::closed).raise(), std::system_error);
}

TEST(error, copies_moves_and_compares) {
  error const kinds[] = {errc::closed, errc::timed_out, thrown()};
  for (auto const& a : kinds) {
    for (auto const& b : kinds) {
      error c = a;
      EXPECT_EQ(c, a);
      error d = std::move(c);
      EXPECT_EQ(d, a);
      d = b;
      EXPECT_EQ(d, b);
      EXPECT_EQ(a == b, &a == &b);
      error const& same = d;
      d = same;
      EXPECT_EQ(d, b);
    }
  }
  EXPECT_NE(error(std::error_code(1, std::generic_category())), error(std::error_code(1, std::system_category())));
}

TEST(error, never_allocates) {
  test::allocation_count const count;
  error e = errc::timed_out;
  error f = e;
  e = std::move(f);
  EXPECT_EQ(e.code(), std::errc::timed_out);
  EXPECT_EQ(count.now(), 0U);
}

TEST(error, codes_speak) {
  EXPECT_STREQ(settle::settle_category().name(), "settle");
  for (auto [code, text] : {std::pair(errc::timed_out, "the deadline passed"), std::pair(errc::no_inputs, "a combinator got no inputs"),
                            std::pair(errc::closed, "closed: no new work is taken"), std::pair(errc::no_memory, "no memory"),
                            std::pair(errc::no_timers, "the executor offers no timers"),
                            std::pair(errc::cycle, "a continuation returned its own result"), std::pair(errc::cancelled, "cancelled")}) {
    EXPECT_EQ(std::error_code(code).message(), text);
  }
  EXPECT_EQ(std::error_code(99, settle::settle_category()).message(), "unknown settle error");
  EXPECT_EQ(make_error_code(errc::timed_out), std::errc::timed_out);
  EXPECT_EQ(make_error_code(errc::no_memory), std::errc::not_enough_memory);
  EXPECT_NE(make_error_code(errc::closed), std::errc::timed_out);
}

TEST(error, a_cancellation_as_an_error_says_whether_the_time_was_over) {
  auto const here = std::source_location::current();
  EXPECT_EQ(settle::default_policy::make_error(settle::cancellation(settle::cause::deadline, here)), settle::errc::timed_out);
  EXPECT_EQ(settle::default_policy::make_error(settle::cancellation(settle::cause::shutdown, here)), settle::errc::cancelled);
}

}  // namespace
