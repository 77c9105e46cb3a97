// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_QUIESCENT_HPP
#define SETTLE_TESTING_QUIESCENT_HPP

#include <string>

// For GoogleTest, which the test itself includes.

namespace settle::inline v0::testing {

/// Why `what` is not quiescent; empty when it is. `what` offers `is_quiescent()` and `text()`: a census, a simulation.
template <class T>
std::string unrest(T const& what) {
  return what.is_quiescent() ? std::string() : "still alive:\n" + what.text();
}

}  // namespace settle::inline v0::testing

/// Fails unless every operation is released and nobody refers to one; prints the census then.
///
/// ```cpp
/// EXPECT_QUIESCENT(settle::census());
/// ```
#define EXPECT_QUIESCENT(what) EXPECT_EQ(::settle::testing::unrest(what), "")
#define ASSERT_QUIESCENT(what) ASSERT_EQ(::settle::testing::unrest(what), "")

#endif
