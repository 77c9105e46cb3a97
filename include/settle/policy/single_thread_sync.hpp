// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_SINGLE_THREAD_SYNC_HPP
#define SETTLE_POLICY_SINGLE_THREAD_SYNC_HPP

#include <cassert>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <type_traits>

#include "sync.hpp"

namespace settle::inline v0 {

/// What operations of one thread are made of: std_sync's interface over plain integers, memory orders ignored. No member
/// compiles to an atomic instruction.
///
/// Threads: an operation belongs to the thread that created it; the words it is made of remember that thread, and an assert
/// traps any other (with NDEBUG nothing is checked). Different threads may each have operations of their own.
/// Blocking is trapped with one sentence and std::terminate, in every build: nobody else could end the wait.
struct single_thread_sync {
  static constexpr bool one_thread = true;  ///< nobody is locked out

  template <class T>
  class atomic;
  /// A T: nobody else is there.
  template <class T>
  using plain = T;

  /// Locks nothing; for books kept beside operations.
  struct mutex {
    static void lock() noexcept {}                    ///< nothing
    static void unlock() noexcept {}                  ///< nothing
    static bool try_lock() noexcept { return true; }  ///< always
  };

  /// One zero-initialised T for each thread.
  template <class T>
  static T& per_thread() noexcept {
    return std_sync::per_thread<T>();
  }

  /// Waiting for oneself: only a value whose move looks at its own operation comes here.
  template <class T>
  [[noreturn]] static void pause(unsigned /*round*/, atomic<T> const&) noexcept {
    trap("an operation is ended from inside the move of its own value: it would wait for itself");
  }

  /// Nobody could set it: waiting is trapped.
  class event {
   public:
    void set() noexcept {}  ///< nobody waits
    /// Traps.
    [[noreturn]] static void wait() noexcept { trap("a blocking wait for an operation of this very thread: nobody else could end it"); }
    /// Traps.
    template <class TimePoint>
    static bool wait_until(TimePoint const&) noexcept {
      wait();
    }
  };

  /// Not std::thread::id: it need not be printed, and asking for it is no call.
  static std::uint32_t this_thread_id() noexcept {
    // An address that no other living thread has; the lower bits are the same in all of them.
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(&per_thread<std::uint64_t>()) / alignof(std::uint64_t));
  }

 private:
  [[noreturn]] static void trap(char const* sentence) noexcept {
    std::fprintf(stderr, "settle: %s\n", sentence);
    std::terminate();
  }

  /// The words of a state remember whose they are; flags and pointers beside them need not.
  template <class T>
  // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are none
  static constexpr bool remembers_owner = std::integral<T> && sizeof(T) >= sizeof(std::uint32_t);

  class owner {
   public:
    constexpr owner() noexcept { assert(remember()); }
    bool is_here() const noexcept { return thread_ == 0 || thread_ == this_thread_id(); }

   private:
    constexpr bool remember() noexcept {
      thread_ = std::is_constant_evaluated() ? 0 : this_thread_id();
      return true;
    }

    std::uint32_t thread_ = 0;  // 0: made before any thread ran, or where nothing is checked
  };
  struct nobody {
    static constexpr bool is_here() noexcept { return true; }
  };
};

/// The part of std::atomic that the core uses.
template <class T>
class single_thread_sync::atomic {
 public:
  constexpr atomic() noexcept = default;
  /// With a first value.
  constexpr atomic(T v) noexcept : value_(v) {}
  atomic(atomic&&) = delete;

  /// The value.
  T load(std::memory_order = std::memory_order_seq_cst) const noexcept {
    check();
    return value_;
  }
  /// Replaces the value.
  void store(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    check();
    value_ = v;
  }
  /// Replaces the value, yields the old one.
  T exchange(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    return update([&](T) { return v; });
  }
  /// Replaces the value when it is as expected; else says what it is.
  bool compare_exchange_strong(T& expected, T v, std::memory_order = std::memory_order_seq_cst,
                               std::memory_order = std::memory_order_seq_cst) noexcept {
    check();
    bool const same = value_ == expected;
    if (same) value_ = v;
    else expected = value_;
    return same;
  }
  /// The same; never fails without a reason.
  bool compare_exchange_weak(T& expected, T v, std::memory_order o = std::memory_order_seq_cst,
                             std::memory_order f = std::memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, v, o, f);
  }
  /// Adds, yields the old value.
  T fetch_add(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    return update([&](T old) { return static_cast<T>(old + v); });
  }
  /// Subtracts, yields the old value.
  T fetch_sub(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    return update([&](T old) { return static_cast<T>(old - v); });
  }
  /// Keeps the bits of v, yields the old value.
  T fetch_and(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    return update([&](T old) { return static_cast<T>(old & v); });
  }
  /// Adds the bits of v, yields the old value.
  T fetch_or(T v, std::memory_order = std::memory_order_seq_cst) noexcept {
    return update([&](T old) { return static_cast<T>(old | v); });
  }

 private:
  template <class F>
  T update(F f) noexcept {
    check();
    T const old = value_;
    value_ = f(old);
    return old;
  }
  void check() const noexcept { assert(owner_.is_here() && "settle: a second thread uses an operation of unsynchronized_terminal"); }

  T value_{};
  [[no_unique_address]] std::conditional_t<remembers_owner<T>, owner, nobody> owner_;
};

}  // namespace settle::inline v0

#endif
