// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_ASKING_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_ASKING_HPP

#include "../sequential.hpp"

// What the drivers ask the model before they do anything.
namespace model {

inline bool sequential::possible(step s) const {
  operation const& o = ops_[s.on];
  if (s.on >= operations && (!o.exists || !is_for_results(s.what))) return false;
  switch (s.what) {
    case act::complete:
    case act::fail:
    case act::acknowledge:
    case act::drop_resolver:
      return o.producer;
    case act::withdraw:
    case act::forget:
      return !o.kept.empty();
    case act::unpin:
      return o.pins != 0;
    case act::drop_handle:
    case act::detach:
    case act::take:
      return o.handle;
    case act::watch:
      return o.handle && !o.watcher;
    case act::drop_watcher:
      return o.watcher;
    case act::adopt_next:
      return !hides_a_cycle(s.on, next(s.on));
    case act::adopt_previous:
      return !hides_a_cycle(s.on, next(next(s.on)));
    case act::nest:
      return false;
    case act::lend:
      return values_copied_ && o.handle && !o.lent && !o.taker_given;
    case act::on_lost:
      return o.handle && !o.lent;
    case act::run:
      return !running_ && s.on == 0 && (!batches_.empty() || !stopped_.empty());
    case act::time:
      return !running_ && s.on == 0 && !timers_.empty();
    default:
      return takes_two(s.what) || takes_one(s.what) ? may_combine(s) : true;
  }
}

inline std::vector<unsigned char> sequential::key() const {
  std::vector<unsigned char> k;
  for (operation const& o : ops_) o.write(k);
  for (group const& g : groups_) g.write(k);
  k.push_back(static_cast<unsigned char>(links_.size()));
  for (link const& l : links_) k.insert(k.end(), {static_cast<unsigned char>(l.parent), static_cast<unsigned char>(l.child)});
  for (auto const& batch : batches_) {
    k.push_back(static_cast<unsigned char>(batch.size()));
    for (work const& w : batch) k.insert(k.end(), {w.what, static_cast<unsigned char>(w.on), w.holds, static_cast<unsigned char>(w.hook)});
  }
  for (ids const* list : {&timers_, &stopped_}) {
    k.push_back(static_cast<unsigned char>(list->size()));
    for (std::size_t const r : *list) k.push_back(static_cast<unsigned char>(r));
  }
  for (hook const& h : hooks_)
    k.insert(k.end(), {h.what, static_cast<unsigned char>(h.on), h.over, h.withdrawn, h.mute, h.fed, h.forced, h.ended, h.told});
  return k;
}

}  // namespace model

#endif
