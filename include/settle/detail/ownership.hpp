// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_OWNERSHIP_HPP
#define SETTLE_DETAIL_OWNERSHIP_HPP

#include <cstdint>

#include "frame.hpp"
#include "look.hpp"
#include "lost_value.hpp"
#include "state.hpp"
#include "walker.hpp"

namespace settle::inline v0::detail {

/// What becomes of a value whose owner goes.
template <class C>
class ownership {
  using state = state_base<C>;

 public:
  /// The owner goes. A value that is there, and that nobody else reads, is lost.
  static void disown(state& s) noexcept {
    if (!may_be_lost(s)) return;
    std::uint32_t const w = s.lock();
    bool const offered = was_offered(s, w);
    s.unlock(w & ~word::owned);
    if (offered && (w & word::watched) == 0) dispose(s);
  }

 private:
  /// Under the lock: the sequence has offered the value to its owner, or ended the short way when nothing could be lost yet.
  static bool was_offered(state& s, std::uint32_t w) noexcept {
    return (w & word::offered) != 0 ||
           look(s.counts, std::memory_order_relaxed, [](std::uint64_t c) { return (c & count::releasing) != 0 || count::holds(c) == 0; });
  }

  /// The value lost its owner after the sequence had offered it: it dies on the executor, before released if it can.
  static void dispose(state& s) noexcept {
    if (s.try_hold(true)) {
      std::uint32_t const w = s.lock();
      s.unlock(w | word::disposal);
      registry<C>::leave_late(s);
    } else {
      frame<C>& f = frame<C>::here();
      s.add_ref();
      s.as = role::dispose;
      f.outbox.push(&s);
      walker<C>::pump(f);
    }
  }
};

}  // namespace settle::inline v0::detail

#endif
