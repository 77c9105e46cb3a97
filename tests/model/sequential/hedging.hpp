// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_HEDGING_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_HEDGING_HPP

#include "../sequential.hpp"

// hedge: the second begins when the first has failed, or when its time has come, if there are timers.
namespace model {

inline void sequential::want_more(std::size_t r) {
  if (group_of(r).wanted++ == 0) post(r, turn::begin_more);
}
inline void sequential::hedge_turn(std::size_t r) {
  group& g = group_of(r);
  for (std::size_t n = 1; n != 0;) {
    for (std::size_t due = std::exchange(g.more, 0); due != 0; --due) begin_next(r);
    bool const over = g.decided != nobody;
    if (over && g.runs && !std::exchange(g.stopped, true)) stop_timer(r);
    if (!over && g.begun != g.inputs.size() && !ops_[r].requested && !ops_[r].settled && queued_) {
      if (std::exchange(g.ended, false)) g.runs = false;
      if (!std::exchange(g.runs, true)) start_timer(r);
    }
    g.wanted -= n;
    n = g.wanted;
  }
}
inline void sequential::begin_next(std::size_t r) {
  group& g = group_of(r);
  if (g.begun == g.inputs.size() || g.decided != nobody) return;
  if (ops_[r].requested || ops_[r].settled) {
    if (g.active != 0) return;
    g.decided = g.inputs.size();
    return settle_result(r, ending::cancelled, ops_[r].why);
  }
  std::size_t const k = g.begun++;
  if (k == 1) {
    say(r, {event::called, 1, ending::value});
    g.stored = false;
  }
  ++g.active;
  connect(r, k);
  if (g.decided != nobody && g.decided != k) let_off(r, k, settle::cause::sibling);
}

inline void sequential::told_hedged(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  operation const& in = ops_[g.inputs[k]];
  bool const is_value = in.how == ending::value;
  bool const last = !is_value && --g.missing == 0;
  if ((is_value || last) && g.decided == nobody) {
    g.decided = k;
    for (std::size_t n = g.begun; n-- != 0;)
      if (n != k) let_off(r, n, settle::cause::sibling);
    want_more(r);  // the timer is to be stopped
    return deliver(r, k);
  }
  lose_input(r, k);
  bool const idle = --g.active == 0;
  if (is_value || (g.decided != nobody && !idle)) return;
  ++g.more;
  want_more(r);
}

}  // namespace model

#endif
