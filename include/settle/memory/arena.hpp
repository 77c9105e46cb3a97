// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_MEMORY_ARENA_HPP
#define SETTLE_MEMORY_ARENA_HPP

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <new>
#include <span>

#include "../detail/exceptions.hpp"

#if defined(__SANITIZE_ADDRESS__)
#define SETTLE_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SETTLE_POISONS 1
#endif
#endif
#if defined(SETTLE_POISONS)
#include <sanitizer/asan_interface.h>
#endif

namespace settle::inline v0 {

/// A bounded bump allocator over a block that the caller gives: allocating moves a pointer from the block's end towards its begin,
/// `reset()` moves it back.
///
/// Ownership: the block stays the caller's and must outlive the arena; the arena never asks for more memory.
/// Throws: `allocate` throws std::bad_alloc when the block is full (without exceptions it terminates); `try_allocate` returns null instead.
/// Threads: one at a time. Cost: no atomic operation, no allocation; the direct members are inline, only a use through
/// `std::pmr::memory_resource&` is a virtual call.
/// Errors: in builds with AddressSanitizer everything not allocated is poisoned, so whoever touches memory after `deallocate`
/// or `reset` is named.
///
/// ```cpp
/// std::array<std::byte, 1024> block;
/// settle::arena memory(block);
/// std::pmr::string name("kept in the block, however long it is", &memory);
/// ```
class arena final : public std::pmr::memory_resource {
 public:
  /// Over a block that outlives it. Allocates nothing.
  explicit arena(std::span<std::byte> block) noexcept : begin_(block.data()), next_(begin_ + block.size()), end_(next_) {
    poison(begin_, capacity());
  }
  /// The same, for a block that came as a pointer and a size.
  arena(void* block, std::size_t bytes) noexcept : arena(std::span<std::byte>(static_cast<std::byte*>(block), bytes)) {}
  arena(arena const&) = delete;
  arena& operator=(arena const&) = delete;

  /// The block goes back to its owner as it came: usable.
  ~arena() override { unpoison(begin_, capacity()); }

  /// `bytes` aligned to `align` (a power of two), or null when they do not fit; nothing changed then.
  [[nodiscard]] void* try_allocate(std::size_t bytes, std::size_t align = alignof(std::max_align_t)) noexcept {
    void* p = nullptr;
    return place(bytes, align, p) ? p : nullptr;
  }

  /// As `try_allocate`, but throws std::bad_alloc when they do not fit. Not virtual: it hides memory_resource's.
  [[nodiscard]] void* allocate(std::size_t bytes, std::size_t align = alignof(std::max_align_t)) {
    void* p = nullptr;
    if (!place(bytes, align, p)) [[unlikely]]
      detail::raise(std::bad_alloc());
    return p;
  }

  /// Takes back the latest allocation; any other stays used until `reset()`. `p` and `bytes` as allocated.
  void deallocate(void* p, std::size_t bytes, std::size_t /*align*/ = alignof(std::max_align_t)) noexcept {
    auto* const at = static_cast<std::byte*>(p);
    if (at == next_) next_ = at + bytes;
    poison(at, bytes);
  }

  /// Takes everything back. Runs no destructors.
  void reset() noexcept {
    poison(next_, used());
    next_ = end_;
  }

  [[nodiscard]] std::size_t used() const noexcept { return static_cast<std::size_t>(end_ - next_); }  ///< padding included
  /// What the next allocation can get at most, alignment aside.
  [[nodiscard]] std::size_t remaining() const noexcept { return static_cast<std::size_t>(next_ - begin_); }
  /// The size of the block.
  [[nodiscard]] std::size_t capacity() const noexcept { return static_cast<std::size_t>(end_ - begin_); }

 private:
  // Downwards, because aligning an address down is one step where up is three, and each allocation waits for the one before. What is
  // left is compared before anything is subtracted: any size and alignment may be asked for, nothing wraps.
  bool place(std::size_t bytes, std::size_t align, void*& p) noexcept {
    if (bytes > remaining()) [[unlikely]]
      return false;
    std::uintptr_t const at = (reinterpret_cast<std::uintptr_t>(next_) - bytes) & ~(static_cast<std::uintptr_t>(align) - 1);
    if (at < reinterpret_cast<std::uintptr_t>(begin_)) [[unlikely]]
      return false;
    next_ = reinterpret_cast<std::byte*>(at);  // NOLINT(performance-no-int-to-ptr): the pointer form needs a step more, see above
    unpoison(next_, bytes);
    p = next_;
    return true;
  }

  void* do_allocate(std::size_t bytes, std::size_t align) override { return allocate(bytes, align); }
  void do_deallocate(void* p, std::size_t bytes, std::size_t align) override { deallocate(p, bytes, align); }
  [[nodiscard]] bool do_is_equal(std::pmr::memory_resource const& other) const noexcept override { return this == &other; }

#if defined(SETTLE_POISONS)
  // Not inlined, and not const: GCC takes the address of a block passed as const for a read of it, and warns of its first bytes.
  [[gnu::noinline]] static void poison(void* p, std::size_t bytes) noexcept { __asan_poison_memory_region(p, bytes); }
  [[gnu::noinline]] static void unpoison(void* p, std::size_t bytes) noexcept { __asan_unpoison_memory_region(p, bytes); }
#else
  static void poison(void* /*p*/, std::size_t /*bytes*/) noexcept {}
  static void unpoison(void* /*p*/, std::size_t /*bytes*/) noexcept {}
#endif

  std::byte* begin_;
  std::byte* next_;  // the latest allocation; all below it is left
  std::byte* end_;
};

/// A standard allocator over an arena, for containers and shared states: `std::vector<int, settle::arena_allocator<int>> v(memory);`
///
/// Ownership: keeps a pointer; the arena must outlive whatever was allocated. Throws std::bad_alloc when the arena is full.
/// Threads and cost: the arena's. Equal when they use the same arena.
template <class T = std::byte>
class arena_allocator {
 public:
  /// What the allocator requirements ask for.
  using value_type = T;

  /// Over an arena that outlives what is allocated.
  // NOLINTNEXTLINE(google-explicit-constructor): as std::pmr::polymorphic_allocator, so that containers take the arena itself
  arena_allocator(arena& memory) noexcept : memory_(&memory) {}
  /// The same arena, for another type.
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): rebinding converts, as the allocator requirements ask
  arena_allocator(arena_allocator<U> const& other) noexcept : memory_(&other.resource()) {}

  /// Room for n of T. Throws std::bad_alloc when the arena is full.
  [[nodiscard]] T* allocate(std::size_t n) {
    if (n > std::numeric_limits<std::size_t>::max() / sizeof(T)) detail::raise(std::bad_array_new_length());
    return static_cast<T*>(memory_->allocate(n * sizeof(T), alignof(T)));
  }
  /// Back to the arena: reused at once when it was the latest allocation, else at `reset()`.
  void deallocate(T* p, std::size_t n) noexcept { memory_->deallocate(p, n * sizeof(T), alignof(T)); }

  /// The arena.
  [[nodiscard]] arena& resource() const noexcept { return *memory_; }

  template <class U>
  friend bool operator==(arena_allocator const& a, arena_allocator<U> const& b) noexcept {
    return &a.resource() == &b.resource();
  }

 private:
  arena* memory_;
};

}  // namespace settle::inline v0

#undef SETTLE_POISONS

#endif
