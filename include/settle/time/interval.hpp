// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TIME_INTERVAL_HPP
#define SETTLE_TIME_INTERVAL_HPP

#include <cstdint>
#include <source_location>
#include <utility>

#include "../handle.hpp"
#include "../policy/executor.hpp"
#include "../time_span.hpp"
#include "detail/beat.hpp"
#include "detail/nap.hpp"
#include "detail/ticking.hpp"

namespace settle::inline v0 {

/// Ticks at a fixed rate: tick n comes n periods after the interval was made, by the clock of the executor's timers. It does
/// not drift, a late tick makes none of the others late, and ticks whose time passes while nobody waits are skipped, not made
/// up for: each is numbered, so that a gap shows. A value; nothing runs and nothing is held while nobody waits for a tick.
///
/// Ownership: keeps a copy of the executor. Threads: const, so any. A period that is not positive counts as a nanosecond.
///
/// ```cpp
/// settle::handle_of<void> h = settle::interval(io.get_executor(), 10s).each([] { retry(); });
/// ```
template <executor Ex>
class interval {
 public:
  /// Begins now.
  interval(Ex ex, time_span period) : ex_(std::move(ex)), beat_(timers_of(ex_).now(), period) {}

  /// Settles at the first tick after now, with its number. Its timer, its cancellation, its errors and its cost are those of
  /// `sleep`. One that is dropped takes no tick from the next call. Throws std::bad_alloc.
  handle_of<std::uint64_t> next(std::source_location at = std::source_location::current()) const {
    detail::tick const t = beat_.after(timers_of(ex_).now());
    return detail::nap<Ex, std::uint64_t>::until(ex_, t.when, t.number, at);
  }

  /// Calls `f()` or `f(tick)` at each tick on the executor, one call at a time, beginning with the first tick after now. It
  /// never yields a value: it is over when it is cancelled or dropped (also from within f, which is then not called again), and
  /// fails with what f throws (operation_cancelled: is cancelled), with errc::no_timers or no_memory; abandoned when the
  /// executor goes down. f is destroyed on the executor, before released, and released means that the timer has let go.
  ///
  /// Threads: call it, and cancel, from any. Cost: two blocks once, and nothing of settle's for each tick. Throws
  /// std::bad_alloc, and what moving f throws.
  template <class F>
  handle_of<void> each(F f, std::source_location at = std::source_location::current()) const {
    static_assert(detail::check_ticking<F>());
    using policy = detail::result_policy<void, error, cas_terminal, Ex>;
    return detail::result_cell<policy, detail::ticking<policy, F>>::begin(Ex(ex_), false, at, beat_, std::move(f));
  }

 private:
  Ex ex_;
  detail::beat beat_;
};

}  // namespace settle::inline v0

#endif
