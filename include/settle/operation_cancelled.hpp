// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_OPERATION_CANCELLED_HPP
#define SETTLE_OPERATION_CANCELLED_HPP

#include <exception>

#include "cause.hpp"

namespace settle::inline v0 {

/// Thrown by value() of a cancelled outcome.
class operation_cancelled : public std::exception {
 public:
  /// For `c`. Allocates nothing.
  explicit operation_cancelled(cancellation const& c) noexcept : why_(c) {}
  /// How it came about.
  cancellation const& why() const noexcept { return why_; }
  /// One sentence.
  char const* what() const noexcept override { return "settle: the operation was cancelled"; }

 private:
  cancellation why_;
};

}  // namespace settle::inline v0

#endif
