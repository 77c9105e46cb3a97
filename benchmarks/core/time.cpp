// SPDX-License-Identifier: BSL-1.0
// Nanoseconds for each case; benchmarks/table.py makes pairs of them.
#include <benchmark/benchmark.h>

#include "cases.hpp"

int main(int argc, char** argv) {
  bench::second_thread const alive;
  constexpr std::size_t batch = 512;
  for (bench::benchmark_case const& c : bench::all_cases()) {
    benchmark::RegisterBenchmark(c.name.c_str(), [run = c.run](benchmark::State& state) {
      run(batch);  // caches warm, memory recycled
      while (state.KeepRunningBatch(batch)) run(batch);
    });
  }
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
