// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_OBSERVE_COUNTERS_HPP
#define SETTLE_OBSERVE_COUNTERS_HPP

#include <cstdint>

#include "../policy/monitor.hpp"
#include "../policy/sync.hpp"

namespace settle::inline v0 {

/// What a counting monitor has seen so far. `live` counts operations that are not released yet.
struct operation_totals {
  std::uint64_t created = 0;    ///< operations made
  std::uint64_t settled = 0;    ///< whose outcome is known
  std::uint64_t released = 0;   ///< that gave everything back
  std::uint64_t destroyed = 0;  ///< whose memory is returned
  std::uint64_t values = 0;     ///< settled with a value
  std::uint64_t failures = 0;   ///< settled with an error
  std::uint64_t cancelled = 0;  ///< settled as cancelled

  /// Made and not released.
  [[nodiscard]] constexpr std::uint64_t live() const noexcept { return created - released; }
};

/// A monitor that counts, one set of totals for each Tag. One atomic increment an event, which releases; any thread.
///
/// ```cpp
/// struct requests {};
/// struct my : settle::default_policy { using monitor = settle::counting_monitor<requests>; };
/// assert(settle::counting_monitor<requests>::totals().live() == 0);
/// ```
template <class Tag = void>
class counting_monitor {
 public:
  /// What makes it a monitor; called by operations.
  static void on_event(monitor_event const& e) noexcept {
    switch (e.what) {
      case monitor_event::created:
        bump(created_);
        break;
      case monitor_event::settled:
        bump(settled_);
        bump(e.how == monitor_event::value ? values_ : e.how == monitor_event::failure ? failures_ : cancelled_);
        break;
      case monitor_event::released:
        bump(released_);
        break;
      case monitor_event::destroyed:
        bump(destroyed_);
        break;
      default:
        break;
    }
  }

  /// A snapshot; exact when nothing is under way. `released` is read before `created`: live() is never negative.
  static operation_totals totals() noexcept {
    operation_totals t;
    t.destroyed = get(destroyed_);
    t.released = get(released_);
    t.settled = get(settled_);
    t.values = get(values_);
    t.failures = get(failures_);
    t.cancelled = get(cancelled_);
    t.created = get(created_);
    return t;
  }

 private:
  using counter = std_sync::atomic<std::uint64_t>;
  static void bump(counter& c) noexcept { c.fetch_add(1, std::memory_order_release); }
  static std::uint64_t get(counter const& c) noexcept { return c.load(std::memory_order_acquire); }

  static inline constinit counter created_{0}, settled_{0}, released_{0}, destroyed_{0}, values_{0}, failures_{0}, cancelled_{0};
};

}  // namespace settle::inline v0

#endif
