// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_GROUPS_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_GROUPS_HPP

#include "../sequential.hpp"

// Combinators. Their results are operations like any other, whose producer they are.
namespace model {

inline bool sequential::is_for_results(act a) noexcept {
  switch (a) {
    case act::request_cancel:
    case act::cancel:
    case act::on_done:
    case act::watched_done:
    case act::on_cancel:
    case act::on_cleanup:
    case act::on_released:
    case act::withdraw:
    case act::forget:
    case act::pin:
    case act::unpin:
    case act::drop_handle:
    case act::detach:
    case act::take:
      return true;
    default:
      return false;
  }
}

/// Ours, and nobody else reads or wants its value.
inline bool sequential::may_be_input(std::size_t i) const {
  operation const& o = ops_[i];
  return i < operations && o.handle && !o.watched && !o.taker_given;
}

/// The handles go into it. Somebody always looks at the result.
inline int sequential::combine(std::size_t i, act how) {
  std::size_t const r = operations + i;
  bool const two = how == act::all || how == act::race || how == act::any;
  ops_[r] = operation{};
  ops_[r].producer = false;
  ops_[r].closes = two || how == act::finally;
  group& g = group_of(r);
  g = group{};
  g.how = how;
  g.inputs = two ? ids{i, next(i)} : ids{i};
  g.missing = g.inputs.size();
  g.to_come = 1 + (how == act::all && values_die_ ? g.inputs.size() : 0);
  g.holds.assign(g.inputs.size(), false);
  for (std::size_t const in : g.inputs) ops_[in].handle = false;
  wire(r);
  go_on();
  observe(r, event::done);
  return -1;
}

inline void sequential::wire(std::size_t r) {
  group& g = group_of(r);
  ++ops_[r].holds;
  for (std::size_t k = 0; k != g.inputs.size(); ++k) {
    operation& in = ops_[g.inputs[k]];
    bool const tied = !in.released;
    tie(r, g.inputs[k]);
    if (!in.settled) {
      in.has_inputs = true;
      in.feeds.insert(in.feeds.begin(), feed_of(r, k));
      continue;
    }
    if (!tied) {
      g.holds[k] = true;
      ++ops_[r].holds;
    }
    told(r, k);
    go_on();
  }
  g.wired = true;
  if (g.decided != nobody) conclude(r);
  go_on();
  leave(r, false);
}

inline void sequential::tie(std::size_t r, std::size_t in) {
  ops_[r].below = true;
  operation& c = ops_[in];
  if (c.released) return;
  ++ops_[r].holds;
  links_.push_back({r, in});
  c.parents.insert(c.settled ? c.parents.end() : c.parents.begin(), r);
}

/// Structural: an input has settled.
inline void sequential::told(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  operation& in = ops_[g.inputs[k]];
  in.looked_at = true;
  bool const is_value = in.how == ending::value;
  if (g.how >= act::then) return told_step(r, k);
  if (g.how == act::all && is_value) return collect(r, k);
  bool const decides = g.how == act::any && !is_value ? --g.missing == 0 : true;
  if (decides && g.decided == nobody) return decide(r, k);
  disown(g.inputs[k]);
  finish_input(r, k);
}

/// What is not for the function passes by it, at once if nothing of the user's runs for it.
inline void sequential::told_step(std::size_t r, std::size_t k) {
  group const& g = group_of(r);
  operation const& in = ops_[g.inputs[k]];
  bool const is_called = g.how == act::finally || in.how == (g.how == act::then ? ending::value : ending::failure);
  if (is_called || (in.how == ending::value && values_die_)) return queue(r, k);
  keep_input(r, g.inputs[k]);
  settle_result(r, in.how, in.why);
  finish_input(r, k);
}

inline void sequential::collect(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  if (values_die_) queue(r, k);
  if (--g.missing == 0) {
    g.decided = g.inputs.size();
    keep_input(r, g.inputs[k]);
    if (g.wired) conclude(r);
  }
  if (!values_die_) finish_input(r, k);
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
    if (k != g.decided) let_off(r, k);
  deliver(r, g.decided);
}
inline void sequential::let_off(std::size_t r, std::size_t k) {
  std::size_t const i = group_of(r).inputs[k];
  if (std::erase(ops_[i].feeds, feed_of(r, k)) == 0) return;
  request(i, settle::cause::sibling);
  disown(i);
  finish_input(r, k);
}
inline void sequential::deliver(std::size_t r, std::size_t k) {
  std::size_t const i = group_of(r).inputs[k];
  operation const& in = ops_[i];
  if (in.how == ending::value && values_die_) return queue(r, k);
  keep_input(r, i);
  settle_result(r, in.how, in.why);
  finish_input(r, k);
}

/// Its user code is to bring the value, or to call the function.
inline void sequential::queue(std::size_t r, std::size_t k) {
  std::size_t const feed = feed_of(r, k);
  operation& in = ops_[group_of(r).inputs[k]];
  if (walking_ == group_of(r).inputs[k]) in.observers.push_back(feed);
  else if (!in.over && !in.releasing) in.late.push_back(feed);
  else tell_alone(feed);
}

/// In the user code of an input.
inline void sequential::hear(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  std::size_t const i = g.inputs[k];
  if (g.how >= act::then) {
    hear_step(r, k);
  } else if (g.decided == k) {
    keep_input(r, i);
    settle_result(r, ops_[i].how, ops_[i].why);
  } else if (g.how == act::all && (g.decided == nobody || g.decided == g.inputs.size())) {
    if (g.to_come == 1) keep_input(r, i);
    came(r);
  }
  ops_[i].value_there = false;
  finish_input(r, k);
}
inline void sequential::hear_step(std::size_t r, std::size_t k) {
  group const& g = group_of(r);
  std::size_t const i = g.inputs[k];
  operation const& in = ops_[i];
  settle::cause const why = in.how == ending::cancelled ? in.why : settle::cause::requested;
  if (g.how != act::finally && ops_[r].settled) return lost(r);
  keep_input(r, i);
  bool const called = g.how == act::finally || in.how == (g.how == act::then ? ending::value : ending::failure);
  if (called) say(r, {event::called, 0, in.how, why});
  bool const yields = called && g.how != act::finally;
  settle_result(r, yields ? ending::value : in.how, in.why);
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
