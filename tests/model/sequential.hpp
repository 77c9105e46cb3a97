// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_HPP

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "acts.hpp"

// The core of the library said again, for one thread: no pointers, no atomics, no sharing, no short cuts.
namespace model {

/// Three operations on one executor. It runs user code after each call (`queued` false), or when told to.
class sequential {
 public:
  /// `values_die`: the value has a destructor, so that losing it is something to do.
  sequential(bool queued, bool values_die) : queued_(queued), values_die_(values_die) {}

  /// Whether it would change anything, or say anything of interest.
  bool possible(step s) const {
    operation const& o = ops_[s.on];
    switch (s.what) {
      case act::complete:
      case act::fail:
      case act::acknowledge:
      case act::drop_resolver:
        return o.producer;
      case act::withdraw:
      case act::forget:
        return !o.kept.empty();
      case act::unpin:
        return o.pins != 0;
      case act::drop_handle:
      case act::detach:
      case act::on_lost:
      case act::take:
        return o.handle;
      case act::watch:
        return o.handle && !o.watcher;
      case act::drop_watcher:
        return o.watcher;
      case act::adopt_next:
        return !hides_a_cycle(s.on, next(s.on));
      case act::adopt_previous:
        return !hides_a_cycle(s.on, next(next(s.on)));
      case act::nest:
        return false;
      case act::run:
        return !running_ && s.on == 0 && !batches_.empty();
      default:
        return true;
    }
  }

  /// Does it; the result of the call.
  int play(step s) {
    int const result = call(s);
    go_on();
    return result;
  }

  /// The hook registered last on that operation, if it has not run yet, does `then` when it runs. True: it will.
  bool nest(std::size_t i, step then) {
    if (ops_[i].newest == nobody || then.what == act::run || then.what == act::nest) return false;
    hook& h = hooks_[ops_[i].newest];
    if (h.over || h.nests || h.what == event::bound) return false;
    h.nests = true;
    h.then = then;
    return true;
  }
  std::size_t newest(std::size_t i) const { return ops_[i].newest; }
  /// Whether that hook did what it was to do: it may not have been possible any more.
  bool has_nested(std::size_t id) const { return hooks_[id].nested; }

  /// Every end goes, as the library's run lets them go; then whatever is queued runs.
  void finish() {
    for (int round = 0; round != rounds_at_the_end; ++round) let_go();
    for (std::size_t i = 0; i != operations; ++i) {
      operation& o = ops_[i];
      if (o.taker && o.value_there) lose(i);  // watched to the end
      if (o.how == ending::failure && !o.looked_at) ++seen_.unseen_failures;
    }
    look();
  }

  picture const& look() {
    for (std::size_t i = 0; i != operations; ++i) {
      seen_.of[i].settled = ops_[i].settled;
      seen_.of[i].released = ops_[i].released;
      seen_.of[i].requested = ops_[i].requested;
    }
    return seen_;
  }

  /// How many values there are.
  int values() const {
    int n = 0;
    for (operation const& o : ops_) n += o.value_there ? 1 : 0;
    return n;
  }

  /// Equal keys: whatever is done from here on has equal consequences.
  std::vector<unsigned char> key() const {
    std::vector<unsigned char> k;
    for (operation const& o : ops_) o.write(k);
    k.push_back(static_cast<unsigned char>(links_.size()));
    for (link const& l : links_) k.insert(k.end(), {static_cast<unsigned char>(l.parent), static_cast<unsigned char>(l.child)});
    for (auto const& batch : batches_) {
      k.push_back(static_cast<unsigned char>(batch.size()));
      for (work const& w : batch)
        k.insert(k.end(), {w.what, static_cast<unsigned char>(w.on), w.holds, static_cast<unsigned char>(w.hook)});
    }
    for (hook const& h : hooks_)
      k.insert(k.end(), {h.what, static_cast<unsigned char>(h.on), h.over, h.withdrawn, h.mute, h.fed, h.forced, h.ended, h.told});
    return k;
  }

 private:
  using ids = std::vector<std::size_t>;
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

