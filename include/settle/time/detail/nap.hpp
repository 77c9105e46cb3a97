// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TIME_DETAIL_NAP_HPP
#define SETTLE_TIME_DETAIL_NAP_HPP

#include <algorithm>
#include <chrono>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

#include "../../detail/exceptions.hpp"
#include "../../detail/timers.hpp"
#include "../../errc.hpp"
#include "../../handle.hpp"
#include "../../operation.hpp"
#include "../../policy/executor.hpp"
#include "../../policy/timer_service.hpp"
#include "../../resolver.hpp"

namespace settle::inline v0::detail {

/// A timer, who waits for it, and what that one is given. Owned by the cleanup of its own operation: its producer goes first,
/// and with it the pin that holds that cleanup back, always, for a timer always ends.
template <class Ex, class T>
struct nap {
  using resolver_type = resolver<plain<T, error, Ex>>;
  using service_type = timer_service_of<Ex>;
  using time_point = std::chrono::steady_clock::time_point;

  resolver_type done;
  [[no_unique_address]] lift<T> yields;
  timer_of<Ex> timer;
  bool is_cut;  // by a deadline

  nap(resolver_type&& r, lift<T> value, service_type& timers, bool cut) noexcept
      : done(std::move(r)), yields(value), timer(timers), is_cut(cut) {}

  /// The operation that settles at `when`; timed out, when that is another's deadline. Throws std::bad_alloc when there is no
  /// memory for it.
  static handle_of<T> until(Ex const& ex, time_point when, lift<T> value, std::source_location at, bool cut = false) {
    resolver_type r(ex, at);
    auto&& timers = timers_of(ex);
    if constexpr (!has_timers<Ex>) return refused(r);
    nap* const n = r.template try_own<nap>(std::move(r), value, timers, cut);
    if (n == nullptr) return refused(r);
    bool stoppable = true;
    guarded([&] { n->done.on_cancel([n] { n->timer.stop(); }); }, [&](std::exception_ptr const&) { stoppable = false; });
    handle_of<T> h = n->done.get_handle();
    if (stoppable && n->timer.start(when, timer_done::to<&nap::over>(*n))) return h;
    resolver_type refused = std::move(n->done);
    refused.fail(errc::no_memory);
    return h;
  }

  /// The same as a child of `parent`, and no longer than that one's deadline. It is adopted once its timer runs: before, nobody
  /// could stop that.
  static handle_of<T> under(operation const& parent, Ex const& ex, time_point when, lift<T> value, std::source_location at) {
    time_point const end = parent.deadline();
    handle_of<T> h = end > timers_of(ex).now() ? until(ex, std::min(when, end), value, at, end < when) : too_late(ex, at);
    parent.adopt(static_cast<operation const&>(h));
    return h;
  }

 private:
  void over(timer_end how) noexcept {
    resolver_type r = std::move(done);
    if (how == timer_end::stopped) r.cancel();
    else if (how == timer_end::fired) wake(r);
  }
  void wake(resolver_type& r) noexcept {
    if (is_cut) r.fail(errc::timed_out);
    else if constexpr (std::is_void_v<T>) r.complete();
    else r.complete(yields);
  }

  static handle_of<T> too_late(Ex const& ex, std::source_location at) {
    resolver_type r(ex, at);
    handle_of<T> h = r.get_handle();
    r.fail(errc::timed_out);
    return h;
  }

  static handle_of<T> refused(resolver_type& r) noexcept {
    handle_of<T> h = r.get_handle();
    r.fail(std::is_same_v<service_type, no_timers> ? errc::no_timers : errc::no_memory);
    return h;
  }
};

}  // namespace settle::inline v0::detail

#endif
