// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_CLEANUP_LIST_HPP
#define SETTLE_DETAIL_CLEANUP_LIST_HPP

#include <cstddef>
#include <cstdint>

#include "hook.hpp"
#include "look.hpp"
#include "registry.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// Where the cleanups of an operation stand, whatever their closures are: one piece of code for all of them.
template <class C>
struct cleanup_list {
  using state = state_base<C>;

  static constexpr std::size_t full = ~std::size_t{0};

  /// Slots only: takes one for a closure that is yet to come. A releaser that comes to a slot without a type leaves it, and all
  /// below it, to whoever took it.
  static std::size_t reserve(state& s) noexcept {
    std::uint32_t const w = s.lock();
    std::size_t const i = s.slots_used();
    bool const room = i < s.table->slot_count;
    if (room) {
      s.slot_type(i) = nullptr;
      s.slots_used(i + 1);
    }
    s.unlock(w);
    return room ? i : full;
  }
  /// With the type of the closure that came, or `spent` when none did.
  static void fill(state& s, std::size_t i, cleanup_type<C> const* type) noexcept {
    std::uint32_t const w = s.lock();
    s.slot_type(i) = type;
    s.unlock(w);
  }

  /// A block, in front of those that are there. False: released already.
  static bool push(state& s, cleanup_node<C>& n) noexcept {
    std::uint32_t w = s.lock();
    if ((w & word::settled) == 0) {
      n.below = s.top_cleanup();
      s.top_cleanup(&n);
      s.unlock(w | word::blocks);
      return true;
    }
    s.unlock(w);
    if (!s.try_hold(true)) return false;
    bool const beside_releaser = has(s.counts, count::releasing, std::memory_order_relaxed);
    w = s.lock();
    if (beside_releaser) {
      n.below = s.late_cleanups();
      s.late_cleanups(&n);
    } else {
      n.below = s.top_cleanup();
      s.top_cleanup(&n);
    }
    s.unlock(w);
    registry<C>::leave_late(s);
    return true;
  }
};

}  // namespace settle::inline v0::detail

#endif
