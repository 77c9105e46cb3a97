// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_RECYCLING_HPP
#define SETTLE_POLICY_RECYCLING_HPP

#include <array>
#include <cstddef>
#include <new>
#include <utility>

#include "sync.hpp"

namespace settle::inline v0 {

namespace detail {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool watched_by_address_sanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool watched_by_address_sanitizer = true;
#else
inline constexpr bool watched_by_address_sanitizer = false;
#endif
#else
inline constexpr bool watched_by_address_sanitizer = false;
#endif

/// One thread's blocks of a few sizes, each size bounded. All zero is a valid cache: one that is not in use yet.
class block_cache {
 public:
  static constexpr std::size_t step = 64;              // sizes are multiples of it
  static constexpr std::size_t largest = 16 * step;    // larger ones are not kept
  static constexpr std::size_t kept_bytes = 1U << 17;  // of each size

  static block_cache& here() noexcept { return std_sync::per_thread<block_cache>(); }

  /// Null when there is no memory.
  void* take(std::size_t bytes) noexcept {
    shelf& s = shelves_[index(bytes)];
    if (s.top == nullptr) return take_new(size(index(bytes)));
    block* const b = s.top;
    s.top = b->below;
    return b;
  }
  void give(void* p, std::size_t bytes) noexcept {
    shelf& s = shelves_[index(bytes)];
    std::size_t const height = s.top == nullptr ? 1 : s.top->height + 1;
    if (height > s.most) [[unlikely]]
      return give_to_full(p, bytes);
    s.top = ::new (p) block{s.top, height};
  }
  void empty() noexcept {
    for (shelf& s : shelves_)
      while (s.top != nullptr) ::operator delete(std::exchange(s.top, s.top->below));
  }

 private:
  struct block {
    block* below;
    std::size_t height;  // of the stack up to here: taking one off needs no count
  };
  struct shelf {
    block* top;
    std::size_t most;  // that it takes
  };
  struct closer {
    ~closer() { here().close(); }
  };

  static constexpr std::size_t index(std::size_t bytes) noexcept { return (bytes - 1) / step; }
  static constexpr std::size_t size(std::size_t i) noexcept { return (i + 1) * step; }

  [[gnu::noinline]] void* take_new(std::size_t size) noexcept {
    if (!opened_) open();
    return ::operator new(size, std::nothrow);
  }
  /// It is full, or not in use yet, or the thread is at its end.
  [[gnu::noinline]] void give_to_full(void* p, std::size_t bytes) noexcept {
    if (opened_) return ::operator delete(p);
    open();
    give(p, bytes);
  }
  /// With the first block that is asked for, since the C++ runtime allocates to note the thread's end, and nothing may be
  /// allocated when a block comes back: from now on they are kept, until the thread ends.
  void open() noexcept {
    opened_ = true;
    static_cast<void>(std_sync::per_thread<closer>());  // closes at the thread's end; what comes back after that is not kept
    for (std::size_t i = 0; i != shelves_.size(); ++i) shelves_[i].most = kept_bytes / size(i);
  }
  void close() noexcept {
    empty();
    for (shelf& s : shelves_) s.most = 0;
  }

  std::array<shelf, largest / step> shelves_;
  bool opened_;
};

}  // namespace detail

/// Memory for operations out of a cache of this thread: what an operation leaves behind serves the next one of its size.
///
/// Ownership: a block that comes back on another thread than it was made on goes to that thread's cache. Each thread keeps
/// at most 128 KiB of each of sixteen sizes up to 1 KiB; the rest, and what is larger, comes from `operator new`. A
/// thread's cache is emptied when it ends, and by `trim()`. Throws nothing: no memory is a null. Threads: any.
/// Cost: a few loads and stores, no atomic operation. Under AddressSanitizer nothing is kept, so that it sees every use
/// after the end.
///
/// ```cpp
/// struct request : settle::default_policy {
///   using allocator_type = settle::recycling;
/// };
/// ```
struct recycling {
  /// Null when there is no memory.
  [[nodiscard]] static void* try_allocate(std::size_t bytes, std::size_t align) noexcept {
    if (kept(bytes, align)) return detail::block_cache::here().take(bytes);
    return ::operator new(bytes, std::align_val_t(align), std::nothrow);
  }
  /// Kept for this thread, or returned.
  static void deallocate(void* p, std::size_t bytes, std::size_t align) noexcept {
    if (kept(bytes, align)) detail::block_cache::here().give(p, bytes);
    else ::operator delete(p, std::align_val_t(align));
  }

 private:
  static constexpr bool kept(std::size_t bytes, std::size_t align) noexcept {
    return !detail::watched_by_address_sanitizer && bytes <= detail::block_cache::largest && align <= alignof(std::max_align_t);
  }
};

/// Returns what `recycling` keeps for this thread to the system. Never throws.
inline void trim() noexcept { detail::block_cache::here().empty(); }

}  // namespace settle::inline v0

#endif
