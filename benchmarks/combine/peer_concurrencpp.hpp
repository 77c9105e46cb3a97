// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_COMBINE_PEER_CONCURRENCPP_HPP
#define SETTLE_BENCHMARKS_COMBINE_PEER_CONCURRENCPP_HPP

#include <array>
#include <cstddef>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "core/peer_concurrencpp.hpp"
#include "workloads.hpp"

namespace bench {

inline concurrencpp::result<int> concurrencpp_awaiting(std::size_t n, concurrencpp::result<int> first) {
  if (n == 0) co_return co_await std::move(first);
  auto before = concurrencpp_awaiting(n - 1, std::move(first));
  int const v = co_await std::move(before);
  co_return v + 1;
}
inline void concurrencpp_coroutines(std::size_t n) {
  for (; n != 0; --n) {
    concurrencpp::result_promise<int> p;
    concurrencpp_add(concurrencpp_awaiting(links, p.get_result()));
    escape(p);
    p.set_result(42);
    escape(p);
  }
}

/// Groups resume on an executor: this one runs at once.
inline auto const& concurrencpp_inline() {
  static auto const executor = std::make_shared<concurrencpp::inline_executor>();
  return executor;
}

/// Its groups start when they are awaited.
template <class Group>
concurrencpp::null_result concurrencpp_add_range(Group group) {
  for (auto& r : co_await std::move(group)) sum += r.get();
}
template <class Group>
concurrencpp::null_result concurrencpp_add_pack(Group group) {
  sum += std::apply([](auto&&... r) { return (r.get() + ...); }, co_await std::move(group));
}
template <class Group>
concurrencpp::null_result concurrencpp_add_first(Group group) {
  auto done = co_await std::move(group);
  sum += done.results[done.index].get();
}

inline void concurrencpp_all_independent(std::size_t n) {
  std::vector<concurrencpp::result_promise<int>> producers;
  std::vector<concurrencpp::result<int>> consumers;
  producers.reserve(inputs);
  consumers.reserve(inputs);
  for (; n != 0; --n) {
    for (std::size_t i = 0; i != inputs; ++i) consumers.push_back(producers.emplace_back().get_result());
    concurrencpp_add_range(concurrencpp::when_all(concurrencpp_inline(), consumers.begin(), consumers.end()));
    escape(producers);
    for (auto& p : producers) p.set_result(42);
    producers.clear();
    consumers.clear();
  }
}
template <std::size_t... I>
void concurrencpp_all_of_pack(std::size_t n, std::index_sequence<I...>) {
  for (; n != 0; --n) {
    std::array<concurrencpp::result_promise<int>, sizeof...(I)> producers;
    concurrencpp_add_pack(concurrencpp::when_all(concurrencpp_inline(), producers[I].get_result()...));
    escape(producers);
    for (auto& p : producers) p.set_result(42);
  }
}
inline void concurrencpp_all_of_ten(std::size_t n) { concurrencpp_all_of_pack(n, std::make_index_sequence<racers>()); }

/// It cancels nothing: the promises of the losers are dropped, which breaks their results.
inline void concurrencpp_race(std::size_t n) {
  std::vector<concurrencpp::result_promise<int>> producers;
  std::vector<concurrencpp::result<int>> consumers;
  producers.reserve(racers);
  consumers.reserve(racers);
  for (; n != 0; --n) {
    for (std::size_t i = 0; i != racers; ++i) consumers.push_back(producers.emplace_back().get_result());
    concurrencpp_add_first(concurrencpp::when_any(concurrencpp_inline(), consumers.begin(), consumers.end()));
    escape(producers);
    producers[3].set_result(42);
    producers.clear();
    consumers.clear();
  }
}

}  // namespace bench

#endif
