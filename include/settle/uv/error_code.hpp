// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_UV_ERROR_CODE_HPP
#define SETTLE_UV_ERROR_CODE_HPP

#include <uv.h>

#include <string>
#include <system_error>

#include "../errc.hpp"

namespace settle::inline v0::uv {

namespace detail {

class error_category final : public std::error_category {
 public:
  char const* name() const noexcept override { return "libuv"; }
  std::string message(int status) const override { return uv_strerror(status); }
  std::error_condition default_error_condition(int status) const noexcept override {
    if (status >= 0 || status <= first_of_libuvs_own) return {status, *this};
    return {-status, std::generic_category()};
  }

 private:
  static constexpr int first_of_libuvs_own = -3000;  // UV_EAI_...; above stands the negated errno, but on Windows
};

}  // namespace detail

/// A libuv status (negative: an error) as an error code: its message is libuv's, and it compares equal to the std::errc it
/// stands for. Never throws.
///
/// ```cpp
/// settle::resolver_of<int> r;
/// r.fail(settle::uv::error_code(UV_ECONNREFUSED));  // reads as std::errc::connection_refused
/// ```
inline std::error_code error_code(int status) noexcept { return {status, settle::detail::immortal<detail::error_category>()}; }

}  // namespace settle::inline v0::uv

#endif
