// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_START_ON_HPP
#define SETTLE_START_ON_HPP

#include <new>
#include <source_location>
#include <utility>

#include "detail/dispatcher.hpp"
#include "detail/exceptions.hpp"
#include "detail/job.hpp"
#include "handle.hpp"
#include "resolver.hpp"

namespace settle::inline v0 {

/// Runs `f()` or `f(std::stop_token)` once on `ex`, and yields what it returns: the door for jobs.
///
/// f may return a value, nothing, or a handle; so it may be a coroutine function. The operation of a handle is adopted: its
/// outcome is the result's, it is asked or forced to cancel with the result, and the result is released after it; a cold
/// coroutine runs on `ex`, and f is kept until it is released. What f throws is the failure (operation_cancelled: cancels).
///
/// f is submitted by itself, also from within a callback that runs on `ex`; with the inline executor it runs before
/// start_on returns, or later in the drain this thread is in. It dies on `ex`: right after it ran, or unrun.
///
/// Cancellation: asked or cancelled before its turn, f never runs. While it runs, the stop token fires at once, a structural
/// step on the thread that asks (or cancels, or drops the handle), never queued behind a busy `ex`; std::stop_callbacks that
/// f registered run there. A request leaves the outcome to f; a forced cancel settles at once, and the result is released
/// only when f has returned.
///
/// An executor that refuses, throws or destroys the work: f never runs, and the result is cancelled with cause abandoned.
///
/// One allocation for state and closure, one more of std::stop_source when f takes a token; throws std::bad_alloc and what
/// moving f throws, nothing being started. Any thread.
///
/// ```cpp
/// settle::handle_of<image> h = settle::start_on(workers, [in](std::stop_token stop) { return scale(in, stop); });
/// ```
template <class C = cas_terminal, class Ex, class F>
auto start_on(Ex ex, F f, std::source_location at = std::source_location::current())
    -> handle_of<typename detail::flattened<detail::job_result<F>>::value_type,
                 typename detail::flattened<detail::job_result<F>>::error_type, C> {
  using flat = detail::flattened<detail::job_result<F>>;
  using policy = plain<typename flat::value_type, typename flat::error_type, Ex, C>;
  detail::new_job<policy, F> begun(f, std::move(ex), at);
  detail::dispatcher<C>::start(begun.job->turn);
  return std::move(begun.owner);
}

}  // namespace settle::inline v0

#endif
