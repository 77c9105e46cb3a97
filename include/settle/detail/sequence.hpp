// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_SEQUENCE_HPP
#define SETTLE_DETAIL_SEQUENCE_HPP

#include "embedded.hpp"
#include "hook.hpp"
#include "lost_value.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

template <class C>
struct releaser;

/// The user code of one settled operation, in the order of its policy.
template <class C>
struct sequence {
  using state = state_base<C>;
  using node = hook<C>;

  /// Runs on the operation's executor; owns a hold and a reference, and gives both back at the end.
  static void run(state& s) noexcept {
    if (s.is(word::embedded)) run_beside_owners(s);  // who write to the ring under the lock
    else if (s.table->born != nullptr) run_in_order(s);
    else run_ring(s);
    end(s);
  }
  /// The same for what was not born with a consumer, whose hooks no owner takes off.
  template <class S>
  [[gnu::always_inline]] static void run_plain(S& s) noexcept {
    run_ring(s);
    end(s);
  }

  /// A hook that is queued by itself: told at once, or too late for its ring.
  static void run_alone(node& h) noexcept {
    state& s = *h.owner;
    bool const holds = h.holds;
    run_hook(s, h, h.mute ? hook_action::discard : hook_action::invoke);
    if (holds) engine<C>::leave(s, true);
    else s.drop_ref();
  }

  /// The cancel observers of a request, in registration order, and the sequence when the operation settled meanwhile.
  /// Owns a hold and a reference. (Where no owner may take hooks away, each is queued by itself instead.)
  static void run_errand(state& s) noexcept {
    node due;  // heads a ring from which owners may take their hooks without knowing it
    due.next = due.prev = &due;
    std::uint32_t w = s.lock();
    bool const owed = (w & word::owed) != 0;
    w &= ~(word::errand | word::owed);
    for (node* h = s.observers(); h != nullptr && h->kind == hook_kind::cancel && h->rank == told::request; h = s.observers()) {
      s.observers(ring<C>::remove(h, h));
      if (h->embedded) static_cast<embedded_hook<C>*>(h)->phase = embedded_hook<C>::due;
      ring<C>::push_front(due.following(), h);  // the newest came first
    }
    while (due.next != &due) {
      node& h = *due.following();
      ring<C>::remove(nullptr, &h);
      run_taken(s, h, hook_action::invoke, w);
      w = s.lock();
    }
    s.unlock(w);
    if (owed) run(s);
    engine<C>::leave(s, true);
  }

  /// Runs one hook, unless its kept registration withdrew it, and returns its memory.
  template <class S>
  [[gnu::always_inline]] static void run_hook(S& s, node& h, hook_action action) noexcept {
    bool const kept = start(h, action);
    if (action == hook_action::invoke && (h.kind == hook_kind::done || h.kind == hook_kind::consumer))
      s.seen.store(true, std::memory_order_relaxed);
    hook_type<C> const& type = *h.type;
    type.run(h, action);  // what is no block of its own may be gone now
    if (type.size == 0) return;
    if (kept) {
      s.add_ref();  // the registration returns the memory through it
      if (h.claimed.exchange(claim::finished, std::memory_order_acq_rel) == claim::started) return;
      s.drop_ref();
    }
    s.deallocate(&h, type.size, type.align);
  }

  /// Observers and a consumer, as the policy orders them.
  static void run_in_order(state& s) noexcept {
    for (notice n : s.table->order) {
      if (s.observers() != nullptr) notify(s, n);
      if (n == notice::consumer && s.table->born != nullptr) s.table->born(s);
    }
  }

 private:
  /// One hook, as a rule, and no order to keep.
  template <class S>
  [[gnu::always_inline]] static void run_ring(S& s) noexcept {
    node* const first = s.observers();
    if (first == nullptr) return;
    if (first->next != first) return run_in_order(s);
    s.observers(nullptr);
    run_hook(s, *first, action_of(s, *first));
  }
  template <class S>
  [[gnu::always_inline]] static void end(S& s) noexcept {
    if (s.table->observed != nullptr) s.table->observed(s);
    if (!releaser<C>::end_sequence(s)) end_beside_others(s);
  }
  [[gnu::noinline]] static void end_beside_others(state& s) noexcept {
    if (!s.is(word::offered)) offer_value(s);
    if (s.is(word::given)) s.drop_ref();
    engine<C>::leave(s, true);
  }

