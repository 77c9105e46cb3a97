// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy must provide `static error_type make_error\(settle::errc\) noexcept`
#include <settle/settle.hpp>

#ifdef SETTLE_REJECT
struct chosen : settle::default_policy {
  using error_type = int;  // and the inherited make_error yields a settle::error
};
#else
struct chosen : settle::default_policy {
  using error_type = int;
  static int make_error(settle::errc e) noexcept { return static_cast<int>(e); }
};
#endif

template class settle::resolver<chosen>;
