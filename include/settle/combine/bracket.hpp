// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_BRACKET_HPP
#define SETTLE_COMBINE_BRACKET_HPP

#include <source_location>
#include <type_traits>
#include <utility>

#include "detail/bracketing.hpp"

namespace settle::inline v0 {

/// `acquire()` yields a resource, `use(resource&)` works with it, `release(resource)` is called with it once, on every path:
/// whatever use yields, throws or is cancelled to, also when the resource arrives after a cancellation (use is skipped then).
/// Never without a resource. Each may return a value, or a handle or watcher that yields it.
///
/// The outcome is use's; it comes once use's operation is released and release has ended. What release throws, or fails
/// with, is the result's instead. Cancelling the result asks acquire and use; what release returns is shielded, and the
/// result is released after it. acquire is called here, the others where its user code runs.
///
/// Errors: those of all three, which must have one error type; functions that return no operation have that of those that do,
/// and their terminal. Throws std::bad_alloc. Cost: one block, and what the
/// functions make.
///
/// ```cpp
/// auto h = settle::bracket([&] { return pool.acquire(); }, [](lease& l) { return l.query(); }, [&](lease l) { pool.give(std::move(l)); });
/// ```
template <class A, class U, class R>
auto bracket(A acquire, U use, R release, std::source_location at = std::source_location::current()) {
  using types = detail::bracket_types<A, U, R>;
  using C = typename types::C;
  using P = detail::result_policy<typename types::T, typename types::E, C>;
  auto first = detail::make_operation<typename types::like>(acquire);
  auto home = detail::home_at<C>(first);
  bool const cold = detail::is_cold<C>(first);
  return detail::result_cell<P, detail::bracketing<P, A, U, R>>::begin(std::move(home), cold, at, std::move(first), std::move(use),
                                                                       std::move(release));
}

}  // namespace settle::inline v0

#endif
