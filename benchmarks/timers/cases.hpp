// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_TIMERS_CASES_HPP
#define SETTLE_BENCHMARKS_TIMERS_CASES_HPP

#include <string>
#include <vector>

#include "benchmark_case.hpp"
#include "peers.hpp"
#include "workloads.hpp"

namespace bench {

template <class Timers>
void add_timers(std::vector<benchmark_case>& c, std::string const& row, std::string const& who) {
  c.push_back({row + "/arm/" + who, nullptr, timer_count, &timed<Timers, arm>});
  c.push_back({row + "/cancel/" + who, nullptr, timer_count, &timed<Timers, cancel>});
  c.push_back({row + "/expire/" + who, nullptr, timer_count, &timed<Timers, expire>});
}

inline std::vector<benchmark_case> all_cases() {
  std::vector<benchmark_case> c;
  add_timers<settle_timers<settle::std_sync>>(c, "W8/mt", "ours");
  add_timers<settle_timers<settle::single_thread_sync>>(c, "W8/st", "ours");
  add_timers<bound_timers>(c, "W8/st", "bound");
#if defined(SETTLE_BENCH_ASIO)
  add_timers<asio_timers<ASIO_CONCURRENCY_HINT_SAFE>>(c, "W8/mt", "asio");
  add_timers<asio_timers<ASIO_CONCURRENCY_HINT_UNSAFE>>(c, "W8/st", "asio");
#endif
#if defined(SETTLE_BENCH_UV)
  add_timers<uv_timers>(c, "W8/st", "libuv");
#endif
  return c;
}

inline std::vector<size_case> all_sizes() {
  std::vector<size_case> s{{"a timer of the wheel", sizeof(settle::timer_wheel::timer), 48}, {"the wheel", sizeof(settle::timer_wheel)}};
#if defined(SETTLE_BENCH_ASIO)
  s.push_back({"a timer of Asio's, without its handler", sizeof(asio_timers<ASIO_CONCURRENCY_HINT_SAFE>::timer)});
#endif
#if defined(SETTLE_BENCH_UV)
  s.push_back({"a timer of libuv's", sizeof(uv_timer_t)});
#endif
  return s;
}

}  // namespace bench

#endif
