// SPDX-License-Identifier: BSL-1.0
// How often each case asks the system for memory, as JSON: once warm, so what is recycled does not count. A pass of its
// own, because counting takes time.
#include "allocations.hpp"

#include <cstdio>

#include "cases.hpp"

int main() {
  bench::second_thread const alive;
  constexpr std::size_t times = 1000;
  char const* between = "{\n";
  for (bench::benchmark_case const& c : bench::all_cases()) {
    c.run(times);
    test::allocation_count const made;
    c.run(times);
    std::printf("%s  \"%s\": %.3f", between, c.name.c_str(), static_cast<double>(made.now()) / times);
    between = ",\n";
  }
  std::puts("\n}");
  return 0;
}
