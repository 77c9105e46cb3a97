// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy's `value_type` must be void or movable
#include <settle/settle.hpp>

#ifdef SETTLE_REJECT
struct fixed {
  fixed() = default;
  fixed(fixed&&) = delete;
};
struct chosen : settle::default_policy {
  using value_type = fixed;
};
#else
struct chosen : settle::default_policy {
  using value_type = int;
};
#endif

template class settle::resolver<chosen>;
