// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_SANITIZERS_HPP
#define SETTLE_TESTING_WEAVE_SANITIZERS_HPP

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define SETTLE_WEAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SETTLE_WEAVE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define SETTLE_WEAVE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SETTLE_WEAVE_TSAN 1
#endif
#endif

#if defined(SETTLE_WEAVE_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#if defined(SETTLE_WEAVE_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

// What the sanitizers must be told about stacks that are switched and memory that is ours.
namespace settle::inline v0::testing::weave {

#if defined(SETTLE_WEAVE_ASAN)
inline constexpr bool watched_by_sanitizer = true;
#else
inline constexpr bool watched_by_sanitizer = false;
#endif

struct sanitizer_fiber {
  void const* bottom = nullptr;
  std::size_t size = 0;
  void* fake_stack = nullptr;
  void* tsan = nullptr;
};

inline void sanitizer_create([[maybe_unused]] sanitizer_fiber& f) noexcept {
#if defined(SETTLE_WEAVE_TSAN)
  f.tsan = __tsan_create_fiber(0);
#endif
}
inline void sanitizer_adopt_this_thread([[maybe_unused]] sanitizer_fiber& f) noexcept {
#if defined(SETTLE_WEAVE_TSAN)
  f.tsan = __tsan_get_current_fiber();
#endif
}
inline void sanitizer_destroy([[maybe_unused]] sanitizer_fiber& f) noexcept {
#if defined(SETTLE_WEAVE_TSAN)
  __tsan_destroy_fiber(f.tsan);
#endif
}
/// A stack that begins anew: what the sanitizer knows of the calls on it is forgotten, too.
inline void sanitizer_renew([[maybe_unused]] sanitizer_fiber& f) noexcept {
  f.fake_stack = nullptr;
  sanitizer_destroy(f);
  sanitizer_create(f);
}
/// Inlined: a call that is entered on one stack must not be left on the other.
[[gnu::always_inline]] inline void sanitizer_leave([[maybe_unused]] sanitizer_fiber& from,
                                                   [[maybe_unused]] sanitizer_fiber const& to) noexcept {
#if defined(SETTLE_WEAVE_ASAN)
  __sanitizer_start_switch_fiber(&from.fake_stack, to.bottom, to.size);
#endif
#if defined(SETTLE_WEAVE_TSAN)
  __tsan_switch_to_fiber(to.tsan, 0);
#endif
}
/// On the new stack; the one that was left says where it is, which only the sanitizer knows of a thread's own.
inline void sanitizer_arrive([[maybe_unused]] sanitizer_fiber& here, [[maybe_unused]] sanitizer_fiber& left) noexcept {
#if defined(SETTLE_WEAVE_ASAN)
  __sanitizer_finish_switch_fiber(here.fake_stack, &left.bottom, &left.size);
#endif
}

inline void poison([[maybe_unused]] void const* p, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(SETTLE_WEAVE_ASAN)
  __asan_poison_memory_region(p, bytes);
#endif
}
inline void unpoison([[maybe_unused]] void const* p, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(SETTLE_WEAVE_ASAN)
  __asan_unpoison_memory_region(p, bytes);
#endif
}

/// An execution that fails is abandoned where it stands: what it allocated is no leak of the program's.
struct leaks_expected {
#if defined(SETTLE_WEAVE_ASAN)
  leaks_expected() noexcept { __lsan_disable(); }
  ~leaks_expected() { __lsan_enable(); }
#else
  leaks_expected() noexcept {}  // NOLINT(modernize-use-equals-default): a variable of it is used for its life alone
  ~leaks_expected() {}
#endif
  leaks_expected(leaks_expected&&) = delete;
};

}  // namespace settle::inline v0::testing::weave

#undef SETTLE_WEAVE_ASAN
#undef SETTLE_WEAVE_TSAN

#endif
