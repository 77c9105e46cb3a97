// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_COMBINE_PEER_LIBCORO_HPP
#define SETTLE_BENCHMARKS_COMBINE_PEER_LIBCORO_HPP

#include <array>
#include <coro/when_all.hpp>
#include <coro/when_any.hpp>
#include <cstddef>
#include <stop_token>
#include <tuple>
#include <utility>
#include <vector>

#include "core/peer_libcoro.hpp"
#include "workloads.hpp"

namespace bench {

inline coro::task<int> libcoro_awaiting(std::size_t n, libcoro_completion const& first) {
  if (n == 0) co_return co_await first.wait();
  int const v = co_await libcoro_awaiting(n - 1, first);
  co_return v + 1;
}
inline void libcoro_coroutines(std::size_t n) {
  for (; n != 0; --n) {
    libcoro_completion c;
    auto last = libcoro_add(libcoro_awaiting(links, c));
    last.resume();
    escape(c);
    c.complete(42);
    escape(last);
  }
}

inline coro::task<void> libcoro_add_range(std::vector<coro::task<int>> tasks) {
  auto done = co_await coro::when_all(std::move(tasks));
  for (auto& each : done) sum += each.return_value();
}
inline void libcoro_all_independent(std::size_t n) {
  for (; n != 0; --n) {
    std::vector<libcoro_completion> producers(inputs);
    std::vector<coro::task<int>> consumers;
    consumers.reserve(inputs);
    for (auto& c : producers) consumers.push_back(c.wait());
    auto all = libcoro_add_range(std::move(consumers));
    all.resume();
    escape(producers);
    for (auto& c : producers) c.complete(42);
  }
}

template <std::size_t... I>
coro::task<void> libcoro_add_pack(std::array<libcoro_completion, sizeof...(I)>& producers, std::index_sequence<I...>) {
  auto const done = co_await coro::when_all(producers[I].wait()...);
  sum += (std::get<I>(done).return_value() + ...);
}
inline void libcoro_all_of_ten(std::size_t n) {
  for (; n != 0; --n) {
    std::array<libcoro_completion, racers> producers;
    auto all = libcoro_add_pack(producers, std::make_index_sequence<racers>());
    all.resume();
    escape(producers);
    for (auto& c : producers) c.complete(42);
  }
}

/// What is to be cancelled has to listen to the token.
inline coro::task<int> libcoro_racer(libcoro_completion& c, std::stop_token token) {
  std::stop_callback const on_stop(std::move(token), [&c] { c.stop(); });
  co_return co_await c.wait();
}
inline void libcoro_race(std::size_t n) {
  for (; n != 0; --n) {
    std::stop_source losers;
    std::array<libcoro_completion, racers> producers;
    std::vector<coro::task<int>> consumers;
    consumers.reserve(racers);
    for (auto& c : producers) consumers.push_back(libcoro_racer(c, losers.get_token()));
    auto race = libcoro_add(coro::when_any(losers, std::move(consumers)));
    race.resume();
    escape(producers);
    producers[3].complete(42);
    escape(producers);
  }
}

}  // namespace bench

#endif
