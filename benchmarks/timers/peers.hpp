// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_TIMERS_PEERS_HPP
#define SETTLE_BENCHMARKS_TIMERS_PEERS_HPP

#include <system_error>

#include "workloads.hpp"

#if defined(SETTLE_BENCH_ASIO)
#include <asio/basic_waitable_timer.hpp>
#include <asio/io_context.hpp>
#endif
#if defined(SETTLE_BENCH_UV)
#include <uv.h>
#endif

// What people use instead.
namespace bench {

#if defined(SETTLE_BENCH_ASIO)

struct asio_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<asio_clock>;
  static constexpr bool is_steady = true;
  static inline time_point time{std::chrono::hours(1)};
  static time_point now() noexcept { return time; }
};

/// `Hint`: how many threads the loop is for.
template <int Hint>
struct asio_timers {
  using timer = asio::basic_waitable_timer<asio_clock>;

  asio::io_context loop{Hint};
  row_of<timer> timers{[this](timer* at) { ::new (static_cast<void*>(at)) timer(loop); }};
  std::size_t ended = 0;

  void arm() {
    auto const& d = deadlines();
    auto const now = asio_clock::now();
    for (std::size_t i = 0; i != timer_count; ++i) {
      timers[i].expires_at(now + std::chrono::milliseconds(d[i]));
      timers[i].async_wait([this](std::error_code) { ++ended; });
    }
  }
  void cancel() {
    for (std::size_t i = 0; i != timer_count; ++i) timers[i].cancel();
    run();
  }
  void expire() {
    asio_clock::time += minute;
    run();
  }
  void run() {
    loop.restart();
    loop.poll();
  }
};

#endif

#if defined(SETTLE_BENCH_UV)

/// A loop that is there before its timers, and goes after them.
struct uv_loop : uv_loop_t {
  uv_loop() { uv_loop_init(this); }
  uv_loop(uv_loop&&) = delete;
  ~uv_loop() { uv_loop_close(this); }
};

struct uv_timers {
  uv_loop loop;
  row_of<uv_timer_t> timers{[this](uv_timer_t* at) {
    uv_timer_init(&loop, at);
    at->data = this;
  }};
  std::size_t ended = 0;

  uv_timers() = default;
  uv_timers(uv_timers&&) = delete;
  ~uv_timers() {
    for (std::size_t i = 0; i != timer_count; ++i) uv_close(reinterpret_cast<uv_handle_t*>(&timers[i]), nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
  }

  /// The loop's time is the last one it looked at; it is put back, so that the minute has passed when it looks again.
  void arm() {
    auto const& d = deadlines();
    uv_update_time(&loop);
    loop.time -= static_cast<std::uint64_t>(minute.count());
    for (std::size_t i = 0; i != timer_count; ++i) uv_timer_start(&timers[i], &over, d[i], 0);
  }
  void cancel() {
    for (std::size_t i = 0; i != timer_count; ++i) uv_timer_stop(&timers[i]);
    ended += timer_count;  // its callback is not called
  }
  void expire() { uv_run(&loop, UV_RUN_NOWAIT); }

 private:
  static void over(uv_timer_t* t) { ++static_cast<uv_timers*>(t->data)->ended; }
};

#endif

}  // namespace bench

#endif
