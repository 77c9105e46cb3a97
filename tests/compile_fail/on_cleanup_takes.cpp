// SPDX-License-Identifier: BSL-1.0
// expect: settle: on_cleanup takes `f\(\)` or `f\(settle::ending\)`
#include <settle/settle.hpp>

#include <utility>

void give(settle::operation const& op) {
#ifdef SETTLE_REJECT
  op.on_cleanup([](int) {});
#else
  op.on_cleanup([](settle::ending) {});
#endif
}
