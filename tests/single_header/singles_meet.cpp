// SPDX-License-Identifier: BSL-1.0
#include "settle.hpp"
#include "settle_asio.hpp"
#include "settle_http2.hpp"
#include "settle_lockfree.hpp"

#include <gtest/gtest.h>

#include "meet.hpp"

int settled_by_singles(settle::resolver_of<int>& r) { return r.complete(1) ? 1 : 0; }

namespace {

TEST(single_header, a_file_of_singles_and_a_file_of_both_share_operations) {
  settle::resolver_of<int> r;
  settle::handle_of<int> h = r.get_handle();
  EXPECT_EQ(settled_by_singles(r), 1);
  EXPECT_EQ(seen_by_both(h), 1);
  static_assert(SETTLE_VERSION_MAJOR >= 0);
}

}  // namespace
