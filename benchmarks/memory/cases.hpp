// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_MEMORY_CASES_HPP
#define SETTLE_BENCHMARKS_MEMORY_CASES_HPP

#include <settle/settle.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory_resource>
#include <vector>

#include "benchmark_case.hpp"
#include "core/workloads.hpp"

// arena: sixteen allocations of some sizes, then all of it is given back; the time is for the sixteen.
// block: a block as an operation has one is taken and given back; beside it what else decides what things cost.
namespace bench {

inline constexpr std::array<std::size_t, 16> sizes{16, 32, 24, 64, 8, 48, 128, 16, 40, 32, 96, 8, 24, 56, 16, 64};
inline constexpr std::size_t block_size = 128;

/// Sixteen times `take(bytes)`, what comes of it being looked at.
template <class Take>
inline void take_sixteen(Take take) {
  for (std::size_t const bytes : sizes) {
    void* p = take(bytes);
    escape(p);
  }
}

inline void settle_arena(std::size_t n) {
  alignas(std::max_align_t) static std::byte memory[4096];
  settle::arena arena(memory, sizeof memory);
  for (; n != 0; --n) {
    take_sixteen([&](std::size_t bytes) { return arena.allocate(bytes); });
    arena.reset();
  }
}
inline void settle_arena_as_resource(std::size_t n) {
  alignas(std::max_align_t) static std::byte memory[4096];
  settle::arena arena(memory, sizeof memory);
  std::pmr::memory_resource* as_any = &arena;
  for (; n != 0; --n) {
    escape(as_any);
    take_sixteen([&](std::size_t bytes) { return as_any->allocate(bytes); });
    arena.reset();
  }
}
/// A pointer that moves, and is compared with the end.
inline void bound_arena(std::size_t n) {
  alignas(std::max_align_t) static std::byte memory[4096];
  std::byte* next = memory;
  for (; n != 0; --n) {
    escape(next);
    take_sixteen([&](std::size_t bytes) -> void* {
      std::byte* const at = next;
      bytes = (bytes + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);
      if (bytes > static_cast<std::size_t>(memory + sizeof memory - at)) return nullptr;
      next = at + bytes;
      return at;
    });
    next = memory;
  }
}
inline void pmr_monotonic(std::size_t n) {
  alignas(std::max_align_t) static std::byte memory[4096];
  std::pmr::monotonic_buffer_resource arena(memory, sizeof memory, std::pmr::null_memory_resource());
  for (; n != 0; --n) {
    take_sixteen([&](std::size_t bytes) { return arena.allocate(bytes); });
    arena.release();
  }
}
inline void malloc_sixteen(std::size_t n) {
  for (; n != 0; --n) {
    std::array<void*, sizes.size()> taken;
    std::size_t k = 0;
    take_sixteen([&](std::size_t bytes) { return taken[k++] = std::malloc(bytes); });
    for (void* const p : taken) std::free(p);
  }
}

inline void recycled_block(std::size_t n) {
  for (; n != 0; --n) {
    void* p = settle::recycling::try_allocate(block_size, alignof(std::max_align_t));
    escape(p);
    settle::recycling::deallocate(p, block_size, alignof(std::max_align_t));
  }
}
inline void malloc_block(std::size_t n) {
  for (; n != 0; --n) {
    void* p = std::malloc(block_size);
    escape(p);
    std::free(p);
  }
}
inline void pmr_pool_block(std::size_t n) {
  static std::pmr::unsynchronized_pool_resource pool;
  for (; n != 0; --n) {
    void* p = pool.allocate(block_size);
    escape(p);
    pool.deallocate(p, block_size);
  }
}

/// What decides the design: an atomic read-modify-write, and a callback that does not fit its std::function.
inline void atomic_add(std::size_t n) {
  static std::atomic<std::uint64_t> word{0};
  for (; n != 0; --n) word.fetch_add(1, std::memory_order_acq_rel);
}
inline void heap_function(std::size_t n) {
  for (; n != 0; --n) {
    std::array<long, 4> const kept{1, 2, 3, static_cast<long>(n)};
    std::function<void()> f = [kept] { sum += kept[3]; };
    escape(f);
    f();
  }
}

inline std::vector<benchmark_case> all_cases() {
  return {{"arena/direct/ours", &settle_arena},
          {"arena/direct/bound", &bound_arena},
          {"arena/direct/pmr::monotonic", &pmr_monotonic},
          {"arena/direct/malloc", &malloc_sixteen},
          {"arena/resource/ours", &settle_arena_as_resource},
          {"arena/resource/pmr::monotonic", &pmr_monotonic},
          {"block/recycled/ours", &recycled_block},
          {"block/recycled/malloc", &malloc_block},
          {"block/recycled/pmr::pool", &pmr_pool_block},
          {"block/recycled/fetch_add", &atomic_add},
          {"block/recycled/std::function", &heap_function}};
}

inline std::vector<size_case> all_sizes() { return {}; }

}  // namespace bench

#endif
