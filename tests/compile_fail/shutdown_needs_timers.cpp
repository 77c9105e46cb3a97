// SPDX-License-Identifier: BSL-1.0
// A budget is measured by the timers of the plan's executor.
// expect: settle: shutdown_plan measures its budget by the timers of its executor
#include <settle/settle.hpp>

struct without_timers {
  template <class F>
  void execute(F f) const {
    f();
  }
  bool operator==(without_timers const&) const = default;
};
struct with_timers : without_timers {
  settle::timer_wheel* wheel = nullptr;
  settle::timer_wheel& timers() const noexcept { return *wheel; }
  bool operator==(with_timers const&) const = default;
};

#ifdef SETTLE_REJECT
using chosen = without_timers;
#else
using chosen = with_timers;
#endif

void plan(chosen ex) { settle::shutdown_plan const stop(ex); }
