// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_COMBINE_PEER_STDEXEC_HPP
#define SETTLE_BENCHMARKS_COMBINE_PEER_STDEXEC_HPP

#include <array>
#include <cstddef>
#include <exec/async_scope.hpp>
#include <exec/task.hpp>
#include <exec/when_any.hpp>
#include <utility>
#include <vector>

#include "core/peer_stdexec.hpp"
#include "workloads.hpp"

namespace bench {

// What it awaits is of a type without linkage, which g++ says of a header.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif
inline exec::task<int> stdexec_awaiting(std::size_t n, completion& first) {
  if (n == 0) co_return co_await stdexec_wait{&first};
  int const v = co_await stdexec_awaiting(n - 1, first);
  co_return v + 1;
}
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
/// A task returns to the scheduler that it was started on: this one runs at once.
inline void stdexec_coroutines(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    completion c;
    stdexec_detach(stdexec::starts_on(stdexec::inline_scheduler(), stdexec_awaiting(links, c)) |
                   stdexec::then([&total](int v) noexcept { total += v; }));
    escape(c);
    c.complete(42);
    escape(c);
  }
}

/// It has no `when_all` of a range: a scope for as many as there are.
inline void stdexec_all_independent(std::size_t n) {
  long& total = sum;
  std::array<int, inputs> values{};
  for (; n != 0; --n) {
    std::vector<completion> producers(inputs);
    exec::async_scope scope;
    for (std::size_t i = 0; i != inputs; ++i)
      scope.spawn(stdexec_wait{&producers[i]} | stdexec::then([&to = values[i]](int v) noexcept { to = v; }));
    stdexec_detach(scope.on_empty() | stdexec::then([&values, &total]() noexcept {
                     for (int const v : values) total += v;
                   }));
    escape(producers);
    for (auto& c : producers) c.complete(42);
  }
}

template <class Combine, std::size_t... I, class Done>
void stdexec_group(Combine combine, std::array<completion, sizeof...(I)>& producers, std::index_sequence<I...>, Done done) {
  stdexec_detach(combine(stdexec_wait{&producers[I]}...) | stdexec::then(std::move(done)));
}
inline void stdexec_all_of_ten(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    std::array<completion, racers> producers;
    stdexec_group(stdexec::when_all, producers, std::make_index_sequence<racers>(), [&total](auto... v) noexcept { total += (v + ...); });
    escape(producers);
    for (auto& c : producers) c.complete(42);
  }
}
inline void stdexec_race(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    std::array<completion, racers> producers;
    stdexec_group(exec::when_any, producers, std::make_index_sequence<racers>(), [&total](int v) noexcept { total += v; });
    escape(producers);
    producers[3].complete(42);
    escape(producers);
  }
}

}  // namespace bench

#endif
