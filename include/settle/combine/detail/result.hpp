// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_RESULT_HPP
#define SETTLE_COMBINE_DETAIL_RESULT_HPP

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

#include "../../coroutine/promise.hpp"
#include "../../detail/cell.hpp"
#include "../../detail/cleanups.hpp"
#include "../../detail/engine.hpp"
#include "../../detail/exceptions.hpp"
#include "../../detail/state_access.hpp"
#include "../../handle.hpp"
#include "../../hooks/home_of.hpp"
#include "../../resolver.hpp"
#include "raw_block.hpp"

namespace settle::inline v0::detail {

/// What a combinator returns. Its user code runs where its first input's does, unless it is told otherwise.
template <class T, class E, class C, class Ex = home_of<C>>
struct result_policy : plain<T, E, Ex, C> {};

template <class C>
bool is_cold(basic_operation<C> const& op) noexcept {
  return state_access::get(op)->is(word::cold);
}
template <class C>
home_of<C> home_at(basic_operation<C> const& op) noexcept {
  return home_of<C>::at(*state_access::get(op));
}

/// The state of a result, and in it what its combinator needs: one block. `Body` has
///
/// - `wire(result_cell&)`: connects the inputs; the result cannot be released meanwhile. Once, noexcept.
/// - `wire_alone(result_cell&)`, if it likes: the same for a result that nobody else refers to.
/// - `wire_in_one(result_cell&)`, if it likes: before that, without a hold. True: all is connected.
/// - `close(result_cell&)`: when the result is released, on its executor: what is left of user's things goes.
/// - `rows()`, if it has any behind the result, in a block that was taken before: `begin_in`.
///
/// The body is the producer: it settles the result once, by `yield`, `fail` or `end_cancelled`, with no transition of its own.
template <class P, class Body>
struct result_cell final : cell<P> {
  using base = cell<P>;
  using policy_type = P;
  using C = typename P::terminal;
  using state = state_base<C>;
  using T = typename P::value_type;
  using E = typename P::error_type;
  using stored = lift<T>;
  using allocator_type = typename P::allocator_type;
  using executor_type = typename P::executor_type;
  using block_type = raw_block<allocator_type>;

