// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_LOOP_WITH_TIMERS_HPP
#define SETTLE_TESTS_LOOP_WITH_TIMERS_HPP

#include <settle/policy/timer_service.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "executors.hpp"

// A manual_loop with timers whose time the test moves. Of one thread.
namespace test {

class loop_with_timers : public manual_loop {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  class service {
   public:
    class timer {
     public:
      explicit timer(service& s) noexcept : loop_(s.loop_) { ++loop_->made_; }
      timer(timer&&) = delete;
      ~timer() { --loop_->made_; }
      bool start(time_point when, settle::timer_done done) noexcept {
        bool const starts = !loop_->refuses_;
        when_ = when;
        done_ = done;
        if (starts) loop_->armed_.push_back(this);
        if (auto const meanwhile = std::exchange(loop_->in_start_, {})) meanwhile();  // may be gone from here on
        return starts;
      }
      void stop() noexcept {
        if (std::erase(loop_->armed_, this) != 0) loop_->stopped_.push_back(this);
      }

     private:
      friend class loop_with_timers;
      loop_with_timers* loop_;
      time_point when_{};
      settle::timer_done done_;
    };

    explicit service(loop_with_timers& l) noexcept : loop_(&l) {}
    time_point now() const noexcept { return loop_->now_; }

   private:
    loop_with_timers* loop_;
  };

  class executor : public manual_loop::executor {
   public:
    explicit executor(loop_with_timers& l) noexcept : manual_loop::executor(l), loop_(&l) {}
    service timers() const noexcept { return service(*loop_); }
    bool operator==(executor const&) const = default;

   private:
    loop_with_timers* loop_;
  };

  executor get_executor() noexcept { return executor(*this); }
  time_point now() const noexcept { return now_; }
  std::size_t armed() const noexcept { return armed_.size(); }
  /// Timers that exist.
  std::size_t made() const noexcept { return made_; }
  void refuse_timers(bool r) noexcept { refuses_ = r; }
  /// What happens while the next timer is being started.
  void in_next_start(std::function<void()> f) { in_start_ = std::move(f); }

  /// Everything that is queued, and every timer that was stopped lets go.
  void run_all() {
    while (manual_loop::run() != 0 || !stopped_.empty()) end(stopped_, settle::timer_end::stopped);
  }
  void advance(std::chrono::nanoseconds d) {
    now_ += std::chrono::duration_cast<time_point::duration>(d);
    std::vector<service::timer*> due;
    std::erase_if(armed_, [&](service::timer* t) { return t->when_ <= now_ && (due.push_back(t), true); });
    end(due, settle::timer_end::fired);
    run_all();
  }
  /// The service goes down.
  void lose_timers() {
    end(armed_, settle::timer_end::lost);
    end(stopped_, settle::timer_end::lost);
  }

 private:
  void end(std::vector<service::timer*>& which, settle::timer_end how) {
    for (service::timer* t : std::exchange(which, {})) inside([&] { t->done_(how); });
  }

  time_point now_{std::chrono::hours(1)};
  std::vector<service::timer*> armed_;
  std::vector<service::timer*> stopped_;
  std::size_t made_ = 0;
  bool refuses_ = false;
  std::function<void()> in_start_;
};

}  // namespace test

#endif
