// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_QUARANTINE_HPP
#define SETTLE_TESTING_WEAVE_QUARANTINE_HPP

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <new>
#include <vector>

#include "../../detail/exceptions.hpp"
#include "clock.hpp"
#include "sanitizers.hpp"

namespace settle::inline v0::testing::weave {

/// The memory of one execution: a region for each thread, so that addresses do not depend on who allocates first, and
/// nothing is used twice. What was given back is overwritten; AddressSanitizer traps who touches it.
class quarantine {
 public:
  struct block {
    std::byte* at;
    std::size_t bytes;
    std::uint32_t first_location = 0;  // id + 1 of an atomic object in it
    bool freed = false;
  };

  quarantine() {
    void* const p = mmap(nullptr, region * max_threads, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) detail::raise(std::bad_alloc());
    base_ = static_cast<std::byte*>(p);
  }
  quarantine(quarantine&&) = delete;
  ~quarantine() {
    reset();
    munmap(base_, region * max_threads);
  }

  void reset() noexcept {
    for (unsigned t = 0; t != max_threads; ++t) {
      if (used_[t] != 0) unpoison(base_ + region * t, used_[t]);
      used_[t] = 0;
      blocks_[t].clear();
    }
    live_ = 0;
  }

  /// Null: the region is full.
  void* allocate(unsigned thread, std::size_t bytes, std::size_t align) {
    std::size_t const a = std::max<std::size_t>(align, 16);
    std::size_t const start = (used_[thread] + a - 1) / a * a;
    std::size_t const end = start + (std::max<std::size_t>(bytes, 1) + 15) / 16 * 16 + 16;  // never touched: a gap
    if (end > region) return nullptr;
    std::byte* const p = base_ + region * thread + start;
    std::memset(p, fresh, bytes);
    poison(p + bytes, 16);
    used_[thread] = end;
    blocks_[thread].push_back({p, bytes});
    ++live_;
    return p;
  }

  /// The block around an address; null: none of ours.
  block* find(void const* address) noexcept {
    auto const* const p = static_cast<std::byte const*>(address);
    if (p < base_ || p >= base_ + region * max_threads) return nullptr;
    auto& b = blocks_[static_cast<std::size_t>(p - base_) / region];
    auto after = std::ranges::upper_bound(b, p, std::ranges::less(), &block::at);
    return after == b.begin() || p >= (after - 1)->at + (after - 1)->bytes ? nullptr : &*(after - 1);
  }

  void retire(block& b) noexcept {
    b.freed = true;
    --live_;
    std::memset(b.at, stale, b.bytes);
    poison(b.at, b.bytes);
  }

  std::size_t live() const noexcept { return live_; }

 private:
  static constexpr std::size_t region = std::size_t{4} << 20;
  static constexpr int fresh = 0xcd;
  static constexpr int stale = 0xdd;

  std::byte* base_;
  std::array<std::size_t, max_threads> used_{};
  std::array<std::vector<block>, max_threads> blocks_;
  std::size_t live_ = 0;
};

}  // namespace settle::inline v0::testing::weave

#endif
