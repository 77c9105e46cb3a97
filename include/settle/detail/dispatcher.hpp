// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_DISPATCHER_HPP
#define SETTLE_DETAIL_DISPATCHER_HPP

#include <cassert>
#include <cstdint>
#include <utility>

#include "exceptions.hpp"
#include "frame.hpp"
#include "hook.hpp"
#include "lost_value.hpp"
#include "releaser.hpp"
#include "sequence.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// Brings user code to where it runs: the drain of an equal executor goes on with it, another executor is given it, once.
template <class C>
class dispatcher {
 public:
  using state = state_base<C>;
  using node = hook<C>;

  static bool runs_anywhere(state& s) noexcept { return s.home().functions == nullptr || s.is(word::lost); }

  /// User code has become ready: to the outbox, or past it where it would lead to the queue of the drain this thread is in.
  static void ready(work& w, state& owner, frame<C>& f) noexcept {
    bool const is_next = (f.at & frame<C>::drains) != 0 && f.outbox.empty() && runs_anywhere(owner);
    (is_next ? f.in().queue : f.outbox).push(&w);
  }

  /// Nothing is under way on this thread, and any thread will do: the sequence runs at once, without going through a queue.
  /// What it makes ready goes through this drain as ever. False: not so.
  static bool run_here(state& s, frame<C>& f) noexcept {
    if (!f.is_free() || !f.nothing_left() || !runs_anywhere(s)) return false;
    f.at = frame<C>::drains;
    sequence<C>::run(s);
    leave_drain(f);
    return true;
  }
  /// The same for one that has first to feed an input. What that makes ready for executors comes after it.
  static bool feed_here(state& s, node& h, frame<C>& f) noexcept {
    if (!f.is_free() || !f.nothing_left() || !runs_anywhere(s)) return false;
    f.at = frame<C>::walks;
    walker<C>::feed_alone(h, f);
    if (!f.structure.empty() || f.parked != nullptr) walker<C>::walk_all(f);
    f.at = 0;
    if (run_here(s, f)) return true;
    s.as = role::sequence;
    f.outbox.push_front(&s);
    flush(f);
    return true;
  }
  /// The end of a thread's own drain, which is its outermost: what came meanwhile runs, then it is in none any more.
  static void leave_drain(frame<C>& f) noexcept {
    if (!f.own.queue.empty()) [[unlikely]]
      run_queue(f.own);
    f.at = 0;
  }

  /// A job begins: given to its executor by itself, even from that one's own drain, which it must not wait for.
  static void start(node& h) noexcept {
    frame<C>& f = frame<C>::here();
    if (runs_anywhere(*h.owner)) return engine<C>::post(h);
    h.as = role::hook;
    work_queue batch;
    batch.push(&h);
    submit(f, batch);
  }

  /// Hands the outbox to the drains and executors it belongs to.
  static void flush(frame<C>& f) noexcept {
    if ((f.at & frame<C>::drains) != 0) {
      route(f, false);
      return;
    }
    drain<C> d;
    inside const here(f, d);
    route(f, true);
    run(d);
  }

  /// An executor runs what it was given.
  static void run_submitted(work_queue items) noexcept {
    frame<C>& f = frame<C>::here();
    drain<C> d;
    d.home = &owner(*items.front());
    d.home->add_ref();
    d.queue = items;
    inside const here(f, d);
    work_queue* const refused = std::exchange(f.refused, nullptr);
    run(d);
    f.refused = refused;
  }

  /// An executor threw away what it was given. Inside its execute() that waits until it has returned, or thrown.
  static void run_lost(work_queue items) noexcept {
    frame<C>& f = frame<C>::here();
    if (f.refused != nullptr) f.refused->append(items);
    else run_refused(items, nullptr);
  }

 private:
  /// This thread is in a drain.
  class inside {
   public:
    inside(frame<C>& f, drain<C>& d) noexcept
        : frame_(f), outer_(std::exchange(f.current, &d)), at_(std::exchange(f.at, f.at | frame<C>::drains)) {}
    inside(inside&&) = delete;
    ~inside() {
      frame_.current = outer_;
      frame_.at = at_;
    }

   private:
    frame<C>& frame_;
    drain<C>* outer_;
    std::uint32_t at_;
  };

