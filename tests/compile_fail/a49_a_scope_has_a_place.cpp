// SPDX-License-Identifier: BSL-1.0
// A49: what is spawned has somebody who waits for it, or says that nobody does by naming an executor.
// expect: no matching (function for call to|constructor for initialization of) .*scope
#include <settle/settle.hpp>

void spawn(settle::operation const& parent) {
#ifdef SETTLE_REJECT
  settle::scope work;
#else
  settle::scope work(parent);
#endif
  work.spawn([] {});
}
