// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_PINNED_OUTCOME_HPP
#define SETTLE_PINNED_OUTCOME_HPP

#include <utility>

#include "fwd.hpp"
#include "outcome.hpp"
#include "pin.hpp"

namespace settle::inline v0 {

/// An outcome to look at, and the pin that holds back what it may point into.
template <class P>
struct pinned_outcome {
  outcome<typename P::value_type, typename P::error_type> const& result;  ///< good while the handle or a watcher lives
  basic_pin<typename P::terminal> pin;                                    ///< empty when the cleanups run already, or have

  /// Made by `co_await h.pinned()`.
  pinned_outcome(outcome<typename P::value_type, typename P::error_type> const& o, basic_pin<typename P::terminal> p) noexcept
      : result(o), pin(std::move(p)) {}
};

}  // namespace settle::inline v0

#endif
