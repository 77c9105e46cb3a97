// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_CASES_HPP
#define SETTLE_BENCHMARKS_CORE_CASES_HPP

#include <string>
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

template <class Forms>
void add_forms(std::vector<benchmark_case>& to, std::string const& row, std::string const& who) {
  to.push_back({row + "/born/" + who, &Forms::born});
  to.push_back({row + "/moved/" + who, &Forms::moved});
  to.push_back({row + "/shared/" + who, &Forms::shared});
}

inline std::vector<benchmark_case> all_cases() {
  std::vector<benchmark_case> c;
  add_forms<settle_forms<threads, false>>(c, "W1/mt", "ours");
  add_forms<bound_forms<bound::atomic_word, false>>(c, "W1/mt", "bound");
  add_forms<settle_forms<one_thread, false>>(c, "W1/st", "ours");
  add_forms<bound_forms<bound::plain_word, false>>(c, "W1/st", "bound");
  add_forms<settle_forms<threads, true>>(c, "W2/mt", "ours");
  add_forms<bound_forms<bound::atomic_word, true>>(c, "W2/mt", "bound");
  add_forms<settle_forms<one_thread, true>>(c, "W2/st", "ours");
  add_forms<bound_forms<bound::plain_word, true>>(c, "W2/st", "bound");
  c.push_back({"W1/mt/moved/shared_ptr", &by_hand_moved<false>});
  c.push_back({"W1/mt/shared/shared_ptr", &by_hand_shared<false>});
  c.push_back({"W2/mt/moved/shared_ptr", &by_hand_moved<true>});
  c.push_back({"W2/mt/shared/shared_ptr", &by_hand_shared<true>});
  c.push_back({"W1/mt/shared/std::promise", &std_promise});
#if defined(SETTLE_BENCH_BOOST_THREAD)
  c.push_back({"W1/mt/moved/boost::future", &boost_future});
#endif
#if defined(SETTLE_BENCH_ANY_COMPLETION_HANDLER)
  c.push_back({"W1/mt/born/any_completion_handler", &any_completion_handler});
#endif
#if defined(SETTLE_BENCH_CONCURRENCPP)
  c.push_back({"W1/mt/moved/concurrencpp", &concurrencpp_moved});
  c.push_back({"W1/mt/shared/concurrencpp", &concurrencpp_shared});
#endif
#if defined(SETTLE_BENCH_FOLLY)
  c.push_back({"W1/mt/moved/folly", &folly_moved});
  c.push_back({"W1/mt/shared/folly", &folly_shared});
#endif
#if defined(SETTLE_BENCH_LIBCORO)
  c.push_back({"W1/mt/moved/libcoro", &libcoro_moved});
#endif
#if defined(SETTLE_BENCH_STDEXEC)
  c.push_back({"W1/mt/born/stdexec", &stdexec_born});
  c.push_back({"W1/mt/moved/stdexec", &stdexec_moved});
  c.push_back({"W1/mt/shared/stdexec", &stdexec_shared});
#endif
#if defined(SETTLE_BENCH_UNIFEX)
  c.push_back({"W1/mt/born/unifex", &unifex_born});
  c.push_back({"W1/mt/moved/unifex", &unifex_moved});
#endif
  return c;
}

/// A state has two slots for cleanups.
inline std::vector<size_case> all_sizes() {
  return {{"state of an int", sizeof(settle::detail::cell<threads>), 128},
          {"state of an int, one thread", sizeof(settle::detail::cell<one_thread>), 128},
          {"state of an int by hand (bound)", sizeof(bound::state<bound::atomic_word>)},
          {"handle", sizeof(settle::handle<threads>), sizeof(void*)},
          {"watcher", sizeof(settle::watcher<threads>), sizeof(void*)},
          {"resolver", sizeof(settle::resolver<threads>), sizeof(void*)}};
}

}  // namespace bench

#endif
