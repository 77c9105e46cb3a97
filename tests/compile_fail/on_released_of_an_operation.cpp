// SPDX-License-Identifier: BSL-1.0
// expect: settle: on_done and on_released of an operation take `f\(\)` or `f\(settle::ending\)`
#include <settle/settle.hpp>

#include <utility>

void watch(settle::operation const& op) {
#ifdef SETTLE_REJECT
  op.on_released([](int) {});
#else
  op.on_released([] {});
#endif
}
