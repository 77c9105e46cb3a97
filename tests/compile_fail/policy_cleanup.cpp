// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy's `cleanup` must provide `inline_slots`, `slot_bytes` and `may_allocate`
#include <settle/settle.hpp>

#ifdef SETTLE_REJECT
struct stack {
  static constexpr int inline_slots = 4;
};
struct chosen : settle::default_policy {
  using cleanup = stack;
};
#else
struct chosen : settle::default_policy {
  using cleanup = settle::lifo_cleanup<4>;
};
#endif

template class settle::resolver<chosen>;
