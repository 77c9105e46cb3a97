// SPDX-License-Identifier: BSL-1.0
// expect: settle: a static_pool needs at least one block of at least one byte
#include <settle/settle.hpp>

#include <utility>

#ifdef SETTLE_REJECT
using pool = settle::static_pool<64, 0>;
#else
using pool = settle::static_pool<64, 8>;
#endif

void* take(pool p) { return p.try_allocate(8, 8); }
