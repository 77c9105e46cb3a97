// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_WALKER_HPP
#define SETTLE_DETAIL_WALKER_HPP

#include "frame.hpp"
#include "hook.hpp"
#include "link.hpp"
#include "sequence.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// The structural part: what an operation's settling, or a request, means to its children and its cancel observers.
/// Runs at once on the calling thread, one state after the other.
template <class C>
class walker {
 public:
  using state = state_base<C>;
  using node = hook<C>;

  /// What a child of this one is told. Under the lock, or settled.
  static cancellation passed_down(state& s, std::uint32_t w) noexcept {
    bool const has_cause = (w & (word::cancelled | word::requested)) != 0;
    return has_cause ? s.head().cancelled_by().passed_down() : cancellation(s.table->outlived, s.created);
  }

  /// Children and cancel observers that were asked already have nothing more to hear, unless it is by force. Combinators have.
  static bool has_structure(std::uint32_t w, bool asked) noexcept { return ((w & word::below) != 0 && !asked) || (w & word::inputs) != 0; }

  /// Takes off what settling has to tell, when that is little: nobody, or one input. Under the lock. False: more.
  static bool take_little(state& s, std::uint32_t w, bool asked, node*& input) noexcept {
    node* const first = s.lasting.load(std::memory_order_relaxed);
    node* found = nullptr;
    node* h = first;
    for (unsigned n = 0; h != nullptr; ++n) {
      if (n == few || (w & word::embedded) != 0 || !is_little(*h, asked, found)) return false;
      h = h->following() == first ? nullptr : h->following();
    }
    input = found;
    if (found == nullptr) return true;
    s.lasting.store(ring<C>::remove(first, found), std::memory_order_relaxed);
    found->taken = true;
    return true;
  }

  /// Feeds such an input. It may wait for the outcome as an observer: nobody else touches those any more, or not yet.
  static void feed_alone(node& h, frame<C>& f) noexcept {
    f.fed = h.owner;
    h.type->run(h, hook_action::feed);
    f.fed = nullptr;
  }

  /// The structural part of one operation: tells its children and cancel observers one at a time.
  /// This thread owns `walking`, and (has_ref) for a request a reference. The marker goes once round the ring; what is told goes
  /// behind it, and so does what is added meanwhile, which whoever adds it tells.
  static void walk(state& s, frame<C>& f, bool has_ref) noexcept {
    node marker;
    marker.kind = hook_kind::marker;
    std::uint32_t w = s.lock();
    bool due = false;
    for (std::uint32_t at_start = ~news(w); at_start != news(w);) {  // what comes in between goes round again
      at_start = news(w);
      s.lasting.store(ring<C>::push_back(s.lasting.load(std::memory_order_relaxed), &marker), std::memory_order_relaxed);
      w = circle(s, marker, w, f, due);
      s.lasting.store(ring<C>::remove(&marker, &marker), std::memory_order_relaxed);
    }
    end_walk(s, w, f, due);
    if (has_ref) s.drop_ref();
  }

  /// What the structural part has before it.
  static void walk_all(frame<C>& f) noexcept {
    std::uint32_t const outer = std::exchange(f.at, f.at | frame<C>::walks);
    while (!f.structure.empty() || f.parked != nullptr) {
      if (f.structure.empty()) {
        walk_parked(f);
        continue;
      }
      work* const w = f.structure.pop();
      if (w->as == role::feed) feed_queued(static_cast<node&>(*w), f);
      else if (w->as == role::release) releaser<C>::run(static_cast<state&>(*w), false);
      else walk(static_cast<state&>(*w), f, w->as == role::walk_request);
    }
    f.at = outer;
  }

  /// Runs what the structural part left, unless this thread is already at it further up.
  [[gnu::always_inline]] static void pump(frame<C>& f) noexcept {
    if ((f.at & frame<C>::walks) == 0 && !f.nothing_left()) pump_all(f);
  }

  /// A walk of a state that stands in another queue: the link that leads to it stands for it, and the child cannot be
  /// released, nor the link go, before it was walked. Without a link nobody walks further up.
  static void walk_queued(state& s, frame<C>& f, node* via) noexcept {
    if (via != nullptr) {
      via->parked = std::exchange(f.parked, via);
      return;
    }
    std::uint32_t const outer = std::exchange(f.at, f.at | frame<C>::walks);
    walk(s, f, false);
    f.at = outer;
  }

 private:
  static constexpr unsigned few = 4;  // hooks that are looked at under the lock

  /// Nothing to hear for this one, or the only input.
  static bool is_little(node& h, bool asked, node*& input) noexcept {
    if (h.kind == hook_kind::child) return asked || link<C>::of(h).child()->is(word::settled);
    if (h.kind != hook_kind::input) return h.kind == hook_kind::parent || h.kind == hook_kind::waiting;
    return std::exchange(input, &h) == nullptr;
  }
  static void feed_queued(node& h, frame<C>& f) noexcept {
    state& s = *h.owner;
    feed_alone(h, f);
    s.as = role::sequence;
    dispatcher<C>::ready(s, s, f);
  }

