// SPDX-License-Identifier: BSL-1.0
// Counts every malloc and operator new. Linked into the test programs that ask for it.
#include "allocations.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace {
constinit thread_local std::uint64_t count = 0;
constinit thread_local std::uint64_t freed = 0;
constinit thread_local std::int64_t bytes = 0;
[[maybe_unused]] constinit thread_local std::int64_t new_until_dry = -1;  // negative: all succeed

[[maybe_unused]] bool is_dry(std::int64_t& until_dry) noexcept {
  if (until_dry <= 0) return until_dry == 0;
  --until_dry;
  return false;
}
}  // namespace

std::uint64_t test::allocations_of_this_thread() noexcept { return count; }

std::int64_t test::live_allocations_of_this_thread() noexcept { return static_cast<std::int64_t>(count - freed); }

std::int64_t test::live_bytes_of_this_thread() noexcept { return bytes; }

#if defined(SETTLE_TEST_NEW_RUNS_DRY)

test::no_memory_after::no_memory_after(std::int64_t n) noexcept { new_until_dry = n; }
test::no_memory_after::~no_memory_after() { new_until_dry = -1; }

#if defined(SETTLE_TEST_SANITIZED) || defined(__GLIBC__)

// As the C++ library has them, unless there is to be no memory. A sanitizer wants to see who allocates; its operator new never fails.
void* operator new(std::size_t n, std::nothrow_t const&) noexcept {
  if (is_dry(new_until_dry)) return nullptr;
#if defined(SETTLE_TEST_SANITIZED)
  return ::operator new(n);
#else
  return std::malloc(n == 0 ? 1 : n);
#endif
}
void* operator new(std::size_t n, std::align_val_t align, std::nothrow_t const&) noexcept {
  if (is_dry(new_until_dry)) return nullptr;
#if defined(SETTLE_TEST_SANITIZED)
  return ::operator new(n, align);
#else
  auto const unit = static_cast<std::size_t>(align);
  return std::aligned_alloc(unit, (n + unit - 1) / unit * unit);
#endif
}

#endif

#endif

#if defined(SETTLE_TEST_SANITIZED)

// The sanitizer's allocator stands behind both, and tells.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(volatile void const*, std::size_t), void (*)(volatile void const*));

namespace {
__attribute__((no_sanitize("address", "thread"))) void count_one(volatile void const*, std::size_t) { ++count; }
__attribute__((no_sanitize("address", "thread"))) void count_free(volatile void const* p) {
  if (p != nullptr) ++freed;
}
[[maybe_unused]] int const installed = __sanitizer_install_malloc_and_free_hooks(&count_one, &count_free);
}  // namespace

#elif defined(__GLIBC__)

namespace {
constinit thread_local std::int64_t heap_until_dry = -1;
constinit thread_local bool heap_dry_once = false;
constinit thread_local std::uint64_t heap_failures = 0;

bool heap_is_dry() noexcept {
  if (!is_dry(heap_until_dry)) return false;
  ++heap_failures;
  if (heap_dry_once) heap_until_dry = -1;
  return true;
}
void* counted(void* p) noexcept {
  ++count;
  bytes += static_cast<std::int64_t>(malloc_usable_size(p));
  return p;
}
void count_freed(void* p) noexcept {
  if (p != nullptr) ++freed;
  bytes -= static_cast<std::int64_t>(malloc_usable_size(p));
}
}  // namespace

test::no_heap_after::no_heap_after(std::int64_t n, bool once) noexcept {
  heap_failures = 0;
  heap_dry_once = once;
  heap_until_dry = n;
}
test::no_heap_after::~no_heap_after() { heap_until_dry = -1; }
std::uint64_t test::no_heap_after::failures() const noexcept { return heap_failures; }

// The C library's own names behind malloc; operator new comes through malloc.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t n) noexcept {
  if (heap_is_dry()) return nullptr;
  return counted(__libc_malloc(n));
}
void* calloc(std::size_t n, std::size_t size) noexcept { return counted(__libc_calloc(n, size)); }
void* realloc(void* p, std::size_t n) noexcept {
  count_freed(p);
  return counted(__libc_realloc(p, n));
}
void* aligned_alloc(std::size_t align, std::size_t n) noexcept {
  if (heap_is_dry()) return nullptr;
  return counted(__libc_memalign(align, n));
}
void free(void* p) noexcept {
  count_freed(p);
  __libc_free(p);
}
}

#else

// Elsewhere malloc belongs to the C library alone: what is counted is operator new, all of its forms.
namespace {
void* take(std::size_t n) noexcept {
  ++count;
  return std::malloc(n == 0 ? 1 : n);
}
void give(void* p) noexcept {
  if (p != nullptr) ++freed;
  std::free(p);
}
/// Not every C library has aligned_alloc: what malloc gave stands in front of the block.
void* take_aligned(std::size_t n, std::align_val_t align) noexcept {
  auto const unit = static_cast<std::size_t>(align);
  void* const whole = take(n + unit + sizeof(void*));
  if (whole == nullptr) return nullptr;
  std::uintptr_t const first = reinterpret_cast<std::uintptr_t>(whole) + sizeof(void*);
  void** const block = reinterpret_cast<void**>((first + unit - 1) / unit * unit);
  block[-1] = whole;
  return block;
}
void give_aligned(void* p) noexcept {
  if (p != nullptr) give(static_cast<void**>(p)[-1]);
}
void* or_abort(void* p) noexcept {
  if (p == nullptr) std::abort();
  return p;
}
}  // namespace

void* operator new(std::size_t n) { return or_abort(take(n)); }
void* operator new(std::size_t n, std::nothrow_t const&) noexcept { return is_dry(new_until_dry) ? nullptr : take(n); }
void operator delete(void* p) noexcept { give(p); }
void operator delete(void* p, std::size_t) noexcept { give(p); }
void* operator new(std::size_t n, std::align_val_t align) { return or_abort(take_aligned(n, align)); }
void* operator new(std::size_t n, std::align_val_t align, std::nothrow_t const&) noexcept {
  return is_dry(new_until_dry) ? nullptr : take_aligned(n, align);
}
void operator delete(void* p, std::align_val_t) noexcept { give_aligned(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { give_aligned(p); }

#endif
