// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_STEPS_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_STEPS_HPP

#include "../sequential.hpp"

// then, or_else, finally, via.
namespace model {

/// Whether the function is for this outcome.
inline bool sequential::is_called(std::size_t r, std::size_t k) const {
  group const& g = groups_[r - operations];
  ending const how = ops_[g.inputs[k]].how;
  if (g.how == act::finally) return true;
  return (g.how == act::then && how == ending::value) || (g.how == act::or_else && how == ending::failure);
}

/// What is not for the function passes by it, at once if nothing of the user's runs for it.
inline void sequential::told_step(std::size_t r, std::size_t k) {
  group const& g = group_of(r);
  operation const& in = ops_[g.inputs[k]];
  if (g.absent[k]) {
    if (g.how == act::finally) return post(r, turn::call_absent);
    settle_result(r, ending::cancelled, ops_[r].why);
  } else {
    if (is_called(r, k) || (in.how == ending::value && values_die_)) return queue(r, k);
    pass_on(r, k);
  }
  finish_input(r, k);
}

inline void sequential::hear_step(std::size_t r, std::size_t k) {
  group const& g = group_of(r);
  operation const& in = ops_[g.inputs[k]];
  if (g.how != act::finally && ops_[r].settled) return lost(r);
  if (!is_called(r, k)) return pass_on(r, k);
  keep_input(r, g.inputs[k]);
  say(r, {event::called, 0, in.how, in.how == ending::cancelled ? in.why : settle::cause::requested});
  settle_result(r, g.how == act::finally ? in.how : ending::value, in.why);
}

/// finally is called in any case.
inline void sequential::call_absent(std::size_t r) {
  say(r, {event::called, 0, ending::cancelled, ops_[r].why});
  settle_result(r, ending::cancelled, ops_[r].why);
  finish_input(r, 0);
}

}  // namespace model

#endif
