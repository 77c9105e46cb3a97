// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_POLICY_TRAITS_HPP
#define SETTLE_POLICY_POLICY_TRAITS_HPP

#include <chrono>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "../cause.hpp"
#include "../errc.hpp"
#include "../fwd.hpp"
#include "allocator.hpp"
#include "cleanup.hpp"
#include "error_sink.hpp"
#include "executor.hpp"
#include "monitor.hpp"
#include "notify.hpp"
#include "terminal.hpp"

namespace settle::inline v0 {

/// What co_await of a failed operation does in a coroutine of the policy: throws it, or fails the coroutine with it.
enum class await_error : std::uint8_t { throws, propagates };

namespace detail {

template <class P>
concept names_error_maker = requires(errc e) {
  { P::make_error(e) } noexcept -> std::convertible_to<typename P::error_type>;
};

/// One sentence for each way a policy can be wrong.
template <class P>
consteval bool diagnose_policy() {
  static_assert(
      requires { typename P::value_type; } && requires { typename P::error_type; } && requires { typename P::executor_type; },
      "settle: policy must provide `value_type`, `error_type` and `executor_type`: derive it from settle::default_policy "
      "(see docs/policies.md)");
  static_assert(terminal<typename P::terminal>,
                "settle: policy must provide `terminal` with a nested type `sync` (see docs/policies.md#terminal)");
  static_assert(executor<typename P::executor_type>,
                "settle: policy's `executor_type` must provide `void execute(F) const` for a move-only F (see docs/policies.md#executor)");
  static_assert(cleanup_storage<typename P::cleanup>,
                "settle: policy's `cleanup` must provide `inline_slots`, `slot_bytes` and `may_allocate` (see docs/policies.md#cleanup)");
  static_assert(
      error_sink<typename P::error_sink>,
      "settle: policy's `error_sink` must provide `static void report(std::exception_ptr, settle::monitor_event const&) noexcept` "
      "(see docs/policies.md#error_sink)");
  static_assert(monitor<typename P::monitor>,
                "settle: policy's `monitor` must provide `static void on_event(settle::monitor_event const&) noexcept` "
                "(see docs/policies.md#monitor)");
  static_assert(
      state_allocator<typename P::allocator_type>,
      "settle: policy's `allocator_type` must be a standard allocator of std::byte, or provide `void* try_allocate(bytes, align) noexcept` "
      "and `void deallocate(void*, bytes, align) noexcept` (see docs/policies.md#allocator)");
  static_assert(names_error_maker<P>,
                "settle: policy must provide `static error_type make_error(settle::errc) noexcept` (see docs/policies.md#error_type)");
  static_assert(std::is_nothrow_move_constructible_v<typename P::error_type>,
                "settle: policy's `error_type` must be nothrow move constructible: fail() never throws (see docs/policies.md#error_type)");
  static_assert(std::is_void_v<typename P::value_type> || std::is_move_constructible_v<typename P::value_type>,
                "settle: policy's `value_type` must be void or movable (see docs/policies.md#value_type)");
  return true;
}

}  // namespace detail

/// The only reader of a policy. What a policy may leave out, with the fallback:
///
/// | member | fallback |
/// |---|---|
/// | `std::string_view tag` | empty |
/// | `bool dispatch` | true |
/// | `await_error on_error` | throws |
/// | `error_type make_error(cancellation const&)` | `make_error(errc::timed_out)` by a deadline, else `make_error(errc::cancelled)` |
/// | `std::chrono::milliseconds cleanup_budget` | 5 s |
template <class P>
struct policy_traits {
  static_assert(detail::diagnose_policy<P>());

  using value_type = typename P::value_type;          ///< what it yields
  using error_type = typename P::error_type;          ///< what it fails with
  using terminal = typename P::terminal;              ///< one thread or many
  using executor_type = typename P::executor_type;    ///< where user code runs
  using cleanup = typename P::cleanup;                ///< where cleanups live
  using notify = typename P::notify;                  ///< the order of user code
  using allocator_type = typename P::allocator_type;  ///< where states and hooks live
  using error_sink = typename P::error_sink;          ///< where exceptions without a caller go
  using monitor = typename P::monitor;                ///< what is recorded

  static constexpr bool is_inline = std::is_same_v<executor_type, inline_executor>;  ///< nothing is ever submitted
  static constexpr bool monitored = !std::is_same_v<monitor, no_monitor>;            ///< events are told

  /// What monitors call the operation.
  static constexpr std::string_view tag() {
    if constexpr (requires { P::tag; }) return P::tag;
    else return {};
  }
  /// What co_await of a failure does.
  static constexpr await_error on_error() {
    if constexpr (requires { P::on_error; }) return P::on_error;
    else return await_error::throws;
  }
  /// A cancellation where an error has to be told.
  static error_type make_error(cancellation const& c) noexcept {
    if constexpr (requires {
                    { P::make_error(c) } noexcept -> std::convertible_to<error_type>;
                  })
      return P::make_error(c);
    else return P::make_error(c.by_deadline() ? errc::timed_out : errc::cancelled);
  }
  /// How long an asynchronous cleanup may take.
  static constexpr std::chrono::milliseconds cleanup_budget() {
    if constexpr (requires { P::cleanup_budget; }) return P::cleanup_budget;
    else return std::chrono::seconds(5);
  }
  /// User code may run inside the settling call.
  static constexpr bool dispatch() {
    if constexpr (requires { P::dispatch; }) return P::dispatch;
    else return true;
  }
};

}  // namespace settle::inline v0

#endif
