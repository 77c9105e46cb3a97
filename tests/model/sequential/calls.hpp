// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SEQUENTIAL_CALLS_HPP
#define SETTLE_TESTS_MODEL_SEQUENTIAL_CALLS_HPP

#include "../sequential.hpp"

// What users do.
namespace model {

inline void sequential::let_go() {
  for (operation& o : ops_) o.kept.clear();
  for (std::size_t i = 0; i != places; ++i)
    while (possible({act::unpin, i})) play({act::unpin, i});
  for (act const last : {act::drop_watcher, act::drop_handle, act::drop_resolver})
    for (std::size_t i = 0; i != places; ++i)
      if (possible({last, i})) play({last, i});
  pass_time();  // what waits for that alone has nobody else
}

inline int sequential::call(step s) {
  std::size_t const i = s.on;
  operation& o = ops_[i];
  switch (s.what) {
    case act::complete:
      return produce(i, ending::value);
    case act::fail:
      return produce(i, ending::failure);
    case act::acknowledge:
      o.producer = false;  // who runs meanwhile finds it empty
      if (!o.settled) request(i, settle::cause::requested);
      go_on();
      return produce(i, ending::cancelled);
    case act::request_cancel:
      return request(i, settle::cause::deadline);
    case act::cancel:
      return force(i, settle::cause::overload);
    case act::on_done:
      observe(i, event::done);
      return -1;
    case act::watched_done:
      return keep(i, observe(i, event::done));
    case act::on_cancel:
      return keep(i, add_cancel(i));
    case act::on_cleanup:
      return add_cleanup(i);
    case act::on_released:
      return keep(i, add_released(i));
    case act::withdraw: {
      std::size_t const last = o.kept.back();
      o.kept.pop_back();
      return withdraw(last);
    }
    case act::forget:
      o.kept.pop_back();
      return -1;
    case act::pin:
      if (o.released || o.releasing) return 0;
      ++o.holds;
      ++o.pins;
      return 1;
    case act::unpin:
      --o.pins;
      leave(i, false);
      return -1;
    case act::adopt_next:
      return adopt(i, next(i));
    case act::adopt_previous:
      return adopt(i, next(next(i)));
    case act::drop_handle:
      o.handle = false;
      if (!o.settled) request(i, settle::cause::dropped);
      go_on();
      disown(i);
      return -1;
    case act::detach:
      o.handle = false;
      disown(i);
      return -1;
    case act::drop_resolver:
      return abandon(i);
    case act::watch:
      o.watcher = o.watched = true;
      return -1;
    case act::drop_watcher:
      o.watcher = false;
      return -1;
    case act::bind_to_next:
      return bind(i, next(i));
    case act::on_lost:
      return give_taker(i);
    case act::take:
      o.handle = false;
      observe(i, event::consumer);
      return -1;
    case act::run:
      run_all();
      return -1;
    case act::time:
      pass_time();
      return -1;
    case act::lend:
      o.lent = true;
      return -1;
    case act::nest:
      return -1;
    default:
      return combine(i, s.what);
  }
}

/// What runs at once has run when the caller gets the registration.
inline int sequential::keep(std::size_t i, std::size_t h) {
  go_on();
  ops_[i].kept.push_back(h);
  return -1;
}

inline std::size_t sequential::make(event::kind what, std::size_t on) {
  hooks_.push_back({what, on});
  ops_[on].newest = hooks_.size() - 1;
  return hooks_.size() - 1;
}

inline std::size_t sequential::observe(std::size_t i, event::kind what) {
  std::size_t const h = make(what, i);
  place_observer(h);
  return h;
}
inline void sequential::place_observer(std::size_t h) {
  operation& o = ops_[hooks_[h].on];
  if (!o.settled) o.observers.push_back(h);
  else if (!o.over && !o.releasing) o.late.push_back(h);
  else tell_alone(h);
}

inline std::size_t sequential::add_cancel(std::size_t i) {
  std::size_t const h = make(event::cancel, i);
  operation& o = ops_[i];
  if (!o.settled && !o.requested) {
    o.below = true;
    o.cancels.push_back(h);
  } else {
    hooks_[h].mute = o.settled && o.how != ending::cancelled;
    tell_alone(h);
  }
  return h;
}

inline int sequential::add_cleanup(std::size_t i) {
  std::size_t const h = make(event::cleanup, i);
  operation& o = ops_[i];
  if (o.released) tell_alone(h);
  else o.cleanups.push_back(h);
  return o.released ? 0 : 1;
}

inline std::size_t sequential::add_released(std::size_t i) {
  std::size_t const h = make(event::released, i);
  operation& o = ops_[i];
  if (o.released) {
    tell_alone(h);
  } else {
    o.tells_release = true;
    o.releaseds.push_back(h);
  }
  return h;
}

inline int sequential::withdraw(std::size_t h) {
  hook& it = hooks_[h];
  if (it.over) return 0;
  it.withdrawn = it.over = true;
  operation& o = ops_[it.on];
  if (it.what == event::bound) ready_.push_back({work::bound_drop, it.on, false, h});
  else if (it.what == event::released && !o.released) std::erase(o.releaseds, h);
  else if (!o.settled)
    for (ids* list : {&o.observers, &o.cancels}) std::erase(*list, h);
  return 1;
}

/// The library looks for a cycle along one parent of each only: with two, it is the user's misuse and not always trapped.
inline bool sequential::hides_a_cycle(std::size_t parent, std::size_t child) const {
  return reaches(parent, child) && std::ranges::any_of(ops_, [](operation const& o) { return o.parents.size() > 1; });
}
inline bool sequential::reaches(std::size_t below, std::size_t above) const {
  if (below == above) return true;
  return std::ranges::any_of(ops_[below].parents, [&](std::size_t up) { return reaches(up, above); });
}

inline int sequential::adopt(std::size_t parent, std::size_t child) {
  operation& p = ops_[parent];
  operation& c = ops_[child];
  if (reaches(parent, child)) {
    ++seen_.misuse;
  } else {
    p.below = true;
    if (!p.releasing && !p.released && !c.released) {
      ++p.holds;
      links_.push_back({parent, child});
      c.parents.insert(c.settled ? c.parents.end() : c.parents.begin(), parent);
    }
    if (p.forced) force(child, settle::cause::parent);
    else if (p.settled || p.requested) request(child, settle::cause::parent);
  }
  go_on();
  if (c.handle) {
    c.handle = false;
    disown(child);
  }
  return -1;
}

inline int sequential::bind(std::size_t about, std::size_t where) {
  operation& w = ops_[where];
  if (w.settled) return -1;
  std::size_t const h = make(event::bound, about);
  ++w.holds;
  w.below = true;
  links_.push_back({where, places + h});
  place_observer(h);
  if (w.requested) end_relay(h);
  return keep(about, h);
}

inline bool sequential::may_be_lost(std::size_t i) const {
  operation const& o = ops_[i];
  bool const has_none = o.settled && o.how != ending::value;
  return (values_die_ && !has_none) || o.taker;
}

inline void sequential::disown(std::size_t i) {
  operation& o = ops_[i];
  if (!may_be_lost(i)) return;
  o.owned = false;
  if (!o.over || o.watched) return;
  if (!o.released) o.disposal = true;
  else ready_.push_back({work::dispose, i});
}

inline int sequential::give_taker(std::size_t i) {
  operation& o = ops_[i];
  if (o.taker_given) ++seen_.misuse;
  else o.taker = !o.settled || o.how == ending::value;
  o.taker_given = true;
  return -1;
}

}  // namespace model

#endif
