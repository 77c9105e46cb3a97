// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_INPUTS_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_INPUTS_HPP

#include "../sequential.hpp"

// What becomes of an input, and of the result by it.
namespace model {

/// Its user code is to bring the value, or to call the function.
inline void sequential::queue(std::size_t r, std::size_t k) {
  std::size_t const feed = feed_of(r, k);
  operation& in = ops_[group_of(r).inputs[k]];
  if (walking_ == group_of(r).inputs[k]) in.observers.push_back(feed);
  else if (!in.over && !in.releasing) in.late.push_back(feed);
  else tell_alone(feed);
}

/// It is not needed any more.
inline void sequential::let_off(std::size_t r, std::size_t k, settle::cause why) {
  std::size_t const i = group_of(r).inputs[k];
  if (std::erase(ops_[i].feeds, feed_of(r, k)) == 0) return;
  if (group_of(r).adopted[k]) {
    request(i, why);
    disown(i);
  }
  finish_input(r, k);
}
/// Told too late.
inline void sequential::lose_input(std::size_t r, std::size_t k) {
  if (group_of(r).adopted[k]) disown(group_of(r).inputs[k]);
  finish_input(r, k);
}
/// Its outcome is the result's.
inline void sequential::pass_on(std::size_t r, std::size_t k) {
  group const& g = group_of(r);
  operation const& in = ops_[g.inputs[k]];
  bool const counts_as_failed = in.how == ending::cancelled && (g.how == act::any || g.how == act::hedge) && !ops_[r].requested;
  keep_input(r, g.inputs[k]);
  settle_result(r, counts_as_failed ? ending::failure : in.how, in.why);
}

inline void sequential::settle_result(std::size_t r, ending how, settle::cause why) {
  operation& o = ops_[r];
  if (o.settled) return lost(r);
  if (how == ending::cancelled && !o.requested) o.why = why;
  o.value_there = how == ending::value;
  become_settled(r, how);
}

/// It is not released before the result's observers have run.
inline void sequential::keep_input(std::size_t r, std::size_t in) {
  group& g = group_of(r);
  operation& o = ops_[in];
  if (g.kept != nobody || o.released || o.releasing) return;
  ++o.holds;
  g.kept = in;
}
inline void sequential::let_go_of_input(std::size_t r) {
  group& g = group_of(r);
  if (g.kept != nobody) leave(std::exchange(g.kept, nobody), false);
}
/// Somebody else has settled it.
inline void sequential::lost(std::size_t r) {
  let_go_of_input(r);
  leave(r, false);
}
inline void sequential::finish_input(std::size_t r, std::size_t k) {
  if (!group_of(r).holds[k]) return;
  group_of(r).holds[k] = false;
  leave(r, false);
}

}  // namespace model

#endif
