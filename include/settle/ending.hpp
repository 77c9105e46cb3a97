// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ENDING_HPP
#define SETTLE_ENDING_HPP

#include <cstdint>

#include "cause.hpp"

namespace settle::inline v0 {

/// How an operation ended, without its types: what hooks that do not care for the value are told.
struct ending {
  /// One of the three.
  enum kind_t : std::uint8_t { value, failure, cancelled };
  kind_t kind = value;    ///< which of the three
  cancellation cancel{};  ///< meaningful when cancelled

  constexpr ending() noexcept = default;
  /// All of it.
  constexpr ending(kind_t k, cancellation const& c) noexcept : kind(k), cancel(c) {}
};

}  // namespace settle::inline v0

#endif