  static state& owner(work& w) noexcept { return w.as == role::hook ? *static_cast<node&>(w).owner : static_cast<state&>(w); }

  static bool same_executor(state& a, state& b) noexcept {
    executor_ref<C> const x = a.home();
    executor_ref<C> const y = b.home();
    return x.functions != nullptr && y.functions != nullptr && x.functions->equal == y.functions->equal &&
           x.functions->equal(x.executor, y.executor);
  }

  static bool on_its_thread(state& s) noexcept {
    executor_ref<C> const ex = s.home();
    return ex.functions->on_its_thread(ex.executor);
  }

  /// This thread becomes the drain of what an executor will not run, and of what comes of it; nothing more goes there.
  static void run_refused(work_queue items, std::exception_ptr why) noexcept {
    while (!items.empty()) {
      work_queue mine = take_batch(items);
      frame<C>& f = frame<C>::here();
      drain<C> d;
      d.home = &owner(*mine.front());
      d.home->add_ref();
      work_queue rest = std::exchange(f.outbox, mine);
      lose(*d.home, f, std::exchange(why, nullptr));
      inside const here(f, d);
      route(f, false);
      run(d);
      f.outbox = rest;
    }
  }

  /// What stands at the front for one executor.
  static work_queue take_batch(work_queue& from) noexcept {
    work_queue batch;
    do batch.push(from.pop());
    while (!from.empty() && same_executor(owner(*batch.front()), owner(*from.front())));
    return batch;
  }

  /// Its executor is gone: what it has still to run runs anywhere, and unsettled it is abandoned.
  static void lose(state& s, frame<C>& f, std::exception_ptr why = nullptr) noexcept {
    std::uint32_t const before = s.lock();
    s.unlock(before | word::lost);
    if ((before & word::lost) == 0) s.report(why, monitor_event::executor_lost, why ? "execute() threw" : "");
    std::uint32_t const outer = std::exchange(f.at, f.at | frame<C>::walks);  // the caller goes on with what this makes ready
    engine<C>::cancel(s, cancellation(cause::abandoned, s.created));
    f.at = outer;
  }

  static void route(frame<C>& f, bool fresh) noexcept {
    while (!f.outbox.empty()) {
      route_outbox(f, fresh);
      walker<C>::walk_all(f);
    }
  }

  static void route_outbox(frame<C>& f, bool fresh) noexcept {
    while (!f.outbox.empty()) {
      work* const w = f.outbox.pop();
      state& s = owner(*w);
      drain<C>& d = f.in();
      if (runs_anywhere(s)) {
        d.queue.push(w);
      } else if (d.home != nullptr && same_executor(*d.home, s)) {
        if (d.home->is(word::lost)) lose(s, f);
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
    while (!f.deferred.empty()) hand_over(take_batch(f.deferred));
    f.submitting = false;
  }

  static void hand_over(work_queue batch) noexcept {
    state& s = owner(*batch.front());
    s.add_ref();  // its storage carries the work until execute() has returned
    executor_ref<C> const ex = s.home();
    assert(ex.functions != nullptr);  // what runs anywhere is handed to nobody
    work_queue refused;
    std::exception_ptr why;
    work_queue*& to = frame<C>::here().refused;
    work_queue* const outer = std::exchange(to, &refused);
    guarded([&] { ex.functions->submit(ex.executor, ex.storage, submission<C>(batch)); },
            [&](std::exception_ptr p) { why = std::move(p); });
    to = outer;
    if (refused.empty() && why) s.report(why, monitor_event::executor_lost, "execute() threw, having taken the work");
    run_refused(refused, why);
    s.drop_ref();
  }

  static void run_dispose(state& s) noexcept {
    lose_value(s);
    s.drop_ref();
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
        case role::errand:
          sequence<C>::run_errand(static_cast<state&>(*w));
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

  static void run(drain<C>& d) noexcept {
    run_queue(d);
    if (d.home != nullptr) {  // the last reference may destroy a value that settles others: inline work comes here again
      std::exchange(d.home, nullptr)->drop_ref();
      run_queue(d);
    }
  }
};

}  // namespace settle::inline v0::detail

#endif
