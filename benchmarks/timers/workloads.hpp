// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_TIMERS_WORKLOADS_HPP
#define SETTLE_BENCHMARKS_TIMERS_WORKLOADS_HPP

#include <settle/settle.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "benchmark_case.hpp"
#include "stopwatch.hpp"

// W8: a million timers, with deadlines anywhere in a minute.
//   arm     each is started
//   cancel  each is stopped, and has ended
//   expire  the minute passes, and each is called. For a wheel millisecond by millisecond; at once for a heap, to which it is all
//           the same, and whose loops ask the system's clock in between
namespace bench {

inline constexpr std::size_t timer_count = 1'000'000;
inline constexpr std::chrono::milliseconds minute{60'000};

/// In milliseconds from now; the same for everyone.
inline std::vector<std::uint32_t> const& deadlines() {
  static std::vector<std::uint32_t> const made = [] {
    std::minstd_rand random(1);
    std::uniform_int_distribution<std::uint32_t> any(1, static_cast<std::uint32_t>(minute.count()) - 1);
    std::vector<std::uint32_t> d(timer_count);
    for (auto& each : d) each = any(random);
    return d;
  }();
  return made;
}

/// Things that stay where they are made.
template <class T>
class row_of {
 public:
  template <class Make>
  explicit row_of(Make make) : items_(static_cast<T*>(::operator new(timer_count * sizeof(T), std::align_val_t(alignof(T))))) {
    for (std::size_t i = 0; i != timer_count; ++i) make(items_ + i);
  }
  row_of(row_of&&) = delete;
  ~row_of() {
    std::destroy_n(items_, timer_count);
    ::operator delete(items_, std::align_val_t(alignof(T)));
  }
  T& operator[](std::size_t i) { return items_[i]; }

 private:
  T* items_;
};

enum phase : std::size_t { arm, cancel, expire };

/// The three phases come of one run: arm, cancel, arm again, expire. Each is told once.
template <class Timers>
double timed_phase(phase which) {
  static std::array<std::deque<double>, 3> told;
  if (told[which].empty()) {
    deadlines();
    Timers timers;
    thread_stopwatch const arming;
    timers.arm();
    told[arm].push_back(arming.seconds());
    thread_stopwatch const cancelling;
    timers.cancel();
    told[cancel].push_back(cancelling.seconds());
    timers.arm();
    thread_stopwatch const expiring;
    timers.expire();
    told[expire].push_back(expiring.seconds());
    if (timers.ended != 2 * timer_count) std::abort();
  }
  double const took = told[which].front();
  told[which].pop_front();
  return took;
}
template <class Timers, phase Which>
double timed() {
  return timed_phase<Timers>(Which);
}

/// A clock that is set.
struct set_clock {
  static inline std::chrono::steady_clock::time_point time{std::chrono::hours(1)};
  static std::chrono::steady_clock::time_point now() noexcept { return time; }
};

template <class Sync>
struct settle_timers {
  using wheel_type = settle::basic_timer_wheel<Sync, set_clock>;
  using timer = typename wheel_type::timer;

  wheel_type wheel;
  row_of<timer> timers{[this](timer* at) { ::new (static_cast<void*>(at)) timer(wheel); }};
  std::size_t ended = 0;

  void over(settle::timer_end) noexcept { ++ended; }

  void arm() {
    auto const& d = deadlines();
    auto const done = settle::timer_done::to<&settle_timers::over>(*this);
    auto const now = wheel.now();
    for (std::size_t i = 0; i != timer_count; ++i) timers[i].start(now + std::chrono::milliseconds(d[i]), done);
  }
  void cancel() {
    for (std::size_t i = 0; i != timer_count; ++i) timers[i].stop();
    wheel.advance(wheel.now());
  }
  void expire() {
    for (auto const end = set_clock::time + minute; set_clock::time != end;) {
      set_clock::time += std::chrono::milliseconds(1);
      wheel.advance(wheel.now());
    }
  }
};

/// By hand: a ring of lists, one for each millisecond.
class bound_timers {
 public:
  std::size_t ended = 0;

  void arm() {
    auto const& d = deadlines();
    for (std::size_t i = 0; i != timer_count; ++i) {
      timers_[i].call = [](bound_timers& self) { ++self.ended; };
      push(slots_[(now_ + d[i]) % slots], timers_[i]);
    }
  }
  void cancel() {
    for (std::size_t i = 0; i != timer_count; ++i) {
      remove(timers_[i]);
      timers_[i].call(*this);
    }
  }
  void expire() {
    for (std::uint64_t const end = now_ + static_cast<std::uint64_t>(minute.count()); now_ != end;) {
      link& head = slots_[++now_ % slots];
      while (head.next != &head) {
        auto& t = static_cast<timer&>(*head.next);
        remove(t);
        t.call(*this);
      }
    }
  }

 private:
  struct link {
    link* next = this;
    link* prev = this;
  };
  struct timer : link {
    void (*call)(bound_timers&) = nullptr;
  };
  static constexpr std::size_t slots = std::size_t{1} << 16;

  static void push(link& head, link& n) noexcept {
    n.next = &head;
    n.prev = head.prev;
    head.prev->next = &n;
    head.prev = &n;
  }
  static void remove(link& n) noexcept {
    n.prev->next = n.next;
    n.next->prev = n.prev;
  }

  std::vector<link> slots_ = std::vector<link>(slots);
  row_of<timer> timers_{[](timer* at) { ::new (static_cast<void*>(at)) timer; }};
  std::uint64_t now_ = 0;
};

}  // namespace bench

#endif
