// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>

#include "half.hpp"

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

TEST(odr, every_half_sees_the_same_sizes) {
  for (auto const& half : {odr_debug_20(), odr_release_23(), odr_noexcept(), odr_hidden()}) {
    EXPECT_EQ(half.sizes[0], sizeof(settle::handle<odr_policy>));
    EXPECT_EQ(half.sizes[1], sizeof(settle::resolver<odr_policy>));
    EXPECT_EQ(half.sizes[2], sizeof(settle::outcome<int>));
  }
}

}  // namespace
