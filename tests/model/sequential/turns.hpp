// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_TURNS_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_TURNS_HPP

#include "../sequential.hpp"

// What the executor runs.
namespace model {

/// The end of a call of the library's.
inline void sequential::go_on() {
  walk();
  if (running_ && (on_loop_ || !queued_)) return;  // user code that calls: what follows from it is this turn's
  route();
  if (running_) return;
  if (!queued_) return run_ready();
  running_ = true;
  while (!here_.empty()) {
    work const w = here_.front();
    here_.erase(here_.begin());
    run(w);
    walk();
    route();
  }
  running_ = false;
}

/// Outside the executor: it is given what it is to run, but for what may run anywhere.
inline void sequential::route() {
  if (ready_.empty()) return;
  bool begins = true;
  for (work const& w : std::exchange(ready_, {})) {
    bool const here = queued_ && runs_anywhere(w);
    if (here) here_.push_back(w);
    else if (begins) batches_.push_back({w});
    else batches_.back().push_back(w);
    begins = here;
  }
}
inline bool sequential::runs_anywhere(work const& w) const { return w.on < places && ops_[w.on].anywhere; }

/// A hook by itself. It holds the operation, if that can still be held.
inline void sequential::tell_alone(std::size_t h) {
  std::size_t const on = h >= first_feed ? group_of((h - first_feed) / 2).inputs[(h - first_feed) % 2] : hooks_[h].on;
  operation& o = ops_[on];
  bool const holds = !o.released;
  if (holds) ++o.holds;
  ready_.push_back({work::alone, on, holds, h});
}

inline void sequential::run_ready() {
  running_ = on_loop_ = true;
  for (; !batches_.empty(); batches_.pop_front()) {
    ready_ = batches_.front();
    while (!ready_.empty()) {
      work const w = ready_.front();
      ready_.pop_front();
      run(w);
      walk();
    }
  }
  running_ = on_loop_ = false;
}
/// And every timer that was stopped lets go.
inline void sequential::run_all() {
  for (run_ready(); !stopped_.empty(); run_ready())
    for (std::size_t const r : std::exchange(stopped_, {})) timer_over(r, false);
}

inline void sequential::post(std::size_t r, turn what) {
  ++ops_[r].holds;
  ready_.push_back({work::turn, r, true, static_cast<std::size_t>(what)});
}

inline void sequential::run(work const& w) {
  switch (w.what) {
    case work::sequence:
      run_sequence(w.on);
      break;
    case work::alone:
      run_hook(w.hook);
      if (w.holds) leave(w.on, true);
      break;
    case work::make:
      make_result(w.on);
      leave(w.on, true);
      break;
    case work::turn:
      take_turn(w.on, static_cast<turn>(w.hook));
      leave(w.on, true);
      break;
    case work::release:
      release(w.on);
      break;
    case work::dispose:
      lose(w.on);
      break;
    case work::bound_call:
      call_bound(w.hook);
      break;
    case work::bound_drop:
      end_relay(w.hook);
      break;
    case work::bound_end:
      end_bound(w.hook);
      break;
  }
}

inline void sequential::take_turn(std::size_t r, turn what) {
  switch (what) {
    case turn::call_absent:
      return call_absent(r);
    case turn::stop_timer:
      return stop_timer(r);
    case turn::after_first:
      return after_attempt(r);
    case turn::after_second:
    case turn::give_back:
      return give_back(r);
    case turn::given_back:
      return post(r, turn::finish);
    case turn::finish:
      return settle_result(r, group_of(r).outcome, group_of(r).why);
    case turn::try_again:
      return try_again(r);
    case turn::begin_more:
      return hedge_turn(r);
  }
}

/// Done observers, cancel observers, the consumer; then the value is nobody's, or kept for its owner.
inline void sequential::run_sequence(std::size_t i) {
  operation& o = ops_[i];
  for (std::size_t const h : o.observers)
    if (!is_last(h)) run_hook(h);
  for (std::size_t const h : o.cancels) {
    hooks_[h].mute = o.how != ending::cancelled;
    run_hook(h);
  }
  for (std::size_t const h : o.observers)
    if (is_last(h)) run_hook(h);
  if (i >= operations) let_go_of_input(i);
  while (!o.late.empty())
    for (std::size_t const h : std::exchange(o.late, {})) run_hook(h);
  o.observers.clear();
  o.cancels.clear();
  o.over = true;
  if (!o.owned && !o.watched) lose(i);
  leave(i, true);
}

/// Who takes the value comes after those that look.
inline bool sequential::is_last(std::size_t id) const {
  if (id < first_feed) return hooks_[id].what == event::consumer;
  return groups_[(id - first_feed) / 2 - operations].adopted[(id - first_feed) % 2];
}

inline void sequential::run_hook(std::size_t id) {
  if (id >= first_feed) return hear((id - first_feed) / 2, (id - first_feed) % 2);
  event::kind const what = hooks_[id].what;
  std::size_t const on = hooks_[id].on;
  if (what == event::bound) return feed_bound(id);
  if (std::exchange(hooks_[id].over, true) || hooks_[id].mute) return;
  operation& o = ops_[on];
  if (what == event::done || what == event::consumer) o.looked_at = true;
  ending const how = what == event::cancel ? ending::cancelled : o.how;
  say(on, {what, number(id), how, how == ending::cancelled ? o.why : settle::cause::requested});
  if (hooks_[id].nests && possible(hooks_[id].then)) {
    hooks_[id].nested = true;
    play(hooks_[id].then);
  }
  if (what == event::consumer) {
    o.taker = false;
    if (!o.watched || !values_copied_) o.value_there = false;
  }
}

/// Gives a hold back. The last one releases: at once on the executor, else when the structural part comes to it.
inline void sequential::leave(std::size_t i, bool on_executor) {
  operation& o = ops_[i];
  if (o.holds > 1) {
    --o.holds;
    return;
  }
  o.releasing = true;
  if (on_executor) release(i);
  else structure_.push_back(release_of(i));
}
/// On the executor, if there is user code to run.
inline void sequential::release_or_queue(std::size_t i) {
  operation const& o = ops_[i];
  bool const somebody_waits = !o.releaseds.empty() || !o.parents.empty();  // with a parent waiting, a withdrawn one counts yet
  bool const user_code =
      o.closes || !o.cleanups.empty() || (o.tells_release && somebody_waits) || o.disposal || (o.taker && o.how != ending::value);
  if (user_code) ready_.push_back({work::release, i});
  else release(i);
}

inline void sequential::release(std::size_t i) {
  operation& o = ops_[i];
  if (o.how != ending::value) o.taker = false;
  while (o.disposal || !o.cleanups.empty()) {
    if (std::exchange(o.disposal, false)) {
      lose(i);
      continue;
    }
    std::size_t const last = o.cleanups.back();
    o.cleanups.pop_back();
    run_hook(last);
  }
  if (std::exchange(o.closes, false)) close(i);
  if (o.holds > 1) {  // what came meanwhile goes on
    --o.holds;
    return;
  }
  o.holds = 0;
  o.released = true;
  ids const parents = std::exchange(o.parents, {});
  for (std::size_t const h : o.releaseds) run_hook(h);
  o.releaseds.clear();
  std::erase_if(links_, [&](link const& l) { return l.child == i; });
  for (std::size_t const p : parents) {
    child_released(p, i);
    leave(p, false);
  }
}

/// The value has no taker.
inline void sequential::lose(std::size_t i) {
  operation& o = ops_[i];
  if (!o.value_there) return;
  if (o.taker) say(i, {event::lost, 0, ending::value});
  o.taker = false;
  o.value_there = false;
}

inline unsigned char sequential::number(std::size_t id) noexcept { return static_cast<unsigned char>(id); }
inline void sequential::say(std::size_t i, event e) { seen_.of[i].seen.push_back(e); }

}  // namespace model

#endif
