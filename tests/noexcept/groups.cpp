// SPDX-License-Identifier: BSL-1.0
// Groups that make their inputs themselves, without exceptions: what cannot be made is a failure.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using coded = settle::handle_of<int, std::error_code>;

coded half(int i) {
  settle::resolver_of<int, std::error_code> r;
  coded h = r.get_handle();
  if (i % 2 == 0) r.complete(i / 2);
  else r.fail(std::make_error_code(std::errc::invalid_argument));
  return h;
}

TEST(noexcept_groups, map_concurrent_yields_all_or_the_first_failure) {
  std::vector const even{2, 4, 6};
  EXPECT_EQ(settle::map_concurrent(even, 2, &half).wait().value(), (std::vector{1, 2, 3}));
  EXPECT_EQ(settle::map_concurrent(std::span(even), 2, &half).wait().value(), (std::vector{1, 2, 3}));
  EXPECT_EQ(settle::map_concurrent(std::vector{2, 3}, 1, &half).wait().error(), std::errc::invalid_argument);
  std::vector<int> const none;
  EXPECT_TRUE(settle::map_concurrent(none, 2, &half).wait().value().empty());
  EXPECT_TRUE(settle::map_concurrent(std::span(none), 2, &half).wait().value().empty());
  EXPECT_TRUE(settle::map_concurrent(std::vector<int>(), 2, &half).wait().value().empty());
}
TEST(noexcept_groups, hedge_yields_the_first_value) {
  std::vector<std::unique_ptr<int>> items;
  for (int i : {1, 3, 4}) items.push_back(std::make_unique<int>(i));
  auto const f = [](std::unique_ptr<int> i) { return half(*i); };
  EXPECT_EQ(settle::hedge(std::chrono::hours(1), std::move(items), f).wait().value(), 2);
  items.clear();
  EXPECT_EQ(settle::hedge(std::chrono::hours(1), std::move(items), f).wait().error(), make_error_code(settle::errc::no_inputs));
}

}  // namespace
