// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ERROR_HPP
#define SETTLE_ERROR_HPP

#include <exception>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

#include "detail/exceptions.hpp"
#include "errc.hpp"

namespace settle::inline v0 {

/// The default error type: an error code, or an exception. 16 bytes; never allocates.
///
/// ```cpp
/// settle::error e = settle::errc::timed_out;
/// if (e.code() == std::errc::timed_out) retry();
/// ```
class error {
 public:
  /// A code.
  error(std::error_code c) noexcept : category_(&c.category()), value_(c.value()) {}
  /// One of settle's own.
  error(errc e) noexcept : error(make_error_code(e)) {}
  /// A code of another library's: `e == asio::error::eof` compares with it.
  template <class Enum>
    requires(std::is_error_code_enum_v<Enum>)
  error(Enum e) noexcept : error(std::error_code(e)) {}
  /// An exception; must not be null.
  error(std::exception_ptr p) noexcept : category_(nullptr), exception_(std::move(p)) {}

  /// The same code, or another reference to the same exception.
  error(error const& o) noexcept : category_(o.category_) {
    if (category_ != nullptr) value_ = o.value_;
    else std::construct_at(&exception_, o.exception_);
  }
  /// A moved-from exception is null, a code stays.
  error(error&& o) noexcept : category_(o.category_) {
    if (category_ != nullptr) value_ = o.value_;
    else std::construct_at(&exception_, std::move(o.exception_));
  }
  /// Copies or moves, as its argument was made.
  error& operator=(error o) noexcept {
    std::destroy_at(this);
    std::construct_at(this, std::move(o));
    return *this;
  }
  ~error() {
    if (category_ == nullptr) std::destroy_at(&exception_);
  }

  /// The code. Of an exception: that of a std::system_error, else std::errc::state_not_recoverable.
  [[gnu::always_inline]] std::error_code code() const noexcept {
    if (category_ != nullptr) return {value_, *category_};
    return detail::code_in(exception_, make_error_code(errc::no_memory));
  }

  /// The exception, null when it is a code.
  std::exception_ptr exception() const noexcept { return category_ == nullptr ? exception_ : std::exception_ptr{}; }

  /// Throws what it is: the exception, or std::system_error with the code.
  [[noreturn, gnu::always_inline]] void raise() const {
    if (category_ == nullptr) detail::rethrow(exception_);
    detail::raise(std::system_error(code()));
  }

  friend bool operator==(error const& a, error const& b) noexcept {
    if (a.category_ == nullptr || b.category_ == nullptr) return a.category_ == b.category_ && a.exception_ == b.exception_;
    return a.value_ == b.value_ && *a.category_ == *b.category_;
  }

 private:
  std::error_category const* category_;  // null: an exception
  union {
    int value_;
    std::exception_ptr exception_;
  };
};

static_assert(sizeof(error) <= 2 * sizeof(void*));

}  // namespace settle::inline v0

#endif
