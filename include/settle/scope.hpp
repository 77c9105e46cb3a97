// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SCOPE_HPP
#define SETTLE_SCOPE_HPP

#include <concepts>
#include <cstdint>
#include <new>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

#include "combine/detail/input.hpp"
#include "combine/failed.hpp"
#include "combine/within.hpp"
#include "detail/exceptions.hpp"
#include "detail/job.hpp"
#include "hooks/home_of.hpp"
#include "operation.hpp"
#include "policy/executor.hpp"
#include "resolver.hpp"
#include "scope/child.hpp"
#include "scope/core.hpp"
#include "start_on.hpp"
#include "time_span.hpp"
#include "watcher.hpp"

namespace settle::inline v0 {

namespace detail {
template <class P, class F>
class scoping;
template <class C>
class supervising;
template <class C>
class stopping;
}  // namespace detail
template <class C>
class basic_supervisor;

/// What the failure of one child of a scope means to the others.
enum class on_failure : std::uint8_t {
  cancel_siblings,  ///< they are asked to cancel (cause sibling), and the first failure is the scope's outcome
  keep_going,       ///< nothing: it stays the child's own outcome, which the error sink hears of when nobody looks at it
};

/// A scope: concurrent work that ends together. Its operation (`op()`) settles when every child is released, with a value, the
/// first failure of a child (at once then), or as cancelled; cancelled, it asks its children, and they theirs. A child that
/// ends cancelled is no failure.
///
/// The scope takes work until `close()`, until it is asked to cancel or has failed, or until it was let go of (`join()`) and
/// nothing is left in it. Late work is refused before it begins. Every child is adopted before it begins, so none is missed by
/// whoever cancels the scope; ended children leave nothing behind.
///
/// For members and for code without coroutines; a coroutine says `with_scope`, which joins on every path. Destroyed with
/// children left it asks them to cancel (cause dropped) and tells the error sink; they go on without it.
///
/// Threads: every member from any thread, but for the destructor. Cost: one block; a child: its operation, which holds the
/// callable, and a block for its place in the scope.
///
/// ```cpp
/// settle::scope sessions(ex, settle::on_failure::keep_going);
/// sessions.spawn([] { return work(); });
/// sessions.join().on_done([] { show(); });
/// ```
template <class C>
class basic_scope {
 public:
  /// Under `parent`, on its executor: asked to cancel with it, released before it. Throws std::bad_alloc.
  explicit basic_scope(basic_operation<C> parent, on_failure how = on_failure::cancel_siblings,
                       std::source_location at = std::source_location::current())
      : basic_scope(make(home_under(parent), how, at)) {
    if (!parent || detail::registry<C>::adopt(*detail::state_access::get(parent), core_.op())) return;
    core_.close();
    detail::raise(std::bad_alloc());
  }
  /// On `ex`, under nothing. Throws std::bad_alloc.
  template <class Ex>
    requires(!std::same_as<Ex, basic_scope>) && executor<Ex>
  explicit basic_scope(Ex ex, on_failure how = on_failure::cancel_siblings, std::source_location at = std::source_location::current())
      : basic_scope(make(std::move(ex), how, at)) {}
  basic_scope(basic_scope&&) = delete;
  ~basic_scope() { abandon(); }

  /// Begins `f()` or `f(std::stop_token)` as a child, once, as `start_on` does on the scope's executor: what it returns is what
  /// the child yields, a handle is adopted (so f may be a coroutine function), f is kept until the child is released and
  /// never called when the child is cancelled before its turn. The watcher sees how it ends.
  ///
  /// Closed: f is not called, and the child has failed with errc::closed; nobody need look.
  /// Throws std::bad_alloc and what moving f throws, nothing being begun.
  template <class F>
  auto spawn(F f, std::source_location at = std::source_location::current()) {
    return begin(std::move(f), detail::scope_role::member, at).share();
  }

  /// Begins work that belongs to the end, a goodbye: accepted as long as something is left in the scope, closed or not. The
  /// cancellation of the scope does not reach it, but by force; it is given `budget`, then it is asked to cancel (cause
  /// deadline), timed by the scope's executor: errc::no_timers without timers. The scope ends after it, and does not mind
  /// how it ended. Ended: f is not called, and it has failed with errc::closed. Throws as `spawn`.
  template <class F>
  auto farewell(F f, time_span budget, std::source_location at = std::source_location::current()) {
    using flat = detail::flattened<detail::job_result<F>>;
    if (!core_.enter(true)) return refuse<F>(at).share();
    detail::scope_child<C>& place = make_place(detail::scope_role::guest);
    auto h = detail::with_undo([&] { return within(start_on<C>(home(), std::move(f), at), budget); }, [&] { undo(place); });
    place.template adopt<typename flat::value_type, typename flat::error_type>(*detail::state_access::get(h));
    return std::move(h).share();
  }

