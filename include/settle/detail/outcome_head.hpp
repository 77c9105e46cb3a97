// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_OUTCOME_HEAD_HPP
#define SETTLE_DETAIL_OUTCOME_HEAD_HPP

#include <cstdint>
#include <source_location>

#include "../cause.hpp"

namespace settle::inline v0::detail {

/// The part of an outcome that needs no types, so that a rival that cancels writes it without knowing them.
struct outcome_head {
  enum kind_t : std::uint8_t { pending, value, failure, cancelled, taken };
  kind_t kind = pending;
  cause why = cause::requested;
  cause root = cause::requested;
  bool unused = false;  // so that all four are one store
  std::source_location where{};

  cancellation cancelled_by() const noexcept { return {why, root, where}; }
  void cancelled_by(cancellation const& c) noexcept {
    why = c.why;
    root = c.root;
    where = c.where;
  }
};

}  // namespace settle::inline v0::detail

#endif
