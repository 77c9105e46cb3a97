// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_COMBINE_PEER_UNIFEX_HPP
#define SETTLE_BENCHMARKS_COMBINE_PEER_UNIFEX_HPP

#include <array>
#include <cstddef>
#include <tuple>
#include <unifex/inline_scheduler.hpp>
#include <unifex/task.hpp>
#include <unifex/when_all.hpp>
#include <unifex/when_all_range.hpp>
#include <unifex/when_any.hpp>
#include <unifex/with_query_value.hpp>
#include <utility>
#include <variant>
#include <vector>

#include "core/peer_unifex.hpp"
#include "workloads.hpp"

namespace bench {

inline unifex::task<int> unifex_awaiting(std::size_t n, completion& first) {
  if (n == 0) co_return co_await unifex_wait{&first};
  int const v = co_await unifex_awaiting(n - 1, first);
  co_return v + 1;
}
/// A task returns to the scheduler that it was started on: this one runs at once.
inline void unifex_coroutines(std::size_t n) {
  long& total = sum;
  unifex_scope scope;
  for (; n != 0; --n) {
    completion c;
    scope.detach(unifex::with_query_value(unifex_awaiting(links, c), unifex::get_scheduler, unifex::inline_scheduler()) |
                 unifex::then([&total](int v) noexcept { total += v; }));
    escape(c);
    c.complete(42);
    escape(c);
  }
}

/// On the caller's stack: a scope does not compile with what is of a range.
inline void unifex_all_independent(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    std::vector<completion> producers(inputs);
    std::vector<unifex_wait> consumers;
    consumers.reserve(inputs);
    for (auto& c : producers) consumers.push_back({&c});
    auto all =
        unifex::connect(unifex::when_all_range(std::move(consumers)) | unifex::then([&total](std::vector<int> const& values) noexcept {
                          for (int const v : values) total += v;
                        }),
                        unifex_end());
    unifex::start(all);
    escape(producers);
    for (auto& c : producers) c.complete(42);
  }
}

template <class Combine, std::size_t... I>
auto unifex_group(Combine combine, std::array<completion, sizeof...(I)>& producers, std::index_sequence<I...>) {
  return combine(unifex_wait{&producers[I]}...);
}
inline void unifex_all_of_ten(std::size_t n) {
  long& total = sum;
  unifex_scope scope;
  for (; n != 0; --n) {
    std::array<completion, racers> producers;
    scope.detach(unifex_group(unifex::when_all, producers, std::make_index_sequence<racers>()) |
                 unifex::then([&total](auto const&... v) noexcept { total += (std::get<0>(std::get<0>(v)) + ...); }));
    escape(producers);
    for (auto& c : producers) c.complete(42);
  }
}
inline void unifex_race(std::size_t n) {
  long& total = sum;
  unifex_scope scope;
  for (; n != 0; --n) {
    std::array<completion, racers> producers;
    scope.detach(unifex_group(unifex::when_any, producers, std::make_index_sequence<racers>()) |
                 unifex::then([&total](int v) noexcept { total += v; }));
    escape(producers);
    producers[3].complete(42);
    escape(producers);
  }
}

}  // namespace bench

#endif
