// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy's `executor_type` must provide `void execute\(F\) const` for a move-only F
#include <settle/settle.hpp>

#ifdef SETTLE_REJECT
struct runs_here {
  template <class F>
  void execute(F f) {  // not const
    f();
  }
};
#else
struct runs_here {
  template <class F>
  void execute(F f) const {
    f();
  }
};
#endif

struct chosen : settle::default_policy {
  using executor_type = runs_here;
};

template class settle::resolver<chosen>;
