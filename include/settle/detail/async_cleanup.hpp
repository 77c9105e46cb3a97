// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_ASYNC_CLEANUP_HPP
#define SETTLE_DETAIL_ASYNC_CLEANUP_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "closures.hpp"
#include "registry.hpp"
#include "report_thrown.hpp"
#include "state_access.hpp"
#include "timers.hpp"

namespace settle::inline v0::detail {

/// What a cleanup's closure returns.
template <class F>
struct cleanup_result {
  using type = decltype(std::declval<F>()());
};
template <class F>
  requires std::invocable<F&, ending>
struct cleanup_result<F> {
  using type = decltype(std::declval<F>()(std::declval<ending>()));
};

/// A cleanup is asynchronous when it returns a handle.
template <class C, class R>
inline constexpr bool is_handle = false;
template <class C, class P>
inline constexpr bool is_handle<C, handle<P>> = true;

template <class F>
decltype(auto) result_of_cleanup(F& f, [[maybe_unused]] ending const& how) {
  if constexpr (std::invocable<F&, ending>) return std::move(f)(how);
  else return std::move(f)();
}

template <class C, class F>
consteval bool is_asynchronous() {
  if constexpr (requires { F::made_in_place; }) {
    return false;
  } else if constexpr (!takes_ending<F>) {
    static_assert(takes_ending<F>, "settle: on_cleanup takes `f()` or `f(settle::ending)` (see docs/guide/registering.md)");
    return false;
  } else {
    using result = std::remove_cvref_t<typename cleanup_result<F>::type>;
    static_assert(
        !is_handle<C, result> || requires { requires std::same_as<typename result::policy_type::terminal, C>; },
        "settle: an asynchronous cleanup must return a handle of its operation's own terminal (see "
        "docs/guide/registering.md#asynchronous-cleanups)");
    return is_handle<C, result>;
  }
}

/// The operation that a cleanup has begun: started where the cleanup's owner runs, owned by nobody.
template <class C, class P>
state_base<C>* let_run(handle<P>&& h, state_base<C>* owner, basic_operation<C>& keep) noexcept {
  state_base<C>* const begun = state_access::get(h);
  if (begun == nullptr) return nullptr;
  engine<C>::warm(*begun, owner);
  keep = std::move(h).detach();
  return begun;
}

/// What a cleanup that is under way waits for: the release of the operation it returned, then its timer. One after the
/// other on the owner's executor, carrying the releaser's hold (or, begun too late, a reference).
template <class C>
class cleanup_wait {
  using state = state_base<C>;

 public:
  explicit cleanup_wait(hook_type<C> const& end) noexcept : end_(&end) {}
  cleanup_wait(cleanup_wait&&) = delete;

  hook<C>& turn() noexcept { return turn_; }
  basic_operation<C>& waited_for() noexcept { return waited_for_; }
  static cleanup_wait& of(hook<C>& h) noexcept { return *reinterpret_cast<cleanup_wait*>(&h); }
  /// Whose cleanup waits for the operation that the hook is on; null when it is another hook.
  static state* owner_of(hook<C>& h) noexcept { return h.kind == hook_kind::waiting && h.type == &when_released ? of(h).owner_ : nullptr; }

  /// Room for the deadline's timer, where the owner's executor has timers. False: no memory.
  bool make_room(state& owner) noexcept { return timer_.make_room(owner); }
  void give_room_back(state& owner) noexcept { timer_.give_room_back(owner); }

  /// False: it is released already, or fit to wait for in no way. True: from now on it ends by itself, perhaps already.
  bool begin(state& owner, bool holds) noexcept {
    state& a = *state_access::get(waited_for_);
    if (&a == &owner) {
      owner.report(nullptr, monitor_event::misuse, "a cleanup returned the operation it cleans up: it would wait for itself");
      return false;
    }
    if (a.is_released()) {
      tell_failure(owner);
      return false;
    }
    owner_ = &owner;
    holds_ = holds;
    turn_.kind = hook_kind::waiting;
    turn_.owner = &a;
    turn_.type = &when_released;
    timer_.start(owner, owner.table->cleanup_budget, timer_done::to<&cleanup_wait::over>(*this));
    if (registry<C>::add_released(a, turn_)) return true;
    tell_failure(owner);
    return timer_.stop();
  }