  struct hook {
    event::kind what;
    std::size_t on;
    bool over = false;       // it ran, or never will
    bool withdrawn = false;  // before it ran
    bool forced = false;     // bound: where it lives was cancelled by force before the outcome came
    bool ended = false;      // bound: and that has come to it
    bool told = false;       // bound: that it ends
    bool nests = false;      // user code that does something itself
    bool nested = false;     // it has
    step then{};
    bool mute = false;  // it came when it could not run any more
    bool fed = false;   // bound: the outcome is on its way, or nobody wants it any more
  };
  struct link {
    std::size_t parent;
    std::size_t child;  // from `operations` on: what carries a bound hook's outcome, which is a child as well
    friend bool operator==(link const&, link const&) = default;
  };
  struct work {
    enum kind : unsigned char { sequence, alone, release, dispose, bound_call, bound_drop, bound_end } what;
    std::size_t on;
    bool holds = false;
    std::size_t hook = 0;
  };

  struct operation {
    bool producer = true;  // the resolver is alive
    bool handle = true;    // the owner's end is ours yet
    bool watcher = false;
    bool owned = true;     // somebody may take the value
    bool watched = false;  // ever
    bool taker = false;    // a function waits for a lost value
    bool taker_given = false;

    bool settled = false;
    bool requested = false;
    bool forced = false;
    ending how = ending::none;
    settle::cause why = settle::cause::requested;
    bool value_there = false;
    bool looked_at = false;

    unsigned holds = 1;  // the producer's, the sequence's, pins, children, what waits for the executor
    unsigned pins = 0;
    bool over = false;  // the sequence: who comes now is told alone
    bool disposal = false;
    bool releasing = false;
    bool released = false;
    bool below = false;          // it ever had something to lead a cancellation to
    bool tells_release = false;  // somebody ever waited for the release

    std::size_t newest = nobody;  // hook

    ids observers;  // done, bound and the consumer, in registration order
    ids late;       // the same, registered beside the sequence
    ids cancels;
    ids cleanups;
    ids releaseds;
    ids kept;     // registrations
    ids parents;  // those looked at first come first

    void write(std::vector<unsigned char>& k) const {
      for (bool const b : {producer, handle, watcher, owned, watched, taker, taker_given, settled, requested, forced, value_there,
                           looked_at, over, disposal, releasing, released, below, tells_release})
        k.push_back(b ? 1 : 0);
      k.insert(k.end(), {static_cast<unsigned char>(how), static_cast<unsigned char>(why), static_cast<unsigned char>(holds),
                         static_cast<unsigned char>(pins)});
      for (ids const* list : {&observers, &late, &cancels, &cleanups, &releaseds, &kept, &parents}) {
        k.push_back(static_cast<unsigned char>(list->size()));
        for (std::size_t const id : *list) k.push_back(static_cast<unsigned char>(id));
      }
    }
  };

  static std::size_t next(std::size_t i) noexcept { return (i + 1) % operations; }

  // ---- the end ----

  void let_go() {
    for (operation& o : ops_) o.kept.clear();
    for (std::size_t i = 0; i != operations; ++i)
      while (possible({act::unpin, i})) play({act::unpin, i});
    for (act const last : {act::drop_watcher, act::drop_handle, act::drop_resolver})
      for (std::size_t i = 0; i != operations; ++i)
        if (possible({last, i})) play({last, i});
    run_ready();
  }

  // ---- what users do ----

  int call(step s) {
    std::size_t const i = s.on;
    operation& o = ops_[i];
    switch (s.what) {
      case act::complete:
        return produce(i, ending::value);
      case act::fail:
        return produce(i, ending::failure);
      case act::acknowledge:
        o.producer = false;  // who runs meanwhile finds it empty
        if (!o.settled) request(i, settle::cause::requested);
        go_on();
        return produce(i, ending::cancelled);
      case act::request_cancel:
        return request(i, settle::cause::deadline);
      case act::cancel:
        return force(i, settle::cause::overload);
      case act::on_done:
        observe(i, event::done);
        return -1;
      case act::watched_done:
        return keep(i, observe(i, event::done));
      case act::on_cancel:
        return keep(i, add_cancel(i));
      case act::on_cleanup:
        return add_cleanup(i);
      case act::on_released:
        return keep(i, add_released(i));
      case act::withdraw: {
        std::size_t const last = o.kept.back();
        o.kept.pop_back();
        return withdraw(last);
      }
      case act::forget:
        o.kept.pop_back();
        return -1;
      case act::pin:
        if (o.released || o.releasing) return 0;
        ++o.holds;
        ++o.pins;
        return 1;
      case act::unpin:
        --o.pins;
        leave(i, false);
        return -1;
      case act::adopt_next:
        return adopt(i, next(i));
      case act::adopt_previous:
        return adopt(i, next(next(i)));
      case act::drop_handle:
        o.handle = false;
        if (!o.settled) request(i, settle::cause::dropped);
        go_on();
        disown(i);
        return -1;
      case act::detach:
        o.handle = false;
        disown(i);
        return -1;
      case act::drop_resolver:
        return abandon(i);
      case act::watch:
        o.watcher = o.watched = true;
        return -1;
      case act::drop_watcher:
        o.watcher = false;
        return -1;
      case act::bind_to_next:
        return bind(i, next(i));
      case act::on_lost:
        return give_taker(i);
      case act::take:
        o.handle = false;
        observe(i, event::consumer);
        return -1;
      case act::run:
        run_ready();
        return -1;
      case act::nest:
        break;
    }
    return -1;
  }

