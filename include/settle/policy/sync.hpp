// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_SYNC_HPP
#define SETTLE_POLICY_SYNC_HPP

#include <atomic>
#include <cstdint>
#include <thread>

namespace settle::inline v0 {

/// What all that threads share is made of. An explorer supplies its own.
///
/// - `atomic<T>`: as std::atomic. `plain<T>`: T; an explorer looks for races on it.
/// - `per_thread<T>()`: one zero-initialised T for each thread.
/// - `pause(n, word)`: called in the n-th round of waiting until another thread has written `word`.
/// - `park(word, seen)`, `unpark(word)`: block while `word == seen`; wake all who block.
/// - `this_thread_id()`.
struct std_sync {
  template <class T>
  using atomic = std::atomic<T>;
  template <class T>
  using plain = T;

  template <class T>
  static T& per_thread() noexcept {
    static constinit thread_local T slot{};
    return slot;
  }

  template <class T>
  static void pause(unsigned round, std::atomic<T> const&) noexcept {
    // Whoever holds the lock bit runs a few instructions; give the core away when it was preempted in them.
    if (round > 16) std::this_thread::yield();
  }
  template <class T>
  static void park(std::atomic<T> const& word, T seen) noexcept {
    word.wait(seen, std::memory_order_acquire);
  }
  template <class T>
  static void unpark(std::atomic<T>& word) noexcept {
    word.notify_all();
  }
  static std::thread::id this_thread_id() noexcept { return std::this_thread::get_id(); }
};

}  // namespace settle::inline v0

#endif
