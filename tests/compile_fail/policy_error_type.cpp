// SPDX-License-Identifier: BSL-1.0
// expect: settle: policy's `error_type` must be nothrow move constructible
#include <settle/settle.hpp>

#ifdef SETTLE_REJECT
struct careless {
  careless(settle::errc) noexcept {}
  careless(careless&&) noexcept(false) {}
};
struct chosen : settle::default_policy {
  using error_type = careless;
  static careless make_error(settle::errc e) noexcept { return careless(e); }
};
#else
struct careful {
  careful(settle::errc) noexcept {}
  careful(careful&&) noexcept {}
};
struct chosen : settle::default_policy {
  using error_type = careful;
  static careful make_error(settle::errc e) noexcept { return careful(e); }
};
#endif

template class settle::resolver<chosen>;
