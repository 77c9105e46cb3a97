// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy's `error_sink` must provide `static void report\(std::exception_ptr, settle::monitor_event const&\) noexcept`
#include <settle/settle.hpp>

#ifdef SETTLE_REJECT
struct sink {
  static void report(std::exception_ptr, settle::monitor_event const&) {}  // may throw
};
struct chosen : settle::default_policy {
  using error_sink = sink;
};
#else
struct sink {
  static void report(std::exception_ptr, settle::monitor_event const&) noexcept {}
};
struct chosen : settle::default_policy {
  using error_sink = sink;
};
#endif

template class settle::resolver<chosen>;