  /// Arbitrates with a kept registration. True: it still stands.
  static bool start(node& h, hook_action& action) noexcept {
    claim c = h.claimed.load(std::memory_order_acquire);
    for (unsigned round = 0; c != claim::unkept;) {
      if (c == claim::withdrawn) {
        action = hook_action::discard;
        return false;
      }
      if (c == claim::withdrawing) {
        C::sync::pause(round++, h.claimed);
        c = h.claimed.load(std::memory_order_acquire);
      } else if (h.claimed.compare_exchange_weak(c, claim::started, std::memory_order_acq_rel, std::memory_order_acquire)) {
        return true;
      }
    }
    return false;
  }

  /// Runs a hook that is off its ring; called under the lock, and gives it back.
  static void run_taken(state& s, node& h, hook_action action, std::uint32_t w) noexcept {
    if (!h.embedded) {
      s.unlock(w);
      run_hook(s, h, action);
    } else if (action == hook_action::invoke) {
      embedded_hook<C>::run(s, static_cast<embedded_hook<C>&>(h), w);
    } else {
      static_cast<embedded_hook<C>&>(h).phase = embedded_hook<C>::over;
      s.unlock(w);
    }
  }

  static void run_beside_owners(state& s) noexcept {
    for (notice n : s.table->order) {
      notify_beside_owners(s, n);
      if (n == notice::consumer && s.table->born != nullptr) s.table->born(s);
    }
  }

  /// The same as notify, with owners who take hooks off the ring meanwhile. The marker goes round it once; what is not
  /// told now goes behind it.
  static void notify_beside_owners(state& s, notice n) noexcept {
    bool const reverse = s.table->reverse;
    node marker;
    marker.kind = hook_kind::marker;
    std::uint32_t w = s.lock();
    s.observers(put(s.observers(), &marker, reverse));
    for (;;) {
      node* const h = reverse ? s.observers()->prev : s.observers();
      s.observers(ring<C>::remove(s.observers(), h));
      if (h == &marker) break;
      if (notice_of(*h) != n) {
        s.observers(put(s.observers(), h, reverse));
        continue;
      }
      run_taken(s, *h, action_of(s, *h), w);
      w = s.lock();
    }
    s.unlock(w);
  }
  static node* put(node* first, node* h, bool in_front) noexcept {
    return in_front ? ring<C>::push_front(first, h) : ring<C>::push_back(first, h);
  }

  static notice notice_of(node const& h) noexcept {
    return h.kind == hook_kind::cancel ? notice::cancel : h.kind == hook_kind::consumer ? notice::consumer : notice::done;
  }

  /// Cancel observers of what was not cancelled in the end are only destroyed.
  static hook_action action_of(state& s, node const& h) noexcept {
    return h.kind == hook_kind::cancel && !s.is(word::cancelled) ? hook_action::discard : hook_action::invoke;
  }

  static void notify(state& s, notice n) noexcept {
    node* left = s.observers();
    s.observers(nullptr);
    node* kept = nullptr;
    while (left != nullptr) {
      node* const h = s.table->reverse ? left->prev : left;
      left = ring<C>::remove(left, h);
      if (notice_of(*h) == n) run_hook(s, *h, action_of(s, *h));
      else kept = put(kept, h, s.table->reverse);
    }
    s.observers(kept);
  }

  /// Observers and a consumer that came beside the sequence, then the value: what nobody can take any more dies here, on
  /// the executor, before the cleanups.
  static void offer_value(state& s) noexcept {
    std::uint32_t w = s.lock();
    for (node* late = take_late(s); late != nullptr; late = take_late(s)) {
      s.unlock(w);
      while (late != nullptr) {
        node* const h = late;
        late = ring<C>::remove(late, h);
        run_hook(s, *h, hook_action::invoke);
      }
      w = s.lock();
    }
    s.unlock(w | word::offered);
    if (may_be_lost(*s.table, w) && (w & (word::owned | word::watched)) == 0) lose_value(s);
  }

  /// They wait in front of the lasting ones, newest first. Under the lock.
  static node* take_late(state& s) noexcept {
    node* late = nullptr;
    node* first = s.lasting.load(std::memory_order_relaxed);
    while (first != nullptr && (first->kind == hook_kind::done || first->kind == hook_kind::consumer)) {
      node* const h = first;
      first = ring<C>::remove(first, h);
      late = ring<C>::push_front(late, h);
    }
    if (late != nullptr) s.lasting.store(first, std::memory_order_relaxed);
    return late;
  }
};

}  // namespace settle::inline v0::detail

#endif
