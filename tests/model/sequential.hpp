// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_HPP

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "acts.hpp"
#include "sequential/parts.hpp"

// The core of the library said again, for one thread: no pointers, no atomics, no sharing, no short cuts.
namespace model {

/// Three operations on one executor. It runs user code after each call (`queued` false), or when told to.
class sequential {
 public:
  /// `values_die`: the value has a destructor, so that losing it is something to do.
  sequential(bool queued, bool values_die) : queued_(queued), values_die_(values_die) {
    for (std::size_t i = operations; i != places; ++i) ops_[i].exists = false;
  }

  /// Whether it would change anything, or say anything of interest.
  bool possible(step s) const {
    operation const& o = ops_[s.on];
    if (s.on >= operations && (!o.exists || !is_for_results(s.what))) return false;
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
      case act::all:
      case act::race:
      case act::any:
        return !running_ && may_be_input(s.on) && may_be_input(next(s.on)) && !ops_[operations + s.on].exists;
      case act::then:
      case act::or_else:
      case act::finally:
        return !running_ && may_be_input(s.on) && !ops_[operations + s.on].exists;
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
    if (ops_[i].newest == nobody || then.what == act::run || then.what >= act::nest || i >= operations || then.on >= operations)
      return false;
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
    for (std::size_t i = 0; i != places; ++i) {
      operation& o = ops_[i];
      if (o.taker && o.value_there) lose(i);  // watched to the end
      if (o.how == ending::failure && !o.looked_at) ++seen_.unseen_failures;
    }
    look();
  }

  picture const& look() {
    for (std::size_t i = 0; i != places; ++i) {
      seen_.of[i].settled = ops_[i].settled;
      seen_.of[i].released = ops_[i].released;
      seen_.of[i].requested = ops_[i].requested;
    }
    return seen_;
  }

  /// How many values there are; -1: combinators have some on the way.
  int values() const {
    int n = 0;
    for (std::size_t i = operations; i != places; ++i)
      if (ops_[i].exists) return -1;
    for (operation const& o : ops_) n += o.value_there ? 1 : 0;
    return n;
  }

  /// Equal keys: whatever is done from here on has equal consequences.
  std::vector<unsigned char> key() const {
    std::vector<unsigned char> k;
    for (operation const& o : ops_) o.write(k);
    for (group const& g : groups_) g.write(k);
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
  static std::size_t next(std::size_t i) noexcept { return (i + 1) % operations; }

  // ---- the end ----

  void let_go();

  // ---- what users do ----

  int call(step s);
  int keep(std::size_t i, std::size_t h);
  int produce(std::size_t i, ending how);
  int abandon(std::size_t i);
  int request(std::size_t i, settle::cause why);
  int force(std::size_t i, settle::cause why);
  void become_settled(std::size_t i, ending how);
  void walk();
  void walk(std::size_t i);
  void end_relay(std::size_t h);
  std::size_t make(event::kind what, std::size_t on);
  std::size_t observe(std::size_t i, event::kind what);
  void place_observer(std::size_t h);
  std::size_t add_cancel(std::size_t i);
  int add_cleanup(std::size_t i);
  std::size_t add_released(std::size_t i);
  int withdraw(std::size_t h);
  bool hides_a_cycle(std::size_t parent, std::size_t child) const;
  bool reaches(std::size_t below, std::size_t above) const;
  int adopt(std::size_t parent, std::size_t child);
  int bind(std::size_t about, std::size_t where);
  bool may_be_lost(std::size_t i) const;
  void disown(std::size_t i);
  int give_taker(std::size_t i);

  // ---- what the executor runs ----

  void go_on();
  void tell_alone(std::size_t h);
  void run_ready();
  void run(work const& w);
  void run_sequence(std::size_t i);
  void run_hook(std::size_t id);
  void leave(std::size_t i, bool on_executor);
  void release(std::size_t i);
  void lose(std::size_t i);

  // ---- hooks bound to the next operation ----

  static std::size_t where_of(hook const& h) noexcept;
  void feed_bound(std::size_t id);
  void call_bound(std::size_t id);
  void end_bound(std::size_t id);
  void end_link(std::size_t id);
  static unsigned char number(std::size_t id) noexcept;
  void say(std::size_t i, event e);

  // ---- combinators ----

  static bool is_for_results(act a) noexcept;
  bool may_be_input(std::size_t i) const;
  int combine(std::size_t i, act how);
  void wire(std::size_t r);
  void tie(std::size_t r, std::size_t in);
  void told(std::size_t r, std::size_t k);
  void told_step(std::size_t r, std::size_t k);
  void collect(std::size_t r, std::size_t k);
  void decide(std::size_t r, std::size_t winner);
  void conclude(std::size_t r);
  void let_off(std::size_t r, std::size_t k);
  void deliver(std::size_t r, std::size_t k);
  void hear(std::size_t r, std::size_t k);
  void hear_step(std::size_t r, std::size_t k);
  void queue(std::size_t r, std::size_t k);
  void came(std::size_t r);
  void make_result(std::size_t r);
  void settle_result(std::size_t r, ending how, settle::cause why);
  void keep_input(std::size_t r, std::size_t in);
  void let_go_of_input(std::size_t r);
  void lost(std::size_t r);
  void finish_input(std::size_t r, std::size_t k);
  group& group_of(std::size_t r) { return groups_[r - operations]; }

  bool queued_;
  bool values_die_;
  operation ops_[places];  // the results are not there yet
  group groups_[operations];
  std::vector<hook> hooks_;
  std::vector<link> links_;
  std::deque<std::size_t> structure_;     // who has to tell those below
  std::deque<work> ready_;                // user code of this call, or of this turn of the executor
  std::deque<std::deque<work>> batches_;  // what the executor was given, each by one call
  std::vector<bool> pinned_by_;
  bool running_ = false;
  std::size_t walking_ = nobody;  // whose settling is being told to others
  picture seen_;
};

}  // namespace model

#include "sequential/calls.hpp"      // IWYU pragma: export
#include "sequential/groups.hpp"     // IWYU pragma: export
#include "sequential/structure.hpp"  // IWYU pragma: export
#include "sequential/turns.hpp"      // IWYU pragma: export

#endif
