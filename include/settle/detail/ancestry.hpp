// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_ANCESTRY_HPP
#define SETTLE_DETAIL_ANCESTRY_HPP

#include <utility>

#include "hook.hpp"
#include "link.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// Looks up the tree, for traps of misuse: at most 64 levels, along the first parent of each.
template <class C>
class ancestry {
  using state = state_base<C>;

 public:
  /// Whether `below` is `above` or hangs under it. What has nothing below itself is no one's ancestor, and costs a look.
  static bool hangs_under(state& below, state& above) noexcept {
    if (&below == &above) return true;
    if (!above.is(word::below)) return false;
    bool found = false;
    state* at = parent_of(below);
    for (unsigned level = 0; at != nullptr && level != reach && !found; ++level) {
      found = at == &above;
      state* const next = parent_of(*at);
      std::exchange(at, next)->drop_ref();
    }
    if (at != nullptr) at->drop_ref();
    return found;
  }

 private:
  static constexpr unsigned reach = 64;

  /// Referenced; its link holds it while it stands on our ring.
  static state* parent_of(state& s) noexcept {
    state* found = nullptr;
    std::uint32_t const w = s.lock();
    hook<C>* const first = s.lasting.load(std::memory_order_relaxed);
    hook<C>* h = first;
    for (unsigned n = 0; h != nullptr && n != reach && found == nullptr; ++n) {
      if (h->kind == hook_kind::parent) found = link<C>::of_upper(*h).parent();
      h = h->following() == first ? nullptr : h->following();
    }
    if (found != nullptr) found->add_ref();
    s.unlock(w);
    return found;
  }
};

}  // namespace settle::inline v0::detail

#endif
