// SPDX-License-Identifier: BSL-1.0
// Two acts on one operation, in every combination, each looked at for a short while: for whoever changes the core and wants to know
// within seconds. The whole of it is explore/two_acts and explore/three_acts.
#include <gtest/gtest.h>
#include <settle/testing/weave.hpp>

#include "generated/acts.hpp"

namespace {

namespace weave = settle::testing::weave;

TEST(explore_acts, any_two_at_once_keep_the_contract) {
  unsigned looked_at = 0;
  for (auto const& todo : explore::multisets(2))
    for (explore::setting const& s : explore::settings) {
      if (!explore::possible(todo, s)) continue;
      for (weave::options const& how :
           {weave::options{.max_executions = 500}, weave::options{.preemptions = 1, .old_values = 1, .max_executions = 2000}}) {
        auto const r = explore::run(todo, s, how);
        ASSERT_TRUE(r.clean) << explore::name_of(todo, s) << "\n" << r.text();
      }
      ++looked_at;
    }
  EXPECT_EQ(looked_at, 614U);
}

}  // namespace
