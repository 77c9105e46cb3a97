// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ERRC_HPP
#define SETTLE_ERRC_HPP

#include <cstddef>
#include <new>
#include <string>
#include <system_error>
#include <type_traits>

namespace settle::inline v0 {

/// The errors that settle itself reports.
enum class errc {
  timed_out = 1,  ///< a deadline passed; equal to std::errc::timed_out
  no_inputs,      ///< a combinator that needs one got none
  closed,         ///< the scope or server takes no new work
  no_memory,      ///< an allocation failed, or a fixed storage is full; equal to std::errc::not_enough_memory
  no_timers,      ///< the executor offers no timers
  cycle,          ///< a continuation returned its own result
  cancelled,      ///< a cancellation, told as an error; equal to std::errc::operation_canceled
};

namespace detail {

class error_category final : public std::error_category {
 public:
  char const* name() const noexcept override { return "settle"; }
  std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::timed_out:
        return "the deadline passed";
      case errc::no_inputs:
        return "a combinator got no inputs";
      case errc::closed:
        return "closed: no new work is taken";
      case errc::no_memory:
        return "no memory";
      case errc::no_timers:
        return "the executor offers no timers";
      case errc::cycle:
        return "a continuation returned its own result";
      case errc::cancelled:
        return "cancelled";
    }
    return "unknown settle error";
  }
  std::error_condition default_error_condition(int code) const noexcept override {
    switch (static_cast<errc>(code)) {
      case errc::timed_out:
        return std::errc::timed_out;
      case errc::no_memory:
        return std::errc::not_enough_memory;
      case errc::cancelled:
        return std::errc::operation_canceled;
      default:
        return {code, *this};
    }
  }
};

/// A category that lives as long as the program: it is never destroyed, and making it allocates nothing.
template <class Category>
std::error_category const& immortal() noexcept {
  alignas(Category) static std::byte storage[sizeof(Category)];
  static std::error_category const* const instance = ::new (static_cast<void*>(storage)) Category;
  return *instance;
}

}  // namespace detail

/// The category of settle::errc. Lives as long as the program: it is never destroyed, and making it allocates nothing.
inline std::error_category const& settle_category() noexcept { return detail::immortal<detail::error_category>(); }

inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), settle_category()}; }

}  // namespace settle::inline v0

template <>
struct std::is_error_code_enum<settle::errc> : std::true_type {};

#endif
