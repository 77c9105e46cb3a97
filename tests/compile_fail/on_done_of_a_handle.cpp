// SPDX-License-Identifier: BSL-1.0
// expect: settle: on_done of a handle or a watcher takes `f\(settle::outcome<T, E> const&\)`
#include <settle/settle.hpp>

#include <utility>

void watch(settle::handle_of<int> const& h) {
#ifdef SETTLE_REJECT
  h.on_done([](settle::outcome<int>&&) {});
#else
  h.on_done([](settle::outcome<int> const&) {});
#endif
}
