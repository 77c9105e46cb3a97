// SPDX-License-Identifier: BSL-1.0
// expect: settle: on_cancel takes `f\(\)` or `f\(settle::cancellation\)`
#include <settle/settle.hpp>

#include <utility>

void watch(settle::operation const& op) {
#ifdef SETTLE_REJECT
  op.on_cancel([](settle::ending) {});
#else
  op.on_cancel([](settle::cancellation const&) {});
#endif
}
