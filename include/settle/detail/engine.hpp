// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_ENGINE_HPP
#define SETTLE_DETAIL_ENGINE_HPP

#include "frame.hpp"
#include "hook.hpp"
#include "link.hpp"
#include "releaser.hpp"
#include "sequence.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

template <class C>
struct registry;

/// Settling, cancelling and everything that follows. The only way an operation becomes settled is `settle_locked`.
///
/// The structural part (children, dependents) runs at once on the calling thread, over an intrusive list: no recursion,
/// no allocation, no executor. User code it makes ready goes to the outbox, and from there to the drain of its executor.
template <class C>
class engine {
 public:
  using state = state_base<C>;
  using node = hook<C>;

  /// The producer's: the payload, if any, is written. Takes over its hold and reference when it wins.
  static bool settle(state& s, outcome_head::kind_t kind, bool alone) noexcept {
    std::uint32_t w = s.lock(alone);
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

  /// The value lost its owner after the sequence had offered it: it dies on the executor, before released if it can.
  static void dispose(state& s) noexcept {
    if (runs_anywhere(s) && frame<C>::here().current == nullptr) {
      s.table->dispose(s);  // (inside a drain, late observers may be queued before it)
    } else if (s.try_hold(true)) {
      std::uint32_t const w = s.lock();
      s.unlock(w | word::disposal);
      registry<C>::leave_late(s);
    } else {
      frame<C>& f = frame<C>::here();
      s.add_ref();
      s.as = role::dispose;
      f.outbox.push(&s);
      pump(f);
    }
  }

  /// Forced: settles now. Takes a hold and a reference of its own; the caller keeps its reference.
  static bool cancel(state& s, cancellation const& c) noexcept {
    std::uint32_t const w = lock_decided(s);
    if ((w & (word::settled | word::claimed)) != 0) {
      s.unlock(w);
      return false;
    }
    s.add_hold();
    s.head().cancelled_by(c);
    settle_locked(s, w | word::requested | word::forced, outcome_head::cancelled, frame<C>::here());
    return true;
  }

  /// Polite: raises the sticky request and fires the cancel observers. True for the first.
  static bool request(state& s, cancellation const& c) noexcept {
    std::uint32_t const w = lock_decided(s);
    if ((w & (word::settled | word::claimed | word::requested)) != 0) {
      s.unlock(w);
      return false;
    }
    frame<C>& f = frame<C>::here();
    if (request_locked(s, w, c, f)) pump(f);
    return true;
  }

  /// The producer goes without having settled: cancelled with the cause that was asked for, else abandoned.
  /// Takes over its hold and reference.
  static void abandon(state& s, bool alone) noexcept {
    std::uint32_t w = s.lock(alone);
    if ((w & word::settled) != 0) {
      s.unlock(w);
      leave(s);
      return;
    }
    bool const asked = (w & word::requested) != 0;
    if (!asked) s.head().cancelled_by(cancellation(cause::abandoned, s.created));
    frame<C>& f = frame<C>::here();
    state_table<C> const& table = *s.table;
    monitor_event const event = s.event_of(monitor_event::abandoned);
    settle_locked(s, w, outcome_head::cancelled, f, false);
    if (!asked) table.report(nullptr, event);
    pump(f);
  }

  /// The producer ends as cancelled, with the cause that was asked for or else this one. Takes over its hold and reference.
  static void end_cancelled(state& s, cancellation const& c) noexcept {
    std::uint32_t const w = s.lock();
    if ((w & word::settled) != 0) {
      s.unlock(w);
      leave(s);
      return;
    }
    if ((w & word::requested) == 0) s.head().cancelled_by(c);
    settle_locked(s, w, outcome_head::cancelled, frame<C>::here());
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
    if (releaser<C>::drop(s)) return;
    frame<C>& f = frame<C>::here();
    if (on_executor) {
      releaser<C>::run(s, true);
    } else {
      s.as = role::release;
      f.structure.push(&s);
    }
    pump(f);
  }

  /// Makes a hook that came too late take effect at once. The hook's hold, or reference, comes with it.
  static void post(node& h) noexcept {
    frame<C>& f = frame<C>::here();
    h.as = role::hook;
    h.taken = true;
    f.outbox.push(&h);
    pump(f);
  }

  /// What a child of this one is told. Under the lock, or settled.
  static cancellation passed_down(state& s, std::uint32_t w) noexcept {
    bool const has_cause = (w & (word::cancelled | word::requested)) != 0;
    return has_cause ? s.head().cancelled_by().passed_down() : cancellation(cause::parent, s.created);
  }

  /// A parent's cancellation reaches a child. The caller's reference on it is taken over.
  static void cascade(state& child, cancellation const& c, bool force, frame<C>& f) noexcept {
    std::uint32_t const w = lock_decided(child);
    if (force && (w & (word::settled | word::claimed)) == 0) {
      child.add_hold();
      child.head().cancelled_by(c);
      settle_locked(child, w | word::requested | word::forced, outcome_head::cancelled, f, false);
    } else if ((w & (word::settled | word::requested)) == 0) {
      request_locked(child, w, c, f);
    } else {
      child.unlock(w);
    }
    child.drop_ref();
  }

  /// Runs what the structural part left, unless this thread is already at it further up.
  static void pump(frame<C>& f) noexcept {
    if (f.pumping) return;
    f.pumping = true;
    while (!f.structure.empty()) {
      state& s = *static_cast<state*>(f.structure.pop());
      if (s.as == role::release) releaser<C>::run(s, false);
      else walk(s, f);
    }
    f.pumping = false;
    if (!f.outbox.empty()) flush(f);
  }

  /// An executor runs what it was given.
  static void run_submitted(work_queue items) noexcept {
    frame<C>& f = frame<C>::here();
    drain<C> d;
    d.home = &owner(*items.front());
    d.home->add_ref();
    d.queue = items;
    drain<C>* const outer = std::exchange(f.current, &d);
    run(d);
    f.current = outer;
  }

  /// An executor threw away what it was given: the rest runs here, and nothing more goes to that executor.
  static void run_lost(work_queue items) noexcept {
    frame<C>& f = frame<C>::here();
    work_queue kept;
    while (!items.empty()) {
      work* w = items.pop();
      state& s = owner(*w);
      std::uint32_t const before = s.lock();
      s.unlock(before | word::lost);
      if ((before & word::lost) == 0) s.report(nullptr, monitor_event::executor_lost);
      cancel(s, cancellation(cause::abandoned, s.created));
      kept.push(w);
    }
    f.outbox.append(kept);
    if (!f.pumping) flush(f);
  }

 private:
  static state& owner(work& w) noexcept { return w.as == role::hook ? *static_cast<node&>(w).owner : static_cast<state&>(w); }

  /// The lock, once no producer whose move may throw is at it: it may yet fail and leave the operation pending.
  static std::uint32_t lock_decided(state& s) noexcept {
    std::uint32_t w = s.lock();
    for (unsigned round = 0; (w & word::tentative) != 0; w = s.lock()) {
      s.unlock(w);
      C::sync::pause(round++, s.word);
    }
    return w;
  }

  /// The one transition out of pending. Called with the lock held and the payload written; takes over a hold and a reference.
  static void settle_locked(state& s, std::uint32_t w, outcome_head::kind_t kind, frame<C>& f, bool then_pump = true) noexcept {
    s.head().kind = kind;
    bool const asked = (w & word::requested) != 0 && (w & word::forced) == 0;
    w |= word::settled | (kind == outcome_head::failure ? word::failure : kind == outcome_head::cancelled ? word::cancelled : 0u);
    bool const walker_elsewhere = (w & word::walking) != 0;
    bool const to_walk = !walker_elsewhere && has_structure(s, w, asked);
    if (to_walk) w |= word::walking;
    else if (!walker_elsewhere && s.observers() == nullptr && s.table->dispose == nullptr) w |= word::offered;  // nothing to run first
    if ((w & word::cold) != 0) w = end_cold(s, w, f);
    auto* const listener = s.table->event;
    monitor_event const event = listener != nullptr ? settled_event(s, w) : monitor_event{};
    s.unlock(w);
    if (listener != nullptr) listener(event);
    if (walker_elsewhere) return;  // it sees `settled` when it is through, and goes on
    if (to_walk) {
      s.as = role::walk_settled;
      f.structure.push(&s);
    } else {
      s.as = role::sequence;
      f.outbox.push(&s);
    }
    if (then_pump) pump(f);
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

  static monitor_event settled_event(state& s, std::uint32_t w) noexcept {
    monitor_event e = s.event_of(monitor_event::settled);
    e.how = (w & word::failure) != 0     ? monitor_event::failure
            : (w & word::cancelled) != 0 ? monitor_event::cancelled
                                         : monitor_event::value;
    e.why = s.head().why;
    return e;
  }

  /// How much the lasting hooks are to be told in this state of the word.
  static told target(std::uint32_t w) noexcept { return (w & word::forced) != 0 ? told::everything : told::request; }

  /// Children and cancel observers that were asked already have nothing more to hear, unless it is by force.
  static bool has_structure(state& s, std::uint32_t w, bool asked) noexcept {
    node* const first = s.observers();
    return ((w & word::below) != 0 && !asked) || (first != nullptr && first->kind == hook_kind::feeds);
  }

  /// The structural part of one operation: tells its children and cancel observers one at a time, then its dependents.
  /// This thread owns `walking`, and for a request a reference. The marker goes once round the ring; what is told goes
  /// behind it, and so does what is added meanwhile, which whoever adds it tells.
  static void walk(state& s, frame<C>& f) noexcept {
    bool const has_ref = s.as == role::walk_request;
    node marker;
    marker.kind = hook_kind::marker;
    std::uint32_t w = s.lock();
    for (told at_start = told::nothing; at_start != target(w);) {  // a force that comes in between goes round again
      at_start = target(w);
      s.lasting.store(ring<C>::push_back(s.lasting.load(std::memory_order_relaxed), &marker), std::memory_order_relaxed);
      w = circle(s, marker, w, f);
      s.lasting.store(ring<C>::remove(&marker, &marker), std::memory_order_relaxed);
    }
    end_walk(s, w, f);
    if (has_ref) s.drop_ref();
  }

  static std::uint32_t circle(state& s, node& marker, std::uint32_t w, frame<C>& f) noexcept {
    unsigned passed = 0;
    for (node* h = s.lasting.load(std::memory_order_relaxed); h != &marker; h = s.lasting.load(std::memory_order_relaxed)) {
      if (h->kind == hook_kind::cancel) {
        take_cancel(s, *h, w, f);
      } else {
        s.lasting.store(h->following(), std::memory_order_relaxed);
        if (h->kind == hook_kind::child && h->rank < target(w)) tell_child(s, *h, w, f);
        else if (++passed % 64 != 0) continue;
        else s.unlock(w);
      }
      w = s.lock();
    }
    return w;
  }

  /// The end of a walk, under the lock. Settled (before it, or meanwhile): on to the dependents and the user code.
  static void end_walk(state& s, std::uint32_t w, frame<C>& f) noexcept {
    bool const settled = (w & word::settled) != 0;
    s.unlock(w & ~word::walking);
    if (!settled) return;
    feed(s);
    s.as = role::sequence;
    f.outbox.push(&s);
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

  /// Leads the cancellation one level down; gives the lock back.
  static void tell_child(state& s, node& h, std::uint32_t w, frame<C>& f) noexcept {
    h.rank = target(w);
    state& child = *link<C>::of(h).child();
    child.add_ref();
    cancellation const c = passed_down(s, w);
    s.unlock(w);
    cascade(child, c, (w & word::forced) != 0, f);
  }

  static void feed(state& s) noexcept {
    for (node* h = s.observers(); h != nullptr && h->kind == hook_kind::feeds; h = s.observers()) {
      s.observers(ring<C>::remove(h, h));
      sequence<C>::run_hook(s, *h, hook_action::invoke);
    }
  }

  /// Hands the outbox to the drains and executors it belongs to.
  static void flush(frame<C>& f) noexcept {
    if (f.current != nullptr) {
      route(f, false);
      return;
    }
    drain<C> d;
    f.current = &d;
    route(f, true);
    run(d);
    f.current = nullptr;
  }

  static bool same_executor(state& a, state& b) noexcept {
    executor_ref<C> const x = a.home(), y = b.home();
    return x.functions != nullptr && y.functions != nullptr && x.functions->equal == y.functions->equal &&
           x.functions->equal(x.executor, y.executor);
  }
  static bool runs_anywhere(state& s) noexcept { return s.home().functions == nullptr || s.is(word::lost); }
  static bool on_its_thread(state& s) noexcept {
    executor_ref<C> const ex = s.home();
    return ex.functions->on_its_thread(ex.executor);
  }

  static void route(frame<C>& f, bool fresh) noexcept {
    while (!f.outbox.empty()) {
      work* const w = f.outbox.pop();
      state& s = owner(*w);
      drain<C>& d = *f.current;
      if (runs_anywhere(s) || (d.home != nullptr && same_executor(*d.home, s))) {
        d.queue.push(w);
      } else if (fresh && d.home == nullptr && on_its_thread(s)) {
        d.home = &s;
        s.add_ref();
        d.queue.push(w);
      } else {
        work_queue batch;
        batch.push(w);
        while (!f.outbox.empty() && !runs_anywhere(owner(*f.outbox.front())) && same_executor(s, owner(*f.outbox.front())))
          batch.push(f.outbox.pop());
        submit(f, batch);
      }
    }
  }

  /// Each batch once. An executor that runs it right here does so inside its execute(); what that makes ready for others
  /// waits until it returns, so that two such executors do not nest without end.
  static void submit(frame<C>& f, work_queue batch) noexcept {
    if (f.submitting) {
      f.deferred.append(batch);
      return;
    }
    f.submitting = true;
    hand_over(batch);
    while (!f.deferred.empty()) {
      work_queue next;
      next.push(f.deferred.pop());
      while (!f.deferred.empty() && same_executor(owner(*next.front()), owner(*f.deferred.front()))) next.push(f.deferred.pop());
      hand_over(next);
    }
    f.submitting = false;
  }

  static void hand_over(work_queue batch) noexcept {
    state& s = owner(*batch.front());
    s.add_ref();  // its storage carries the work until execute() has returned
    executor_ref<C> const ex = s.home();
    guarded([&] { ex.functions->submit(ex.executor, ex.storage, submission<C>(batch)); },
            [&](std::exception_ptr p) { s.report(std::move(p), monitor_event::executor_lost, "execute() threw"); });
    s.drop_ref();
  }

  static void run_dispose(state& s) noexcept {
    s.table->dispose(s);
    s.drop_ref();
  }

  static void run(drain<C>& d) noexcept {
    run_queue(d);
    if (d.home != nullptr) {  // the last reference may destroy a value that settles others: inline work comes here again
      std::exchange(d.home, nullptr)->drop_ref();
      run_queue(d);
    }
  }

  static void run_queue(drain<C>& d) noexcept {
    while (!d.queue.empty()) {
      work* const w = d.queue.pop();
      switch (w->as) {
        case role::hook:
          sequence<C>::run_alone(static_cast<node&>(*w));
          break;
        case role::release:
          releaser<C>::run(static_cast<state&>(*w), true);
          break;
        case role::dispose:
          run_dispose(static_cast<state&>(*w));
          break;
        default:
          sequence<C>::run(static_cast<state&>(*w));
          break;
      }
    }
  }
};

}  // namespace settle::inline v0::detail

#endif
