// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy's `monitor` must provide `static void on_event\(settle::monitor_event const&\) noexcept`
#include <settle/settle.hpp>

#ifdef SETTLE_REJECT
struct watch {
  void on_event(settle::monitor_event const&) noexcept {}  // not static
};
struct chosen : settle::default_policy {
  using monitor = watch;
};
#else
struct watch {
  static void on_event(settle::monitor_event const&) noexcept {}
};
struct chosen : settle::default_policy {
  using monitor = watch;
};
#endif

template class settle::resolver<chosen>;