  hook<C> turn;  // what the body posts to the executor, one thing at a time
  typename C::sync::template atomic<state*> kept{nullptr};
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
    if constexpr (requires { c.body.close(c); }) offer_cleanup<C>(c, closing{&c}, true);
    handle_of<T, E, C> h = state_access::own<plain<T, E, inline_executor, C>>(static_cast<state&>(c));
    if (cold) {
      c.set_turn(start_type);
      std::uint32_t const w = c.lock();
      c.unlock(w | word::cold);
    } else {
      if constexpr (requires { c.body.wire_in_one(c); })
        if (c.body.wire_in_one(c)) return h;
      c.counts.store(c.counts.load(std::memory_order_relaxed) + count::both, std::memory_order_relaxed);  // nobody else knows it yet
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

  bool is_over() const noexcept { return this->is(word::settled); }

  /// Settles with the value that `make(void*)` constructs. It runs here; its throw is the failure. True: that is the outcome.
  template <class Make>
  bool yield(Make make) noexcept {
    if (is_over()) return lost(), false;
    bool const made = place_value(make, [this](E e) { fail(std::move(e)); });
    if (!made) return false;
    if (engine<C>::settle(*this, outcome_head::value, false)) return true;
    hand_lost_value<C>(*this);
    std::destroy_at(outcome_access::value(this->result));
    lost();
    return false;
  }
  /// The same for a value whose loss somebody waits for: it stays where it is unless it is certain to be delivered.
  template <class Make>
  bool yield_for_certain(Make make) noexcept {
    return claim() && publish(make);
  }
  /// From now on nobody ends it but the body, by publish or publish_failure. False: it is over, and the producer's hold went back.
  bool claim() noexcept {
    if (engine<C>::claim(*this)) return true;
    lost();
    return false;
  }
  /// As `yield`.
  template <class Make>
  bool publish(Make make) noexcept {
    bool const made = place_value(make, [this](E e) { publish_failure(std::move(e)); });
    if (made) engine<C>::publish(*this, outcome_head::value);
    return made;
  }
  void publish_failure(E e) noexcept {
    ::new (static_cast<void*>(outcome_access::error(this->result))) E(std::move(e));
    engine<C>::publish(*this, outcome_head::failure);
  }
  /// With the value of an input, which `construct(void*, stored&&)` makes one of the result's out of. A copy that comes too late
  /// leaves the value where it was.
  template <class InputOutcome, class Construct>
  void yield_value_of(InputOutcome& o, Construct construct) noexcept {
    auto const make = [&](void* at) { o.with_value([&](auto&& v) { construct(at, std::forward<decltype(v)>(v)); }); };
    if (!(o.is_awaited() ? yield_for_certain(make) : yield(make))) o.gather();
  }
  template <class InputOutcome>
  void yield_value_of(InputOutcome& o) noexcept {
    yield_value_of(o, [](void* at, auto&& v) { ::new (at) stored(std::forward<decltype(v)>(v)); });
  }
  /// With a value that is copied without running anything of the user's.
  void yield_quietly(stored const& v) noexcept {
    yield([&](void* at) { ::new (at) stored(v); });
  }
  void fail(E e) noexcept {
    if (is_over()) return lost();
    ::new (static_cast<void*>(outcome_access::error(this->result))) E(std::move(e));
    if (engine<C>::settle(*this, outcome_head::failure, false)) return;
    std::destroy_at(outcome_access::error(this->result));
    lost();
  }
  void end_cancelled(cancellation const& why) noexcept {
    if (!engine<C>::settle_cancelled(*this, why)) lost();
  }
  /// Settled by somebody else: the producer's hold goes back. The result may be gone afterwards.
  void lost() noexcept {
    let_go();
    engine<C>::leave(*this);
  }

  /// Whose settling is about to settle this one: it is not released before this one's observers have run.
  void keep(state& input) noexcept {
    if (kept.load(std::memory_order_relaxed) == nullptr && input.try_hold(false)) kept.store(&input, std::memory_order_release);
  }

  /// Has `f(result_cell&)` run on the executor.
  template <void (*F)(result_cell&)>
  void post() noexcept {
    static constexpr hook_type<C> type{&run_turn<F>, 0, 0};
    set_turn(type);
    this->add_hold();
    engine<C>::post(turn);
  }

 private:
  struct closing {
    result_cell* self;
    void operator()() noexcept { self->body.close(*self); }
  };

  template <class... A>
  result_cell(executor_type ex, allocator_type a, std::source_location at, A&&... args)
      : base(&result_table, word::handled | word::owned, std::move(ex), std::move(a), at), body(std::forward<A>(args)...) {}

  /// False: it threw, which `failed` was told.
  template <class Make, class Failed>
  bool place_value(Make& make, Failed failed) noexcept {
    bool made = true;
    guarded([&] { make(static_cast<void*>(outcome_access::value(this->result))); },
            [&](std::exception_ptr p) {
              made = false;
              failed(error_from<P>(std::move(p)));
            });
    return made;
  }

  static constexpr bool has_rows = requires(Body& b) { b.rows(); };

  static result_cell& of(state& s) noexcept { return static_cast<result_cell&>(s); }

  void set_turn(hook_type<C> const& type) noexcept {
    turn.kind = hook_kind::released;
    turn.owner = this;
    turn.type = &type;
    turn.holds = true;
  }
  template <void (*F)(result_cell&)>
  static void run_turn(hook<C>& h, hook_action) {
    F(of(*h.owner));
  }
  static void start(hook<C>& h, hook_action) {
    result_cell& c = of(*h.owner);
    c.body.wire(c);
  }
  static constexpr hook_type<C> start_type{&start, 0, 0};

  void let_go() noexcept {
    state* s = kept.load(std::memory_order_acquire);
    if (s == nullptr) return;
    if (this->is(word::forced)) s = kept.exchange(nullptr, std::memory_order_acq_rel);  // its producer and its sequence, who both come here
    else kept.store(nullptr, std::memory_order_relaxed);
    if (s != nullptr) engine<C>::leave(*s);
  }
  static void observed(state& s) noexcept { of(s).let_go(); }
  static hook<C>& turn_of(state& s) noexcept { return of(s).turn; }
  static void inherit(state& s, state& from) noexcept {
    if constexpr (std::is_same_v<executor_type, home_of<C>>) of(s).executor = home_of<C>::at(from);
  }
  static void destroy(state& s) noexcept {
    result_cell& c = of(s);
    std::size_t bytes = sizeof(result_cell);
    if constexpr (has_rows) bytes = c.body.rows().bytes();
    allocator_type a = std::move(c.allocator);
    std::destroy_at(&c);
    byte_source<allocator_type>::deallocate(a, &c, bytes, align());
  }

  static constexpr state_table<C> table_with_body() noexcept {
    state_table<C> t = base::table_of();
    t.destroy = &destroy;
    t.observed = &observed;
    t.turn = &turn_of;
    t.inherit = &inherit;
    return t;
  }
  static state_table<C> const result_table;
};

template <class P, class Body>
constexpr state_table<typename P::terminal> const result_cell<P, Body>::result_table = result_cell<P, Body>::table_with_body();

}  // namespace settle::inline v0::detail

#endif
