// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_STACK_HPP
#define SETTLE_TESTS_STACK_HPP

#include <gtest/gtest.h>
#include <pthread.h>

#include <cstddef>
#include <functional>

namespace test {

/// Runs f on a thread with a stack of this many bytes.
inline void on_a_stack_of(std::size_t bytes, std::function<void()> f) {
  pthread_attr_t attributes;
  ASSERT_EQ(pthread_attr_init(&attributes), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, bytes), 0);
  pthread_t thread{};
  auto const start = [](void* at) -> void* {
    (*static_cast<std::function<void()>*>(at))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, start, &f), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace test

#endif
