// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_RESULT_STATE_HPP
#define SETTLE_COMBINE_DETAIL_RESULT_STATE_HPP

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

#include "../../coroutine/promise.hpp"
#include "../../detail/cell.hpp"
#include "../../detail/engine.hpp"
#include "../../detail/exceptions.hpp"
#include "../../detail/state_access.hpp"
#include "../../detail/thrown.hpp"
#include "../../handle.hpp"
#include "../../hooks/home_of.hpp"
#include "../../resolver.hpp"

namespace settle::inline v0::detail {

/// What a combinator returns. Its user code runs where its first input's does, unless it is told otherwise. All that depends on
/// it moves values, which may throw.
template <class T, class E, class C, class Ex = home_of<C>, class Setting = exceptions_setting>
struct result_policy : plain<T, E, Ex, C> {};

template <class C>
bool is_cold(basic_operation<C> const& op) noexcept {
  return state_access::get(op)->is(word::cold);
}
template <class C>
home_of<C> home_at(basic_operation<C> const& op) noexcept {
  return home_of<C>::at(*state_access::get(op));
}

/// The state of a result, whichever combinator makes it: one piece of code for all that yield the same. The combinator is the
/// producer: it settles the result once, by `yield`, `fail` or `end_cancelled`, with no transition of its own.
template <class P>
struct result_state : cell<P> {
  using base = cell<P>;
  using policy_type = P;
  using C = typename P::terminal;
  using state = state_base<C>;
  using T = typename P::value_type;
  using E = typename P::error_type;
  using stored = lift<T>;
  using allocator_type = typename P::allocator_type;
  using executor_type = typename P::executor_type;

  hook<C> turn;  // what the combinator posts to the executor, one thing at a time
  typename C::sync::template atomic<state*> kept{nullptr};

  bool is_over() const noexcept { return this->is(word::settled); }

  /// Settles with the value that `make(void*)` constructs. It runs here; its throw is the failure. True: that is the outcome.
  template <class Make>
  bool yield(Make make) noexcept {
    if (is_over()) return lost(), false;
    if (!place_value(make, false)) return false;
    if (engine<C>::settle(*this, outcome_head::value, false)) return true;
    take_value_back();
    return false;
  }
  /// The same for a value whose loss somebody waits for: it stays where it is unless it is certain to be delivered.
  template <class Make>
  bool yield_for_certain(Make make) noexcept {
    return claim() && publish(make);
  }
  /// From now on nobody ends it but the combinator, by publish or publish_failure. False: it is over, and the producer's hold went back.
  bool claim() noexcept {
    if (engine<C>::claim(*this)) return true;
    lost();
    return false;
  }
  /// As `yield`.
  template <class Make>
  bool publish(Make make) noexcept {
    bool const made = place_value(make, true);
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

  /// What `guarded` hands to `fail`.
  struct failing {
    result_state& self;
    void operator()(std::exception_ptr p) const noexcept { self.fail(error_from<P>(std::move(p))); }
  };

  /// Whose settling is about to settle this one: it is not released before this one's observers have run.
  void keep(state& input) noexcept {
    if (kept.load(std::memory_order_relaxed) == nullptr && input.try_hold(false)) kept.store(&input, std::memory_order_release);
  }

 protected:
  result_state(state_table<C> const& how, executor_type ex, allocator_type a, std::source_location at)
      : base(&how, word::handled | word::owned, std::move(ex), std::move(a), at) {}

  handle_of<T, E, C> owner() noexcept { return state_access::own<plain<T, E, inline_executor, C>>(static_cast<state&>(*this)); }

  /// Nobody else refers to it, and nothing is wired before somebody starts it.
  void stay_cold(hook_type<C> const& start) noexcept {
    set_turn(start);
    std::uint32_t const w = this->lock();
    this->unlock(w | word::cold);
  }
  void add_first_hold() noexcept {
    this->counts.store(this->counts.load(std::memory_order_relaxed) + count::both, std::memory_order_relaxed);  // nobody else knows it yet
  }
  void post_turn(hook_type<C> const& type) noexcept {
    set_turn(type);
    this->add_hold();
    engine<C>::post(turn);
  }

  static constexpr state_table<C> table_of_results() noexcept {
    state_table<C> t = base::table_of();
    t.observed = &observed;
    t.turn = &turn_of;
    t.inherit = &inherit;
    return t;
  }

 private:
  /// The throw is the failure.
  struct not_made {
    result_state& self;
    bool& made;
    bool claimed;
    void operator()(std::exception_ptr p) const noexcept {
      made = false;
      if (claimed) self.publish_failure(error_from<P>(std::move(p)));
      else self.fail(error_from<P>(std::move(p)));
    }
  };
  template <class Make>
  bool place_value(Make& make, bool claimed) noexcept {
    bool made = true;
    guarded([&] { make(static_cast<void*>(outcome_access::value(this->result))); }, not_made{*this, made, claimed});
    return made;
  }
  void take_value_back() noexcept {
    hand_lost_value<C>(*this);
    std::destroy_at(outcome_access::value(this->result));
    lost();
  }

  static result_state& of(state& s) noexcept { return static_cast<result_state&>(s); }

  void set_turn(hook_type<C> const& type) noexcept {
    turn.kind = hook_kind::released;
    turn.owner = this;
    turn.type = &type;
    turn.holds = true;
  }
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
};

}  // namespace settle::inline v0::detail

#endif
