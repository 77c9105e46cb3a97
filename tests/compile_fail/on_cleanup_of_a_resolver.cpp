// SPDX-License-Identifier: BSL-1.0
// expect: settle: on_cleanup takes `f\(\)` or `f\(settle::ending\)`
#include <settle/settle.hpp>

#include <utility>

void give(settle::resolver_of<int>& r) {
#ifdef SETTLE_REJECT
  r.on_cleanup([](settle::outcome<int> const&) {});
#else
  r.on_cleanup([] {});
#endif
}