 private:
  /// Structural, on whichever thread released it.
  static void released(hook<C>& h, hook_action) {
    cleanup_wait& self = of(h);
    self.tell_failure(*self.owner_);
    self.go_to_owner(when_owner_knows);
  }
  void go_to_owner(hook_type<C> const& type) noexcept {
    turn_.kind = hook_kind::released;
    turn_.owner = owner_;
    turn_.type = &type;
    turn_.holds = holds_;
    engine<C>::post(turn_);
  }
  /// On the owner's executor. The timer must have let go before the cleanup's memory goes.
  static void owner_knows(hook<C>& h, hook_action action) {
    cleanup_wait& self = of(h);
    if (self.timer_.is_started() && self.left_to_timer()) return;
    self.end_->run(h, action);
  }
  bool left_to_timer() noexcept {
    state& owner = *owner_;
    bool const holds = holds_;
    if (holds) owner.add_hold();  // the timer's; ours is given back when we return
    else owner.add_ref();
    if (timer_.stop()) return true;
    if (holds) releaser<C>::drop(owner);
    else owner.drop_ref();
    return false;
  }
  /// The timer let go.
  void over(timer_end how) noexcept {
    if (how == timer_end::fired) overrun();
    if (timer_.ended()) go_to_owner(*end_);
  }
  void overrun() noexcept {
    state& a = *state_access::get(waited_for_);
    if (a.is_released()) return;
    monitor_event e = owner_->event_of(monitor_event::cleanup_overrun);
    e.detail = "an asynchronous cleanup is over its budget: it is asked to cancel";
    e.other = a.created;
    owner_->report(nullptr, e);
    engine<C>::request(a, cancellation(cause::deadline, a.created));
  }

  /// A failure that nobody looked at has only us to go to.
  void tell_failure(state& owner) noexcept {
    state& a = *state_access::get(waited_for_);
    if (!a.is(word::failure) || a.seen.load(std::memory_order_relaxed)) return;
    a.seen.store(true, std::memory_order_relaxed);
    monitor_event e = owner.event_of(monitor_event::cleanup_failed);
    e.other = a.created;
    owner.report(a.table->exception(a), e);
  }

  static constexpr hook_type<C> when_released{&released, 0, 0};
  static constexpr hook_type<C> when_owner_knows{&owner_knows, 0, 0};

  hook<C> turn_;
  hook_type<C> const* end_;
  state* owner_ = nullptr;
  bool holds_ = true;
  basic_operation<C> waited_for_;
  budget_timer<C> timer_;
};

/// The closure of an asynchronous cleanup, and behind it what the cleanup waits for. The closure lives until the cleanup
/// has ended: a coroutine may go on using its captures.
template <class C, class F>
class awaiting_cleanup {
  using state = state_base<C>;
  using closure = cleanup_closure<C, awaiting_cleanup>;
  using node = typename closure::node;

 public:
  using asynchronous = void;

  explicit awaiting_cleanup(F&& f) : f_(std::move(f)) {}
  awaiting_cleanup(awaiting_cleanup&& o) noexcept(std::is_nothrow_move_constructible_v<F>) : wait_(end_of_turn), f_(std::move(o.f_)) {}

  bool make_room(state& s) noexcept { return wait_.make_room(s); }
  void give_room_back(state& s) noexcept { wait_.give_room_back(s); }

  /// Its turn among the cleanups. False: it is under way.
  static bool begin(awaiting_cleanup& self, state& s) noexcept {
    self.call(s);
    if (self.wait_.waited_for() && self.wait_.begin(s, true)) return false;
    self.give_room_back(s);
    std::destroy_at(&self);
    return true;
  }

  /// The operation is released already: a piece of work by itself, in its block.
  static void begin_too_late(awaiting_cleanup& self, state& s) noexcept {
    hook<C>& h = self.wait_.turn();
    h.kind = hook_kind::released;
    h.owner = &s;
    h.type = &alone;
    registry<C>::at_once(s, h);
  }

  /// There was no room: it is begun, and left to itself. The closure dies before it has ended.
  static void begin_without_room(awaiting_cleanup& self, state& s) noexcept { self.call(s); }

 private:
  void call(state& s) noexcept {
    guarded([&] { let_run(result_of_cleanup(f_, ending_of(s)), &s, wait_.waited_for()); },
            report_thrown<C>{s, monitor_event::cleanup_threw});
  }

  static awaiting_cleanup& of(hook<C>& h) noexcept { return *reinterpret_cast<awaiting_cleanup*>(&h); }
  static void run_alone(hook<C>& h, hook_action) {
    state& s = *h.owner;
    awaiting_cleanup& self = of(h);
    s.add_ref();
    self.call(s);
    if (self.wait_.waited_for() && self.wait_.begin(s, false)) return;
    s.drop_ref();
    end(self, s);
  }
  static void end_turn(hook<C>& h, hook_action) { end(of(h), *h.owner); }

  /// The closure goes, then its memory. A slot of the state is only marked: it is one that others may fill even now, where no
  /// cleanup may allocate; else an asynchronous one has a block.
  static void end(awaiting_cleanup& self, state& s) noexcept {
    self.give_room_back(s);
    std::destroy_at(&self);
    auto* const at = reinterpret_cast<std::byte*>(&self);
    std::size_t const slot = s.slot_of(at);
    if (slot == s.table->slot_count) s.deallocate(at - closure::type.offset, closure::type.size, closure::type.align);
    else s.spend_slot(slot);
  }

  static constexpr hook_type<C> end_of_turn{&end_turn, 0, 0};
  static constexpr hook_type<C> alone{&run_alone, 0, 0};

  cleanup_wait<C> wait_{end_of_turn};
  F f_;
};

}  // namespace settle::inline v0::detail

#endif
