// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TIME_TIMER_WHEEL_HPP
#define SETTLE_TIME_TIMER_WHEEL_HPP

#include <bit>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "../detail/wheel_slots.hpp"
#include "../policy/single_thread_sync.hpp"
#include "../policy/sync.hpp"
#include "../policy/timer_service.hpp"

namespace settle::inline v0 {

/// A timer_service for thread pools and loops of your own: you say when time has passed, it calls what is due.
///
/// The driver is a thread of the executor whose timers these are: it waits for work or until `next_expiry()`, whichever
/// comes first, and calls `advance(now)`. When an earlier expiry comes up meanwhile, `wake(context)` is called, on the
/// thread that started or stopped a timer and under no lock of the wheel.
///
/// Never early; late by the resolution at most. Equal deadlines fire in the order in which they were started, within
/// one step of the resolution also others. Time that goes back is ignored; time that jumps fires what it passed, in order.
///
/// Ownership: timers are the operations' (48 bytes each), the wheel links them. A wheel that is destroyed, or closed, ends the
/// timers it has left as lost; then, and only then, may a timer outlive it.
/// Threads (std_sync): every member, `start` and `stop` from any thread; `basic_timer_wheel<single_thread_sync>` is for one
/// and takes no lock. Several threads may drive: each timer ends once.
/// Cost: O(1) to start and to stop, amortised O(1) to fire; no allocation at all. 17 KiB.
///
/// ```cpp
/// settle::timer_wheel wheel;
/// settle::timer_wheel::timer t(wheel);
/// t.start(wheel.now() + 20ms, done);
/// while (wheel.next_expiry() != std::chrono::steady_clock::time_point::max()) {
///   std::this_thread::sleep_until(wheel.next_expiry());
///   wheel.advance(wheel.now());
/// }
/// ```
template <class Sync = std_sync, class Clock = std::chrono::steady_clock>
class basic_timer_wheel {
 public:
  /// What deadlines are told in.
  using time_point = std::chrono::steady_clock::time_point;

  /// A timer as timer_service asks for it: 48 bytes, linked into the wheel while it is started.
  class timer : detail::wheel_node {
   public:
    /// Not started.
    explicit timer(basic_timer_wheel& w) noexcept : wheel_(&w) { tick = ended; }
    timer(timer&&) = delete;
    ~timer() { assert(tick >= stopped && "settle: a timer is destroyed before it has ended"); }

    /// May be called again once it has ended.
    bool start(time_point when, timer_done done) noexcept {
      basic_timer_wheel* const w = wheel_.load(std::memory_order_relaxed);
      return w != nullptr && w->start(*this, when, done);
    }
    /// It lets go at the next `advance`.
    void stop() noexcept {
      if (basic_timer_wheel* const w = wheel_.load(std::memory_order_relaxed)) w->stop(*this);
    }

   private:
    friend class basic_timer_wheel;

    timer_done done_;
    typename Sync::template atomic<basic_timer_wheel*> wheel_;  // null: it is closed
  };

