// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_TIMERS_HPP
#define SETTLE_ASIO_TIMERS_HPP

#include <asio/basic_waitable_timer.hpp>
#include <asio/strand.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

#include "../detail/exceptions.hpp"
#include "../policy/timer_service.hpp"

namespace settle::inline v0 {

namespace detail {

template <class Ex>
inline constexpr bool asio_is_strand = false;
template <class Ex>
inline constexpr bool asio_is_strand<::asio::strand<Ex>> = true;

/// Room for a wait, inside its timer.
struct asio_wait_room {
  static constexpr std::size_t size = 192;

  bool taken = false;
  alignas(std::max_align_t) std::byte bytes[size];
};

template <class T = void>
struct asio_wait_allocator {
  using value_type = T;
  asio_wait_room* room;

  explicit asio_wait_allocator(asio_wait_room* r) noexcept : room(r) {}
  template <class U>
  asio_wait_allocator(asio_wait_allocator<U> const& o) noexcept : room(o.room) {}

  T* allocate(std::size_t n) const {
    std::size_t const bytes = n * sizeof(T);
    if (room == nullptr || bytes > asio_wait_room::size || alignof(T) > alignof(std::max_align_t) || std::exchange(room->taken, true))
      return static_cast<T*>(::operator new(bytes));
    return static_cast<T*>(static_cast<void*>(room->bytes));
  }
  void deallocate(T* p, std::size_t) const noexcept {
    if (room != nullptr && static_cast<void*>(p) == room->bytes) room->taken = false;
    else ::operator delete(p);
  }
  friend bool operator==(asio_wait_allocator const& a, asio_wait_allocator const& b) noexcept { return a.room == b.room; }
};

/// What the context calls, or destroys with its queue.
template <class Timer>
class asio_wait {
 public:
  using allocator_type = asio_wait_allocator<>;

  asio_wait(Timer& t, asio_wait_room* room) noexcept : timer_(&t), room_(room) {}
  asio_wait(asio_wait&& o) noexcept : timer_(std::exchange(o.timer_, nullptr)), room_(o.room_) {}
  ~asio_wait() {
    if (timer_ != nullptr) timer_->lost();
  }

  void operator()(std::error_code ec) { std::exchange(timer_, nullptr)->over(ec ? timer_end::stopped : timer_end::fired); }
  allocator_type get_allocator() const noexcept { return allocator_type(room_); }

 private:
  Timer* timer_;
  asio_wait_room* room_;
};

}  // namespace detail

/// The timers of an Asio executor, a strand or an any_io_executor included: a timer_service over
/// `asio::basic_waitable_timer`. `executor_traits` finds it.
///
/// Threads: `stop` from any thread, one at a time. A context that is destroyed ends its timers as lost. Starting
/// allocates nothing of ours but on a strand, which gets the wait from the heap (it would keep our memory for too long);
/// the context itself may have to grow its own queue of timers, and start() is false when it cannot.
template <class Ex>
class asio_timers {
 public:
  /// A timer as timer_service asks for it: an asio::basic_waitable_timer, made when it is started.
  class timer {
   public:
    /// Not started. Allocates nothing.
    explicit timer(asio_timers const& s) noexcept : ex_(s.ex_) {}
    timer(timer&&) = delete;

    /// False when Asio could not take it. Call it where the executor runs, or where nothing else uses the timer.
    bool start(std::chrono::steady_clock::time_point when, timer_done done) noexcept {
      bool ok = true;
      done_ = done;
      starting_.store(true, std::memory_order_relaxed);
      detail::guarded(
          [&] {
            wait_.emplace(*ex_, when);
            wait_->async_wait(detail::asio_wait<timer>(*this, detail::asio_is_strand<Ex> ? nullptr : &room_));
          },
          [&](std::exception_ptr const&) { ok = false; });
      starting_.store(false, std::memory_order_release);  // the last touch: it may have ended meanwhile
      return ok;
    }
    /// Cancels the wait; on the executor only.
    void stop() noexcept {
      if (wait_) detail::guarded([&] { wait_->cancel(); }, [](std::exception_ptr const&) {});
    }

   private:
    friend class detail::asio_wait<timer>;

    void over(timer_end how) noexcept {
      while (starting_.load(std::memory_order_acquire)) std::this_thread::yield();  // another thread is about to return
      done_(how);
    }
    /// The context goes down, and the timer must not outlast it.
    void lost() noexcept {
      if (starting_.load(std::memory_order_relaxed)) return;  // it did not begin: start() says so
      wait_.reset();
      ex_.reset();
      done_(timer_end::lost);
    }

    timer_done done_;
    std::atomic<bool> starting_{false};
    std::optional<Ex> ex_;
    std::optional<::asio::basic_waitable_timer<std::chrono::steady_clock, ::asio::wait_traits<std::chrono::steady_clock>, Ex>> wait_;
    detail::asio_wait_room room_;
  };

  /// Over a copy of the executor.
  explicit asio_timers(Ex const& ex) noexcept : ex_(ex) {}

  /// The steady clock.
  static std::chrono::steady_clock::time_point now() noexcept { return std::chrono::steady_clock::now(); }

 private:
  Ex ex_;
};

}  // namespace settle::inline v0

#endif
