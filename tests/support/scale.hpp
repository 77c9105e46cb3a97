// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SCALE_HPP
#define SETTLE_TESTS_SCALE_HPP

#include <cstddef>

// Asked in this order: the sanitizers' own headers define __has_feature for compilers that have none, and say no to everything.
#if defined(__SANITIZE_ADDRESS__)
#define SETTLE_TEST_SANITIZED 1
#elif defined(__SANITIZE_THREAD__)
#define SETTLE_TEST_SANITIZED 1
#define SETTLE_TEST_THREAD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SETTLE_TEST_SANITIZED 1
#elif __has_feature(thread_sanitizer)
#define SETTLE_TEST_SANITIZED 1
#define SETTLE_TEST_THREAD_SANITIZED 1
#endif
#endif

namespace test {

#if defined(SETTLE_TEST_SANITIZED)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#if defined(SETTLE_TEST_THREAD_SANITIZED)
inline constexpr bool thread_sanitized = true;
#else
inline constexpr bool thread_sanitized = false;
#endif
// Said by those who ask what runs, or what fails, and not how far it goes: coverage, negative controls.
#if defined(SETTLE_TEST_A_TENTH)
inline constexpr bool a_tenth_will_do = true;
#else
inline constexpr bool a_tenth_will_do = false;
#endif

/// A million; a tenth where each step costs ten times as much: a sanitizer's million takes gigabytes of shadow and minutes.
inline constexpr std::size_t a_million = sanitized || a_tenth_will_do ? 100'000 : 1'000'000;

/// A million where the compiler has made it fast, a tenth where it has not: for what takes seconds even so.
#if defined(__OPTIMIZE__)
inline constexpr bool optimised = true;
#else
inline constexpr bool optimised = false;
#endif
inline constexpr std::size_t a_million_when_optimised = optimised ? a_million : a_million / 10;

/// A million also where it has not, and where the other sanitizers look on: for what must be one everywhere, once.
inline constexpr std::size_t a_million_all_the_same = thread_sanitized || a_tenth_will_do ? 100'000 : 1'000'000;

/// Room for a few hundred calls: even the tenth of a million, of five bytes each, would overflow it.
inline constexpr std::size_t a_small_stack = (sanitized ? 512 : 64) * 1024;

}  // namespace test

#endif
