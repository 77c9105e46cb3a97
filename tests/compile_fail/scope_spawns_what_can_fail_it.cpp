// SPDX-License-Identifier: BSL-1.0
// The failure of what is spawned may become the scope's: its error has to convert.
// expect: settle: what is spawned into a scope fails with settle::error or a plain type that converts to it
#include <settle/settle.hpp>

#include <system_error>

struct refusal {
  int why;
};
struct own : settle::default_policy {
  using value_type = int;
#ifdef SETTLE_REJECT
  using error_type = refusal;
  static refusal make_error(settle::errc) noexcept { return {0}; }
  static refusal make_error(settle::cancellation const&) noexcept { return {1}; }
#else
  using error_type = std::error_code;
  static std::error_code make_error(settle::errc e) noexcept { return settle::make_error_code(e); }
#endif
};

void spawn(settle::scope& s) {
  s.spawn([] { return settle::handle<own>(); });
}
