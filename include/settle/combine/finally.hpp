// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_FINALLY_HPP
#define SETTLE_COMBINE_FINALLY_HPP

#include <source_location>
#include <utility>

#include "detail/finally_step.hpp"
#include "detail/pipe.hpp"
#include "detail/step.hpp"

namespace settle::inline v0 {

/// Calls `f(ending)` (or `f()`) once, however the input has ended, where its user code runs, also when the result was
/// cancelled by force. Then the input's outcome passes. When f returns a handle, the outcome waits for it; no cancellation
/// of the result reaches it, and the result is released after it.
///
/// A handle is adopted: asked to cancel with the result, released before it, and not before the result's observers have run,
/// so that a value may point into what its operation owns. A watcher is watched, and let go when the result is asked to
/// cancel. Cold when the input is. Cost: one block; throws std::bad_alloc.
///
/// Errors: the input's; when f throws, or what it returned fails, that instead. f is destroyed right after it has run.
///
/// ```cpp
/// auto h = std::move(copy) | settle::finally([&] { return remove(temporary); });
/// ```
template <class H, class F>
  requires(detail::input_of<H>::is_input)
auto finally(H&& h, F f, std::source_location at = std::source_location::current()) {
  static_assert(detail::check_input<H>());
  return detail::make_step<detail::step_kind::finally, detail::finally_step>(std::forward<H>(h), std::move(f), at);
}

/// The same as a pipe: `std::move(h) | settle::finally(f)`.
template <class F>
  requires(!detail::input_of<F>::is_input)
auto finally(F f, std::source_location at = std::source_location::current()) {
  return detail::pipe([f = std::move(f), at]<class H>(H&& h) mutable { return settle::finally(std::forward<H>(h), std::move(f), at); });
}

}  // namespace settle::inline v0

#endif
