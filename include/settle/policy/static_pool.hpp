// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_STATIC_POOL_HPP
#define SETTLE_POLICY_STATIC_POOL_HPP

#include <bit>
#include <cstddef>
#include <cstdint>

#include "sync.hpp"

namespace settle::inline v0 {

/// N blocks of Bytes each in static storage: operations without a heap.
///
/// An operation takes one block for its state and one for each hook on it. Full, or asked for more than Bytes or a larger
/// alignment than std::max_align_t's, it says null: `resolver(std::nothrow)` is empty then, a registration reports no
/// memory. Ownership: one pool for each combination of the arguments; give policies that must not share one a Tag each.
/// Throws nothing. Threads: any; with `single_thread_sync` as Sync one, and no atomic operation. Cost: one atomic
/// operation each way, a walk of N / 64 words.
///
/// ```cpp
/// struct radio : settle::default_policy {
///   using cleanup        = settle::fixed_cleanup<2>;
///   using allocator_type = settle::static_pool<8, 192>;
/// };
/// ```
template <std::size_t N, std::size_t Bytes, class Sync = std_sync, class Tag = void>
struct static_pool {
  static_assert(N > 0 && Bytes > 0, "settle: a static_pool needs at least one block of at least one byte");

  /// A block, or null: full, too large, or too strictly aligned.
  [[nodiscard]] static void* try_allocate(std::size_t bytes, std::size_t align) noexcept {
    if (bytes > Bytes || align > alignof(std::max_align_t)) return nullptr;
    for (std::size_t i = 0; i != words; ++i) {
      std::uint64_t seen = taken_[i].load(std::memory_order_relaxed);
      while (seen != full(i)) {
        auto const bit = static_cast<std::size_t>(std::countr_one(seen));
        if (taken_[i].compare_exchange_weak(seen, seen | (std::uint64_t{1} << bit), std::memory_order_acquire, std::memory_order_relaxed))
          return blocks_[(i * 64) + bit].bytes;
      }
    }
    return nullptr;
  }
  /// The block is free again.
  static void deallocate(void* p, std::size_t /*bytes*/, std::size_t /*align*/) noexcept {
    auto const at = static_cast<std::size_t>(static_cast<block*>(p) - blocks_);
    taken_[at / 64].fetch_and(~(std::uint64_t{1} << (at % 64)), std::memory_order_release);
  }

  /// How many blocks are out; exact when nothing is under way.
  [[nodiscard]] static std::size_t in_use() noexcept {
    std::size_t n = 0;
    for (auto& word : taken_) n += static_cast<std::size_t>(std::popcount(word.load(std::memory_order_relaxed)));
    return n;
  }

 private:
  struct alignas(std::max_align_t) block {
    std::byte bytes[Bytes];
  };
  static constexpr std::size_t words = (N + 63) / 64;
  static constexpr std::uint64_t full(std::size_t i) noexcept {
    return i + 1 < words || N % 64 == 0 ? ~std::uint64_t{0} : (std::uint64_t{1} << (N % 64)) - 1;
  }

  static inline constinit block blocks_[N]{};
  static inline constinit typename Sync::template atomic<std::uint64_t> taken_[words]{};
};

}  // namespace settle::inline v0

#endif
