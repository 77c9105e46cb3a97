// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SCALE_HPP
#define SETTLE_TESTS_SCALE_HPP

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SETTLE_TEST_SANITIZED 1
#elif __has_feature(thread_sanitizer)
#define SETTLE_TEST_SANITIZED 1
#define SETTLE_TEST_THREAD_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SETTLE_TEST_SANITIZED 1
#elif defined(__SANITIZE_THREAD__)
#define SETTLE_TEST_SANITIZED 1
#define SETTLE_TEST_THREAD_SANITIZED 1
#endif

namespace test {

#if defined(SETTLE_TEST_SANITIZED)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
// The coverage preset says so itself: the compiler does not.
#if defined(SETTLE_TEST_COUNTED)
inline constexpr bool counted_lines = true;
#else
inline constexpr bool counted_lines = false;
#endif

/// A million; a tenth where each step costs ten times as much: a sanitizer's million takes gigabytes of shadow and minutes.
inline constexpr std::size_t a_million = sanitized || counted_lines ? 100'000 : 1'000'000;

/// Room for a few hundred calls: even the tenth of a million, of five bytes each, would overflow it.
inline constexpr std::size_t a_small_stack = (sanitized ? 512 : 64) * 1024;

}  // namespace test

#endif
