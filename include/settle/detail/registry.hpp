// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_REGISTRY_HPP
#define SETTLE_DETAIL_REGISTRY_HPP

#include "embedded.hpp"
#include "engine.hpp"
#include "hook.hpp"
#include "link.hpp"
#include "look.hpp"
#include "state.hpp"
#include "walker.hpp"

namespace settle::inline v0::detail {

/// Putting hooks where they wait. What comes too late takes effect at once: there is no second check and no window.
template <class C>
struct registry {
  using state = state_base<C>;
  using node = hook<C>;

  /// A done observer. `kept`: its registration may withdraw it.
  [[gnu::always_inline]] static void add_observer(state& s, node& h, bool kept = false) noexcept {
    add_under_lock(s, h, s.lock(), kept ? std::uint32_t{word::kept} : 0u);
  }
  /// The consumer of a handle that is given up. True: its reference is the sequence's now.
  [[gnu::always_inline]] static bool add_consumer(state& s, node& h) noexcept {
    std::uint32_t const w = s.lock();
    bool const is_cold = (w & word::cold) != 0;
    bool const waits = add_under_lock(s, h, w, is_cold ? 0u : std::uint32_t{word::given});
    if (is_cold) engine<C>::warm(s, nullptr);
    return waits && !is_cold;
  }

  /// Of a settled operation. Beside the sequence, which cannot end while we hold the operation: it comes to it after the
  /// others. The sequence is over, if it does not say so itself, when the cleanups run.
  [[gnu::noinline]] static void add_late_observer(state& s, node& h) noexcept {
    if (s.is(word::offered) || !s.try_hold(true)) return at_once(s, h);
    std::uint32_t const w = s.lock();
    bool const is_over = (w & word::offered) != 0 || has(s.counts, count::releasing, std::memory_order_relaxed);
    if (!is_over) s.lasting.store(ring<C>::push_front(s.lasting.load(std::memory_order_relaxed), &h), std::memory_order_relaxed);
    s.unlock(is_over ? w : w | kept_bit(h));
    if (!is_over) return leave_late(s);
    h.holds = true;
    engine<C>::post(h);
  }

  /// A cancel observer. One that comes after a value or an error never fires: it is only destroyed.
  static void add_cancel(state& s, node& h, bool alone = false) noexcept {
    std::uint32_t const w = s.lock(alone);
    if ((w & (word::settled | word::requested)) == 0) {
      push_lasting(s, h);
      s.unlock(w | word::below | kept_bit(h));
      return;
    }
    h.mute = (w & word::settled) != 0 && (w & word::cancelled) == 0;
    s.unlock(w);
    at_once(s, h);
  }

  /// A hook whose memory is its owner's, who may take it off again. False: it came too late for the rings. (A cancel
  /// observer that never fires counts as registered; its phase says that it is over.)
  static bool add_embedded(state& s, embedded_hook<C>& h) noexcept {
    std::uint32_t const w = s.lock();
    bool const cancel = h.kind == hook_kind::cancel;
    bool const in_time = cancel ? (w & (word::settled | word::requested)) == 0 : (w & word::settled) == 0 || (w & word::walking) != 0;
    bool const never = cancel && (w & word::settled) != 0 && (w & word::cancelled) == 0;
    if (in_time) {
      h.phase = embedded_hook<C>::waiting;
      if (cancel) push_lasting(s, h);
      else s.observers(ring<C>::push_back(s.observers(), &h));
    }
    s.unlock(in_time ? w | word::embedded | (cancel ? word::below : 0U) : w);
    return in_time || never;
  }

  /// A released observer, or a link's upper end: false when it is released already.
  static bool add_released(state& s, node& h) noexcept {
    std::uint32_t const bit = (h.kind == hook_kind::released ? word::releasers : 0u) | word::linked | kept_bit(h);
    std::uint32_t w = s.lock();
    if ((w & word::settled) == 0) {
      if (h.kind == hook_kind::parent) push_uplink(s, h);
      else push_lasting(s, h);
      s.unlock(w | bit);
      return true;
    }
    s.unlock(w);
    if (!s.try_hold(true)) return false;
    w = s.lock();
    push_lasting(s, h);
    if (h.kind == hook_kind::parent) s.count_uplink();
    s.unlock(w | bit);
    leave_late(s);
    return true;
  }

  /// A combinator's hook, on an operation that whoever adds it refers to as long as it stands. False: that is settled
  /// already, and the caller feeds it.
  static bool add_input(state& s, node& h) noexcept {
    std::uint32_t const w = s.lock();
    bool const pending = (w & word::settled) == 0;
    h.taken = !pending;
    if (pending) push_lasting(s, h);
    s.unlock(pending ? w | word::inputs : w);
    return pending;
  }
  /// True: it will not be fed. False: it was, or is being just now.
  static bool withdraw_input(state& s, node& h) noexcept {
    std::uint32_t const w = s.lock();
    bool const stands = !h.taken;
    if (stands) {
      s.lasting.store(ring<C>::remove(s.lasting.load(std::memory_order_relaxed), &h), std::memory_order_release);
      h.taken = true;
    }
    s.unlock(w);
    return stands;
  }

  /// A structural hook that is told of the first request or forced cancel. False: there was one.
  static bool add_stop(state& s, node& h) noexcept {
    std::uint32_t const w = s.lock();
    bool const pending = (w & (word::settled | word::requested)) == 0;
    if (pending) push_lasting(s, h);
    s.unlock(pending ? w | word::below : w);
    return pending || (w & (word::requested | word::cancelled)) == 0;
  }

