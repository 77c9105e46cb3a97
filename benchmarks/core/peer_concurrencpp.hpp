// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_PEER_CONCURRENCPP_HPP
#define SETTLE_BENCHMARKS_CORE_PEER_CONCURRENCPP_HPP

#include <concurrencpp/concurrencpp.h>

#include <cstddef>
#include <utility>

#include "benchmark_case.hpp"

namespace bench {

/// A continuation is a coroutine that nobody waits for.
inline concurrencpp::null_result concurrencpp_add(concurrencpp::result<int> r) { sum += co_await std::move(r); }
inline concurrencpp::null_result concurrencpp_add_shared(concurrencpp::shared_result<int> r) { sum += co_await r; }

inline void concurrencpp_moved(std::size_t n) {
  for (; n != 0; --n) {
    concurrencpp::result_promise<int> p;
    concurrencpp::result<int> r = p.get_result();
    escape(p);
    escape(r);
    concurrencpp_add(std::move(r));
    escape(p);
    p.set_result(42);
    escape(p);
  }
}
inline void concurrencpp_shared(std::size_t n) {
  for (; n != 0; --n) {
    concurrencpp::result_promise<int> p;
    concurrencpp::shared_result<int> kept(p.get_result());
    escape(p);
    escape(kept);
    concurrencpp_add_shared(kept);
    escape(p);
    p.set_result(42);
    escape(kept);
  }
}

}  // namespace bench

#endif
