// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_GROUPS_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_GROUPS_HPP

#include "../sequential.hpp"

// all, race, any, all_settled.
namespace model {

inline void sequential::told_group(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  bool const is_value = !g.absent[k] && ops_[g.inputs[k]].how == ending::value;
  if (g.how == act::all_settled || (g.how == act::all && is_value)) return collect(r, k);
  bool const decides = g.how == act::any && !is_value ? --g.missing == 0 : true;
  if (decides && g.decided == nobody) return decide(r, k);
  lose_input(r, k);
}

/// One more of all. User code brings it to its slot, if there is anything to bring that has some.
inline void sequential::collect(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  bool const here = !values_die_ || g.absent[k];
  if (!here) queue(r, k);
  if (--g.missing == 0) {
    g.decided = g.inputs.size();
    if (!g.absent[k]) keep_input(r, g.inputs[k]);
    if (g.wired) conclude(r);
  }
  if (values_die_ && here) came(r);
  if (here) finish_input(r, k);
}

inline void sequential::decide(std::size_t r, std::size_t winner) {
  group& g = group_of(r);
  g.decided = winner;
  if (g.wired) conclude(r);
}

/// Decided, and all wired.
inline void sequential::conclude(std::size_t r) {
  group& g = group_of(r);
  if (g.decided == g.inputs.size()) return came(r);
  for (std::size_t k = 0; k != g.inputs.size(); ++k)
    if (k != g.decided) let_off(r, k, settle::cause::sibling);
  deliver(r, g.decided);
}
inline void sequential::deliver(std::size_t r, std::size_t k) {
  operation const& in = ops_[group_of(r).inputs[k]];
  if (group_of(r).absent[k]) settle_result(r, ending::cancelled, ops_[r].why);
  else if (in.how == ending::value && values_die_) return queue(r, k);
  else pass_on(r, k);
  finish_input(r, k);
}

inline void sequential::hear_group(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  if (g.decided == k) return pass_on(r, k);
  bool const collects = g.how == act::all || g.how == act::all_settled;
  if (!collects || (g.decided != nobody && g.decided != g.inputs.size())) return;
  if (g.to_come == 1) keep_input(r, g.inputs[k]);
  came(r);
}

/// A value came to its slot, or the decision fell: the last makes the result of them.
inline void sequential::came(std::size_t r) {
  group& g = group_of(r);
  if (--g.to_come != 0) return;
  if (!values_die_) return make_result(r);
  ++ops_[r].holds;
  ready_.push_back({work::make, r, true});
}
inline void sequential::make_result(std::size_t r) { settle_result(r, ending::value, settle::cause::requested); }

}  // namespace model

#endif