  /// What runs at once has run when the caller gets the registration.
  int keep(std::size_t i, std::size_t h) {
    go_on();
    ops_[i].kept.push_back(h);
    return -1;
  }

  int produce(std::size_t i, ending how) {
    operation& o = ops_[i];
    o.producer = false;
    if (o.settled) {
      leave(i, false);
      return 0;
    }
    o.value_there = how == ending::value;
    become_settled(i, how);  // the producer's hold is the sequence's now
    return 1;
  }

  int abandon(std::size_t i) {
    operation& o = ops_[i];
    if (!o.settled && !o.requested) {
      o.why = settle::cause::abandoned;
      ++seen_.abandoned;
    }
    produce(i, ending::cancelled);
    return -1;
  }

  int request(std::size_t i, settle::cause why) {
    operation& o = ops_[i];
    if (o.settled || o.requested) return 0;
    o.requested = true;
    o.why = why;
    if (o.below) structure_.push_back(i);
    return 1;
  }

  int force(std::size_t i, settle::cause why) {
    operation& o = ops_[i];
    if (o.settled) return 0;
    o.requested = true;
    o.forced = true;
    o.why = why;
    ++o.holds;  // the sequence's
    become_settled(i, ending::cancelled);
    return 1;
  }

  /// The one way to be settled.
  void become_settled(std::size_t i, ending how) {
    operation& o = ops_[i];
    bool const told_before = o.requested && !o.forced;
    o.settled = true;
    o.how = how;
    o.over = o.observers.empty() && (!o.below || told_before) && !may_be_lost(i);  // nothing to run first
    if (o.below && !told_before) structure_.push_back(i);
    else ready_.push_back({work::sequence, i});
  }

  /// What a request or settling means to others, one level after the other; user code waits until all of it is through.
  void walk() {
    while (!structure_.empty()) {
      std::size_t const i = structure_.front();
      structure_.pop_front();
      if (i < operations) walk(i);
      else ready_.push_back({work::bound_end, i, false, i - operations});
    }
  }
  void walk(std::size_t i) {
    operation& o = ops_[i];
    if (!o.settled) {
      for (std::size_t const h : o.cancels) tell_alone(h);
      o.cancels.clear();
    }
    for (link const& l : links_) {
      if (l.parent != i) continue;
      if (l.child >= operations) {
        hook& h = hooks_[l.child - operations];
        h.forced = h.forced || (o.forced && !h.fed);
        end_relay(l.child - operations);
      } else if (o.forced) force(l.child, settle::cause::parent);
      else request(l.child, settle::cause::parent);
    }
    if (o.settled) ready_.push_back({work::sequence, i});
  }
  void end_relay(std::size_t h) {
    if (!std::exchange(hooks_[h].told, true)) structure_.push_back(operations + h);
  }

  std::size_t make(event::kind what, std::size_t on) {
    hooks_.push_back({what, on});
    ops_[on].newest = hooks_.size() - 1;
    return hooks_.size() - 1;
  }

  std::size_t observe(std::size_t i, event::kind what) {
    std::size_t const h = make(what, i);
    place_observer(h);
    return h;
  }
  void place_observer(std::size_t h) {
    operation& o = ops_[hooks_[h].on];
    if (!o.settled) o.observers.push_back(h);
    else if (!o.over && !o.releasing) o.late.push_back(h);
    else tell_alone(h);
  }

