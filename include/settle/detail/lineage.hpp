// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_LINEAGE_HPP
#define SETTLE_DETAIL_LINEAGE_HPP

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "context.hpp"
#include "hook.hpp"
#include "link.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// The operations above one, nearest first. What is inherited is looked up here when it is asked for, so that adopting
/// costs nothing for it and a parent that changes its mind is heard at once.
///
/// An operation may have several parents, and they a common one: the last `window` that were met are not met again. More
/// than that many waiting their turn at once are left out.
template <class C>
class lineage {
  using state = state_base<C>;

 public:
  lineage() noexcept = default;
  lineage(lineage&&) = delete;
  ~lineage() {
    for (state* s : met_)
      if (s != nullptr) s->drop_ref();
  }

  /// Calls f(state&) for each.
  template <class F>
  void each(state& s, F f) noexcept {
    collect(s);
    while (next_ != count_) {
      state& above = *met_[next_++ % window];
      f(above);
      collect(above);
    }
  }

 private:
  static constexpr std::size_t window = 32;

  /// The links to the parents stand in front, so that this is short whatever else waits for the operation.
  void collect(state& s) noexcept {
    unsigned left = s.uplinks.load(std::memory_order_relaxed);
    if (left == 0) return;
    std::array<state*, window> found{};
    std::size_t n = 0;
    std::uint32_t const w = s.lock();
    hook<C>* const first = s.lasting.load(std::memory_order_relaxed);
    for (hook<C>* h = first; h != nullptr && left != 0 && n != window; h = h->following() == first ? nullptr : h->following()) {
      if (h->kind != hook_kind::parent) continue;
      if (left != state::many_uplinks) --left;
      found[n] = link<C>::of_upper(*h).parent();
      found[n++]->add_ref();  // the link stands, so it is there
    }
    s.unlock(w);
    for (std::size_t i = 0; i != n; ++i) add(*found[i]);
  }
  /// Takes the reference over.
  void add(state& s) noexcept {
    bool const met = std::find(met_.begin(), met_.end(), &s) != met_.end();
    if (met || count_ - next_ == window) return s.drop_ref();
    state* const oldest = std::exchange(met_[count_++ % window], &s);
    if (oldest != nullptr) oldest->drop_ref();
  }

  std::array<state*, window> met_{};
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

/// What was said to this very operation.
template <class C>
std::chrono::steady_clock::time_point own_deadline_of(state_base<C>& s) noexcept {
  context<C> const* const c = s.created.get();
  return c == nullptr ? std::chrono::steady_clock::time_point::max() : c->deadline();
}
/// The earliest deadline of an operation and all above it.
template <class C>
std::chrono::steady_clock::time_point deadline_of(state_base<C>& s) noexcept {
  std::chrono::steady_clock::time_point earliest = own_deadline_of(s);
  if (s.uplinks.load(std::memory_order_relaxed) == 0) return earliest;
  lineage<C>().each(s, [&](state_base<C>& above) { earliest = std::min(earliest, own_deadline_of(above)); });
  return earliest;
}

}  // namespace settle::inline v0::detail

#endif
