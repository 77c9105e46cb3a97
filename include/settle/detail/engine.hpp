// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_ENGINE_HPP
#define SETTLE_DETAIL_ENGINE_HPP

#include <utility>

#include "dispatcher.hpp"
#include "frame.hpp"
#include "hook.hpp"
#include "link.hpp"
#include "lost_value.hpp"
#include "naming.hpp"
#include "releaser.hpp"
#include "sequence.hpp"
#include "state.hpp"
#include "walker.hpp"

namespace settle::inline v0::detail {

template <class C>
struct registry;

/// Settling, cancelling and everything that follows. Where others may look, an operation is settled by `settle_locked`; where
/// nobody can, by direct::settle_alone; by state_base::become_settled in both.
///
/// The structural part (children, dependents) runs at once on the calling thread, over an intrusive list: no recursion,
/// no allocation, no executor. User code it makes ready goes to the outbox, and from there to the drain of its executor.
template <class C>
class engine {
 public:
  using state = state_base<C>;
  using node = hook<C>;

  /// The producer's: the payload, if any, is written. Takes over its hold and reference when it wins.
  static bool settle(state& s, outcome_head::kind_t kind, bool alone) noexcept { return settle_if_pending(s, s.lock(alone), kind); }
  /// The same under the lock.
  [[gnu::noinline]] static bool settle_if_pending(state& s, std::uint32_t w, outcome_head::kind_t kind) noexcept {
    if ((w & (word::settled | word::claimed)) != 0) {
      s.unlock(w);
      return false;
    }
    settle_locked(s, w, kind, frame<C>::here());
    return true;
  }

  /// Two steps instead of one, for a value that must not be touched before the win: claim, write, then publish.
  static bool claim(state& s, std::uint32_t more = 0) noexcept {
    std::uint32_t const w = s.lock();
    bool const won = (w & (word::settled | word::claimed)) == 0;
    s.unlock(won ? w | word::claimed | more : w);
    return won;
  }
  static void unclaim(state& s) noexcept {
    std::uint32_t const w = s.lock();
    s.unlock(w & ~(word::claimed | word::tentative));
  }
  /// Takes over a hold and a reference.
  static void publish(state& s, outcome_head::kind_t kind) noexcept {
    std::uint32_t const w = s.lock();
    settle_locked(s, w & ~(word::claimed | word::tentative), kind, frame<C>::here());
  }

  /// Forced: settles now. Takes a hold and a reference of its own; the caller keeps its reference.
  static bool cancel(state& s, cancellation const& c) noexcept {
    std::uint32_t const w = lock_decided(s);
    if ((w & (word::settled | word::claimed)) != 0) {
      if ((w & word::tentative) != 0) ask_locked(s, w, c);  // from inside the value's move, which may yet throw
      else s.unlock(w);
      return false;
    }
    s.add_hold();
    s.head().cancelled_by(c);
    settle_locked(s, w | word::requested | word::forced, outcome_head::cancelled, frame<C>::here());
    return true;
  }

  /// Polite: raises the sticky request and fires the cancel observers. True for the first.
  static bool request(state& s, cancellation const& c) noexcept { return ask_locked(s, lock_decided(s), c); }

  /// The producer goes without having settled: cancelled with the cause that was asked for, else abandoned.
  /// Takes over its hold and reference.
  [[gnu::noinline]] static void abandon(state& s, bool alone) noexcept {
    if (s.is(word::settled)) return leave(s);
    std::uint32_t const w = s.lock(alone);
    if ((w & word::settled) != 0) {
      s.unlock(w);
      return leave(s);
    }
    if ((w & word::initiating) != 0) {
      s.unlock(w | word::forsaken);  // initiate() takes the duty over
      return;
    }
    frame<C>& f = frame<C>::here();
    if ((w & word::requested) != 0) return settle_locked(s, w, outcome_head::cancelled, f);
    s.head().cancelled_by(cancellation(cause::abandoned, s.created));
    state_table<C> const& table = *s.table;
    monitor_event event = s.event_of(monitor_event::abandoned);
    bool const is_named = naming<C>::is_used();
    if (is_named) s.add_ref();  // its name is looked for when it is no longer ours
    settle_locked(s, w, outcome_head::cancelled, f, false);
    if (is_named) s.report(nullptr, event);
    else table.report(nullptr, event);
    walker<C>::pump(f);
    if (is_named) s.drop_ref();
  }

