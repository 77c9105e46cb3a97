// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_ERROR_SINK_HPP
#define SETTLE_POLICY_ERROR_SINK_HPP

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "monitor.hpp"

namespace settle::inline v0 {

/// Where an exception that has no caller, a failure nobody saw and trapped misuse are reported:
/// `static void report(std::exception_ptr, monitor_event const&) noexcept`.
/// The pointer is null when there was no exception. Called from any thread; the sequence goes on afterwards.
template <class S>
concept error_sink = requires(std::exception_ptr p, monitor_event const& e) {
  { S::report(p, e) } noexcept;
};

/// Prints one line to stderr and goes on.
struct log_sink {
  /// One line: what happened, where the operation was made, and under which child of a supervisor.
  static void report(std::exception_ptr, monitor_event const& e) noexcept {
    constexpr char const* names[] = {
        "created",       "settled",       "released", "destroyed", "failure that nobody saw",     "abandoned",      "callback threw",
        "cleanup threw", "executor lost", "misuse",   "adopted",   "asynchronous cleanup failed", "cleanup overran"};
    std::fprintf(stderr, "settle: %s%s%.*s (%s:%u", names[e.what], e.detail.empty() ? "" : ": ", static_cast<int>(e.detail.size()),
                 e.detail.empty() ? "" : e.detail.data(), e.where.file_name(), static_cast<unsigned>(e.where.line()));
    if (e.other.line() != 0) std::fprintf(stderr, ", first %s:%u", e.other.file_name(), static_cast<unsigned>(e.other.line()));
    std::fputs(")", stderr);
    if (!e.child.empty()) std::fprintf(stderr, " under \"%.*s\"", static_cast<int>(e.child.size()), e.child.data());
    std::fputs("\n", stderr);
  }
};

/// The default: an exception that has no caller, and misuse, end the program; the rest is logged.
struct terminate_sink {
  /// Logs; then ends the program for what is a bug.
  static void report(std::exception_ptr p, monitor_event const& e) noexcept {
    log_sink::report(p, e);
    if (e.what == monitor_event::callback_threw || e.what == monitor_event::cleanup_threw || e.what == monitor_event::misuse)
      std::terminate();
  }
};

/// Says nothing.
struct ignore_sink {
  /// Does nothing.
  static void report(std::exception_ptr, monitor_event const&) noexcept {}
};

/// Calls a function of yours: `function_sink<&my_report>`.
template <void (*F)(std::exception_ptr, monitor_event const&) noexcept>
struct function_sink {
  /// Calls F.
  static void report(std::exception_ptr p, monitor_event const& e) noexcept { F(p, e); }
};

}  // namespace settle::inline v0

#endif
