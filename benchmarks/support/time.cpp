// SPDX-License-Identifier: BSL-1.0
// Nanoseconds for each case of a group; benchmarks/report.py makes pairs of them.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "benchmark_case.hpp"
#include "cases.hpp"
#include "second_thread.hpp"

namespace {

void add(bench::benchmark_case const& c) {
  if (c.timed != nullptr) {
    auto* const b = benchmark::RegisterBenchmark(c.name.c_str(), [c](benchmark::State& state) {
      while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(c.items))) state.SetIterationTime(c.timed());
    });
    b->UseManualTime();
    return;
  }
  benchmark::RegisterBenchmark(c.name.c_str(), [c](benchmark::State& state) {
    std::size_t const times = std::max<std::size_t>(1, 512 / c.items);
    c.run(times);  // caches warm, memory recycled
    while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(times * c.items))) c.run(times);
  });
}

}  // namespace

int main(int argc, char** argv) {
  bench::second_thread const alive;
  for (bench::benchmark_case const& c : bench::all_cases()) add(c);
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