  /// Hands a hook to the executor now. It carries a hold, or on a released operation a reference.
  static void at_once(state& s, node& h) noexcept {
    h.holds = s.try_hold(true);
    if (!h.holds) s.add_ref();
    engine<C>::post(h);
  }

  /// Gives back a hold that was taken to register beside the releaser.
  static void leave_late(state& s) noexcept {
    if (releaser<C>::drop(s, true)) return;
    frame<C>& f = frame<C>::here();
    s.as = role::release;
    f.structure.push(&s);
    walker<C>::pump(f);
  }

  /// The child becomes the parent's: asked or forced to cancel with it, released before its cleanups.
  /// False: no memory, nothing was done.
  static bool adopt(state& parent, state& child) noexcept {
    link<C>* const l = link<C>::make(parent, child);
    if (l == nullptr) return false;
    tie(parent, child, *l);
    return true;
  }

  /// The same with a link that has its ends. A parent that releases already holds no more children: the link is discarded.
  /// `spared`: the child hears of a forced cancel only.
  static void tie(state& parent, state& child, link<C>& l, bool spared = false) noexcept {
    bool const holds = parent.try_hold(false);
    if (holds) l.tell();
    bool const newborn = holds && tie_newborn(child, l.up);
    std::uint32_t const w = parent.lock();
    bool const force = (w & word::forced) != 0;
    bool const tell = force || (!spared && (w & (word::settled | word::requested)) != 0);
    cancellation const c = tell ? walker<C>::passed_down(parent, w) : cancellation{};
    l.down.rank = force ? told::everything : tell || spared ? told::request : told::nothing;
    if (holds && !newborn) child.add_ref();  // the link's: its parent may lead a cancellation down at any time
    if (holds) push_lasting(parent, l.down);
    if (tell) child.add_ref();
    parent.unlock(w | word::below);
    if (!holds) l.up.type->run(l.up, hook_action::discard);
    else if (!newborn && !add_released(child, l.up)) l.up.type->run(l.up, hook_action::invoke);
    frame<C>& f = frame<C>::here();
    if (tell) engine<C>::cascade(child, c, force, f);
    walker<C>::pump(f);
  }
  /// The same for a coroutine that waits for an owner, and starts now, below the running one that awaits it. False: one of
  /// them has other things before it, and nothing was done.
  static bool tie_and_start(state& parent, state& child, link<C>& l) noexcept {
    if (!child.try_hold(false, count::both + count::ref)) return false;  // its turn's, and the link's
    std::uint32_t w = parent.lock();
    if ((w & (word::settled | word::requested)) != 0) {
      parent.unlock(w);
      child.drop_ref();
      engine<C>::leave(child);
      return false;
    }
    parent.add_hold();
    push_lasting(parent, l.down);
    parent.unlock(w | word::below);
    l.tell();  // its turn's hold keeps the child
    w = child.lock();
    if ((w & (word::settled | word::cold)) != word::cold) {
      child.unlock(w);
      static_cast<void>(add_released(child, l.up));  // we hold it: it is not released yet
      engine<C>::leave(child);
      return true;
    }
    push_uplink(child, l.up);
    child.table->inherit(child, parent);
    child.unlock((w & ~word::cold) | word::linked);
    engine<C>::post(child.table->turn(child));
    return true;
  }

 private:
  /// The lower end, with the link's reference, of what nobody but its producer knows: without an atomic step. False: not so.
  static bool tie_newborn(state& s, node& up) noexcept {
    if (!equals(s.counts, count::both, std::memory_order_acquire)) return false;
    std::uint32_t const w = s.word.load(std::memory_order_relaxed);
    if ((w & ~std::uint32_t{word::handled | word::owned}) != 0) return false;
    push_uplink(s, up);
    s.word.store(w | word::linked, std::memory_order_relaxed);
    s.counts.store(count::both + count::ref, std::memory_order_relaxed);
    return true;
  }
  /// Gives the lock back, with `more` set when the hook waits for the sequence; true then.
  [[gnu::always_inline]] static bool add_under_lock(state& s, node& h, std::uint32_t w, std::uint32_t more) noexcept {
    bool const waits = (w & word::settled) == 0 || (w & word::walking) != 0;
    if (waits) s.observers(ring<C>::push_back(s.observers(), &h));
    s.unlock(waits ? w | more : w);
    if (!waits) add_late_observer(s, h);
    return waits;
  }
  static std::uint32_t kept_bit(node const& h) noexcept {
    return h.claimed.load(std::memory_order_relaxed) == claim::unkept ? 0u : std::uint32_t{word::kept};
  }
  /// In front, where whoever looks for what is inherited finds it first. (Once settled, late observers stand there.)
  static void push_uplink(state& s, node& h) noexcept {
    s.lasting.store(ring<C>::push_front(s.lasting.load(std::memory_order_relaxed), &h), std::memory_order_relaxed);
    s.count_uplink();
  }
  static void push_lasting(state& s, node& h) noexcept {
    s.lasting.store(ring<C>::push_back(s.lasting.load(std::memory_order_relaxed), &h), std::memory_order_relaxed);
  }
};

}  // namespace settle::inline v0::detail

#endif
