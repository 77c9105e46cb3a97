// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy must provide `value_type`, `error_type` and `executor_type`
#include <settle/settle.hpp>

#ifdef SETTLE_REJECT
struct chosen {
  using terminal = settle::cas_terminal;
};
#else
struct chosen : settle::default_policy {};
#endif

template class settle::resolver<chosen>;