  [[gnu::noinline]] static void pump_all(frame<C>& f) noexcept {
    walk_all(f);
    if (!f.outbox.empty()) dispatcher<C>::flush(f);
  }

  static void walk_parked(frame<C>& f) noexcept {
    node* const l = f.parked;
    f.parked = std::exchange(l->parked, nullptr);
    walk(*link<C>::of(*l).child(), f, false);
  }

  /// What there is to tell.
  static std::uint32_t news(std::uint32_t w) noexcept { return w & (word::forced | ((w & word::inputs) != 0 ? word::settled : 0u)); }

  /// How much the lasting hooks are to be told in this state of the word.
  static told target(std::uint32_t w) noexcept { return (w & word::forced) != 0 ? told::everything : told::request; }

  static std::uint32_t circle(state& s, node& marker, std::uint32_t w, frame<C>& f, bool& due) noexcept {
    unsigned passed = 0;
    for (node* h = s.lasting.load(std::memory_order_relaxed); h != &marker; h = s.lasting.load(std::memory_order_relaxed)) {
      if (h->kind == hook_kind::cancel && !told_by_errand(w)) {
        take_cancel(s, *h, w, f);
      } else if (h->kind == hook_kind::input && (w & word::settled) != 0) {
        feed(s, *h, w);
      } else if (h->kind == hook_kind::stop) {
        take_stop(s, *h, w);
      } else {
        if (h->kind == hook_kind::cancel) {
          due = true;
          put_aside(s, *h);
        } else {
          s.lasting.store(h->following(), std::memory_order_relaxed);
        }
        if (h->kind == hook_kind::child && h->rank < target(w) && !link<C>::of(*h).child()->is(word::settled)) tell_child(s, *h, w, f);
        else if (++passed % 64 != 0) continue;
        else s.unlock(w);
      }
      w = s.lock();
    }
    return w;
  }

  /// Asked, and there are owners who may take their hooks away: a hook must not be queued by itself then, so the state is,
  /// for all of them. They wait in front of the done observers.
  static bool told_by_errand(std::uint32_t w) noexcept { return (w & word::settled) == 0 && (w & word::embedded) != 0; }

  static void put_aside(state& s, node& h) noexcept {
    s.lasting.store(ring<C>::remove(&h, &h), std::memory_order_relaxed);
    h.taken = true;
    h.rank = told::request;  // it is the errand's: what settling adds behind it is the sequence's
    s.observers(ring<C>::push_front(s.observers(), &h));
  }

  /// The end of a walk, under the lock. Settled (before it, or meanwhile): on to the user code.
  static void end_walk(state& s, std::uint32_t w, frame<C>& f, bool due) noexcept {
    bool const settled = (w & word::settled) != 0;
    bool const queued = (w & word::errand) != 0;
    w &= ~word::walking;
    if (settled && (due || queued)) w |= word::owed;
    if (due) {
      s.add_hold();
      w |= word::errand;
    }
    s.unlock(w);
    if (queued || !(due || settled)) return;
    s.as = due ? role::errand : role::sequence;
    dispatcher<C>::ready(s, s, f);
  }

  /// A cancel observer leaves the ring: told by a request it is queued by itself, else it runs in the sequence.
  static void take_cancel(state& s, node& h, std::uint32_t w, frame<C>& f) noexcept {
    s.lasting.store(ring<C>::remove(&h, &h), std::memory_order_relaxed);
    h.taken = true;
    if ((w & word::settled) != 0) {
      s.observers(ring<C>::push_back(s.observers(), &h));
      s.unlock(w);
    } else {
      h.holds = true;
      h.as = role::hook;
      s.add_hold();
      s.unlock(w);
      f.outbox.push(&h);
    }
  }

  /// A combinator hears of it, here and now.
  static void feed(state& s, node& h, std::uint32_t w) noexcept {
    s.lasting.store(ring<C>::remove(&h, &h), std::memory_order_relaxed);
    h.taken = true;
    s.unlock(w);
    h.type->run(h, hook_action::feed);
  }

  /// A stop source leaves the ring, and is asked to stop here and now.
  static void take_stop(state& s, node& h, std::uint32_t w) noexcept {
    s.lasting.store(ring<C>::remove(&h, &h), std::memory_order_relaxed);
    s.unlock(w);
    h.type->run(h, (w & (word::requested | word::cancelled)) != 0 ? hook_action::invoke : hook_action::discard);
  }

  /// Leads the cancellation one level down; gives the lock back.
  static void tell_child(state& s, node& h, std::uint32_t w, frame<C>& f) noexcept {
    h.rank = target(w);
    state& child = *link<C>::of(h).child();
    child.add_ref();
    cancellation const c = passed_down(s, w);
    s.unlock(w);
    engine<C>::cascade(child, c, (w & word::forced) != 0, f, &h);
  }
};

}  // namespace settle::inline v0::detail

#endif