  /// What it is to others: to cancel it, to register on it, to see how it ended.
  [[nodiscard]] basic_operation<C> op() const noexcept { return op_; }

  /// Takes no new work from now on, and ends with its last child. Never throws.
  void close() noexcept { core_.close(); }

  /// Lets go of the scope: it ends with its last child (until then children may still add to it). What it returns settles
  /// when the scope is released, as it did. Shielded: being asked to cancel neither ends this wait nor reaches the scope;
  /// `op()` is what one cancels. As often as one likes. Two allocations; throws std::bad_alloc, nothing being done.
  handle_of<void, error, C> join(std::source_location at = std::source_location::current()) {
    using P = plain<void, error, detail::home_of<C>, C>;
    resolver<P> r(home(), at);
    handle<P> h = r.get_handle();
    auto pass_on = [r = std::move(r), s = &core_.op()]() mutable {
      s->seen.store(true, std::memory_order_relaxed);
      r.settle(outcome<void, error>(std::as_const(s->result)));
    };
    op_.on_released(std::move(pass_on));
    core_.let_go();
    return h;
  }

 private:
  template <class, class>
  friend class detail::scoping;
  template <class>
  friend class detail::supervising;
  template <class>
  friend class detail::stopping;
  template <class>
  friend class basic_supervisor;
  struct made {
    basic_operation<C> op;
    detail::scope_core<C>& core;
  };

  explicit basic_scope(made m) noexcept : op_(std::move(m.op)), core_(m.core) {}

  template <class Ex>
  static made make(Ex ex, on_failure how, std::source_location at) {
    auto* const c = detail::scope_cell<plain<void, error, Ex, C>>::make(std::move(ex), how == on_failure::keep_going, at);
    if (c == nullptr) detail::raise(std::bad_alloc());
    return {detail::state_access::ref<C>(*c), c->core};
  }
  static detail::home_of<C> home_under(basic_operation<C> const& parent) noexcept {
    return parent ? detail::home_of<C>::at(*detail::state_access::get(parent)) : detail::home_of<C>();
  }
  detail::home_of<C> home() const noexcept { return detail::home_of<C>::at(core_.op()); }

  void abandon() noexcept {
    if (!core_.close()) return;
    core_.op().report(nullptr, monitor_event::abandoned, "a scope is destroyed before its children have ended: they are asked to cancel");
    op_.request_cancel(cause::dropped);
  }

  detail::scope_child<C>& make_place(detail::scope_role role) {
    detail::scope_child<C>* const place = detail::scope_child<C>::make(core_, role);
    if (place == nullptr) {
      core_.leave();
      detail::raise(std::bad_alloc());
    }
    return *place;
  }
  void undo(detail::scope_child<C>& place) noexcept {
    detail::scope_child<C>::free(place, core_.op());
    core_.leave();
  }

  template <class F>
  auto begin(F f, detail::scope_role role, std::source_location at) {
    using flat = detail::flattened<detail::job_result<F>>;
    using T = typename flat::value_type;
    using E = typename flat::error_type;
    using P = plain<T, E, detail::home_of<C>, C>;
    static_assert(std::is_convertible_v<E const&, error> && detail::is_quiet_error<E>,
                  "settle: what is spawned into a scope fails with settle::error or a plain type that converts to it, as std::error_code "
                  "does: its failure may be the scope's (see docs/guide/scopes.md)");
    if (!core_.enter(false)) return refuse<F>(at);
    detail::scope_child<C>& place = make_place(role);
    auto child = detail::with_undo([&] { return detail::new_job<P, F>(f, home(), at); }, [&] { undo(place); });
    place.template adopt<T, E>(*child.job);
    detail::dispatcher<C>::start(child.job->turn);
    return handle_of<T, E, C>(std::move(child.owner));
  }
  template <class F>
  static auto refuse(std::source_location at) {
    using flat = detail::flattened<detail::job_result<F>>;
    using T = typename flat::value_type;
    using E = typename flat::error_type;
    auto h = failed<T, E, C>(plain<T, E>::make_error(errc::closed), at);
    detail::state_access::get(h)->seen.store(true, std::memory_order_relaxed);
    return h;
  }

  basic_operation<C> op_;
  detail::scope_core<C>& core_;
};

using scope = basic_scope<cas_terminal>;

}  // namespace settle::inline v0

#endif
