// SPDX-License-Identifier: BSL-1.0
// A coroutine as the optimiser sees it: its state stands in front of the frame, which to clang is an object of its own.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <utility>

namespace {

settle::handle_of<int> awaiting(settle::handle_of<int> first) { co_return co_await std::move(first) + 1; }

TEST(coroutine, has_its_state_in_front_of_the_frame) {
  settle::resolver_of<int> r;
  auto h = awaiting(r.get_handle());
  r.complete(41);
  EXPECT_EQ(std::move(h).wait().value(), 42);
}

}  // namespace
