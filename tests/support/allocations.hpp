// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_ALLOCATIONS_HPP
#define SETTLE_TESTS_ALLOCATIONS_HPP

#include <cstdint>

#include "scale.hpp"

#if defined(__GLIBC__) && !defined(SETTLE_TEST_SANITIZED)
#define SETTLE_TEST_HEAP_RUNS_DRY 1
#endif
#if !defined(SETTLE_TEST_THREAD_SANITIZED)  // that sanitizer defines operator new itself, and lets nobody else
#define SETTLE_TEST_NEW_RUNS_DRY 1
#endif

namespace test {

/// Elsewhere than with glibc nobody may stand before malloc: only operator new is counted there.
#if defined(__GLIBC__) || defined(SETTLE_TEST_SANITIZED)
inline constexpr bool counts_malloc = true;
#else
inline constexpr bool counts_malloc = false;
#endif

/// How often this thread asked for memory so far, by operator new or malloc (see allocations.cpp).
std::uint64_t allocations_of_this_thread() noexcept;

/// How much of that this thread did not give back: meaningful when no other thread allocates for it.
std::int64_t live_allocations_of_this_thread() noexcept;

/// The bytes of that, as large as the C library made the blocks (a few bytes more than were asked for, now and then); elsewhere than with
/// glibc, and under a sanitizer, nothing.
std::int64_t live_bytes_of_this_thread() noexcept;

/// Counts what this thread allocates from here on.
class allocation_count {
 public:
  std::uint64_t now() const noexcept { return allocations_of_this_thread() - before_; }

 private:
  std::uint64_t before_ = allocations_of_this_thread();
};

#if defined(SETTLE_TEST_HEAP_RUNS_DRY)
/// The next `n` allocations of this thread succeed, then none does (or one does not), until this goes.
class no_heap_after {
 public:
  explicit no_heap_after(std::int64_t n, bool once = false) noexcept;
  no_heap_after(no_heap_after&&) = delete;
  ~no_heap_after();
  /// How many did not succeed.
  std::uint64_t failures() const noexcept;
};
#endif

#if defined(SETTLE_TEST_NEW_RUNS_DRY)
/// The next `n` allocations that this thread makes by nothrow `operator new`, as `settle::recycling` does, succeed, then none
/// does, until this goes. What settle keeps for the thread is in the way: `settle::trim()` first.
class no_memory_after {
 public:
  explicit no_memory_after(std::int64_t n) noexcept;
  no_memory_after(no_memory_after&&) = delete;
  ~no_memory_after();
};
#endif

}  // namespace test

#endif
