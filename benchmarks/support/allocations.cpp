// SPDX-License-Identifier: BSL-1.0
// How often each case of a group asks the system for memory, and how large things are, as JSON: once warm, so what is recycled
// does not count. A pass of its own, because counting takes time.
#include "allocations.hpp"

#include <algorithm>
#include <cstdio>

#include "benchmark_case.hpp"
#include "cases.hpp"
#include "second_thread.hpp"

namespace {

/// For each item.
double count(bench::benchmark_case const& c) {
  std::size_t const times = c.timed != nullptr ? 1 : std::max<std::size_t>(1, 1000 / c.items);
  auto const go = [&] { c.timed != nullptr ? static_cast<void>(c.timed()) : c.run(times); };
  go();
  test::allocation_count const made;
  go();
  return static_cast<double>(made.now()) / static_cast<double>(times * c.items);
}

}  // namespace

int main() {
  bench::second_thread const alive;
  char const* between = "{\"allocations\": {\n";
  for (bench::benchmark_case const& c : bench::all_cases()) {
    std::printf("%s  \"%s\": %.3f", between, c.name.c_str(), count(c));
    between = ",\n";
  }
  std::puts("},\n\"sizes\": [");
  between = "";
  for (bench::size_case const& s : bench::all_sizes()) {
    std::printf("%s  {\"name\": \"%s\", \"bytes\": %zu, \"at_most\": %zu}", between, s.name.c_str(), s.bytes, s.at_most);
    between = ",\n";
  }
  std::puts("]}");
  return 0;
}
