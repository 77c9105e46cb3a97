// SPDX-License-Identifier: BSL-1.0
// What an interval calls returns nothing: a tick does not wait for what it began.
// expect: settle: the function of interval::each returns nothing; what takes time waits for `next\(\)` in a coroutine
#include <settle/settle.hpp>

#include <chrono>

void begin() {
#ifdef SETTLE_REJECT
  settle::interval(settle::inline_executor(), std::chrono::seconds(1)).each([] { return 1; });
#else
  settle::interval(settle::inline_executor(), std::chrono::seconds(1)).each([] {});
#endif
}
