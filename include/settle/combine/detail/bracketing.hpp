// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_BRACKETING_HPP
#define SETTLE_COMBINE_DETAIL_BRACKETING_HPP

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../detail/lost_value.hpp"
#include "../../detail/ownership.hpp"
#include "../../detail/state_access.hpp"
#include "finally_step.hpp"
#include "made.hpp"

namespace settle::inline v0::detail {

/// `f(a)`, or `f()` when there is nothing to give or that is all it takes.
template <class F, class T>
struct on_resource {
  using type = decltype(call_with(std::declval<F&>(), std::declval<T>()));
};

template <class A, class U, class R>
struct bracket_types {
  using acquire_result = std::invoke_result_t<A&>;
  using resource = lift<typename made<acquire_result>::T>;
  using use_result = typename on_resource<U, resource&>::type;
  using release_result = typename on_resource<R, resource&&>::type;
  using like = made_like<acquire_result, use_result, release_result>;
  template <class Result>
  using handle_like = handle_of_made<made<Result, typename like::E, typename like::C>>;
  using acquired = handle_like<acquire_result>;
  using used = handle_like<use_result>;
  using released = handle_like<release_result>;
  using C = typename like::C;
  using T = typename used::T;
  using E = typename error_of_all<typename acquired::E, typename used::E, typename released::E>::type;
};

/// A resource, what is done with it, and its release. Whatever happens, the three come one after the other.
template <class P, class A, class U, class R>
class bracketing {
 public:
  using C = typename P::terminal;
  using cell_type = result_cell<P, bracketing>;
  using types = bracket_types<A, U, R>;
  using acquired = typename types::acquired;
  using used = typename types::used;
  using released = typename types::released;
  using T = typename P::value_type;
  using E = typename P::error_type;
  using stored = typename cell_type::stored;

  bracketing(acquired&& first, U&& use, R&& release)
      : first_(std::move(first)), use_(std::in_place, std::move(use)), release_(std::in_place, std::move(release)) {}

  void wire(cell_type& c) noexcept { acquire_.begin(std::move(first_), c, acquire_type, nothing_next); }
  void close(cell_type&) noexcept {
    if (left_) ownership<C>::disown(*state_access::get(left_));
    left_ = {};
    outcome_.reset();
    resource_.reset();
    use_.reset();
    release_.reset();
  }

 private:
  static cell_type& cell_of(hook<C>& h) noexcept { return static_cast<cell_type&>(*static_cast<input<C>&>(h).result); }
  /// All goes by way of user code: there is a resource to be looked after.
  template <successive<C> bracketing::* Place, void (bracketing::*Heard)(cell_type&)>
  static void run(hook<C>& h, hook_action action) {
    cell_type& c = cell_of(h);
    auto& in = c.body.*Place;
    if (action == hook_action::feed) {
      in.state().seen.store(true, std::memory_order_relaxed);
      in.queue();
    } else {
      (c.body.*Heard)(c);
      in.through();
    }
  }
  static void run_released(hook<C>& h, hook_action action) {
    cell_type& c = cell_of(h);
    bracketing& self = c.body;
    if (action == hook_action::feed) return self.giving_back_.queue();
    {
      input_outcome<typename released::T, typename released::E, C> o(self.giving_back_);
      if (o.look().has_error()) self.outcome_.emplace(E(o.error()));
    }
    basic_operation<C> const last = std::move(self.giving_back_.from);
    c.template post<&finish>();
    self.giving_back_.finish();
  }
  static void nothing(hook<C>&, hook_action) {}
  static void run_give_back(hook<C>& h, hook_action) {
    auto& c = static_cast<cell_type&>(*h.owner);
    c.body.give_back(c);
  }
  static constexpr hook_type<C> nothing_next{&nothing, 0, 0};
  static constexpr hook_type<C> give_back_next{&run_give_back, 0, 0};

