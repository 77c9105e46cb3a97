// SPDX-License-Identifier: BSL-1.0
// Combinators, scopes included, on a libuv loop.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include "combinator_suite.hpp"
#include "place.hpp"

namespace test {

INSTANTIATE_TYPED_TEST_SUITE_P(on_libuv, combinators, uv_place);

}  // namespace test
