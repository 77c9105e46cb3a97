// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_THROWN_HPP
#define SETTLE_DETAIL_THROWN_HPP

#include <concepts>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

#include "../errc.hpp"
#include "../error.hpp"
#include "../outcome.hpp"

namespace settle::inline v0::detail {

/// An exception as an operation's error.
template <class P>
typename P::error_type error_from(std::exception_ptr p) noexcept {
  using E = typename P::error_type;
  if constexpr (std::constructible_from<E, std::exception_ptr>) return E(std::move(p));
  else if constexpr (std::constructible_from<E, std::error_code>) return E(settle::error(std::move(p)).code());
  else return P::make_error(errc::no_memory);
}

/// Why, when the exception says that something was cancelled: it cancels what it leaves.
inline std::optional<cancellation> cancellation_in([[maybe_unused]] std::exception_ptr const& p) noexcept {
#if defined(__cpp_exceptions)
  try {
    std::rethrow_exception(p);
  } catch (operation_cancelled const& c) {
    return c.why();
  } catch (...) {  // a failure
  }
#endif
  return std::nullopt;
}

/// Ends what a producer's code threw out of: failed, or cancelled when it threw that.
template <class R>
void end_thrown(R& r, std::exception_ptr p) noexcept {
  using result = outcome<typename R::T, typename R::E>;
  if (std::optional<cancellation> const why = cancellation_in(p)) r.settle(result(*why));
  else r.fail(error_from<typename R::policy_type>(std::move(p)));
}

}  // namespace settle::inline v0::detail

#endif
