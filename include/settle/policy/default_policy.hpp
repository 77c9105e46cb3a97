// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_DEFAULT_POLICY_HPP
#define SETTLE_POLICY_DEFAULT_POLICY_HPP

#include <chrono>
#include <system_error>

#include "../error.hpp"
#include "../fwd.hpp"
#include "cleanup.hpp"
#include "error_sink.hpp"
#include "executor.hpp"
#include "monitor.hpp"
#include "notify.hpp"
#include "policy_traits.hpp"
#include "recycling.hpp"
#include "terminal.hpp"

namespace settle::inline v0 {

/// Every choice that can be made for an operation, with its default. Derive from it and shadow what you want different:
///
/// ```cpp
/// struct fetch : settle::default_policy {
///   using value_type    = std::string;
///   using executor_type = loop_executor;
/// };
/// settle::resolver<fetch> r(loop);
/// settle::handle_of<std::string> h = r.get_handle();  // the policy stays with the producer
/// ```
struct default_policy {
  using value_type = void;                ///< what it yields: any movable type, or void
  using error_type = settle::error;       ///< what it fails with; nothrow movable
  using terminal = cas_terminal;          ///< one thread or many, and the atomics it is made of
  using executor_type = inline_executor;  ///< where user code runs
  using cleanup = lifo_cleanup_2;         ///< where cleanups live
  using notify = default_order;           ///< the order of user code
  using allocator_type = recycling;       ///< where shared states and hooks live
  using error_sink = terminate_sink;      ///< where exceptions without a caller and misuse go
  using monitor = no_monitor;             ///< what is recorded
  static constexpr bool dispatch = true;  ///< false: user code is always posted, never run inside the settling call

  static constexpr await_error on_error = await_error::throws;  ///< what co_await of a failure does in its coroutines

  /// How long an asynchronous cleanup may take before it is asked to cancel (cause deadline) and the error sink is told; where
  /// the executor has timers. milliseconds::max(): as long as it likes.
  static constexpr std::chrono::milliseconds cleanup_budget{5000};

  /// How the errors that settle itself reports are spelt in error_type.
  static settle::error make_error(errc e) noexcept { return settle::error(e); }
  /// How a cancellation is spelt where only an error will do.
  static settle::error make_error(cancellation const& c) noexcept { return c.by_deadline() ? errc::timed_out : errc::cancelled; }
};

/// The policy behind handle_of, watcher_of and resolver_of.
template <class T, class E, class Ex, class C>
struct plain : default_policy {
  using value_type = T;      ///< the first argument
  using error_type = E;      ///< the second
  using executor_type = Ex;  ///< the third
  using terminal = C;        ///< the fourth

  /// For every E that is made from an errc or a std::error_code.
  static E make_error(errc e) noexcept {
    if constexpr (std::is_constructible_v<E, errc>) return E(e);
    else return E(make_error_code(e));
  }
};

}  // namespace settle::inline v0

#endif
