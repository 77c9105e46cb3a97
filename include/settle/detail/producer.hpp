// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_PRODUCER_HPP
#define SETTLE_DETAIL_PRODUCER_HPP

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "../policy/policy_traits.hpp"
#include "cell.hpp"
#include "cleanups.hpp"
#include "direct.hpp"
#include "engine.hpp"
#include "exceptions.hpp"
#include "frame.hpp"

namespace settle::inline v0::detail {

/// What a resolver does with its duty: the sole writer of the outcome, whose hold and reference the winner gives up.
template <class P>
class producer {
  static_assert(diagnose_policy<P>());  // before anything else stumbles over it

 protected:
  using C = typename P::terminal;
  using cell = detail::cell<P>;
  using engine = detail::engine<C>;
  using access = outcome_access;
  using stored = lift<typename P::value_type>;

  explicit producer(cell* c) noexcept : cell_(c) {}

  /// Out of the way of the cleanup that fits a slot.
  template <class F>
  [[gnu::noinline]] bool on_cleanup_in_any_case(F& f) {
    return offer_cleanup<C>(*cell_, std::move(f), cell_->sole()).how == kept::yes;
  }

  /// Settled already, or nothing to settle.
  bool lost() const noexcept { return cell_ == nullptr || cell_->is(word::settled); }

  /// The payload stands. True: it is the outcome, and the hold and reference are the sequence's.
  /// User code may run in here, and may look at the resolver or destroy it: it is empty before, and untouched after a win.
  bool announce(outcome_head::kind_t kind) noexcept {
    if constexpr (direct<P>::possible)
      if (direct<P>::is_alone(*cell_)) return direct<P>::settle_alone(*std::exchange(cell_, nullptr), kind), true;
    return announce_among_others(kind);
  }
  [[gnu::always_inline]] bool announce_among_others(outcome_head::kind_t kind) noexcept {
    cell* const c = std::exchange(cell_, nullptr);
    if constexpr (direct<P>::possible) {
      if (direct<P>::settle_among_others(*c, kind)) return true;
    } else if (engine::settle(*c, kind, c->sole())) {
      return true;
    }
    cell_ = c;
    return false;
  }

  /// As above: a cancel observer may look at the resolver or destroy it.
  bool acknowledge(cancellation const& why) noexcept {
    cell& c = *std::exchange(cell_, nullptr);
    if (!c.is(word::requested)) engine::request(c, why);
    if (engine::settle(c, outcome_head::cancelled, c.sole())) return true;
    engine::leave(c);
    return false;
  }

  bool give_up() noexcept {
    if (cell_ != nullptr) engine::leave(*std::exchange(cell_, nullptr));
    return false;
  }

  bool complete_quietly(stored& v) noexcept {
    if constexpr (direct<P>::possible) {
      if (cell_ != nullptr && direct<P>::is_alone(*cell_)) {
        ::new (static_cast<void*>(access::value(cell_->result))) stored(std::move(v));
        direct<P>::settle_alone(*std::exchange(cell_, nullptr), outcome_head::value);
        return true;
      }
    }
    return complete_in_any_case(v);
  }
  /// A loser's value goes back where it came from; one that is copied along never left.
  using offered = std::conditional_t<std::is_trivially_copyable_v<stored> && sizeof(stored) <= 2 * sizeof(void*), stored, stored&>;
  [[gnu::noinline]] bool complete_in_any_case(offered v) noexcept {
    if (lost()) return give_up();
    auto* const at = ::new (static_cast<void*>(access::value(cell_->result))) stored(std::move(v));
    if (announce_among_others(outcome_head::value)) return true;
    if constexpr (std::is_nothrow_move_assignable_v<stored>) {
      v = std::move(*at);
    } else {
      std::destroy_at(&v);
      std::construct_at(&v, std::move(*at));
    }
    std::destroy_at(at);
    return give_up();
  }

  /// A value whose move may throw is not touched before the win: rivals wait while it is moved.
  template <class Make>
  bool complete_claimed(Make make) {
    if (cell_ == nullptr) return false;
    if (!engine::claim(*cell_, word::tentative)) return give_up();
    cell& c = *cell_;
    with_undo([&] { decide(c, make); }, [&] { engine::unclaim(c); });
    engine::publish(*std::exchange(cell_, nullptr), outcome_head::value);
    return true;
  }

  cell* cell_;

 private:
  template <class Make>
  static void decide(cell& c, Make& make) {
    deciding<C> const at_it(c);
    make(static_cast<void*>(access::value(c.result)));
  }
};

}  // namespace settle::inline v0::detail

#endif
