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
//
// And its combinators: all, race, any, all_settled, then, or_else, finally, via, within, bracket, retry, hedge, map_concurrent. Their
// inputs are adopted, or (`lend`) watched. Out of it are
//
// - ranges and packs of other lengths than two, which tests/combine/groups_model.cpp has: the rules are the same;
// - functions of steps that return handles, and of bracket, retry, hedge and map_concurrent that return anything else: the one is a
//   link the more, the other a settled operation in between, both alike in each combinator; tests/combine/steps.cpp has them;
// - what functions throw and memory that is not there, which the fault sweeps have; cold inputs, which nothing here can make;
// - more than one operation at a time in map_concurrent: that order is a queue's, and is tested where it is (tests/combine/timed.cpp);
// - results as inputs, and a loss awaited (`on_lost`) of what is watched: each act would need all of them twice.
namespace model {

/// What the three operations are like.
struct setting {
  bool queued;         // user code runs when told to, on an executor that has timers; else after each call, and there are none
  bool values_die;     // the value has a destructor, so that losing it is something to do
  bool values_copied;  // it can be: so it can be watched by combinators
};

/// Three operations on one executor.
class sequential {
 public:
  explicit sequential(setting s) : queued_(s.queued), values_die_(s.values_die), values_copied_(s.values_copied) {
    for (std::size_t i = operations; i != places; ++i) ops_[i].exists = false;
  }

  /// Whether it would change anything, or say anything of interest.
  bool possible(step s) const;

  /// Does it; the result of the call.
  int play(step s) {
    int const result = call(s);
    go_on();
    if (!queued_ && !running_) run_all();
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
  std::vector<unsigned char> key() const;

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
  void tell_children(std::size_t i);
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
  void route();
  bool runs_anywhere(work const& w) const;
  void tell_alone(std::size_t h);
  void run_ready();
  void run_all();
  void post(std::size_t r, turn what);
  void take_turn(std::size_t r, turn what);
  void run(work const& w);
  void run_sequence(std::size_t i);
  bool is_last(std::size_t id) const;
  void run_hook(std::size_t id);
  void leave(std::size_t i, bool on_executor);
  void release_or_queue(std::size_t i);
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
  bool may_combine(step s) const;
  int combine(std::size_t i, act how);
  void wire(std::size_t r);
  void connect(std::size_t r, std::size_t k);
  void tie(std::size_t r, std::size_t in);
  bool watches(std::size_t r) const;
  void listen(std::size_t r);
  void asked(std::size_t r);
  void told(std::size_t r, std::size_t k);
  void hear(std::size_t r, std::size_t k);
  void queue(std::size_t r, std::size_t k);
  void let_off(std::size_t r, std::size_t k, settle::cause why);
  void lose_input(std::size_t r, std::size_t k);
  void pass_on(std::size_t r, std::size_t k);
  void close(std::size_t r);

  void told_group(std::size_t r, std::size_t k);
  void collect(std::size_t r, std::size_t k);
  void decide(std::size_t r, std::size_t winner);
  void conclude(std::size_t r);
  void deliver(std::size_t r, std::size_t k);
  void hear_group(std::size_t r, std::size_t k);
  void came(std::size_t r);

  bool is_called(std::size_t r, std::size_t k) const;
  void told_step(std::size_t r, std::size_t k);
  void hear_step(std::size_t r, std::size_t k);
  void call_absent(std::size_t r);

  void start_timer(std::size_t r);
  void stop_timer(std::size_t r);
  void pass_time();
  void timer_over(std::size_t r, bool fired);
  void run_here();
  void wire_limit(std::size_t r);
  void told_limit(std::size_t r, std::size_t k);
  void deliver_limit(std::size_t r);
  void hear_limit(std::size_t r, std::size_t k);
  void time_is_over(std::size_t r);

  void begin_after(std::size_t r, std::size_t k);
  void through(std::size_t r, std::size_t k);
  void part(std::size_t r, std::size_t k);
  void child_released(std::size_t r, std::size_t i);
  void hear_bracket(std::size_t r, std::size_t k);
  void give_back(std::size_t r);
  void told_attempt(std::size_t r, std::size_t k);
  void hear_attempt(std::size_t r, std::size_t k);
  void after_attempt(std::size_t r);
  void try_again(std::size_t r);
  void pause_asked(std::size_t r);
  void begin_item(std::size_t r);
  void told_item(std::size_t r, std::size_t k);
  void hear_item(std::size_t r, std::size_t k);

  void want_more(std::size_t r);
  void hedge_turn(std::size_t r);
  void begin_next(std::size_t r);
  void told_hedged(std::size_t r, std::size_t k);

  void make_result(std::size_t r);
  void settle_result(std::size_t r, ending how, settle::cause why);
  void keep_input(std::size_t r, std::size_t in);
  void let_go_of_input(std::size_t r);
  void lost(std::size_t r);
  void finish_input(std::size_t r, std::size_t k);
  group& group_of(std::size_t r) { return groups_[r - operations]; }

  bool queued_;
  bool values_die_;
  bool values_copied_;
  operation ops_[places];  // the results are not there yet
  group groups_[operations];
  std::vector<hook> hooks_;
  std::vector<link> links_;
  std::deque<std::size_t> structure_;     // who has to tell those below, or is to be released
  std::deque<work> ready_;                // user code of this call, or of this turn of the executor
  std::deque<std::deque<work>> batches_;  // what the executor was given, each by one call
  std::vector<bool> pinned_by_;
  std::vector<work> here_;  // what runs anywhere, and so on whoever makes it ready
  ids timers_;              // results whose timers run
  ids stopped_;             // whose timers have yet to let go
  bool running_ = false;
  bool on_loop_ = false;          // what runs is what the executor was given
  std::size_t walking_ = nobody;  // whose settling is being told to others
  picture seen_;
};

}  // namespace model

#include "sequential/asking.hpp"      // IWYU pragma: export
#include "sequential/bound.hpp"       // IWYU pragma: export
#include "sequential/calls.hpp"       // IWYU pragma: export
#include "sequential/combining.hpp"   // IWYU pragma: export
#include "sequential/groups.hpp"      // IWYU pragma: export
#include "sequential/hedging.hpp"     // IWYU pragma: export
#include "sequential/inputs.hpp"      // IWYU pragma: export
#include "sequential/steps.hpp"       // IWYU pragma: export
#include "sequential/structure.hpp"   // IWYU pragma: export
#include "sequential/successive.hpp"  // IWYU pragma: export
#include "sequential/timed.hpp"       // IWYU pragma: export
#include "sequential/turns.hpp"       // IWYU pragma: export

#endif
