// SPDX-License-Identifier: BSL-1.0
// expect: settle: on_done of a handle or a watcher takes .* who wants the value itself says
#include <settle/settle.hpp>

#include <utility>

void watch(settle::watcher_of<int> const& w) {
#ifdef SETTLE_REJECT
  w.on_done([](int) {});
#else
  w.on_done([](auto const&) {});
#endif
}
