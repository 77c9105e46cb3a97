// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_BOUND_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_BOUND_HPP

#include "../sequential.hpp"

// Hooks bound to the next operation.
namespace model {

inline std::size_t sequential::where_of(hook const& h) noexcept { return next(h.on); }

/// What it is about has settled: the outcome goes to where the hook lives.
inline void sequential::feed_bound(std::size_t id) {
  hook& h = hooks_[id];
  if (h.fed) return;
  operation& about = ops_[h.on];
  about.looked_at = true;
  h.fed = true;
  h.over = h.over || h.forced;
  if (h.forced) return;  // what would carry the outcome is settled: its end is to come
  bool const holds = !about.released && !about.releasing;
  if (holds) ++about.holds;
  ready_.push_back({work::bound_call, h.on, holds, id});
  pinned_by_.resize(hooks_.size());
  pinned_by_[id] = holds;
}
inline void sequential::call_bound(std::size_t id) {
  hook& h = hooks_[id];
  operation const& about = ops_[h.on];
  if (!h.over && !ops_[where_of(h)].settled)
    say(h.on, {event::bound, number(id), about.how, about.how == ending::cancelled ? about.why : settle::cause::requested});
  h.over = true;
  if (pinned_by_[id]) leave(h.on, false);
  end_link(id);
}
/// Where it lives is over, or it was withdrawn.
inline void sequential::end_bound(std::size_t id) {
  hook& h = hooks_[id];
  if ((h.fed && !h.forced) || std::exchange(h.ended, true)) return;
  h.fed = h.over = true;
  for (ids* list : {&ops_[h.on].observers, &ops_[h.on].late}) std::erase(*list, id);
  end_link(id);
}
inline void sequential::end_link(std::size_t id) {
  std::erase_if(links_, [&](link const& l) { return l.child == places + id; });
  leave(where_of(hooks_[id]), false);
}

}  // namespace model

#endif
