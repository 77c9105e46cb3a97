// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_SUCCESSIVE_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_SUCCESSIVE_HPP

#include "../sequential.hpp"

// bracket, retry, map_concurrent: one input after the other. Something follows when one is released, and its outcome is through.
namespace model {

inline void sequential::begin_after(std::size_t r, std::size_t k) {
  group_of(r).parts[k] = 2;
  ++ops_[r].holds;  // until that has had its turn
  connect(r, k);
}
inline void sequential::through(std::size_t r, std::size_t k) {
  finish_input(r, k);
  part(r, k);
}
inline void sequential::part(std::size_t r, std::size_t k) {
  if (--group_of(r).parts[k] == 0)
    ready_.push_back({work::turn, r, true, static_cast<std::size_t>(k == 0 ? turn::after_first : turn::after_second)});
}
/// Of what it adopted, or of any parent.
inline void sequential::child_released(std::size_t r, std::size_t i) {
  if (r < operations) return;
  group const& g = group_of(r);
  if (g.how != act::bracket && g.how != act::retry && g.how != act::map_concurrent) return;
  part(r, g.inputs[0] == i ? 0 : 1);
}

// ---- bracket ----

inline void sequential::hear_bracket(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  operation const& in = ops_[g.inputs[k]];
  if (k == 1) {
    g.outcome = in.how;
    g.why = in.why;
  } else if (in.how != ending::value) {
    settle_result(r, in.how, in.why);
  } else if (ops_[r].requested || ops_[r].settled) {
    g.outcome = ending::cancelled;
    g.why = ops_[r].why;
    post(r, turn::give_back);
  } else {
    say(r, {event::called, 0, ending::value});
    g.stored = false;
    begin_after(r, 1);
  }
}
/// What the function returns is an operation that is over: its outcome has a turn of its own.
inline void sequential::give_back(std::size_t r) {
  if (group_of(r).how != act::bracket) return;
  say(r, {event::called, 1, ending::value});
  post(r, turn::given_back);
}

// ---- retry: with a pause where there are timers ----

inline void sequential::told_attempt(std::size_t r, std::size_t k) {
  operation const& in = ops_[group_of(r).inputs[k]];
  if (in.how == ending::failure || (in.how == ending::value && values_die_)) return queue(r, k);
  pass_on(r, k);
  through(r, k);
}
inline void sequential::hear_attempt(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  if (ops_[g.inputs[k]].how == ending::failure && k == 0 && !ops_[r].requested && !ops_[r].settled) g.again = true;
  else pass_on(r, k);
}
inline void sequential::after_attempt(std::size_t r) {
  group& g = group_of(r);
  if (g.how == act::map_concurrent) return begin_item(r);
  if (!std::exchange(g.again, false)) return;
  if (!queued_) return try_again(r);
  g.pausing = true;
  start_timer(r);
  if (ops_[r].requested || ops_[r].settled) pause_asked(r);
}
inline void sequential::try_again(std::size_t r) {
  group& g = group_of(r);
  if (ops_[r].requested || ops_[r].settled) return settle_result(r, ending::cancelled, ops_[r].why);
  say(r, {event::called, 1, ending::value});
  g.stored = false;
  begin_after(r, 1);
}
/// The pause is cut short.
inline void sequential::pause_asked(std::size_t r) {
  if (!std::exchange(group_of(r).pausing, false)) return;
  post(r, turn::stop_timer);
  settle_result(r, ending::cancelled, ops_[r].why);
}

// ---- map_concurrent, one at a time ----

inline void sequential::begin_item(std::size_t r) {
  group& g = group_of(r);
  if (g.begun == g.inputs.size() || g.decided != nobody) return;
  if (ops_[r].requested || ops_[r].settled) {
    g.decided = g.inputs.size();
    return settle_result(r, ending::cancelled, ops_[r].why);
  }
  std::size_t const k = g.begun++;
  if (k == 1) {
    say(r, {event::called, 1, ending::value});
    g.stored = false;
  }
  begin_after(r, k);
}
inline void sequential::told_item(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  if (ops_[g.inputs[k]].how == ending::value) return queue(r, k);
  if (g.decided == nobody) {
    g.decided = k;
    pass_on(r, k);
  }
  through(r, k);
}
inline void sequential::hear_item(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  if (g.decided != nobody || --g.missing != 0) return;
  g.decided = g.inputs.size();
  keep_input(r, g.inputs[k]);
  ++ops_[r].holds;
  ready_.push_back({work::make, r, true});
}

}  // namespace model

#endif
