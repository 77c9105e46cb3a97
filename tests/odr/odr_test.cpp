// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "half.hpp"
#include "scale.hpp"
#include "stack.hpp"

namespace {

// Every half makes operations that every other half finishes and a third one reads: one layout, one meaning.
TEST(odr, halves_with_different_settings_share_operations) {
  odr_half const halves[] = {odr_debug_20(), odr_release_23(), odr_noexcept(), odr_hidden()};
  int value = 0;
  for (auto const& maker : halves)
    for (auto const& finisher : halves)
      for (auto const& reader : halves) {
        settle::resolver<odr_policy> r;
        auto h = maker.make(r);
        EXPECT_EQ(reader.seen(h), -1);
        EXPECT_TRUE(finisher.finish(r, ++value));
        EXPECT_FALSE(maker.finish(r, 0));
        EXPECT_EQ(reader.seen(h), value);
      }
}

// A library that hides its symbols has a queue of its own for what it settles. Inside of what runs from the other queue that one runs at
// once; what comes back then waits in the first: the stack stays flat, whoever settles the next one.
TEST(odr, operations_that_two_libraries_settle_in_turn_need_no_stack) {
  static constexpr std::size_t links = test::a_million / 10;
  test::on_a_stack_of(test::a_small_stack, [] {
    odr_half const halves[] = {odr_hidden(), odr_debug_20()};
    std::vector<settle::resolver<odr_policy>> r(links);
    std::size_t told = 0;
    for (std::size_t i = 0; i != links; ++i)
      r[i].op().on_done([&, i] {
        ++told;
        EXPECT_TRUE(i + 1 == links || halves[(i + 1) % 2].finish(r[i + 1], 1));
      });
    EXPECT_TRUE(halves[0].finish(r[0], 1));
    EXPECT_EQ(told, links);
  });
}

TEST(odr, every_half_sees_the_same_sizes) {
  for (auto const& half : {odr_debug_20(), odr_release_23(), odr_noexcept(), odr_hidden()}) {
    EXPECT_EQ(half.sizes[0], sizeof(settle::handle<odr_policy>));
    EXPECT_EQ(half.sizes[1], sizeof(settle::resolver<odr_policy>));
    EXPECT_EQ(half.sizes[2], sizeof(settle::outcome<int>));
  }
}

}  // namespace
