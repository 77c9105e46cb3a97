// SPDX-License-Identifier: BSL-1.0
// expect: settle: on_done of a handle that is given up
#include <settle/settle.hpp>

#include <utility>

void take(settle::handle_of<int> h) {
#ifdef SETTLE_REJECT
  std::move(h).on_done([](int) {});
#else
  std::move(h).on_done([](settle::outcome<int>&&) {});
#endif
}