  /// The producer ends as cancelled, with the cause that was asked for or else this one. Takes over its hold and reference.
  static void end_cancelled(state& s, cancellation const& c) noexcept {
    if (!settle_cancelled(s, c)) leave(s);
  }
  /// The same; false: it is settled, and they are still the producer's.
  static bool settle_cancelled(state& s, cancellation const& c) noexcept {
    std::uint32_t const w = s.lock();
    if ((w & word::settled) != 0) {
      s.unlock(w);
      return false;
    }
    if ((w & word::requested) == 0) s.head().cancelled_by(c);
    settle_locked(s, w, outcome_head::cancelled, frame<C>::here());
    return true;
  }

  /// Starts a coroutine that waits for an owner: on the executor of `parent`, if there is one.
  static void warm(state& s, state* parent) noexcept {
    if (!s.is(word::cold)) return;
    std::uint32_t const w = s.lock();
    bool const mine = (w & word::cold) != 0;
    if (mine && parent != nullptr) s.table->inherit(s, *parent);
    s.unlock(w & ~word::cold);
    if (!mine) return;
    s.add_hold();
    post(s.table->turn(s));
  }

  /// Gives a hold and its reference back; whoever gives the last one back releases.
  static void leave(state& s, bool on_executor = false) noexcept {
    if (releaser<C>::drop(s, false, on_executor)) return;
    frame<C>& f = frame<C>::here();
    if (on_executor) {
      releaser<C>::run(s, true);
    } else {
      s.as = role::release;
      f.structure.push(&s);
    }
    walker<C>::pump(f);
  }

  /// On the executor; the caller has set `releasing`, and its hold is the last.
  template <class S>
  static void release(S& s) noexcept {
    releaser<C>::run(s, true);
    walker<C>::pump(frame<C>::here());
  }

  /// Makes a hook that came too late take effect at once. The hook's hold, or reference, comes with it.
  static void post(node& h) noexcept {
    frame<C>& f = frame<C>::here();
    h.as = role::hook;
    h.taken = true;
    dispatcher<C>::ready(h, *h.owner, f);
    walker<C>::pump(f);
  }

  /// An input that lost: its hook leaves the ring, and it is asked to cancel. False: it was fed, or is being fed just now.
  static bool let_off(state& s, node& input, cancellation const& c, frame<C>& f) noexcept {
    std::uint32_t const w = lock_decided(s);
    bool const stands = !input.taken;
    if (stands) {
      s.lasting.store(ring<C>::remove(s.lasting.load(std::memory_order_relaxed), &input), std::memory_order_release);
      input.taken = true;
    }
    if (stands && (w & (word::settled | word::requested)) == 0) request_locked(s, w, c, f);
    else s.unlock(w);
    return stands;
  }

  /// A parent's cancellation reaches a child. The caller's reference on it is taken over.
  /// `via`: the upper end of the link, when a walk of the parent comes by it.
  static void cascade(state& child, cancellation const& c, bool force, frame<C>& f, node* via = nullptr) noexcept {
    std::uint32_t const w = lock_decided(child);
    if (force && (w & (word::settled | word::claimed)) == 0) {
      child.counts.fetch_add(count::hold, std::memory_order_relaxed);  // with the caller's reference
      child.head().cancelled_by(c);
      return settle_locked(child, w | word::requested | word::forced, outcome_head::cancelled, f, false, via);
    }
    if ((w & (word::settled | word::requested)) == 0) {
      request_locked(child, w, c, f);
    } else {
      child.unlock(w);
    }
    child.drop_ref();
  }

 private:
  /// The lock, once no other producer whose move may throw is at it: it may yet fail and leave the operation pending.
  static std::uint32_t lock_decided(state& s) noexcept {
    std::uint32_t w = s.lock();
    for (unsigned round = 0; (w & word::tentative) != 0 && !deciding<C>::here(s); w = s.lock()) {
      s.unlock(w);
      C::sync::pause(round++, s.word);
    }
    return w;
  }

