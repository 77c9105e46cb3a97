// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <chrono>
#include <thread>
#include <utility>

#include "../support/situations.hpp"

// Threads outside every executor that wait. (What is waited for in vain is waited for no time at all.)
namespace {

using number = test::counted<int>;
using std::chrono::seconds;

TEST(wait, takes_the_outcome_of_a_released_operation_in_every_way) {
  test::in_each_way([](test::way w) {
    if (w == test::way::drop) return;  // it has the handle
    test::subject<number> s;
    s.end(w);
    auto const out = std::move(s.h).wait();
    EXPECT_EQ(out.has_value(), w == test::way::complete);
    EXPECT_EQ(out.has_error(), w == test::way::fail);
    EXPECT_EQ(out.is_cancelled(), test::is_cancelled(w));
    EXPECT_FALSE(s.h);
  });
}

TEST(wait, blocks_until_released_not_settled) {
  test::subject<number> s;
  auto pin = s.op.pin();
  std::thread producer([&] {
    s.end(test::way::complete);
    pin.reset();
  });
  EXPECT_EQ(std::move(s.h).wait().value(), 42);
  EXPECT_TRUE(s.op.is_released());
  producer.join();
}

TEST(wait, of_an_operation) {
  settle::operation().wait_released();
  test::subject<number> s;
  std::thread producer([&] { s.end(test::way::fail); });
  s.op.wait_released();
  EXPECT_TRUE(s.op.is_released());
  producer.join();
}

TEST(wait, for_a_while_leaves_nothing_behind) {
  test::subject<number> s;
  long const bytes = test::ledger::bytes;
  EXPECT_FALSE(std::move(s.h).wait_for(seconds(0)).has_value());
  EXPECT_FALSE(std::move(s.h).wait_until(std::chrono::steady_clock::now()).has_value());
  EXPECT_TRUE(s.h) << "it still owns the operation";
  EXPECT_EQ(test::ledger::bytes, bytes);
  s.end(test::way::complete);
  EXPECT_EQ(std::move(s.h).wait_for(seconds(0))->value(), 42);
}

TEST(wait, for_a_while_that_suffices) {
  test::subject<number> s;
  std::thread producer([&] { s.end(test::way::complete); });
  auto const out = std::move(s.h).wait_for(seconds(60));
  ASSERT_TRUE(out.has_value());
  EXPECT_TRUE(out->has_value());
  producer.join();
}

TEST(wait, an_empty_handle_reads_as_failed) {
  EXPECT_EQ(settle::handle<number>().wait().error(), settle::error(settle::errc::no_memory));
  EXPECT_EQ(settle::handle<number>().wait_for(seconds(0))->error(), settle::error(settle::errc::no_memory));
}

TEST(wait, without_memory_throws_and_changes_nothing) {
  test::subject<number> s;
  {
    test::dry_after const dry(0);
    EXPECT_THROW(static_cast<void>(std::move(s.h).wait()), std::bad_alloc);
  }
  EXPECT_TRUE(s.h);
  s.end(test::way::complete);
}

TEST(wait, inside_a_callback_is_trapped) {
  test::subject<number> s;
  test::subject<number> other;
  s.op.on_done([&] { EXPECT_FALSE(std::move(other.h).wait_for(seconds(0)).has_value()); });
  s.end(test::way::complete);
  auto const reports = test::recording_sink::take();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].what, settle::monitor_event::misuse);
  other.end(test::way::complete);
}

TEST(wait, races_with_release) {
  for (int i = 0; i < 2'000; ++i) {
    test::subject<number> s;
    std::thread producer([&] { s.end(test::way::complete); });
    if (auto const out = std::move(s.h).wait_for(std::chrono::microseconds(i % 50)); out) {
      EXPECT_TRUE(out->has_value());
    } else {
      EXPECT_TRUE(std::move(s.h).wait().has_value());
    }
    producer.join();
  }
}

}  // namespace
