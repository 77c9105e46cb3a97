// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MEANWHILE_HPP
#define SETTLE_TESTS_MEANWHILE_HPP

#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "situations.hpp"

// What another thread may do between two steps of one call, at exactly that place: the test's allocator, timers and atomics
// do it when the step passes by them.
namespace test {

/// Runs once, when something passes by.
class meanwhile {
 public:
  explicit meanwhile(std::function<void()> f) : f_(std::move(f)) { waiting() = &f_; }
  meanwhile(meanwhile&&) = delete;
  ~meanwhile() { EXPECT_EQ(std::exchange(waiting(), nullptr), nullptr) << "nothing passed by"; }
  static void pass() noexcept {
    if (auto* const f = std::exchange(waiting(), nullptr)) (*f)();
  }

 private:
  static std::function<void()>*& waiting() noexcept {
    static std::function<void()>* f = nullptr;
    return f;
  }

  std::function<void()> f_;  // stays where it is: to move one may be to copy what it has, and something passes by that
};

struct passing_allocator {
  static void* try_allocate(std::size_t bytes, std::size_t align) noexcept {
    meanwhile::pass();
    return settle::recycling::try_allocate(bytes, align);
  }
  static void deallocate(void* p, std::size_t bytes, std::size_t align) noexcept { settle::recycling::deallocate(p, bytes, align); }
};

template <class Value, class Ex = settle::inline_executor>
struct interrupted : counted<Value, Ex> {
  using allocator_type = passing_allocator;
};

/// std_sync; a deadline's compare-and-exchange, and a blocking wait, let something pass.
struct passing_sync : settle::std_sync {
  template <class T>
  struct atomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    bool compare_exchange_weak(T& expected, T v, std::memory_order a, std::memory_order b) noexcept {
      if constexpr (std::is_same_v<T, std::chrono::steady_clock::time_point::rep>) meanwhile::pass();
      return std::atomic<T>::compare_exchange_weak(expected, v, a, b);
    }
  };
  class event : public settle::std_sync::event {
   public:
    template <class TimePoint>
    bool wait_until(TimePoint const& t) {
      meanwhile::pass();
      return settle::std_sync::event::wait_until(t);
    }
  };
};
using passing = settle::basic_cas_terminal<passing_sync>;
template <class T>
struct on_passing : settle::default_policy {
  using value_type = T;
  using terminal = passing;
  using error_sink = recording_sink;
};

}  // namespace test

#endif
