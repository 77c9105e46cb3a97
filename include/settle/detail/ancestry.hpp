// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_ANCESTRY_HPP
#define SETTLE_DETAIL_ANCESTRY_HPP

#include <cstdint>
#include <utility>

#include "async_cleanup.hpp"
#include "hook.hpp"
#include "link.hpp"
#include "look.hpp"
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
    if (!above.is(word::below) && !is_releasing(above)) return false;
    return climb(below, [&](step const& s) { return s.to == &above; });
  }

  /// Whether `below` is at work for a cleanup of `above`, or for one of an operation under it: waiting for the release of
  /// `above` it would wait for itself, and no cancellation reaches it.
  static bool cleans_up_for(state& below, state& above) noexcept {
    if (above.is_released()) return false;
    bool for_cleanup = false;
    return climb(below, [&](step const& s) {
      for_cleanup = for_cleanup || s.by_cleanup;
      return for_cleanup && s.to == &above;
    });
  }

 private:
  static constexpr unsigned reach = 64;

  struct step {
    state* to = nullptr;  // referenced
    bool by_cleanup = false;
  };

  static bool is_releasing(state& s) noexcept { return has(s.counts, count::releasing, std::memory_order_relaxed); }

  template <class F>
  static bool climb(state& from, F is_it) noexcept {
    bool found = false;
    step at = up_from(from);
    for (unsigned level = 0; at.to != nullptr && level != reach && !found; ++level) {
      found = is_it(at);
      step const next = up_from(*at.to);
      std::exchange(at, next).to->drop_ref();
    }
    if (at.to != nullptr) at.to->drop_ref();
    return found;
  }

  /// To its parent, or to the operation whose cleanup waits for it. That one is held while the hook stands on our ring.
  static step up_from(state& s) noexcept {
    step found;
    std::uint32_t const w = s.lock();
    hook<C>* const first = s.lasting.load(std::memory_order_relaxed);
    hook<C>* h = first;
    for (unsigned n = 0; h != nullptr && n != reach && found.to == nullptr; ++n) {
      if (h->kind == hook_kind::parent) found.to = link<C>::of_upper(*h).parent();
      else if (state* const owner = cleanup_wait<C>::owner_of(*h); owner != nullptr) found = {owner, true};
      h = h->following() == first ? nullptr : h->following();
    }
    if (found.to != nullptr) found.to->add_ref();
    s.unlock(w);
    return found;
  }
};

}  // namespace settle::inline v0::detail

#endif
