// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_ODR_HALF_HPP
#define SETTLE_TESTS_ODR_HALF_HPP

#include <settle/settle.hpp>
#include <system_error>

// The policy that every half can use, also the one without exceptions.
struct odr_policy : settle::default_policy {
  using value_type = int;
  using error_type = std::error_code;
  static std::error_code make_error(settle::errc e) noexcept { return make_error_code(e); }
};

// What each half offers: sizes as it sees them, an operation made in it, one finished in it.
struct odr_half {
  std::size_t sizes[3];
  settle::handle<odr_policy> (*make)(settle::resolver<odr_policy>& out);
  bool (*finish)(settle::resolver<odr_policy>& r, int value);
  int (*seen)(settle::handle<odr_policy> const& h);
};

#ifndef EXPORT
#define EXPORT
#endif

EXPORT odr_half odr_debug_20();
EXPORT odr_half odr_release_23();
EXPORT odr_half odr_noexcept();
EXPORT odr_half odr_hidden();

#endif
