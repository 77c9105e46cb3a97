// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_TIMED_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_TIMED_HPP

#include "../sequential.hpp"

// Timers, and within.
namespace model {

inline void sequential::start_timer(std::size_t r) {
  ++ops_[r].holds;
  timers_.push_back(r);
}
/// It lets go later.
inline void sequential::stop_timer(std::size_t r) {
  if (std::erase(timers_, r) != 0) stopped_.push_back(r);
}
/// So much that every timer that runs is due.
inline void sequential::pass_time() {
  run_all();
  if (timers_.empty()) return;
  for (std::size_t const r : std::exchange(timers_, {})) timer_over(r, true);
  run_all();
}
/// On the executor: what becomes ready there runs at once.
inline void sequential::timer_over(std::size_t r, bool fired) {
  group& g = group_of(r);
  if (g.how == act::within && fired) {
    time_is_over(r);
  } else if (g.how == act::retry && fired && std::exchange(g.pausing, false)) {
    post(r, turn::try_again);
  } else if (g.how == act::hedge) {
    g.ended = true;
    if (fired) ++g.more;
    want_more(r);
  }
  run_here();
  leave(r, false);
  run_here();
}
inline void sequential::run_here() {
  walk();
  if (!ready_.empty()) batches_.push_back(std::exchange(ready_, {}));
  run_ready();
}

// ---- within: input 0 decides, or the time, which has the number 1 ----

inline void sequential::wire_limit(std::size_t r) {
  group& g = group_of(r);
  if (g.decided != nobody) return;
  g.runs = true;
  start_timer(r);
}
inline void sequential::told_limit(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  if (g.decided != nobody) return lose_input(r, k);
  g.decided = k;
  if (g.wired) deliver_limit(r);
}
inline void sequential::deliver_limit(std::size_t r) {
  group& g = group_of(r);
  operation const& in = ops_[g.inputs[0]];
  if (g.absent[0]) {
    if (g.runs) post(r, turn::stop_timer);
    settle_result(r, ending::cancelled, ops_[r].why);
    return finish_input(r, 0);
  }
  if (in.how == ending::value && values_die_) return queue(r, 0);
  g.delivered = true;
  keep_input(r, g.inputs[0]);
  if (g.runs) queue(r, 0);  // to stop the timer
  settle_result(r, in.how, in.why);
  if (!g.runs) finish_input(r, 0);
}
inline void sequential::hear_limit(std::size_t r, std::size_t k) {
  group const& g = group_of(r);
  if (g.runs) stop_timer(r);
  if (!g.delivered) pass_on(r, k);
}
inline void sequential::time_is_over(std::size_t r) {
  group& g = group_of(r);
  if (g.decided != nobody) return;
  g.decided = 1;
  let_off(r, 0, settle::cause::deadline);
  settle_result(r, ending::failure, settle::cause::requested);
}

}  // namespace model

#endif
