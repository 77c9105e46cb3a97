// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_COMBINE_PEER_FOLLY_HPP
#define SETTLE_BENCHMARKS_COMBINE_PEER_FOLLY_HPP

#include <folly/coro/Task.h>

#include <array>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include "core/peer_folly.hpp"
#include "workloads.hpp"

namespace bench {

inline void folly_chain(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    auto [p, f] = folly::makePromiseContract<int>(folly_inline());
    for (std::size_t i = 0; i != links; ++i) {
      escape(f);
      f = std::move(f).thenValueInline([](int v) { return v + 1; });
    }
    folly_last(std::move(f), [&total](int v) { total += v; });
    escape(p);
    p.setValue(42);
    escape(p);
  }
}

inline folly::coro::Task<int> folly_awaiting(std::size_t n, folly::SemiFuture<int>& first) {
  if (n == 0) co_return co_await std::move(first);
  int const v = co_await folly_awaiting(n - 1, first);
  co_return v + 1;
}
inline void folly_coroutines(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    auto [p, f] = folly::makePromiseContract<int>();
    folly::coro::co_withExecutor(folly_inline(), folly_awaiting(links, f)).start([&total](auto&& done) { total += done.value(); });
    escape(p);
    p.setValue(42);
    escape(p);
  }
}

/// Of futures without an executor, which is what is cheapest for a group.
inline void folly_all_independent(std::size_t n) {
  long& total = sum;
  std::vector<folly::Promise<int>> producers;
  std::vector<folly::SemiFuture<int>> consumers;
  producers.reserve(inputs);
  consumers.reserve(inputs);
  for (; n != 0; --n) {
    for (std::size_t i = 0; i != inputs; ++i) consumers.push_back(producers.emplace_back().getSemiFuture());
    folly_last(folly::collect(consumers).via(folly_inline()), [&total](auto&& values) {
      for (int const v : values) total += v;
    });
    escape(producers);
    for (auto& p : producers) p.setValue(42);
    producers.clear();
    consumers.clear();
  }
}
template <std::size_t... I>
void folly_all_of_pack(std::size_t n, std::index_sequence<I...>) {
  long& total = sum;
  for (; n != 0; --n) {
    std::array<folly::Promise<int>, sizeof...(I)> producers;
    auto all = folly::collect(producers[I].getSemiFuture()...);
    folly_last(std::move(all).via(folly_inline()), [&total](auto&& values) { total += (std::get<I>(values) + ...); });
    escape(producers);
    for (auto& p : producers) p.setValue(42);
  }
}
inline void folly_all_of_ten(std::size_t n) { folly_all_of_pack(n, std::make_index_sequence<racers>()); }

/// It cancels nothing: the promises of the losers are dropped, which breaks their futures. The race of coroutines, which cancels,
/// takes many times that.
inline void folly_race(std::size_t n) {
  long& total = sum;
  std::vector<folly::Promise<int>> producers;
  std::vector<folly::SemiFuture<int>> consumers;
  producers.reserve(racers);
  consumers.reserve(racers);
  for (; n != 0; --n) {
    for (std::size_t i = 0; i != racers; ++i) consumers.push_back(producers.emplace_back().getSemiFuture());
    folly_last(folly::collectAny(consumers).via(folly_inline()), [&total](auto&& first) { total += first.second.value(); });
    escape(producers);
    producers[3].setValue(42);
    producers.clear();
    consumers.clear();
  }
}

}  // namespace bench

#endif
