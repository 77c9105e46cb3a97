// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_MONITOR_HPP
#define SETTLE_POLICY_MONITOR_HPP

#include <concepts>
#include <cstdint>
#include <source_location>
#include <string_view>

#include "../cause.hpp"

namespace settle::inline v0 {

/// What an operation stands at, for those who ask why it is not released.
struct standing {
  bool settled = false;     ///< its outcome is known
  bool requested = false;   ///< it was asked to cancel
  bool releasing = false;   ///< its cleanups run
  std::uint32_t holds = 0;  ///< what holds its release back: producers, the running sequence, pins, children. None: released
};

/// What happened to an operation or a resource, as monitors and error sinks see it: values, never the handle.
struct monitor_event {
  /// What happened.
  enum what_t : std::uint8_t {
    created,          ///< an operation exists
    settled,          ///< its outcome is known: `how` and `why`
    released,         ///< everything it owned was given back
    destroyed,        ///< its memory is returned
    unseen_failure,   ///< it failed and nobody ever looked
    abandoned,        ///< its last producer went away, unasked, without settling it
    callback_threw,   ///< an observer threw
    cleanup_threw,    ///< a cleanup threw; the others ran
    executor_lost,    ///< its executor refused, threw away or destroyed the work
    misuse,           ///< a rule was broken: `detail` says which
    adopted,          ///< it became a child of `parent`
    cleanup_failed,   ///< the operation of an asynchronous cleanup failed, and nobody looked: `other` is where that was created
    cleanup_overrun,  ///< an asynchronous cleanup is over its budget and was asked to cancel: `other` is where it was created
  };
  /// How an operation ended, once settled.
  enum ending_t : std::uint8_t { pending, value, failure, cancelled };

  what_t what = created;         ///< what happened
  ending_t how = pending;        ///< how it ended, once settled
  cause why = cause::requested;  ///< when it was cancelled
  std::string_view tag{};        ///< the policy's tag, empty when it has none
  std::string_view detail{};     ///< one sentence for misuse
  /// Which supervisor's child (settle::child_name) it is, or is below: when it becomes somebody's child, and in
  /// what error sinks are told. Good until the call returns.
  std::string_view child{};
  std::source_location where{};  ///< where the operation (or resource) was created, or the misuse happened
  std::source_location other{};  ///< the second site of a misuse that has two
  /// An identity, to tell events of one operation from another's; nothing to be used. The same from created to destroyed;
  /// a later operation may have it again. Null where there is no operation.
  void const* id = nullptr;
  void const* parent = nullptr;  ///< the identity of the operation that adopted it
  /// What `id` stands at right now. For monitors that keep the live set: good between its created and the end of the call
  /// that says destroyed, so call it where that call has to wait for you. Two atomic loads.
  standing (*look)(void const* id) noexcept = nullptr;
};

/// A monitor has one static function, `void on_event(monitor_event const&) noexcept`.
/// It may be called from any thread, must not block, and never sees the operation itself.
template <class M>
concept monitor = requires(monitor_event const& e) {
  { M::on_event(e) } noexcept;
};

/// The null object: zero size, zero instructions.
struct no_monitor {
  static constexpr bool enabled = false;                            ///< nothing is recorded
  static constexpr void on_event(monitor_event const&) noexcept {}  ///< never called
};

/// Several monitors as one, told in the order written.
template <monitor... M>
struct monitors {
  /// Tells each.
  static constexpr void on_event(monitor_event const& e) noexcept { (M::on_event(e), ...); }
};

}  // namespace settle::inline v0

#endif
