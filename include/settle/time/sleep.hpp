// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TIME_SLEEP_HPP
#define SETTLE_TIME_SLEEP_HPP

#include <chrono>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

#include "../detail/exceptions.hpp"
#include "../detail/timers.hpp"
#include "../errc.hpp"
#include "../handle.hpp"
#include "../policy/executor.hpp"
#include "../policy/timer_service.hpp"
#include "../resolver.hpp"

namespace settle::inline v0 {

namespace detail {

/// A timer and who waits for it. Owned by the cleanup of its own operation: its producer goes first, and with it the pin
/// that holds that cleanup back, always, for a timer always ends.
template <class Ex>
struct nap {
  using resolver_type = resolver<plain<void, error, Ex>>;
  using service_type = timer_service_of<Ex>;

  resolver_type done;
  timer_of<Ex> timer;

  nap(resolver_type&& r, service_type& timers) noexcept : done(std::move(r)), timer(timers) {}

  void over(timer_end how) noexcept {
    resolver_type r = std::move(done);
    if (how == timer_end::fired) r.complete();
    else if (how == timer_end::stopped) r.cancel();
  }

  static handle_of<void> refused(resolver_type& r) noexcept {
    handle_of<void> h = r.get_handle();
    r.fail(std::is_same_v<service_type, no_timers> ? errc::no_timers : errc::no_memory);
    return h;
  }
};

}  // namespace detail

/// Settles at `when`; time_point::max() is never. The timer is owned by the operation and closed by its cleanup; cancelling
/// (or dropping the handle) stops it on its executor, and the operation is released when the timer has let go.
///
/// Ownership: a copy of `ex` is kept. Errors: errc::no_timers when the executor has none, errc::no_memory when the timer
/// could not be started; abandoned when the executor goes down before. Throws std::bad_alloc when there is no memory for
/// the operation itself. Threads: call it, and cancel, from any thread. Cost: three allocations of settle's (state, timer,
/// cancel observer), and what the timer service needs to start.
///
/// ```cpp
/// settle::sleep(io.get_executor(), 100ms).on_done([] { retry(); });
/// ```
template <executor Ex>
handle_of<void> sleep(Ex const& ex, std::chrono::steady_clock::time_point when, std::source_location at = std::source_location::current()) {
  using nap = detail::nap<Ex>;
  typename nap::resolver_type r(ex, at);
  auto&& timers = timers_of(ex);
  if constexpr (!has_timers<Ex>) return nap::refused(r);
  nap* const n = r.template try_own<nap>(std::move(r), timers);
  if (n == nullptr) return nap::refused(r);
  bool stoppable = true;
  detail::guarded([&] { n->done.on_cancel([n] { n->timer.stop(); }); }, [&](std::exception_ptr const&) { stoppable = false; });
  handle_of<void> h = n->done.get_handle();
  if (stoppable && n->timer.start(when, timer_done::to<&nap::over>(*n))) return h;
  typename nap::resolver_type refused = std::move(n->done);
  refused.fail(errc::no_memory);
  return h;
}

/// The same, `d` from now by the clock of the timers; at once when `d` is not positive.
template <executor Ex>
handle_of<void> sleep(Ex const& ex, std::chrono::nanoseconds d, std::source_location at = std::source_location::current()) {
  return sleep(ex, detail::later(timers_of(ex).now(), d), at);
}

}  // namespace settle::inline v0

#endif
