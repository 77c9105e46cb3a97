// SPDX-License-Identifier: BSL-1.0
// An owner is handed over, never copied.
// expect: deleted|no matching|use of deleted
#include <settle/settle.hpp>

#include <utility>

void keep(settle::handle_of<int>) {}

void hand_over(settle::handle_of<int>& h) {
#ifdef SETTLE_REJECT
  keep(h);
#else
  keep(std::move(h));
#endif
}
