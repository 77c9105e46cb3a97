// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_COMBINE_CASES_HPP
#define SETTLE_BENCHMARKS_COMBINE_CASES_HPP

#include <vector>

#include "benchmark_case.hpp"
#include "peers.hpp"
#include "workloads.hpp"
#if defined(SETTLE_BENCH_CONCURRENCPP)
#include "peer_concurrencpp.hpp"
#endif
#if defined(SETTLE_BENCH_FOLLY)
#include "peer_folly.hpp"
#endif
#if defined(SETTLE_BENCH_LIBCORO)
#include "peer_libcoro.hpp"
#endif
#if defined(SETTLE_BENCH_STDEXEC)
#include "peer_stdexec.hpp"
#endif
#if defined(SETTLE_BENCH_UNIFEX)
#include "peer_unifex.hpp"
#endif

namespace bench {

inline void add_chains(std::vector<benchmark_case>& c) {
  c.push_back({"W3/mt/then/ours", &settle_chain<threads>, links});
  c.push_back({"W3/mt/then/bound", &bound_chain<bound::atomic_word>, links});
  c.push_back({"W3/mt/then/shared_ptr", &by_hand_chain, links});
  c.push_back({"W3/st/then/ours", &settle_chain<one_thread>, links});
  c.push_back({"W3/st/then/bound", &bound_chain<bound::plain_word>, links});
  c.push_back({"W3/mt/co_await/ours", &settle_coroutines, links});
#if defined(SETTLE_BENCH_BOOST_THREAD)
  c.push_back({"W3/mt/then/boost::future", &boost_chain, links});
#endif
#if defined(SETTLE_BENCH_ASIO)
  c.push_back({"W3/mt/then/asio::awaitable", &asio_coroutines, links});
  c.push_back({"W3/mt/co_await/asio::awaitable", &asio_coroutines, links});
#endif
}

inline void add_groups(std::vector<benchmark_case>& c) {
  c.push_back({"W4/mt/independent/ours", &settle_all_independent<threads>, inputs});
  c.push_back({"W4/mt/independent/bound", &bound_all_independent<bound::atomic_word>, inputs});
  c.push_back({"W4/mt/independent/shared_ptr", &by_hand_all, inputs});
  c.push_back({"W4/mt/independent/std::promise", &std_promise_all, inputs});
  c.push_back({"W4/st/independent/ours", &settle_all_independent<one_thread>, inputs});
  c.push_back({"W4/st/independent/bound", &bound_all_independent<bound::plain_word>, inputs});
  c.push_back({"W4/mt/arena/ours", &settle_all_in_arena, inputs});
  c.push_back({"W4/mt/arena/bound", &bound_all_in_block<bound::atomic_word>, inputs});
  c.push_back({"W4/mt/ten/ours", &settle_all_of_ten, racers});
  c.push_back({"W4/mt/ten/bound", &bound_all_of_ten, racers});
  c.push_back({"W5/mt/race/ours", &settle_race<threads>, racers});
  c.push_back({"W5/mt/race/bound", &bound_race<bound::atomic_word>, racers});
  c.push_back({"W5/st/race/ours", &settle_race<one_thread>, racers});
  c.push_back({"W5/st/race/bound", &bound_race<bound::plain_word>, racers});
#if defined(SETTLE_BENCH_ASIO)
  c.push_back({"W4/mt/ten/asio::parallel_group", &asio_all_of_ten, racers});
  c.push_back({"W5/mt/race/asio::parallel_group", &asio_race, racers});
#endif
}

inline void add_trees(std::vector<benchmark_case>& c) {
  c.push_back({"W7/mt/cancel/ours", nullptr, members, &settle_cancel<threads>});
  c.push_back({"W7/mt/cancel/bound", nullptr, members, &bound_cancel<bound::atomic_word>});
  c.push_back({"W7/mt/cancel/std::stop_source", nullptr, members, &std_stop_cancel});
  c.push_back({"W7/st/cancel/ours", nullptr, members, &settle_cancel<one_thread>});
  c.push_back({"W7/st/cancel/bound", nullptr, members, &bound_cancel<bound::plain_word>});
  c.push_back({"W7/mt/whole/ours", &settle_whole_tree<threads>, members});
  c.push_back({"W7/mt/whole/bound", &bound_whole_tree<bound::atomic_word>, members});
  c.push_back({"W7/mt/whole/std::stop_source", &std_stop_whole_tree, members});
#if defined(SETTLE_BENCH_ASIO)
  c.push_back({"W7/mt/cancel/asio", nullptr, members, &asio_cancel});
  c.push_back({"W7/mt/whole/asio", &asio_whole_tree, members});
#endif
}

inline void add_installed_peers([[maybe_unused]] std::vector<benchmark_case>& c) {
#if defined(SETTLE_BENCH_CONCURRENCPP)
  c.push_back({"W3/mt/co_await/concurrencpp", &concurrencpp_coroutines, links});
  c.push_back({"W4/mt/independent/concurrencpp", &concurrencpp_all_independent, inputs});
  c.push_back({"W4/mt/ten/concurrencpp", &concurrencpp_all_of_ten, racers});
  c.push_back({"W5/mt/race/concurrencpp", &concurrencpp_race, racers});
#endif
#if defined(SETTLE_BENCH_FOLLY)
  c.push_back({"W3/mt/then/folly", &folly_chain, links});
  c.push_back({"W3/mt/co_await/folly", &folly_coroutines, links});
  c.push_back({"W4/mt/independent/folly", &folly_all_independent, inputs});
  c.push_back({"W4/mt/ten/folly", &folly_all_of_ten, racers});
  c.push_back({"W5/mt/race/folly", &folly_race, racers});
#endif
#if defined(SETTLE_BENCH_LIBCORO)
  c.push_back({"W3/mt/co_await/libcoro", &libcoro_coroutines, links});
  c.push_back({"W4/mt/independent/libcoro", &libcoro_all_independent, inputs});
  c.push_back({"W4/mt/ten/libcoro", &libcoro_all_of_ten, racers});
  c.push_back({"W5/mt/race/libcoro", &libcoro_race, racers});
#endif
#if defined(SETTLE_BENCH_STDEXEC)
  c.push_back({"W3/mt/co_await/stdexec", &stdexec_coroutines, links});
  c.push_back({"W4/mt/independent/stdexec", &stdexec_all_independent, inputs});
  c.push_back({"W4/mt/ten/stdexec", &stdexec_all_of_ten, racers});
  c.push_back({"W5/mt/race/stdexec", &stdexec_race, racers});
#endif
#if defined(SETTLE_BENCH_UNIFEX)
  c.push_back({"W3/mt/co_await/unifex", &unifex_coroutines, links});
  c.push_back({"W4/mt/independent/unifex", &unifex_all_independent, inputs});
  c.push_back({"W4/mt/ten/unifex", &unifex_all_of_ten, racers});
  c.push_back({"W5/mt/race/unifex", &unifex_race, racers});
#endif
}

inline std::vector<benchmark_case> all_cases() {
  std::vector<benchmark_case> c;
  add_chains(c);
  add_groups(c);
  add_trees(c);
  add_installed_peers(c);
  return c;
}

/// What a link of a chain allocates: its input is a handle of an operation of the same kind.
inline std::vector<size_case> all_sizes() {
  using P = settle::detail::result_policy<int, settle::error, settle::cas_terminal>;
  using function = decltype([](int v) { return v + 1; });
  using input = settle::handle_of<int>;
  return {{"then: a link of a chain", sizeof(settle::detail::result_cell<P, settle::detail::then_step<P, input, function>>), 64},
          {"then: a link by hand (bound)", sizeof(bound::link<bound::atomic_word>)},
          {"all of a range: for each input", sizeof(settle::detail::slot<settle::detail::rule::all, input, 0>)}};
}

}  // namespace bench

#endif
