// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_STRUCTURE_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_STRUCTURE_HPP

#include "../sequential.hpp"

// Settling and asking, and what both mean to others.
namespace model {

inline int sequential::produce(std::size_t i, ending how) {
  operation& o = ops_[i];
  o.producer = false;
  if (o.settled) {
    leave(i, false);
    return 0;
  }
  o.value_there = how == ending::value;
  become_settled(i, how);  // the producer's hold is the sequence's now
  return 1;
}

inline int sequential::abandon(std::size_t i) {
  operation& o = ops_[i];
  if (!o.settled && !o.requested) {
    o.why = settle::cause::abandoned;
    ++seen_.abandoned;
  }
  produce(i, ending::cancelled);
  return -1;
}

inline int sequential::request(std::size_t i, settle::cause why) {
  operation& o = ops_[i];
  if (o.settled || o.requested) return 0;
  o.requested = true;
  o.why = why;
  if (o.below) structure_.push_back(i);
  return 1;
}

inline int sequential::force(std::size_t i, settle::cause why) {
  operation& o = ops_[i];
  if (o.settled) return 0;
  o.requested = true;
  o.forced = true;
  o.why = why;
  ++o.holds;  // the sequence's
  become_settled(i, ending::cancelled);
  return 1;
}

/// The one way to be settled.
inline void sequential::become_settled(std::size_t i, ending how) {
  operation& o = ops_[i];
  bool const told_before = o.requested && !o.forced;
  o.settled = true;
  o.how = how;
  bool const is_queued = std::ranges::find(structure_, i) != structure_.end();
  bool const walks = (o.below && !told_before) || o.has_inputs;
  bool const is_seen = is_queued || walking_ == i;                        // by a walk that is to come, or under way
  o.over = o.observers.empty() && !walks && !is_seen && !may_be_lost(i);  // nothing to run first
  if (is_seen) return;
  if (walks) structure_.push_back(i);
  else ready_.push_back({work::sequence, i});
}

/// What a request or settling means to others, one level after the other; user code waits until all of it is through.
inline void sequential::walk() {
  while (!structure_.empty()) {
    std::size_t const i = structure_.front();
    structure_.pop_front();
    if (i >= first_release) release_or_queue(i - first_release);
    else if (i < places) walk(i);
    else ready_.push_back({work::bound_end, i, false, i - places});
  }
}
inline void sequential::walk(std::size_t i) {
  operation& o = ops_[i];
  walking_ = i;
  if (i >= operations) {  // its inputs are children, and were so before it listened
    tell_children(i);
    asked(i);
  }
  if (!o.settled) {
    for (std::size_t const h : o.cancels) tell_alone(h);
    o.cancels.clear();
  }
  while (o.settled && !o.feeds.empty()) {
    std::size_t const feed = o.feeds.front() - first_feed;
    o.feeds.erase(o.feeds.begin());
    told(feed / 2, feed % 2);
  }
  if (i < operations) tell_children(i);
  if (o.settled) ready_.push_back({work::sequence, i});
  walking_ = nobody;
}
inline void sequential::tell_children(std::size_t i) {
  operation const& o = ops_[i];
  for (link const& l : links_) {
    if (l.parent != i) continue;
    if (l.child >= places) {
      hook& h = hooks_[l.child - places];
      h.forced = h.forced || (o.forced && !h.fed);
      end_relay(l.child - places);
    } else if (o.forced) force(l.child, settle::cause::parent);
    else request(l.child, settle::cause::parent);
  }
}
inline void sequential::end_relay(std::size_t h) {
  if (!std::exchange(hooks_[h].told, true)) structure_.push_back(places + h);
}

}  // namespace model

#endif
