// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <vector>

#include "../support/situations.hpp"

// The ring of lasting hooks, walked past what a cancellation does not concern.
namespace {

using nothing = test::counted<void>;

TEST(G08_loud_cancel, passes_by_what_waits_for_release_and_finds_the_others) {
  for (bool const force : {false, true}) {
    test::subject<nothing> s;
    int released = 0, cancelled = 0;
    for (int i = 0; i < 200; ++i) {
      s.op.on_released([&] { ++released; });
      if (i % 50 == 25) s.op.on_cancel([&] { ++cancelled; });
    }
    EXPECT_TRUE(force ? s.op.cancel() : s.op.request_cancel());
    EXPECT_EQ(cancelled, 4);
    EXPECT_EQ(released, 0);
    test::subject<nothing>::drop(s.r);
    EXPECT_EQ(released, 200);
    EXPECT_EQ(cancelled, 4);
  }
}

TEST(G17_no_growth, hooks_withdrawn_while_a_walk_is_due_are_not_found) {
  test::subject<nothing> s;
  std::vector<settle::registration> kept;
  int ran = 0;
  for (int i = 0; i < 100; ++i) kept.push_back(s.op.on_released([&] { ++ran; }));
  for (int i = 0; i < 100; i += 2) EXPECT_TRUE(kept[static_cast<std::size_t>(i)].withdraw());
  s.op.on_cancel([] {});
  s.end(test::way::cancel);
  EXPECT_EQ(ran, 50);
}

}  // namespace
