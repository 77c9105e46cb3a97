// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BOUND_TO_HPP
#define SETTLE_BOUND_TO_HPP

#include <concepts>
#include <type_traits>
#include <utility>

#include "handle.hpp"
#include "hooks/bound_call.hpp"
#include "operation.hpp"
#include "watcher.hpp"

namespace settle::inline v0 {

/// Says that a hook lives with another operation than the one it is registered on: it runs on that one's executor, holds
/// that one's cleanups back while it stands, and goes when that one ends.
///
/// `std::move(job).on_done(bound_to(session), f)`: f runs where `session` runs, and only while `session` is pending; the job's
/// cleanups wait until it has. When `session` settles first, f is destroyed there without having run, nothing of it is left
/// on the job, and a value it would have taken is lost. Bound to an empty or settled operation it never runs.
///
/// Ownership: keeps a reference to `session`. Observing `f(outcome const&)` gets a copy of the outcome; taking `f(outcome&&)`
/// gets the outcome itself. What f throws goes to the job's error sink. Throws std::bad_alloc at registration, nothing
/// being registered. Threads: any. Cost: an operation of its own and five blocks; nothing is allocated once the job has settled.
///
/// ```cpp
/// settle::start_on(workers, compute).on_done(settle::bound_to(session.op()), [&session](auto&& out) { session.show(out); });
/// ```
template <class C>
class bound_to {
 public:
  /// To `where`; empty or settled, the hook never runs. One atomic increment.
  explicit bound_to(basic_operation<C> where) noexcept : where_(std::move(where)) {}

 private:
  template <class>
  friend class basic_operation;
  template <class>
  friend class handle;
  template <class>
  friend class watcher;

  bool is_gone() const noexcept { return !where_ || where_.is_settled(); }

  template <class F>
  basic_registration<C> observe_ending(basic_operation<C> const& about, F f) const {
    if (!about || is_gone()) return {};
    return detail::bound_wiring<ending, detail::call_with_ending, C>(about, where_).observe(std::move(f));
  }
  template <class T, class E, class F>
  basic_registration<C> observe(basic_operation<C> const& about, F f) const {
    if constexpr (!std::invocable<F&, outcome<T, E> const&>) {
      return observe_ending(about, std::move(f));
    } else {
      static_assert(detail::is_copyable<detail::lift<T>> && std::is_copy_constructible_v<E>,
                    "settle: an observer bound to another operation gets a copy of the outcome, and this value cannot be copied: "
                    "take it, `std::move(h).on_done(settle::bound_to(op), f)`, or observe with f(settle::ending) "
                    "(see docs/guide/registering.md#bound-hooks)");
      if (!about || is_gone()) return {};
      return detail::bound_wiring<outcome<T, E>, detail::call_with_outcome<T, E>, C>(about, where_).observe(std::move(f));
    }
  }
  /// `about` stays owned by the hook.
  template <class T, class E, class F>
  void take(basic_operation<C> const& about, F f) const {
    detail::bound_wiring<outcome<T, E>, detail::call_with_value<T, E>, C>(about, where_).consume(std::move(f));
  }

  basic_operation<C> where_;
};

template <class P>
bound_to(handle<P> const&) -> bound_to<typename P::terminal>;
template <class P>
bound_to(watcher<P> const&) -> bound_to<typename P::terminal>;

}  // namespace settle::inline v0

#endif