  std::size_t add_cancel(std::size_t i) {
    std::size_t const h = make(event::cancel, i);
    operation& o = ops_[i];
    if (!o.settled && !o.requested) {
      o.below = true;
      o.cancels.push_back(h);
    } else {
      hooks_[h].mute = o.settled && o.how != ending::cancelled;
      tell_alone(h);
    }
    return h;
  }

  int add_cleanup(std::size_t i) {
    std::size_t const h = make(event::cleanup, i);
    operation& o = ops_[i];
    if (o.released) tell_alone(h);
    else o.cleanups.push_back(h);
    return o.released ? 0 : 1;
  }

  std::size_t add_released(std::size_t i) {
    std::size_t const h = make(event::released, i);
    operation& o = ops_[i];
    if (o.released) {
      tell_alone(h);
    } else {
      o.tells_release = true;
      o.releaseds.push_back(h);
    }
    return h;
  }

  int withdraw(std::size_t h) {
    hook& it = hooks_[h];
    if (it.over) return 0;
    it.withdrawn = it.over = true;
    operation& o = ops_[it.on];
    if (it.what == event::bound) ready_.push_back({work::bound_drop, it.on, false, h});
    else if (it.what == event::released && !o.released) std::erase(o.releaseds, h);
    else if (!o.settled)
      for (ids* list : {&o.observers, &o.cancels}) std::erase(*list, h);
    return 1;
  }

  /// The library looks for a cycle along one parent of each only: with two, it is the user's misuse and not always trapped.
  bool hides_a_cycle(std::size_t parent, std::size_t child) const {
    return reaches(parent, child) && std::ranges::any_of(ops_, [](operation const& o) { return o.parents.size() > 1; });
  }
  bool reaches(std::size_t below, std::size_t above) const {
    if (below == above) return true;
    return std::ranges::any_of(ops_[below].parents, [&](std::size_t up) { return reaches(up, above); });
  }

  int adopt(std::size_t parent, std::size_t child) {
    operation& p = ops_[parent];
    operation& c = ops_[child];
    if (reaches(parent, child)) {
      ++seen_.misuse;
    } else {
      p.below = true;
      if (!p.releasing && !p.released && !c.released) {
        ++p.holds;
        links_.push_back({parent, child});
        c.parents.insert(c.settled ? c.parents.end() : c.parents.begin(), parent);
      }
      if (p.forced) force(child, settle::cause::parent);
      else if (p.settled || p.requested) request(child, settle::cause::parent);
    }
    go_on();
    if (c.handle) {
      c.handle = false;
      disown(child);
    }
    return -1;
  }

  int bind(std::size_t about, std::size_t where) {
    operation& w = ops_[where];
    if (w.settled) return -1;
    std::size_t const h = make(event::bound, about);
    ++w.holds;
    w.below = true;
    links_.push_back({where, operations + h});
    place_observer(h);
    if (w.requested) end_relay(h);
    return keep(about, h);
  }

  bool may_be_lost(std::size_t i) const { return values_die_ || ops_[i].taker; }

  void disown(std::size_t i) {
    operation& o = ops_[i];
    if (!may_be_lost(i)) return;
    o.owned = false;
    if (!o.over || o.watched) return;
    if (!o.released) o.disposal = true;
    else ready_.push_back({work::dispose, i});
  }

  int give_taker(std::size_t i) {
    operation& o = ops_[i];
    if (o.taker_given) ++seen_.misuse;
    else o.taker = !o.settled || o.how == ending::value;
    o.taker_given = true;
    return -1;
  }

  // ---- what the executor runs ----

  /// The end of a call of the library's.
  void go_on() {
    walk();
    if (running_) return;  // user code that calls: what follows from it is this turn's
    if (!ready_.empty()) batches_.push_back(std::exchange(ready_, {}));
    if (!queued_) run_ready();
  }

  /// A hook by itself. It holds the operation, if that can still be held.
  void tell_alone(std::size_t h) {
    operation& o = ops_[hooks_[h].on];
    bool const holds = !o.released;
    if (holds) ++o.holds;
    ready_.push_back({work::alone, hooks_[h].on, holds, h});
  }

  void run_ready() {
    running_ = true;
    for (; !batches_.empty(); batches_.pop_front()) {
      ready_ = batches_.front();
      while (!ready_.empty()) {
        work const w = ready_.front();
        ready_.pop_front();
        run(w);
        walk();
      }
    }
    running_ = false;
  }

