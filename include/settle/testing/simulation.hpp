// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_SIMULATION_HPP
#define SETTLE_TESTING_SIMULATION_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "quiescent.hpp"
#include "seed.hpp"
#include "simulation/allocator.hpp"
#include "simulation/core.hpp"
#include "simulation/executor.hpp"
#include "simulation/faults.hpp"
#include "simulation/live.hpp"
#include "simulation/timers.hpp"
#include "simulation/trace.hpp"

namespace settle::inline v0::testing {

/// Executors in virtual time, for tests: nothing runs but inside run(), advance() and their like, on the calling thread, and
/// the seed decides what the world leaves open: which executor is next, which ready work (also timers that are due at the
/// same time) goes first, how a race between a timer and its stop() ends. The same seed and the same program give the same
/// trace. Time moves only by advance(), run_until() and jump().
///
/// Ownership: must outlive its executors' use, its allocator's and its timers', so declare it first. Destroyed, it destroys
/// what is queued and loses the timers, as a context that goes down does.
/// Threads: the one that made it (an assert traps others).
///
/// ```cpp
/// settle::testing::simulation sim(settle::testing::seed());
/// auto nap = settle::sleep(sim.get_executor(), 100ms);
/// sim.advance(99ms);
/// EXPECT_FALSE(nap.is_settled());
/// sim.advance(1ms);
/// EXPECT_TRUE(nap.is_settled());
/// nap = {};
/// EXPECT_QUIESCENT(sim);  // no work, no timer, no operation, no byte; else what is left is printed, and the seed
/// ```
class simulation {
 public:
  /// Its executors.
  using executor = sim_executor;
  /// Its allocator.
  using allocator = sim_allocator<>;
  /// The clock of its timers.
  using time_point = std::chrono::steady_clock::time_point;
  /// How time is told.
  using duration = std::chrono::nanoseconds;

  /// A world at its time zero. Throws std::bad_alloc.
  explicit simulation(std::uint64_t seed, order o = order::any) : core_(seed, o) { core_.make_lane(); }
  simulation(simulation&&) = delete;

  /// Always the same one.
  executor get_executor() noexcept { return executor(core_.first_lane()); }
  /// One more each time. Throws std::bad_alloc.
  executor make_executor() { return executor(core_.make_lane()); }
  /// For a policy whose memory is to be counted, or to run out.
  allocator get_allocator() noexcept { return allocator(core_); }

  /// What it was made with.
  std::uint64_t seed() const noexcept { return core_.seed; }
  /// The virtual time.
  time_point now() const noexcept { return core_.now(); }

  /// Runs one piece of what is ready now. False: nothing was. What it throws comes out of here.
  bool run_one() { return core_.run_one(); }
  /// Runs all that is ready and becomes ready; time stands still. How much that was.
  std::size_t run() {
    std::size_t n = 0;
    while (run_one()) ++n;
    return n;
  }
  /// Lets time pass from one expiry to the next, running all that becomes ready on the way.
  void advance(duration d) { run_until(now() + d); }
  /// The same up to a point in time.
  void run_until(time_point t) {
    run();
    while (core_.step(t)) run();
    core_.set_time(t);
  }
  /// Runs, one by one, until `done()`, letting time pass whenever nothing is ready. False: nothing is left, and it is not.
  template <class Done>
    requires requires(Done& done) { static_cast<bool>(done()); }
  bool run_until(Done done) {
    while (!done())
      if (!run_one() && !core_.step(time_point::max())) return false;
    return true;
  }
  /// Time has passed and nothing has run meanwhile: all that is due by now is ready at once.
  void jump(duration d) noexcept { core_.set_time(now() + d); }

  /// A timer that is stopped lets go up to so much later. 0, the default: at the same time, when its turn comes.
  void close_delay(duration d) noexcept { core_.close_delay = d; }
  /// What is to go wrong.
  fault_plan& faults() noexcept { return core_.faults; }
  /// An executor goes down: its queue is destroyed, its timers are lost, it takes nothing any more.
  void destroy(executor const& ex) noexcept { core_.destroy(*ex.lane_); }

  /// What happened.
  sim_trace const& trace() const noexcept { return core_.trace; }

  /// Work that is queued, and timers that are started and have not ended.
  std::size_t queued() const noexcept { return core_.items.size(); }
  /// Operations whose executor is one of these, until nobody refers to them. (Others are a census's affair.)
  std::size_t operations() const noexcept { return core_.live.size(); }
  /// What is out from its allocator.
  std::size_t bytes() const noexcept { return core_.bytes; }

  /// No work, no timer, no operation, no byte.
  bool is_quiescent() const noexcept { return queued() == 0 && operations() == 0 && bytes() == 0; }
  /// What is left, what happened last, and the seed that does it again.
  std::string text() const {
    std::string out = core_.items.text();
    if (operations() != 0) out += core_.live.text(now());
    if (bytes() != 0) out += "  " + std::to_string(bytes()) + " bytes of its allocator\n";
    return out + "last events:\n" + core_.trace.text(20) + seed_sentence(seed());
  }

 private:
  sim_detail::sim_core core_;
};

}  // namespace settle::inline v0::testing

#endif
