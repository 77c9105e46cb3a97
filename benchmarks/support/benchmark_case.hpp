// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_SUPPORT_BENCHMARK_CASE_HPP
#define SETTLE_BENCHMARKS_SUPPORT_BENCHMARK_CASE_HPP

#include <cstddef>
#include <string>

// What the programs of a group share. A group is a folder with `cases.hpp`, which defines in this namespace all_cases() and
// all_sizes(), and `gates.txt`.
namespace bench {

/// Workload/policy/form/who, and a function that does it. The time is told for each of the `items` that it does at once.
struct benchmark_case {
  std::string name;
  void (*run)(std::size_t n) = nullptr;  // n times
  std::size_t items = 1;
  double (*timed)() = nullptr;  // or: once, in so many seconds, preparing and clearing up not counted
};

/// How large something is, and what it may be at most (0: nobody says).
struct size_case {
  std::string name;
  std::size_t bytes;
  std::size_t at_most = 0;
};

/// What follows cannot be computed from what went before: an end may be anywhere, on any thread.
template <class T>
inline void escape(T& x) noexcept {
  asm volatile("" : : "r"(&x) : "memory");
}

inline long sum = 0;

}  // namespace bench

#endif
