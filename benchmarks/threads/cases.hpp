// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_THREADS_CASES_HPP
#define SETTLE_BENCHMARKS_THREADS_CASES_HPP

#include <string>
#include <vector>

#include "benchmark_case.hpp"
#include "peers.hpp"
#include "queues.hpp"
#include "workloads.hpp"

namespace bench {

template <placement Where>
void add_hops(std::vector<benchmark_case>& c, std::string const& row) {
  if (!placed::is_possible(Where)) return;
  c.push_back({row + "/born/ours", nullptr, hops, &settle_hop_born<Where>});
  c.push_back({row + "/born/bound", nullptr, hops, &bound_hop<Where>});
  c.push_back({row + "/moved/ours", nullptr, hops, &settle_hop_moved<Where>});
  c.push_back({row + "/moved/bound", nullptr, hops, &bound_hop<Where>});
  c.push_back({row + "/moved/mutex", nullptr, hops, &mutex_hop<Where>});
  c.push_back({row + "/moved/std::promise", nullptr, hops, &std_promise_hop<Where>});
#if defined(SETTLE_BENCH_ASIO)
  c.push_back({row + "/moved/asio::post", nullptr, hops, &asio_hop<Where>});
#endif
}

template <class Queue>
void add_queue(std::vector<benchmark_case>& c, std::string const& who) {
  c.push_back({"queue/one/" + who, &one_thread_queue<Queue>, at_once});
  if (placed::is_possible(placement::far)) c.push_back({"queue/two/" + who, nullptr, passed, &two_thread_queue<Queue>});
}

inline std::vector<benchmark_case> all_cases() {
  std::vector<benchmark_case> c;
  add_hops<placement::near>(c, "W6/near");
  add_hops<placement::far>(c, "W6/far");
  add_queue<vyukov_queue>(c, "bound");
  add_queue<take_all_queue>(c, "take-all");
  add_queue<mutex_queue>(c, "mutex");
#if defined(SETTLE_BENCH_BOOST_LOCKFREE)
  add_queue<settle_queue>(c, "ours");
  add_queue<boost_fifo>(c, "boost::lockfree::queue");
  add_queue<boost_lifo>(c, "boost::lockfree::stack");
#endif
  return c;
}

inline std::vector<size_case> all_sizes() { return {}; }

}  // namespace bench

#endif
