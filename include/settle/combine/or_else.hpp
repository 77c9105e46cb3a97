// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_OR_ELSE_HPP
#define SETTLE_COMBINE_OR_ELSE_HPP

#include <source_location>
#include <utility>

#include "detail/pipe.hpp"
#include "detail/step.hpp"

namespace settle::inline v0 {

/// Calls `f(error const&)` (or `f()`) when the input has failed, where its user code runs. What f returns is the result: a
/// value, or what a handle (adopted) or watcher yields. A value or a cancellation passes by f.
///
/// A handle is adopted: asked to cancel with the result, released before it, and not before the result's observers have run,
/// so that a value may point into what its operation owns. A watcher is watched, and let go when the result is asked to
/// cancel. Cold when the input is. Cost: one block; throws std::bad_alloc.
///
/// Errors: what f throws, or its handle fails with: the result has that one's error type, which is how one error type is
/// mapped to another. errc::cycle when f returns the result itself. f is destroyed right after it has run, or instead.
///
/// ```cpp
/// auto h = settle::or_else(cached(key), [key](settle::error const&) { return load(key); });
/// ```
template <class H, class F>
  requires(detail::input_of<H>::is_input)
auto or_else(H&& h, F f, std::source_location at = std::source_location::current()) {
  static_assert(detail::check_input<H>());
  return detail::make_step<detail::step_kind::or_else, detail::or_else_step>(std::forward<H>(h), std::move(f), at);
}

/// The same as a pipe: `std::move(h) | settle::or_else(f)`.
template <class F>
  requires(!detail::input_of<F>::is_input)
auto or_else(F f, std::source_location at = std::source_location::current()) {
  return detail::pipe([f = std::move(f), at]<class H>(H&& h) mutable { return settle::or_else(std::forward<H>(h), std::move(f), at); });
}

}  // namespace settle::inline v0

#endif
