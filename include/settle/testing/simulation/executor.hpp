// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_SIMULATION_EXECUTOR_HPP
#define SETTLE_TESTING_SIMULATION_EXECUTOR_HPP

#include <memory>
#include <string>
#include <utility>

#include "../../policy/executor.hpp"
#include "../../policy/monitor.hpp"
#include "core.hpp"
#include "live.hpp"
#include "timers.hpp"

namespace settle::inline v0::testing {

namespace sim_detail {

template <class F>
class sim_work final : public sim_item {
 public:
  sim_work(sim_lane& l, F&& f) : sim_item(l, l.core->wheel), f_(std::move(f)) {}

 private:
  sim_event::what_t ending() const noexcept override { return sim_event::ran; }
  void run() override {
    std::unique_ptr<sim_work> const self(this);
    F f = std::move(f_);
    std::move(f)();
  }
  void discard() noexcept override { delete this; }
  std::string text() const override { return "work"; }

  F f_;
};

}  // namespace sim_detail

/// An executor of a simulation: cheap to copy, equal to its copies. Runs nothing but inside the simulation's run functions.
/// Must not be used after its simulation. Submitting allocates.
class sim_executor {
 public:
  /// Throws what the fault plan says, and std::bad_alloc.
  template <class F>
  void execute(F f) const {
    lane_->core->submit(std::make_unique<sim_detail::sim_work<F>>(*lane_, std::move(f)));
  }
  /// Inside a piece of work that this executor runs.
  bool running_in_this_thread() const noexcept { return lane_->core->runs(*lane_); }
  /// Timers in virtual time.
  sim_timers timers() const noexcept { return sim_timers(*lane_); }
  /// Of the same executor of the same simulation.
  bool operator==(sim_executor const&) const = default;

 private:
  friend class simulation;
  friend struct executor_traits<sim_executor>;
  explicit sim_executor(sim_detail::sim_lane& l) noexcept : lane_(&l) {}

  sim_detail::sim_lane* lane_;
};

}  // namespace settle::inline v0::testing

/// As any executor; and the simulation hears which operations live on it.
template <>
struct settle::executor_traits<settle::testing::sim_executor> : settle::default_executor_traits<settle::testing::sim_executor> {
  /// Notes what lives on it.
  static void on_event(testing::sim_executor const& ex, monitor_event const& e) noexcept {
    ex.lane_->core->live.on_event(e, ex.lane_->core->now());
  }
};

#endif
