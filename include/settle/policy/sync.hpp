// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_SYNC_HPP
#define SETTLE_POLICY_SYNC_HPP

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace settle::inline v0 {

/// What all that threads share is made of. An explorer supplies its own.
///
/// - `atomic<T>`: as std::atomic. `plain<T>`: T; an explorer looks for races on it.
/// - `per_thread<T>()`: one zero-initialised T for each thread.
/// - `pause(n, word)`: called in the n-th round of waiting until another thread has written `word`.
/// - `event`: one thread blocks in `wait()` or `wait_until(t)` until another has called `set()`, once.
/// - `this_thread_id()`.
/// - `one_thread`, where it is named: there is one thread only, nobody is locked out.
struct std_sync {
  /// The standard's.
  template <class T>
  using atomic = std::atomic<T>;
  /// A T that one thread at a time uses.
  template <class T>
  using plain = T;
  using mutex = std::mutex;  ///< for books kept beside operations; no operation takes one

  /// One zero-initialised T for each thread.
  template <class T>
  static T& per_thread() noexcept {
    static constinit thread_local T slot{};
    return slot;
  }

  /// Gives the core away after some rounds.
  template <class T>
  static void pause(unsigned round, std::atomic<T> const&) noexcept {
    // Whoever holds the lock bit runs a few instructions; give the core away when it was preempted in them.
    if (round > 16) std::this_thread::yield();
  }
  /// `set` touches nothing once the waiter may have returned.
  class event {
   public:
    /// Wakes the one who waits. Once.
    void set() {
      std::lock_guard<std::mutex> const guard(mutex_);
      is_set_ = true;
      changed_.notify_one();
    }
    /// Blocks until set.
    void wait() {
      std::unique_lock<std::mutex> guard(mutex_);
      changed_.wait(guard, [&] { return is_set_; });
    }
    /// False: not set in time.
    template <class Clock, class Duration>
    bool wait_until(std::chrono::time_point<Clock, Duration> const& t) {
      std::unique_lock<std::mutex> guard(mutex_);
      return changed_.wait_until(guard, t, [&] { return is_set_; });
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_set_ = false;
  };

  /// An identity of the calling thread.
  static std::thread::id this_thread_id() noexcept { return std::this_thread::get_id(); }
};

}  // namespace settle::inline v0

#endif
