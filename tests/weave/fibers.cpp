// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/testing/weave/fiber.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

// Stacks that are switched, by both ways of switching.
namespace {

namespace weave = settle::testing::weave;

template <class Context>
class weave_fibers : public testing::Test {};
using contexts = testing::Types<weave::machine_context, weave::portable_context>;
TYPED_TEST_SUITE(weave_fibers, contexts);

template <class Context>
struct two {
  using fiber = weave::basic_fiber<Context>;
  fiber base;
  fiber a{std::in_place};
  fiber b{std::in_place};
  std::string log;
};

TYPED_TEST(weave_fibers, each_goes_on_where_it_was) {
  using both = two<TypeParam>;
  both t;
  t.a.start(
      [](void* p) {
        auto& me = *static_cast<both*>(p);
        for (int i = 0; i != 3; ++i) {
          me.log += "a" + std::to_string(i);
          both::fiber::switch_to(me.a, me.b);
        }
        both::fiber::switch_to(me.a, me.base);
      },
      &t);
  t.b.start(
      [](void* p) {
        auto& me = *static_cast<both*>(p);
        for (double x = 0.5;; x *= 2) {
          me.log += "b" + std::to_string(static_cast<int>(x * 2));
          both::fiber::switch_to(me.b, me.a);
        }
      },
      &t);
  both::fiber::switch_to(t.base, t.a);
  EXPECT_EQ(t.log, "a0b1a1b2a2b4");
}

TYPED_TEST(weave_fibers, exceptions_that_are_being_handled_stay_with_their_stack) {
  using both = two<TypeParam>;
  both t;
  static constexpr auto handle = [](both& all, typename both::fiber& me, typename both::fiber& other, char const* name) {
    try {
      throw std::runtime_error(name);
    } catch (...) {
      both::fiber::switch_to(me, other);
      try {
        throw;
      } catch (std::exception const& e) {
        all.log += e.what();
      }
    }
    all.log += std::to_string(std::uncaught_exceptions());
  };
  t.a.start(
      [](void* p) {
        auto& me = *static_cast<both*>(p);
        handle(me, me.a, me.b, "first ");
        both::fiber::switch_to(me.a, me.b);
      },
      &t);
  t.b.start(
      [](void* p) {
        auto& me = *static_cast<both*>(p);
        handle(me, me.b, me.a, " second ");
        both::fiber::switch_to(me.b, me.base);
      },
      &t);
  both::fiber::switch_to(t.base, t.a);
  EXPECT_EQ(t.log, "first 0 second 0");
}

TYPED_TEST(weave_fibers, a_stack_can_be_started_again_and_again) {
  using both = two<TypeParam>;
  both t;
  for (int i = 0; i != 100; ++i) {
    t.a.start(
        [](void* p) {
          auto& me = *static_cast<both*>(p);
          std::array<char, 1000> room{};
          room[999] = 'x';
          me.log += room[999];
          both::fiber::switch_to(me.a, me.base);
        },
        &t);
    both::fiber::switch_to(t.base, t.a);
  }
  EXPECT_EQ(t.log, std::string(100, 'x'));
}

}  // namespace
