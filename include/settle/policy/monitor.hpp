// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_MONITOR_HPP
#define SETTLE_POLICY_MONITOR_HPP

#include <concepts>
#include <cstdint>
#include <source_location>
#include <string_view>

#include "../cause.hpp"

namespace settle::inline v0 {

/// What happened to an operation or a resource, as monitors and error sinks see it: values, never the handle.
struct monitor_event {
  enum what_t : std::uint8_t {
    created,         ///< an operation exists
    settled,         ///< its outcome is known: `how` and `why`
    released,        ///< everything it owned was given back
    destroyed,       ///< its memory is returned
    unseen_failure,  ///< it failed and nobody ever looked
    abandoned,       ///< its last producer went away, unasked, without settling it
    callback_threw,  ///< an observer threw
    cleanup_threw,   ///< a cleanup threw; the others ran
    executor_lost,   ///< its executor refused, threw away or destroyed the work
    misuse,          ///< a rule was broken: `detail` says which
  };
  enum ending_t : std::uint8_t { pending, value, failure, cancelled };

  what_t what = created;
  ending_t how = pending;
  cause why = cause::requested;
  std::string_view tag{};        ///< the policy's tag, empty when it has none
  std::string_view detail{};     ///< one sentence for misuse
  std::source_location where{};  ///< where the operation (or resource) was created, or the misuse happened
  std::source_location other{};  ///< the second site of a misuse that has two
};

/// A monitor has one static function, `void on_event(monitor_event const&) noexcept`.
/// It may be called from any thread, must not block, and never sees the operation itself.
template <class M>
concept monitor = requires(monitor_event const& e) {
  { M::on_event(e) } noexcept;
};

/// The null object: zero size, zero instructions.
struct no_monitor {
  static constexpr bool enabled = false;
  static constexpr void on_event(monitor_event const&) noexcept {}
};

/// Several monitors as one, told in the order written.
template <monitor... M>
struct monitors {
  static constexpr void on_event(monitor_event const& e) noexcept { (M::on_event(e), ...); }
};

}  // namespace settle::inline v0

#endif