  void acquire_heard(cell_type& c) noexcept {
    input_outcome<typename acquired::T, typename acquired::E, C> o(acquire_);
    if (o.look().has_error()) return c.fail(E(o.error()));
    if (o.look().is_cancelled()) return c.end_cancelled(o.look().cancel());
    guarded([&] { o.with_value([&](auto&& v) { resource_.emplace(std::forward<decltype(v)>(v)); }); }, typename cell_type::failing{c});
    if (!resource_) return;
    if (c.is(word::requested | word::settled)) {
      outcome_.emplace(c.head().cancelled_by());
      c.template post<&give_back_now>();
      return;
    }
    std::optional<used> h;
    auto bound = [&]() -> decltype(auto) { return call_with(*use_, *resource_); };
    guarded([&] { h.emplace(make_operation<typename types::like>(bound)); },
            [&](std::exception_ptr p) { outcome_.emplace(error_from<P>(std::move(p))); });
    if (h) work_.begin(std::move(*h), c, work_type, give_back_next);
    else c.template post<&give_back_now>();
  }
  void work_heard(cell_type&) noexcept {
    input_outcome<T, typename used::E, C> o(work_);
    if (o.look().has_error()) {
      outcome_.emplace(E(o.error()));
    } else if (o.look().is_cancelled()) {
      outcome_.emplace(o.look().cancel());
    } else {
      if (o.may_be_missed()) left_ = work_.from;
      if (o.is_awaited()) return o.leave();
      o.gather();
      guarded([&] { o.with_value([&](auto&& v) { outcome_.emplace(std::in_place, std::forward<decltype(v)>(v)); }); },
              [&](std::exception_ptr p) { outcome_.emplace(error_from<P>(std::move(p))); });
    }
  }
  static void give_back_now(cell_type& c) { c.body.give_back(c); }

  /// On the executor; nothing uses the resource any more.
  void give_back(cell_type& c) noexcept {
    std::optional<released> h;
    auto bound = [&]() -> decltype(auto) { return call_with(*release_, std::move(*resource_)); };
    guarded([&] { h.emplace(make_operation<typename types::like>(bound)); },
            [&](std::exception_ptr p) { outcome_.emplace(error_from<P>(std::move(p))); });
    if (!h) return finish(c);
    giving_back_.take(std::move(*h));
    giving_back_.begin(c, released_type);
  }
  static void finish(cell_type& c) {
    bracketing& self = c.body;
    self.resource_.reset();
    if (!self.outcome_) return self.pass_what_was_left(c);
    outcome<T, E>& o = *self.outcome_;
    if (o.has_error()) return c.fail(E(std::as_const(o).error()));
    if (o.is_cancelled()) return c.end_cancelled(o.cancel());
    bool const delivered = c.yield([&](void* at) { ::new (at) stored(std::move(*outcome_access::value(o))); });
    if (delivered && self.left_) lost_taker<C>::forget_from_here(*state_access::get(self.left_));
  }
  void pass_what_was_left(cell_type& c) noexcept {
    c.yield_for_certain([&](void* at) {
      basic_operation<C> const from = std::exchange(left_, {});
      auto& there = static_cast<typed_state<T, typename used::E, C>&>(*state_access::get(from)).result;
      ::new (at) stored(std::move(*outcome_access::value(there)));
      outcome_access::clear(there);
    });
  }

  acquired first_;
  successive<C> acquire_;
  successive<C> work_;
  shielded<C> giving_back_;
  std::optional<typename types::resource> resource_;
  std::optional<outcome<T, E>> outcome_;
  basic_operation<C> left_;  // has the value, whose loss somebody waits for, until the result is certain to have it
  std::optional<U> use_;
  std::optional<R> release_;

  static constexpr hook_type<C> acquire_type{&run<&bracketing::acquire_, &bracketing::acquire_heard>, 0, 0};
  static constexpr hook_type<C> work_type{&run<&bracketing::work_, &bracketing::work_heard>, 0, 0};
  static constexpr hook_type<C> released_type{&run_released, 0, 0};
};

}  // namespace settle::inline v0::detail

#endif
