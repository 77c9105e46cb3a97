// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_SIMULATION_TIMERS_HPP
#define SETTLE_TESTING_SIMULATION_TIMERS_HPP

#include <cassert>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "../../policy/timer_service.hpp"
#include "core.hpp"

namespace settle::inline v0::testing {

/// The timers of an executor of a simulation: a timer_service in virtual time.
///
/// A timer that is due waits for its turn among what is ready; stopped until then, the seed decides how it ends. One that is
/// stopped lets go when its turn comes, at the same virtual time or after a delay (`simulation::close_delay`), never at
/// once. `faults().timer(n)` refuses one. Starting allocates for the trace only. Threads: the simulation's.
class sim_timers {
 public:
  /// Virtual time has this shape.
  using time_point = std::chrono::steady_clock::time_point;

  /// A timer as timer_service asks for it.
  class timer final : sim_detail::sim_item {
   public:
    /// Not started.
    explicit timer(sim_timers const& s) noexcept : sim_item(*s.lane_, s.lane_->core->wheel) {}
    ~timer() override { assert(!done_ && "settle: a timer is destroyed before it has ended"); }

    /// False: the fault plan says so, or the executor is gone.
    bool start(time_point when, timer_done done) noexcept {
      if (gone_ || !lane().core->start(*this, when)) return false;
      done_ = done;
      end_ = timer_end::fired;
      return true;
    }
    /// It lets go when its turn comes.
    void stop() noexcept {
      if (!done_ || end_ == timer_end::stopped) return;
      if (now() == phase::ready) {
        if (lane().core->chance.one_in(2)) end_ = timer_end::stopped;
      } else {
        end_ = timer_end::stopped;
        lane().core->let_go(*this);
      }
    }

   private:
    sim_event::what_t ending() const noexcept override { return end_ == timer_end::fired ? sim_event::fired : sim_event::let_go; }
    void run() override { std::exchange(done_, {})(end_); }
    void discard() noexcept override {
      gone_ = true;
      std::exchange(done_, {})(timer_end::lost);
    }
    std::string text() const override { return end_ == timer_end::stopped ? "a timer that lets go" : "a timer"; }

    timer_done done_;
    timer_end end_ = timer_end::fired;
    bool gone_ = false;
  };

  /// Of one executor.
  explicit sim_timers(sim_detail::sim_lane& l) noexcept : lane_(&l) {}

  /// The virtual time.
  time_point now() const noexcept { return lane_->core->now(); }

 private:
  sim_detail::sim_lane* lane_;
};

}  // namespace settle::inline v0::testing

#endif
