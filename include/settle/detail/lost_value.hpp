// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_LOST_VALUE_HPP
#define SETTLE_DETAIL_LOST_VALUE_HPP

#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "context.hpp"
#include "exceptions.hpp"
#include "hook.hpp"
#include "look.hpp"
#include "report_thrown.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

template <class T, class E, class C>
struct typed_state;
template <class C>
struct registry;

/// The function given to on_lost: a part of the operation's context. Used up on the operation's executor, by the value that
/// nobody took, or by nothing when it is known that none will be lost.
template <class C>
struct lost_taker {
  using state = state_base<C>;

  context_part<C> part;
  hook<C> turn;  // brings it to the executor to be destroyed
  void (*use)(lost_taker&, state&, bool with_value) noexcept = nullptr;

  /// Null: there is none, or it is used up. Afterwards it is the caller's.
  static lost_taker* claim(state& s) noexcept { return s.is(word::taker) ? claim_waiting(s) : nullptr; }
  [[gnu::noinline]] static lost_taker* claim_waiting(state& s) noexcept {
    std::uint32_t const w = s.lock();
    s.unlock(w & ~word::taker);
    if ((w & word::taker) == 0) return nullptr;
    return static_cast<lost_taker*>(s.created.get()->find(&key)->self);
  }
  /// No value will be lost. On the operation's executor.
  static void forget(state& s) noexcept {
    if (lost_taker* const t = claim(s)) t->use(*t, s, false);
  }
  /// The same from anywhere.
  static void forget_from_here(state& s) noexcept {
    lost_taker* const t = claim(s);
    if (t == nullptr) return;
    t->turn.kind = hook_kind::released;
    t->turn.owner = &s;
    t->turn.type = &last_turn;
    t->turn.holds = false;
    s.add_ref();
    engine<C>::post(t->turn);
  }

  static constexpr char key = 0;

 private:
  static void run(hook<C>& h, hook_action) {
    state& s = *h.owner;
    auto& t = *static_cast<lost_taker*>(s.created.get()->find(&key)->self);
    t.use(t, s, false);
  }
  static constexpr hook_type<C> last_turn{&run, 0, 0};
};

template <class T, class E, class C, class F>
struct typed_lost_taker final : lost_taker<C> {
  using base = lost_taker<C>;
  using state = state_base<C>;
  union {
    F f;
  };

  explicit typed_lost_taker(F&& g) : f(std::move(g)) {
    this->part.key = &base::key;
    this->part.self = static_cast<base*>(this);
    this->part.destroy = &destroy;
    this->use = &use_up;
  }
  ~typed_lost_taker() {}

  /// False: no memory. What moving f throws goes to the caller.
  static bool give(state& s, F&& f) {
    context<C>* const c = s.make_context();
    void* const at = c == nullptr ? nullptr : s.allocate(sizeof(typed_lost_taker), alignof(typed_lost_taker));
    if (at == nullptr) return false;
    auto* const made = with_undo([&] { return ::new (at) typed_lost_taker(std::move(f)); },
                                 [&] { s.deallocate(at, sizeof(typed_lost_taker), alignof(typed_lost_taker)); });
    if (c->find(&base::key) != nullptr) {
      s.report(nullptr, monitor_event::misuse, "on_lost is given a second function for the same operation");
      unmake(*made, s);
      return true;
    }
    bool const holds = s.try_hold(true);  // the sequence must not end the short way without having seen it
    std::uint32_t const w = s.lock();
    c->push(made->part);  // beside others that are added without the lock
    s.unlock(w | word::taker);
    if ((w & word::settled) != 0 && (w & word::no_value) != 0) base::forget_from_here(s);
    if (holds) registry<C>::leave_late(s);
    return true;
  }

 private:
  static void use_up(base& b, state& s, bool with_value) noexcept {
    auto& self = static_cast<typed_lost_taker&>(b);
    if (with_value)
      guarded([&] { std::move(self.f)(std::move(*outcome_access::value(static_cast<typed_state<T, E, C>&>(s).result))); },
              report_thrown<C>{s, monitor_event::callback_threw});
    std::destroy_at(&self.f);
  }
  static void destroy(context_part<C>& p, state& s) noexcept {
    auto* const self = static_cast<typed_lost_taker*>(static_cast<base*>(p.self));
    if (s.is(word::taker)) {  // watched to the end
      s.word.store(s.word.load(std::memory_order_relaxed) & ~word::taker, std::memory_order_relaxed);
      use_up(*self, s, s.head().kind == outcome_head::value);
    }
    s.deallocate(self, sizeof(typed_lost_taker), alignof(typed_lost_taker));
  }
  static void unmake(typed_lost_taker& t, state& s) noexcept {
    std::destroy_at(&t.f);
    s.deallocate(&t, sizeof(typed_lost_taker), alignof(typed_lost_taker));
  }
};

/// A value that stands in its place, whatever the outcome is: to the function given to on_lost, if it waits for one.
template <class C>
void hand_lost_value(state_base<C>& s) noexcept {
  if (lost_taker<C>* const t = lost_taker<C>::claim(s)) t->use(*t, s, true);
}

/// The value has no taker: it goes to the function given to on_lost, and dies. On the operation's executor.
template <class C>
void lose_value(state_base<C>& s) noexcept {
  if (s.head().kind == outcome_head::value) hand_lost_value(s);
  if (s.table->dispose != nullptr) s.table->dispose(s);
  else if (s.head().kind == outcome_head::value) s.head().kind = outcome_head::taken;
}

/// Whether anything happens when the value is lost, if there is or may yet be one.
template <class C>
bool may_be_lost(state_table<C> const& t, std::uint32_t w) noexcept {
  return (t.dispose != nullptr && (w & word::no_value) == 0) || (w & word::taker) != 0;
}
/// The same of a word that is looked at here.
template <class C>
bool may_be_lost(state_base<C>& s) noexcept {
  return look(s.word, std::memory_order_acquire, [t = s.table](std::uint32_t w) { return may_be_lost(*t, w); });
}

}  // namespace settle::inline v0::detail

#endif
