// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_COMBINING_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_COMBINING_HPP

#include "../sequential.hpp"

// What all combinators have in common: their inputs, and a result that is an operation like any other, whose producer they are.
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

/// Ours; adopted, nobody else reads or wants its value.
inline bool sequential::may_be_input(std::size_t i) const {
  operation const& o = ops_[i];
  return i < operations && o.handle && !o.taker_given && (o.lent || !o.watched);
}
inline bool sequential::may_combine(step s) const {
  if (running_ || !may_be_input(s.on) || ops_[operations + s.on].exists) return false;
  if (takes_two(s.what) && !may_be_input(next(s.on))) return false;
  return !is_made_by_functions(s.what) || (!ops_[s.on].lent && !ops_[next(s.on)].lent);
}

/// The handles go into it. Somebody always looks at the result.
inline int sequential::combine(std::size_t i, act how) {
  std::size_t const r = operations + i;
  ops_[r] = operation{};
  ops_[r].producer = false;
  ops_[r].anywhere = how == act::via;
  group& g = group_of(r);
  g = group{};
  g.how = how;
  g.inputs = takes_two(how) ? ids{i, next(i)} : ids{i};
  g.missing = g.inputs.size();
  g.to_come = 1 + ((how == act::all || how == act::all_settled) && values_die_ ? g.inputs.size() : 0);
  g.stored = is_made_by_functions(how);
  for (std::size_t k = 0; k != g.inputs.size(); ++k) {
    operation& in = ops_[g.inputs[k]];
    g.adopted[k] = !in.lent;
    if (in.lent) in.watched = true;
    else in.handle = false;
  }
  ops_[r].closes = takes_two(how) || how == act::finally || how == act::within || watches(r);
  wire(r);
  go_on();
  observe(r, event::done);
  return -1;
}

inline void sequential::wire(std::size_t r) {
  group& g = group_of(r);
  ++ops_[r].holds;
  if (g.how == act::bracket || g.how == act::retry) {
    listen(r);
    begin_after(r, 0);
  } else if (g.how == act::map_concurrent) {
    begin_item(r);
  } else if (g.how == act::hedge) {
    g.wanted = g.more = 1;
    hedge_turn(r);
  } else {
    for (std::size_t k = 0; k != g.inputs.size(); ++k) connect(r, k);
    listen(r);
    if (g.how == act::within) wire_limit(r);
    g.wired = true;
    if (g.decided != nobody) g.how == act::within ? deliver_limit(r) : conclude(r);
  }
  go_on();
  leave(r, false);
}

/// Settled already, it is told here and now.
inline void sequential::connect(std::size_t r, std::size_t k) {
  group& g = group_of(r);
  operation& in = ops_[g.inputs[k]];
  bool const tied = g.adopted[k] && !in.released;
  if (g.adopted[k]) tie(r, g.inputs[k]);
  if (!g.adopted[k] || (in.settled && !tied)) {
    g.holds[k] = true;
    ++ops_[r].holds;
  }
  if (!in.settled) {
    in.has_inputs = true;
    in.feeds.push_back(feed_of(r, k));
    return;
  }
  told(r, k);
  go_on();
}

inline void sequential::tie(std::size_t r, std::size_t in) {
  ops_[r].below = true;
  operation& c = ops_[in];
  if (c.released) return child_released(r, in);
  ++ops_[r].holds;
  links_.push_back({r, in});
  c.parents.insert(c.settled ? c.parents.end() : c.parents.begin(), r);
}

inline bool sequential::watches(std::size_t r) const {
  group const& g = groups_[r - operations];
  return !g.adopted[0] || !g.adopted[g.inputs.size() - 1];
}
/// What is watched is let go when the result is asked to cancel; so is a pause.
inline void sequential::listen(std::size_t r) {
  group& g = group_of(r);
  operation& o = ops_[r];
  if (g.how != act::retry && !watches(r)) return;
  g.listens = true;
  if (!o.settled) o.below = true;
  else asked(r);
}
/// Structural. They go on; to the result they are as good as cancelled.
inline void sequential::asked(std::size_t r) {
  group& g = group_of(r);
  if (!std::exchange(g.listens, false) || (!ops_[r].requested && ops_[r].how != ending::cancelled)) return;
  if (g.how == act::retry) return pause_asked(r);
  for (std::size_t k = 0; k != g.inputs.size(); ++k) {
    if (g.adopted[k] || std::erase(ops_[g.inputs[k]].feeds, feed_of(r, k)) == 0) continue;
    g.absent[k] = true;
    told(r, k);
  }
}

/// Structural: an input has settled.
inline void sequential::told(std::size_t r, std::size_t k) {
  group const& g = group_of(r);
  if (!g.absent[k]) ops_[g.inputs[k]].looked_at = true;
  switch (g.how) {
    case act::then:
    case act::or_else:
    case act::finally:
    case act::via:
      return told_step(r, k);
    case act::within:
      return told_limit(r, k);
    case act::bracket:
      return queue(r, k);
    case act::retry:
      return told_attempt(r, k);
    case act::hedge:
      return told_hedged(r, k);
    case act::map_concurrent:
      return told_item(r, k);
    default:
      return told_group(r, k);
  }
}
/// In the user code of an input. An adopted one's value has moved on.
inline void sequential::hear(std::size_t r, std::size_t k) {
  group const& g = group_of(r);
  operation& in = ops_[g.inputs[k]];
  if (g.how == act::bracket) hear_bracket(r, k);
  else if (g.how == act::retry) hear_attempt(r, k);
  else if (g.how == act::map_concurrent) hear_item(r, k);
  else if (g.how == act::within) hear_limit(r, k);
  else if (g.how == act::hedge) pass_on(r, k);
  else if (takes_two(g.how)) hear_group(r, k);
  else hear_step(r, k);
  if (g.adopted[k]) in.value_there = false;
  if (g.how == act::bracket || g.how == act::retry || g.how == act::map_concurrent) through(r, k);
  else finish_input(r, k);
}

/// The result is being released: a handle that its function has not used goes with that.
inline void sequential::close(std::size_t r) {
  group& g = group_of(r);
  if (!std::exchange(g.stored, false)) return;
  std::size_t const i = g.inputs[1];
  if (!ops_[i].settled) request(i, settle::cause::dropped);
  go_on();
  disown(i);
}

}  // namespace model

#endif
