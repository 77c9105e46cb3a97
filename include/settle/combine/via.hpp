// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_VIA_HPP
#define SETTLE_COMBINE_VIA_HPP

#include <source_location>
#include <utility>

#include "../policy/executor.hpp"
#include "detail/pipe.hpp"
#include "detail/step.hpp"

namespace settle::inline v0 {

/// The same outcome, with what follows running on another executor: observers, consumers, further combinators, the value's
/// destruction. What the input runs, cleanups included, stays where it was.
///
/// A handle is adopted: asked to cancel with the result, released before it, and not before the result's observers have run,
/// so that a value may point into what its operation owns. A watcher is watched, and let go when the result is asked to
/// cancel. Cold when the input is. Cost: one block; throws std::bad_alloc.
///
/// Errors: the input's. Threads: the value is moved where the input's user code runs.
///
/// ```cpp
/// settle::via(fetch(url), loop).on_done([](auto&& out) { use(out); });  // on the loop
/// ```
template <class H, executor Ex>
  requires(detail::input_of<H>::is_input)
auto via(H&& h, Ex ex, std::source_location at = std::source_location::current()) {
  static_assert(detail::check_input<H>());
  using from = detail::input_of<H>;
  using In = std::remove_cvref_t<H>;
  using P = detail::result_policy<typename from::T, typename from::E, typename from::C, Ex>;
  return detail::begin_step<P, detail::via_step<P, In>>(std::move(ex), at, detail::never_empty(std::forward<H>(h)), std::monostate());
}

/// The same as a pipe: `std::move(h) | settle::via(ex)`.
template <executor Ex>
  requires(!detail::input_of<Ex>::is_input)
auto via(Ex ex, std::source_location at = std::source_location::current()) {
  return detail::pipe([ex = std::move(ex), at]<class H>(H&& h) mutable { return settle::via(std::forward<H>(h), std::move(ex), at); });
}

}  // namespace settle::inline v0

#endif
