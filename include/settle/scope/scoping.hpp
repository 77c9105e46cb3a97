// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SCOPE_SCOPING_HPP
#define SETTLE_SCOPE_SCOPING_HPP

#include <exception>
#include <functional>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>

#include "../combine/detail/result.hpp"
#include "../scope.hpp"

namespace settle::inline v0::detail {

/// A function with a scope: a child of the result, in which the function is the first child. The scope released, the result
/// settles.
template <class P, class F>
class scoping {
 public:
  using C = typename P::terminal;
  using cell_type = result_cell<P, scoping>;
  using stored = typename cell_type::stored;
  using scope_type = basic_scope<C>;
  using flat = flattened<std::decay_t<std::invoke_result_t<F&, scope_type&>>>;
  using H = handle_of<typename flat::value_type, typename flat::error_type, C>;

  scoping(F&& f, on_failure how, std::source_location at) : f_(std::in_place, std::move(f)), how_(how), at_(at) {}

  void wire(cell_type& c) noexcept {
    guarded([&] { scope_.emplace(state_access::ref<C>(c), how_, at_); }, [&](std::exception_ptr p) { failed(c, std::move(p)); });
    if (!scope_) return;
    bool listens = false;
    guarded(
        [&] {
          scope_->op().on_released([&c] { c.body.ended(c); });
          listens = true;
          auto call = [this] { return std::invoke(*f_, *scope_); };
          body_ = scope_->begin(std::move(call), scope_role::body, at_);
        },
        [&](std::exception_ptr p) {
          if (listens) problem_.emplace(error_from<P>(std::move(p)));
          else failed(c, std::move(p));
        });
    scope_->core_.let_go();  // ended, c may be gone
  }
  void close(cell_type&) noexcept {
    body_ = {};
    scope_.reset();
    f_.reset();
  }

 private:
  static void failed(cell_type& c, std::exception_ptr p) noexcept { c.fail(error_from<P>(std::move(p))); }

  /// On the executor: the scope is released, and the function with it.
  void ended(cell_type& c) noexcept {
    auto& s = scope_->core_.op();
    s.seen.store(true, std::memory_order_relaxed);
    outcome<void, error> const& all = s.result;
    if (problem_) return c.fail(std::move(*problem_));
    if (all.has_error()) return c.fail(error(all.error()));
    guarded([&] { pass(c, all); }, [&](std::exception_ptr p) { failed(c, std::move(p)); });
  }
  void pass(cell_type& c, outcome<void, error> const& all) {
    auto own = state_access::take(body_);
    if (own.has_error() && !refused(all, std::as_const(own).error())) c.fail(error(std::as_const(own).error()));
    else if (all.is_cancelled() && all.cancel().why != cause::sibling) c.end_cancelled(all.cancel());
    else if (own.is_cancelled()) c.end_cancelled(own.cancel());
    else c.yield([&](void* at) { ::new (at) stored(std::move(*outcome_access::value(own))); });
  }

  /// Asked to cancel before the function could be called.
  static bool refused(outcome<void, error> const& all, error const& e) noexcept { return all.is_cancelled() && e.code() == errc::closed; }

  std::optional<F> f_;
  std::optional<scope_type> scope_;
  H body_;
  std::optional<error> problem_;
  on_failure how_;
  std::source_location at_;
};

}  // namespace settle::inline v0::detail

#endif
