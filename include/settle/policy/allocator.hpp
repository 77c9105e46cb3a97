// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_ALLOCATOR_HPP
#define SETTLE_POLICY_ALLOCATOR_HPP

#include <concepts>
#include <cstddef>
#include <memory>

#include "../detail/exceptions.hpp"

namespace settle::inline v0 {

/// Memory in two calls that never throw: `void* try_allocate(bytes, align)`, null when there is none, and
/// `deallocate(p, bytes, align)`. For allocators that work without exceptions.
template <class A>
concept block_source = requires(A a, void* p, std::size_t n) {
  { a.try_allocate(n, n) } noexcept -> std::same_as<void*>;
  { a.deallocate(p, n, n) } noexcept;
};

/// Where shared states and hooks live: any standard allocator of std::byte, or a block_source.
template <class A>
concept state_allocator = block_source<A> || requires(A a, std::byte* p, std::size_t n) {
  { a.allocate(n) } -> std::same_as<std::byte*>;
  a.deallocate(p, n);
};

namespace detail {

struct alignas(std::max_align_t) chunk {
  std::byte bytes[alignof(std::max_align_t)];
};

/// Memory through an allocator of bytes, for any alignment; null when there is none.
template <class A>
struct byte_source {
  static void* allocate(A& source, std::size_t bytes, std::size_t align) noexcept {
    if constexpr (block_source<A>) return source.try_allocate(bytes, align);
    else return allocate_guarded(source, bytes, align);
  }

  static void deallocate(A& source, void* p, std::size_t bytes, std::size_t align) noexcept {
    if constexpr (block_source<A>) {
      source.deallocate(p, bytes, align);
    } else if (align > alignof(std::max_align_t)) {
      void* whole = static_cast<void**>(p)[-1];
      rebound(source).deallocate(static_cast<chunk*>(whole), units(bytes + align + sizeof(void*)));
    } else {
      rebound(source).deallocate(static_cast<chunk*>(p), units(bytes));
    }
  }

 private:
  static void* allocate_guarded(A& source, std::size_t bytes, std::size_t align) noexcept {
    void* got = nullptr;
    guarded([&] { got = allocate_or_throw(source, bytes, align); }, [](std::exception_ptr const&) {});
    return got;
  }
  static void* allocate_or_throw(A& source, std::size_t bytes, std::size_t align) {
    if (align > alignof(std::max_align_t)) return over_aligned(source, bytes, align);
    return rebound(source).allocate(units(bytes));
  }
  static auto rebound(A& source) { return typename std::allocator_traits<A>::template rebind_alloc<chunk>(source); }
  static constexpr std::size_t units(std::size_t bytes) { return (bytes + sizeof(chunk) - 1) / sizeof(chunk); }

  static void* over_aligned(A& source, std::size_t bytes, std::size_t align) {
    void* whole = rebound(source).allocate(units(bytes + align + sizeof(void*)));
    std::size_t room = bytes + align;
    void* at = static_cast<void**>(whole) + 1;
    at = std::align(align, bytes, at, room);
    static_cast<void**>(at)[-1] = whole;
    return at;
  }
};

}  // namespace detail
}  // namespace settle::inline v0

#endif