  /// `resolution`: rounded down to a power of two of nanoseconds.
  explicit basic_timer_wheel(std::chrono::nanoseconds resolution = std::chrono::milliseconds(1), void (*wake)(void*) noexcept = nullptr,
                             void* context = nullptr) noexcept
      : origin_(now()),
        shift_(resolution.count() < 1 ? 0 : static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(resolution.count())) - 1)),
        wake_(wake),
        context_(context) {}
  basic_timer_wheel(basic_timer_wheel&&) = delete;
  ~basic_timer_wheel() { close(); }

  /// The clock.
  static time_point now() noexcept { return Clock::now(); }

  /// Ends what is due by `now`, and what was stopped, on this thread. What that starts anew waits for the next call.
  void advance(time_point now) noexcept {
    detail::wheel_list due;
    {
      guard const hold(lock_);
      std::uint64_t const to = ticks(now, 0);
      if (to > slots_.now()) turn(to);
      due.append(due_);
      size_ -= due_size_;
      due_size_ = 0;
    }
    while (!due.empty()) {
      auto& t = static_cast<timer&>(due.pop());
      timer_done const done = t.done_;
      done(t.tick == stopped ? timer_end::stopped : timer_end::fired);
    }
  }

  /// When to call advance next: not later than the next timer ends. time_point::min(): now; max(): nothing is started.
  /// It may come before any timer is due; advance then only brings some nearer.
  time_point next_expiry() noexcept {
    guard const hold(lock_);
    wake_at_ = !due_.empty() ? 0 : slots_.empty() ? never : slots_.next();
    return !due_.empty() ? time_point::min() : slots_.empty() ? time_point::max() : time_of(wake_at_);
  }

  /// Ends what is started as lost, on this thread; nothing starts any more. Not from several threads at once.
  void close() noexcept {
    detail::wheel_list left;
    detail::wheel_list lost;
    {
      guard const hold(lock_);
      closed_ = true;
      size_ = due_size_ = 0;
      left.append(due_);
      slots_.take_all(left);
      while (!left.empty()) {
        auto& t = static_cast<timer&>(left.pop());
        t.tick = ended;
        t.wheel_.store(nullptr, std::memory_order_relaxed);
        lost.push(t);
      }
    }
    while (!lost.empty()) {
      timer_done const done = static_cast<timer&>(lost.pop()).done_;
      done(timer_end::lost);
    }
  }

  /// How many timers are started and have not been handed to their end.
  std::size_t size() const noexcept {
    guard const hold(lock_);
    return size_;
  }

 private:
  // A timer's tick, where it is in no slot, says how it ended, or is about to end.
  static constexpr std::uint64_t ended = ~std::uint64_t{0};
  static constexpr std::uint64_t stopped = ended - 1;
  static constexpr std::uint64_t never = ended - 2;

  class guard {
   public:
    explicit guard(typename Sync::mutex& m) noexcept : mutex_(&m) { m.lock(); }
    guard(guard&&) = delete;
    ~guard() { mutex_->unlock(); }

   private:
    typename Sync::mutex* mutex_;
  };

  bool start(timer& t, time_point when, timer_done done) noexcept {
    bool earlier = false;
    {
      guard const hold(lock_);
      if (closed_) return false;
      t.done_ = done;
      std::uint64_t const tick = ticks(when, (std::uint64_t{1} << shift_) - 1);
      std::uint64_t at = 0;
      ++size_;
      if (tick <= slots_.now()) {
        end(t, ended);
      } else {
        t.tick = tick;
        at = slots_.insert(t);
      }
      earlier = at < wake_at_;
      if (earlier) wake_at_ = at;
    }
    if (earlier && wake_ != nullptr) wake_(context_);
    return true;
  }

  void stop(timer& t) noexcept {
    bool earlier = false;
    {
      guard const hold(lock_);
      if (t.tick >= stopped) return;
      slots_.remove(t);
      end(t, stopped);
      earlier = wake_at_ != 0;
      wake_at_ = 0;
    }
    if (earlier && wake_ != nullptr) wake_(context_);
  }

  void end(timer& t, std::uint64_t how) noexcept {
    t.tick = how;
    due_.push(t);
    ++due_size_;
  }

  void turn(std::uint64_t to) noexcept {
    detail::wheel_list fired;
    slots_.turn(to, fired);
    for (detail::wheel_list::fetcher ahead(fired); !fired.empty();) {
      auto& t = static_cast<timer&>(fired.pop());
      ahead.step();
      end(t, ended);
    }
  }

  /// Ticks since the origin, rounded up by `up` (the resolution less one) or down.
  std::uint64_t ticks(time_point t, std::uint64_t up) const noexcept {
    if (t <= origin_) return 0;
    auto const since =
        static_cast<std::uint64_t>(t.time_since_epoch().count()) - static_cast<std::uint64_t>(origin_.time_since_epoch().count());
    std::uint64_t const n = (since >> shift_) + ((since & up) != 0 ? 1 : 0);
    return n < never ? n : never;
  }
  time_point time_of(std::uint64_t tick) const noexcept {
    auto const room = static_cast<std::uint64_t>(time_point::max().time_since_epoch().count()) -
                      static_cast<std::uint64_t>(origin_.time_since_epoch().count());
    if (tick > room >> shift_) return time_point::max();
    return time_point(
        time_point::duration(static_cast<std::int64_t>(static_cast<std::uint64_t>(origin_.time_since_epoch().count()) + (tick << shift_))));
  }

  typename Sync::mutex mutable lock_;
  time_point origin_;
  unsigned shift_;
  bool closed_ = false;
  std::size_t size_ = 0;
  std::size_t due_size_ = 0;
  std::uint64_t wake_at_ = never;  // when the driver comes by
  void (*wake_)(void*) noexcept;
  void* context_;
  detail::wheel_list due_;
  detail::wheel_slots slots_;
};

/// For any number of threads.
using timer_wheel = basic_timer_wheel<>;

}  // namespace settle::inline v0

#endif
