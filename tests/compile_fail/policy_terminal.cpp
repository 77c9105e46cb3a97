// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy must provide `terminal` with a nested type `sync`
#include <settle/settle.hpp>

#ifdef SETTLE_REJECT
struct chosen : settle::default_policy {
  using terminal = int;
};
#else
struct chosen : settle::default_policy {
  using terminal = settle::cas_terminal;
};
#endif

template class settle::resolver<chosen>;
