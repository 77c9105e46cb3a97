// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_EXPLORE_CLOCKWORK_HPP
#define SETTLE_TESTS_EXPLORE_CLOCKWORK_HPP

#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <chrono>
#include <utility>

namespace explore {

namespace weave = settle::testing::weave;
using time_point = std::chrono::steady_clock::time_point;

/// One timer at a time, which a thread of the scene lets end: then it is as late as the timer was set to.
struct clockwork {
  enum state { idle, armed, stopping, over };
  weave::atomic<int> now{idle};
  weave::atomic<std::int64_t> time{0};
  weave::plain<std::int64_t> when{0};
  weave::plain<settle::timer_done> done;
  weave::plain<int> alive{0};

  /// The timer that stands fires, or lets go when it was stopped. True: there was one.
  bool tick() {
    int seen = now.load(std::memory_order_acquire);
    if (seen == armed && now.compare_exchange_strong(seen, over, std::memory_order_acq_rel, std::memory_order_acquire)) {
      time.store(when, std::memory_order_release);
      settle::timer_done const told = done;
      told(settle::timer_end::fired);
      return true;
    }
    if (seen != stopping) return false;
    settle::timer_done const told = done;
    now.store(over, std::memory_order_relaxed);
    told(settle::timer_end::stopped);
    return true;
  }
};

/// Runs at once, and has that timer.
class timed_executor {
 public:
  class service {
   public:
    class timer {
     public:
      explicit timer(service& s) noexcept : clock_(s.clock_) {}
      timer(timer&&) = delete;
      ~timer() { clock_->alive = clock_->alive - 1; }
      bool start(time_point when, settle::timer_done done) noexcept {
        clock_->alive = clock_->alive + 1;
        clock_->done = done;
        clock_->when = when.time_since_epoch().count();
        clock_->now.store(clockwork::armed, std::memory_order_release);
        was_started_ = true;
        return true;
      }
      void stop() noexcept {
        static_cast<void>(was_started_.read());
        int seen = clockwork::armed;
        clock_->now.compare_exchange_strong(seen, clockwork::stopping, std::memory_order_acq_rel, std::memory_order_acquire);
      }

     private:
      clockwork* clock_;
      weave::plain<bool> was_started_ = false;  // before it is stopped, or destroyed, whoever has heard of its end
    };

    explicit service(clockwork* c) noexcept : clock_(c) {}
    time_point now() const noexcept { return time_point(time_point::duration(clock_->time.load(std::memory_order_acquire))); }

   private:
    clockwork* clock_;
  };

  explicit timed_executor(clockwork& c) noexcept : clock_(&c) {}
  template <class F>
  void execute(F&& f) const {
    std::forward<F>(f)();
  }
  static bool running_in_this_thread() noexcept { return true; }
  service timers() const noexcept { return service(clock_); }
  bool operator==(timed_executor const&) const = default;

 private:
  clockwork* clock_;
};

}  // namespace explore

#endif
