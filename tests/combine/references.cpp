// SPDX-License-Identifier: BSL-1.0
// Who refers to what has no producer yet, or never has one.
#include <settle/combine/never.hpp>
#include <settle/combine/via.hpp>
#include <settle/coroutine.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;

settle::handle<counted<void>> cold() { co_return; }

TEST(G14_last_reference, an_operation_without_a_producer_lives_while_somebody_refers_to_it) {
  settle::operation op;
  {
    auto h = settle::never<int>();
    op = h;
    {
      settle::operation const another = op;
    }
    EXPECT_FALSE(op.is_settled());
    std::move(h).detach();
  }
  std::optional<settle::ending> how;
  op.on_done([&](settle::ending e) { how = e; });
  EXPECT_FALSE(how.has_value());
  op = {};
  ASSERT_TRUE(how.has_value());
  EXPECT_EQ(how->cancel.why, settle::cause::abandoned);
}

TEST(coroutine, a_cold_one_that_is_cancelled_before_it_starts_ends_where_its_combinator_runs) {
  auto h = settle::via(cold(), settle::inline_executor());
  int told = 0;
  settle::operation const op = h;
  op.on_done([&](settle::ending e) { told += e.kind == settle::ending::cancelled ? 1 : 0; });
  EXPECT_TRUE(op.cancel());
  EXPECT_EQ(told, 1);
  h = {};
  EXPECT_TRUE(op.is_released());
}

}  // namespace
