// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_RESULT_HPP
#define SETTLE_COMBINE_DETAIL_RESULT_HPP

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

#include "../../detail/cleanups.hpp"
#include "../../detail/own_part.hpp"
#include "raw_block.hpp"
#include "result_state.hpp"

namespace settle::inline v0::detail {

/// The state of a result, and in it what its combinator needs: one block. `Body` has
///
/// - `wire(result_cell&)`: connects the inputs; the result cannot be released meanwhile. Once, noexcept.
/// - `wire_alone(result_cell&)`, if it likes: the same for a result that nobody else refers to.
/// - `wire_in_one(result_cell&)`, if it likes: before that, without a hold. True: all is connected.
/// - `close(result_cell&)`: when the result is released, on its executor: what is left of user's things goes.
/// - `rows()`, if it has any behind the result, in a block that was taken before: `begin_in`.
template <class P, class Body>
struct result_cell final : result_state<P> {
  using base = result_state<P>;
  using C = typename P::terminal;
  using typename base::allocator_type;
  using typename base::E;
  using typename base::executor_type;
  using typename base::state;
  using typename base::T;
  using block_type = raw_block<allocator_type>;

  Body body;

  /// A new result and its owner's end. Cold: wired when it gets an owner. Throws std::bad_alloc, and what making the body throws.
  template <class... A>
  static handle_of<T, E, C> begin(executor_type ex, bool cold, std::source_location at, A&&... args) {
    block_type b(sizeof(result_cell), align());
    return begin_in(b, std::move(ex), cold, at, std::forward<A>(args)...);
  }
  /// The same in a block that was taken for it and its rows.
  template <class... A>
  static handle_of<T, E, C> begin_in(block_type& b, executor_type ex, bool cold, std::source_location at, A&&... args) {
    result_cell& c = *::new (b.get()) result_cell(std::move(ex), b.allocator(), at, std::forward<A>(args)...);
    b.release();
    if constexpr (closes) cleanup_registration<C, own_part<C>>::add(c, own_part<C>{&c}, true);
    handle_of<T, E, C> h = c.owner();
    if (cold) {
      c.stay_cold(start_type);
    } else {
      if constexpr (requires { c.body.wire_in_one(c); })
        if (c.body.wire_in_one(c)) return h;
      c.add_first_hold();
      if constexpr (requires { c.body.wire_alone(c); }) c.body.wire_alone(c);
      else c.body.wire(c);
      engine<C>::leave(c);
    }
    return h;
  }

  /// Of its block.
  static constexpr std::size_t align() noexcept {
    if constexpr (has_rows) return std::max(alignof(result_cell), std::remove_cvref_t<decltype(std::declval<Body&>().rows())>::align);
    else return alignof(result_cell);
  }

  /// Has `f(result_cell&)` run on the executor.
  template <void (*F)(result_cell&)>
  void post() noexcept {
    static constexpr hook_type<C> type{&run_turn<F>, 0, 0};
    this->post_turn(type);
  }

 private:
  template <class... A>
  result_cell(executor_type ex, allocator_type a, std::source_location at, A&&... args)
      : base(result_table, std::move(ex), std::move(a), at), body(std::forward<A>(args)...) {}

  static constexpr bool closes = requires(Body& b, result_cell& c) { b.close(c); };
  static constexpr bool has_rows = requires(Body& b) { b.rows(); };

  static result_cell& of(state& s) noexcept { return static_cast<result_cell&>(s); }

  template <void (*F)(result_cell&)>
  static void run_turn(hook<C>& h, hook_action) {
    F(of(*h.owner));
  }
  static void start(hook<C>& h, hook_action) {
    result_cell& c = of(*h.owner);
    c.body.wire(c);
  }
  static constexpr hook_type<C> start_type{&start, 0, 0};

  static void close(state& s) noexcept { of(s).body.close(of(s)); }
  static void destroy(state& s) noexcept {
    result_cell& c = of(s);
    std::size_t bytes = sizeof(result_cell);
    if constexpr (has_rows) bytes = c.body.rows().bytes();
    allocator_type a = std::move(c.allocator);
    std::destroy_at(&c);
    byte_source<allocator_type>::deallocate(a, &c, bytes, align());
  }

  static constexpr state_table<C> table_with_body() noexcept {
    state_table<C> t = base::table_of_results();
    t.destroy = &destroy;
    if constexpr (closes) t.close = &close;
    return t;
  }
  static state_table<C> const result_table;
};

template <class P, class Body>
constexpr state_table<typename P::terminal> const result_cell<P, Body>::result_table = result_cell<P, Body>::table_with_body();

}  // namespace settle::inline v0::detail

#endif
