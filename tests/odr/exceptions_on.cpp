// SPDX-License-Identifier: BSL-1.0
// A unit with exceptions keeps them, whatever it is linked with.
#include <gtest/gtest.h>

#include "exceptions.hpp"

#include <exception>
#include <new>
#include <stdexcept>
#include <system_error>

moody_value::moody_value(moody_value&&) {
  if (moves_before_it_throws >= 0 && moves_before_it_throws-- == 0) throw std::runtime_error("moved");
}

namespace {

settle::outcome<int> failed(settle::error e) {
  settle::resolver<both> r;
  auto h = r.get_handle();
  r.fail(std::move(e));
  return std::move(h).wait();
}

TEST(odr_exceptions, both_units_are_in_the_program) {
  settle::error const e = settle::errc::closed;
  EXPECT_EQ(without_exceptions(e), 124);
  EXPECT_EQ(use_everything(e), 124);
}

TEST(odr_exceptions, the_code_of_an_exception_is_still_found) {
  EXPECT_EQ(settle::error(std::make_exception_ptr(std::bad_alloc())).code(), settle::errc::no_memory);
  auto const coded = std::make_exception_ptr(std::system_error(std::make_error_code(std::errc::io_error)));
  EXPECT_EQ(settle::error(coded).code(), std::errc::io_error);
}

TEST(odr_exceptions, an_outcome_without_a_value_still_throws) {
  auto o = failed(settle::error(std::make_exception_ptr(std::runtime_error("mine"))));
  EXPECT_THROW(static_cast<void>(o.value()), std::runtime_error);
  EXPECT_THROW(static_cast<void>(std::as_const(o).value()), std::runtime_error);
  EXPECT_THROW(static_cast<void>(std::move(o).value()), std::runtime_error);
  EXPECT_THROW(static_cast<void>(failed(settle::errc::closed).value()), std::system_error);
  settle::outcome<int> const cancelled{settle::cancellation()};
  EXPECT_THROW(static_cast<void>(cancelled.value()), settle::operation_cancelled);
  EXPECT_THROW(settle::error(settle::errc::closed).raise(), std::system_error);
}

TEST(odr_exceptions, no_memory_still_throws) {
  settle::resolver<both> r;
  settle::operation const op = r.op();
  moody_memory::is_empty = true;
  EXPECT_THROW(settle::resolver<both>(), std::bad_alloc);
  EXPECT_THROW(op.on_done([] {}), std::bad_alloc);
  moody_memory::is_empty = false;
  r.complete(1);
}

// At whichever of the moves between an input and its result.
TEST(odr_exceptions, a_value_whose_move_throws_is_the_failure_of_a_combinator_with_a_function) {
  EXPECT_EQ(values_without_exceptions(), 6);
  int failures = 0;
  pass_on([&](auto combine) {
    bool threw = true;
    for (int n = 0; threw; ++n) {
      auto input = settle::ready(moody_value());
      moody_value::moves_before_it_throws = n;
      auto h = combine(std::move(input));
      threw = std::exchange(moody_value::moves_before_it_throws, -1) == -1;
      failures += threw ? 1 : 0;
      ASSERT_TRUE(h.is_released());
      EXPECT_EQ(std::move(h).wait().has_error(), threw) << "at move " << n;
    }
  });
  EXPECT_GE(failures, 6);
}

TEST(odr_exceptions, what_callbacks_throw_stops_nothing) {
  settle::resolver<both> r;
  int ran = 0;
  r.op().on_done([&] {
    ++ran;
    throw std::runtime_error("observer");
  });
  r.on_cleanup([&] {
    ++ran;
    throw std::runtime_error("cleanup");
  });
  r.op().on_released([&] { ++ran; });
  r.complete(1);
  EXPECT_EQ(ran, 3);
}

}  // namespace
