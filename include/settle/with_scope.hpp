// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_WITH_SCOPE_HPP
#define SETTLE_WITH_SCOPE_HPP

#include <source_location>
#include <type_traits>
#include <utility>

#include "scope.hpp"
#include "scope/scoping.hpp"

namespace settle::inline v0 {

/// Calls `f(scope&)` with a scope of its own, and yields what it yields when everything spawned into the scope is released, on
/// every path: what children refer to outside is there until none of them is left.
///
/// f is one of the children, the first: it may return a value, nothing, or a handle (so it may be a coroutine function). With
/// `cancel_siblings` its failure, or its being cancelled, asks the others to cancel, and a failure of theirs asks it; the first
/// failure is the result. With `keep_going` only f's own outcome counts. The scope takes work until f has returned and
/// nothing is left in it.
///
/// Cold: f is called when the result gets an owner, where that one runs. Cancelled, it asks f and all the others, and is
/// cancelled when they are released. Throws std::bad_alloc and what moving f throws; what goes wrong later is the failure.
/// Cost: one block, and what the scope and f cost.
///
/// ```cpp
/// auto both = [](settle::scope& s) {
///   s.spawn([] { return work(); });
///   s.spawn([] { return work(); });
/// };
/// settle::with_scope(both).on_done([] { show(); });
/// ```
template <class C = cas_terminal, class F>
auto with_scope(F f, on_failure how = on_failure::cancel_siblings, std::source_location at = std::source_location::current()) {
  using R = std::decay_t<std::invoke_result_t<F&, basic_scope<C>&>>;
  using P = detail::result_policy<typename detail::flattened<R>::value_type, error, C>;
  return detail::result_cell<P, detail::scoping<P, F>>::begin(detail::home_of<C>(), true, at, std::move(f), how, at);
}

}  // namespace settle::inline v0

#endif
