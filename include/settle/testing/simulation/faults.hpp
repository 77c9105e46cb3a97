// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_SIMULATION_FAULTS_HPP
#define SETTLE_TESTING_SIMULATION_FAULTS_HPP

#include <chrono>
#include <cstdint>
#include <vector>

#include "../seed.hpp"

namespace settle::inline v0::testing {

/// What may go wrong when work is submitted to an executor of a simulation.
enum class submit_fault : std::uint8_t {
  none,     ///< all is well
  reject,   ///< execute() throws
  drop,     ///< the work is destroyed at once, without a word
  delay,    ///< it becomes ready later, in virtual time
  late,     ///< it runs when nothing else is ready
  destroy,  ///< the executor's whole queue is destroyed, its timers are lost, and it takes nothing any more
};

/// What goes wrong in a simulation, and when. Counts are from now on and from 1: `submit(3, submit_fault::drop)` drops the
/// third piece of work submitted after this call. A sweep repeats a scenario with n = 1, 2, ... until `struck()` stays 0.
///
/// ```cpp
/// sim.faults().submit(3, settle::testing::submit_fault::drop).allocation(5);
/// ```
class fault_plan {
 public:
  /// How delays are told.
  using duration = std::chrono::nanoseconds;

  /// The n-th submission from now on; `by` is for delays. Throws std::bad_alloc.
  fault_plan& submit(std::uint64_t n, submit_fault f, duration by = std::chrono::milliseconds(1)) {
    submits_.list.push_back({submits_.seen + n, f, by});
    return *this;
  }
  /// Once in `n` times, by the seed.
  fault_plan& sometimes(submit_fault f, std::uint64_t n, duration by = std::chrono::milliseconds(1)) {
    chances_.push_back({n, f, by});
    return *this;
  }
  /// The n-th allocation from the simulation's allocator fails; `sticky`: and all after it.
  fault_plan& allocation(std::uint64_t n, bool sticky = false) {
    allocations_.list.push_back({allocations_.seen + n, submit_fault::none, {}});
    sticky_from_ = sticky ? allocations_.seen + n : sticky_from_;
    return *this;
  }
  /// The n-th timer refuses to start.
  fault_plan& timer(std::uint64_t n) {
    timers_.list.push_back({timers_.seen + n, submit_fault::none, {}});
    return *this;
  }
  /// Nothing goes wrong any more.
  void clear() noexcept {
    submits_.list.clear();
    allocations_.list.clear();
    timers_.list.clear();
    chances_.clear();
    sticky_from_ = 0;
  }

  /// Submissions so far: what could have gone wrong.
  std::uint64_t submits() const noexcept { return submits_.seen; }
  /// Allocations so far.
  std::uint64_t allocations() const noexcept { return allocations_.seen; }
  /// Timers started so far.
  std::uint64_t timers() const noexcept { return timers_.seen; }
  /// How much went wrong so far.
  std::uint64_t struck() const noexcept { return struck_; }

  /// One planned fault.
  struct fault {
    std::uint64_t n = 0;                     ///< when: counted from 1
    submit_fault what = submit_fault::none;  ///< what
    duration by{};                           ///< how much later, when delayed
  };

  /// The simulation asks, for each piece of work.
  fault next_submit(dice& chance) noexcept {
    fault const* p = submits_.next();
    if (p == nullptr) {
      for (fault const& c : chances_)
        if (p == nullptr && chance.one_in(c.n)) p = &c;
    }
    return p == nullptr ? fault{} : strike(*p);
  }
  /// The simulation asks, for each allocation.
  bool next_allocation_fails() noexcept {
    bool const planned_one = allocations_.next() != nullptr;
    bool const fails = planned_one || (sticky_from_ != 0 && allocations_.seen >= sticky_from_);
    struck_ += fails ? 1 : 0;
    return fails;
  }
  /// The simulation asks, for each timer that is to be started.
  bool next_timer_fails() noexcept {
    bool const fails = timers_.next() != nullptr;
    struck_ += fails ? 1 : 0;
    return fails;
  }

 private:
  struct counted {
    std::uint64_t seen = 0;
    std::vector<fault> list;

    fault const* next() noexcept {
      ++seen;
      for (fault const& p : list)
        if (p.n == seen) return &p;
      return nullptr;
    }
  };

  fault strike(fault const& p) noexcept {
    ++struck_;
    return p;
  }

  counted submits_;
  counted allocations_;
  counted timers_;
  std::vector<fault> chances_;
  std::uint64_t sticky_from_ = 0;
  std::uint64_t struck_ = 0;
};

}  // namespace settle::inline v0::testing

#endif
