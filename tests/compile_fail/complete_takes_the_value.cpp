// SPDX-License-Identifier: BSL-1.0
// An operation of void is completed with nothing, one with a value with exactly that.
// expect: complete
#include <settle/settle.hpp>

bool finish(settle::resolver_of<int>& r) {
#ifdef SETTLE_REJECT
  return r.complete();
#else
  return r.complete(1);
#endif
}
