// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SHUTDOWN_HPP
#define SETTLE_SHUTDOWN_HPP

#include <memory>
#include <source_location>
#include <string>
#include <utility>

#include "policy/executor.hpp"
#include "scope/stopping.hpp"
#include "time_span.hpp"

namespace settle::inline v0 {

/// How a program stops: its subsystems, the one that was added last first, each by phases until nothing of it is left. It stops
/// accepting; it drains; its root is asked to cancel (cause shutdown), which its children hear; its root is cancelled, which
/// forces them; what is not released by then is a survivor. In the end comes `root()`, under which subsystems may be made.
///
/// The budget is for all: each has an equal part of what is left, half of it to drain, half of the rest to be asked, the rest
/// to let go; what one does not use the others have. A phase of which there is nothing to wait for takes no time.
/// `escalate()`, a second signal, goes to the next phase now, for this subsystem and those after it.
///
/// run() may be called from a callback, and as often as one likes: it all happens once, on the executor, and every caller
/// gets the same report. What a function of a subsystem throws goes into the report, and the next phase begins.
///
/// Threads: any, but `add`, which comes before, and the destructor. Destroyed while it stops, the rest is asked to cancel.
/// Allocates as it goes; without memory the report has failed.
///
/// ```cpp
/// settle::shutdown_plan stop(ex);
/// stop.add("pool", {.drain = [] { return work(); }, .root = op});
/// stop.run(10s).on_done([](settle::outcome<settle::shutdown_report> const& o) { use(o.value().clean()); });
/// ```
template <class C>
class basic_shutdown_plan {
 public:
  /// On `ex`, which must have timers. Throws std::bad_alloc.
  template <class Ex>
  explicit basic_shutdown_plan(Ex ex, std::source_location at = std::source_location::current())
      : core_(std::make_shared<detail::stopping<C>>(std::move(ex), at)) {
    static_assert(has_timers<Ex>,
                  "settle: shutdown_plan measures its budget by the timers of its executor: give the executor `timers()`, or specialise "
                  "settle::executor_traits<Ex>::timers (see docs/policies/timer_service.md)");
  }
  basic_shutdown_plan(basic_shutdown_plan&&) = delete;
  ~basic_shutdown_plan() { core_->abandon(); }

  /// One more subsystem, stopped before those that were added before it. Throws std::bad_alloc.
  basic_shutdown_plan& add(std::string name, basic_subsystem<C> s) {
    core_->add(std::move(name), std::move(s));
    return *this;
  }

  /// Begins to stop, the first time. What it returns has the report once everything is stopped, or `budget` is over. Throws
  /// std::bad_alloc, nothing being begun.
  watcher_of<shutdown_report, error, C> run(time_span budget) {
    detail::stopping<C>::run(core_, budget);
    return core_->report();
  }
  /// The next phase now. Never throws.
  void escalate() noexcept { core_->escalate(); }

  /// What subsystems may live under: stopped after them.
  [[nodiscard]] basic_operation<C> root() const noexcept { return core_->root(); }

 private:
  std::shared_ptr<detail::stopping<C>> core_;
};

using shutdown_plan = basic_shutdown_plan<cas_terminal>;

}  // namespace settle::inline v0

#endif