  void run(work const& w) {
    switch (w.what) {
      case work::sequence:
        run_sequence(w.on);
        break;
      case work::alone:
        run_hook(w.hook);
        if (w.holds) leave(w.on, true);
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

  /// Done observers, cancel observers, the consumer; then the value is nobody's, or kept for its owner.
  void run_sequence(std::size_t i) {
    operation& o = ops_[i];
    for (std::size_t const h : o.observers)
      if (hooks_[h].what != event::consumer) run_hook(h);
    for (std::size_t const h : o.cancels) {
      hooks_[h].mute = o.how != ending::cancelled;
      run_hook(h);
    }
    for (std::size_t const h : o.observers)
      if (hooks_[h].what == event::consumer) run_hook(h);
    while (!o.late.empty())
      for (std::size_t const h : std::exchange(o.late, {})) run_hook(h);
    o.observers.clear();
    o.cancels.clear();
    o.over = true;
    if (!o.owned && !o.watched) lose(i);
    leave(i, true);
  }

  void run_hook(std::size_t id) {
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
      if (!o.watched || values_die_) o.value_there = false;
    }
  }

  /// Gives a hold back. The last one releases: on the executor, if there is user code to run.
  void leave(std::size_t i, bool on_executor) {
    operation& o = ops_[i];
    if (o.holds > 1) {
      --o.holds;
      return;
    }
    bool const somebody_waits = !o.releaseds.empty() || !o.parents.empty();  // with a parent waiting, a withdrawn one counts yet
    bool const user_code = !o.cleanups.empty() || (o.tells_release && somebody_waits) || o.disposal || (o.taker && o.how != ending::value);
    o.releasing = true;
    if (user_code && !on_executor) ready_.push_back({work::release, i});
    else release(i);
  }

  void release(std::size_t i) {
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
    for (std::size_t const p : parents) leave(p, false);
  }

  /// The value has no taker.
  void lose(std::size_t i) {
    operation& o = ops_[i];
    if (!o.value_there) return;
    if (o.taker) say(i, {event::lost, 0, ending::value});
    o.taker = false;
    o.value_there = false;
  }

  // ---- hooks bound to the next operation ----

  static std::size_t where_of(hook const& h) noexcept { return next(h.on); }

  /// What it is about has settled: the outcome goes to where the hook lives.
  void feed_bound(std::size_t id) {
    hook& h = hooks_[id];
    if (h.fed) return;
    operation& about = ops_[h.on];
    about.looked_at = true;
    h.fed = true;
    h.over = h.over || h.forced;
    if (h.forced) return;  // what would carry the outcome is settled: its end is to come
    bool const holds = !about.released && !about.releasing;
    if (holds) ++about.holds;
    ready_.push_back({work::bound_call, h.on, holds, id});
    pinned_by_.resize(hooks_.size());
    pinned_by_[id] = holds;
  }
  void call_bound(std::size_t id) {
    hook& h = hooks_[id];
    operation const& about = ops_[h.on];
    if (!h.over && !ops_[where_of(h)].settled)
      say(h.on, {event::bound, number(id), about.how, about.how == ending::cancelled ? about.why : settle::cause::requested});
    h.over = true;
    if (pinned_by_[id]) leave(h.on, false);
    end_link(id);
  }
  /// Where it lives is over, or it was withdrawn.
  void end_bound(std::size_t id) {
    hook& h = hooks_[id];
    if ((h.fed && !h.forced) || std::exchange(h.ended, true)) return;
    h.fed = h.over = true;
    for (ids* list : {&ops_[h.on].observers, &ops_[h.on].late}) std::erase(*list, id);
    end_link(id);
  }
  void end_link(std::size_t id) {
    std::erase_if(links_, [&](link const& l) { return l.child == operations + id; });
    leave(where_of(hooks_[id]), false);
  }

  static unsigned char number(std::size_t id) noexcept { return static_cast<unsigned char>(id); }
  void say(std::size_t i, event e) { seen_.of[i].seen.push_back(e); }

  bool queued_;
  bool values_die_;
  operation ops_[operations];
  std::vector<hook> hooks_;
  std::vector<link> links_;
  std::deque<std::size_t> structure_;     // who has to tell those below
  std::deque<work> ready_;                // user code of this call, or of this turn of the executor
  std::deque<std::deque<work>> batches_;  // what the executor was given, each by one call
  std::vector<bool> pinned_by_;
  bool running_ = false;
  picture seen_;
};

}  // namespace model

#endif
