// SPDX-License-Identifier: BSL-1.0
// Asynchronous cleanups, deadlines and stop tokens without exceptions.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <stop_token>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;

TEST(noexcept_cleanups, an_asynchronous_cleanup_ends_before_the_next_begins) {
  subject<counted<int>> s;
  subject<counted<void>> farewell;
  trail log;
  s.op.on_cleanup([&] { log.push_back("1"); });
  s.op.on_cleanup([&] {
    log.push_back("2");
    return std::move(farewell.h);
  });
  s.end(way::complete);
  EXPECT_EQ(log, trail{"2"});
  farewell.end(way::complete);
  EXPECT_EQ(log, (trail{"2", "1"}));
  EXPECT_TRUE(s.op.is_released());
}

TEST(noexcept_cleanups, deadlines_and_stop_tokens) {
  std::stop_source outside;
  subject<counted<int>> s;
  auto const soon = std::chrono::steady_clock::now() + std::chrono::hours(1);
  EXPECT_TRUE(s.op.tighten(soon));
  EXPECT_EQ(s.op.deadline(), soon);
  auto const stop = s.op.stop_token();
  EXPECT_TRUE(settle::link_stop_token(s.op, outside.get_token()));
  outside.request_stop();
  EXPECT_TRUE(stop.stop_requested());
  s.end(way::abandon);
}

}  // namespace