  /// Settles, and all that follows. Called with the lock held and the payload written; takes over a hold and a reference.
  /// `via`: the upper end of the link by which a walk of the parent comes here.
  static void settle_locked(state& s, std::uint32_t w, outcome_head::kind_t kind, frame<C>& f, bool then_pump = true,
                            node* via = nullptr) noexcept {
    bool const asked = (w & word::requested) != 0 && (w & word::forced) == 0;
    bool const walker_elsewhere = (w & word::walking) != 0;
    bool const queued = (w & word::errand) != 0;  // the state waits in a queue already
    node* fed = nullptr;
    bool const has_structure = walker<C>::has_structure(w, asked);
    bool to_walk = !walker_elsewhere && has_structure;
    if (to_walk && !queued && walker<C>::take_little(s, w, asked, fed)) to_walk = false;
    if (to_walk) w |= word::walking;
    else if (queued) w |= word::owed;  // (by a walk that has ended: there is none elsewhere)
    else if (!walker_elsewhere && !has_structure && s.observers() == nullptr && s.table->born == nullptr &&
             !may_be_lost(*s.table, w | word::ended_with(kind)))
      w |= word::offered;  // nothing to run first
    if ((w & word::cold) != 0) w = end_cold(s, w, f);
    if (s.table->event == nullptr) s.become_settled(w, s.head(), kind);
    else settle_and_say_so(s, w, kind, walker_elsewhere || (queued && !to_walk));
    if (walker_elsewhere) return;  // it sees that when it is through, and goes on
    if (queued) {
      if (to_walk) walker<C>::walk_queued(s, f, via);
    } else if (to_walk) {
      s.as = role::walk_settled;
      f.structure.push(&s);
    } else if (fed != nullptr) {
      if (then_pump && dispatcher<C>::feed_here(s, *fed, f)) return;
      fed->as = role::feed;
      f.structure.push(fed);
    } else {
      if (then_pump && dispatcher<C>::run_here(s, f)) return;
      s.as = role::sequence;
      dispatcher<C>::ready(s, s, f);
    }
    if (then_pump) walker<C>::pump(f);
  }

  /// Called with the lock held. True to the first who asks.
  static bool ask_locked(state& s, std::uint32_t w, cancellation const& c) noexcept {
    bool const decided = (w & word::claimed) != 0 && (w & word::tentative) == 0;
    if (decided || (w & (word::settled | word::requested)) != 0) {
      s.unlock(w);
      return false;
    }
    frame<C>& f = frame<C>::here();
    if (request_locked(s, w, c, f)) walker<C>::pump(f);
    return true;
  }

  /// Called with the lock held. True: there is something to walk.
  static bool request_locked(state& s, std::uint32_t w, cancellation const& c, frame<C>& f) noexcept {
    s.head().cancelled_by(c);
    bool const is_cold = (w & word::cold) != 0;
    if (is_cold) w = end_cold(s, w, f);
    bool const to_walk = (w & word::below) != 0;
    if (to_walk) s.add_ref();  // for the walk: what it fires may drop the caller's
    s.unlock(w | word::requested | (to_walk ? word::walking : 0u));
    if (to_walk) {
      s.as = role::walk_request;
      f.structure.push(&s);
    }
    return to_walk || is_cold;
  }

  /// A coroutine that was not started never will be: its turn comes, and finds out. Under the lock.
  static std::uint32_t end_cold(state& s, std::uint32_t w, frame<C>& f) noexcept {
    s.add_hold();
    f.outbox.push(&s.table->turn(s));
    return w & ~word::cold;
  }

  /// The same with somebody who listens. Once the word says it the outcome may be taken: the event is made before.
  /// `elsewhere`: another thread goes on from there; that it is released must not be told first.
  [[gnu::noinline]] static void settle_and_say_so(state& s, std::uint32_t w, outcome_head::kind_t kind, bool elsewhere) noexcept {
    auto* const listener = s.table->event;
    monitor_event e = s.event_of(monitor_event::settled);
    e.how = kind == outcome_head::failure     ? monitor_event::failure
            : kind == outcome_head::cancelled ? monitor_event::cancelled
                                              : monitor_event::value;
    e.why = s.head().why;
    if (elsewhere) s.add_hold();
    s.become_settled(w, s.head(), kind);
    listener(e);
    if (elsewhere) leave(s);
  }
};

}  // namespace settle::inline v0::detail

#endif
