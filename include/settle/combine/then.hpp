// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_THEN_HPP
#define SETTLE_COMBINE_THEN_HPP

#include <source_location>
#include <utility>

#include "detail/pipe.hpp"
#include "detail/step.hpp"

namespace settle::inline v0 {

/// Calls `f(value)` (or `f()`) when the input has yielded one, where its user code runs. What f returns is the result: a
/// value, nothing, or what a handle (adopted) or watcher yields. An error or a cancellation passes by f, at once.
///
/// A handle is adopted: asked to cancel with the result, released before it, and not before the result's observers have run,
/// so that a value may point into what its operation owns. A watcher is watched, and let go when the result is asked to
/// cancel. Cold when the input is. Cost: one block; throws std::bad_alloc.
///
/// Errors: the input's; what f throws; errc::cycle when f returns the result itself, or what hangs on it. f is destroyed
/// right after it has run, or instead, where the input's user code runs. A value that comes after a request is still given
/// to f; after a forced cancel it is lost.
///
/// ```cpp
/// settle::handle_of<page> p = settle::then(connect(host), [](my_connection c) { return c.get(); });
/// ```
template <class H, class F>
  requires(detail::input_of<H>::is_input)
auto then(H&& h, F f, std::source_location at = std::source_location::current()) {
  static_assert(detail::check_input<H>());
  return detail::make_step<detail::step_kind::then, detail::then_step>(std::forward<H>(h), std::move(f), at);
}

/// The same as a pipe: `std::move(h) | settle::then(f)`.
template <class F>
  requires(!detail::input_of<F>::is_input)
auto then(F f, std::source_location at = std::source_location::current()) {
  return detail::pipe([f = std::move(f), at]<class H>(H&& h) mutable { return settle::then(std::forward<H>(h), std::move(f), at); });
}

}  // namespace settle::inline v0

#endif
