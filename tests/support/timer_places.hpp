// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_TIMER_PLACES_HPP
#define SETTLE_TESTS_TIMER_PLACES_HPP

#include <gtest/gtest.h>
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "executors.hpp"
#include "watched_timer.hpp"

// Places where timers run, all with the same looks: `get_executor()`, `pass(d)` lets time pass and user code run,
// `go_down()` destroys the executor's queue and its timers.
namespace test {

/// A clock that stands where a test puts it.
struct test_clock {
  static inline time_point at{std::chrono::hours(1000)};
  static time_point now() noexcept { return at; }
};

/// A loop of one's own: a queue, and a wheel that it drives.
class wheel_place {
 public:
  using wheel_type = settle::basic_timer_wheel<settle::std_sync, test_clock>;
  class executor {
   public:
    explicit executor(wheel_place& p) noexcept : place_(&p) {}
    template <class F>
    void execute(F f) const {
      place_->loop_.get_executor().execute(std::move(f));
    }
    bool running_in_this_thread() const noexcept { return place_->loop_.is_here(); }
    wheel_type& timers() const noexcept { return *place_->wheel_; }
    bool operator==(executor const&) const = default;

   private:
    wheel_place* place_;
  };

  executor get_executor() noexcept { return executor(*this); }
  wheel_type& timers() noexcept { return *wheel_; }
  void pass(std::chrono::nanoseconds d) {
    time_point const end = test_clock::at + d;
    run();
    for (time_point next = wheel_->next_expiry(); next <= end; next = wheel_->next_expiry()) {
      if (next > test_clock::at) test_clock::at = next;
      run();
    }
    test_clock::at = end;
    run();
  }
  void go_down() {
    loop_.mood(manual_loop::drops);
    loop_.drop_all();
    wheel_.reset();
  }

 private:
  void run() {
    loop_.inside([&] { wheel_->advance(test_clock::at); });
    loop_.run();
  }

  manual_loop loop_;
  std::optional<wheel_type> wheel_{std::in_place, std::chrono::nanoseconds(1)};
};

class simulated_place {
 public:
  using executor = settle::testing::simulation::executor;

  executor get_executor() noexcept { return sim.get_executor(); }
  auto timers() noexcept { return get_executor().timers(); }
  void pass(std::chrono::nanoseconds d) { sim.advance(d); }
  void go_down() { sim.destroy(get_executor()); }

  settle::testing::simulation sim{settle::testing::seed()};
};

using timer_places = testing::Types<wheel_place, simulated_place>;

}  // namespace test

#endif
