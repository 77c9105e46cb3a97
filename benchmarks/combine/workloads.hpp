// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_COMBINE_WORKLOADS_HPP
#define SETTLE_BENCHMARKS_COMBINE_WORKLOADS_HPP

#include <settle/settle.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "bound.hpp"
#include "core/workloads.hpp"
#include "stopwatch.hpp"

// W3: a chain of 1000 `then`, made, completed, run, destroyed; the time is for a link.
// W4: `all` of 1000 inputs, made, attached, completed, collected, destroyed; for an input. "arena": their states from one.
// W5: a race of ten, nine losers cancelled; for an input.
// W7: a tree of 1000 is cancelled by force; for an operation. "whole": made, adopted and destroyed too.
namespace bench {

inline constexpr std::size_t links = 1000, inputs = 1000, racers = 10, members = 1000;

template <class P>
using result_of = settle::handle_of<typename P::value_type, settle::error, typename P::terminal>;

template <class P>
void settle_chain(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    settle::resolver<P> r;
    result_of<P> h = r.get_handle();
    for (std::size_t i = 0; i != links; ++i) {
      escape(h);
      h = settle::then(std::move(h), [](int v) { return v + 1; });
    }
    std::move(h).on_done([&total](settle::outcome<int>&& out) { total += out.value(); });
    escape(r);
    r.complete(42);
    escape(r);
  }
}
template <class Word>
void bound_chain(std::size_t n) {
  using link = bound::link<Word>;
  long& total = sum;
  for (; n != 0; --n) {
    link* const r = link::make(2 * bound::ref);
    link* h = r;
    for (std::size_t i = 0; i != links; ++i) {
      escape(h);
      h = link::then(h, [](int v) { return v + 1; });
    }
    link::last(h, [&total](int v) { total += v; });
    escape(r);
    link::complete(r, 42);
  }
}

/// The same chain of coroutines, each of which awaits the one before.
inline settle::handle_of<int> awaiting(std::size_t n, settle::handle_of<int> first) {
  if (n == 0) co_return co_await std::move(first);
  auto before = awaiting(n - 1, std::move(first));
  int const v = co_await std::move(before);
  co_return v + 1;
}
inline void settle_coroutines(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    settle::resolver<threads> r;
    awaiting(links, r.get_handle()).on_done([&total](settle::outcome<int>&& out) { total += out.value(); });
    escape(r);
    r.complete(42);
    escape(r);
  }
}

template <class P, class Make>
void settle_all(std::size_t n, Make make) {
  long& total = sum;
  std::vector<settle::resolver<P>> producers;
  std::vector<settle::handle<P>> consumers;
  producers.reserve(inputs);
  consumers.reserve(inputs);
  for (; n != 0; --n) {
    for (std::size_t i = 0; i != inputs; ++i) consumers.push_back(producers.emplace_back(make()).get_handle());
    settle::all(std::move(consumers)).on_done([&total](auto&& out) {
      for (int const v : out.value()) total += v;
    });
    escape(producers);
    for (auto& r : producers) r.complete(42);
    producers.clear();
    consumers.clear();
  }
}
template <class P>
void settle_all_independent(std::size_t n) {
  settle_all<P>(n, [] { return settle::resolver<P>(); });
}
struct from_arena : threads {
  using allocator_type = settle::arena_allocator<>;
};
inline void settle_all_in_arena(std::size_t n) {
  static std::vector<std::byte> block(inputs * 256);
  static settle::arena memory(block);
  for (; n != 0; --n) {
    settle_all<from_arena>(1, [] { return settle::resolver<from_arena>(std::allocator_arg, settle::arena_allocator<>(memory)); });
    memory.reset();
  }
}
/// Inputs each in a block of its own; what stands for the group is a block with the values.
template <class Word>
void bound_all_independent(std::size_t n) {
  struct collected {
    Word missing{inputs};
    std::array<int, inputs> values;
  };
  long& total = sum;
  std::vector<bound::producer<Word>> producers;
  producers.reserve(inputs);
  for (; n != 0; --n) {
    auto* const g = ::new (bound::block(sizeof(collected))) collected;
    for (std::size_t i = 0; i != inputs; ++i) {
      bound::consumer<Word> c = producers.emplace_back().get_consumer();
      escape(c);
      std::move(c).then([g, i, &total](int v) {
        g->values[i] = v;
        if (g->missing.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        for (int const each : g->values) total += each;
        bound::free_block(g, sizeof(collected));
      });
    }
    escape(producers);
    for (auto& p : producers) p.complete(42);
    producers.clear();
  }
}
template <class Word>
void bound_all_in_block(std::size_t n) {
  using group = bound::group<Word>;
  for (; n != 0; --n) {
    group* g = group::make(inputs, &sum);
    escape(g);
    for (std::uint32_t i = 0; i != inputs; ++i) group::complete(g, i, 42);
  }
}

/// Of a pack, whose size is known.
template <class P, std::size_t... I>
void settle_all_of_pack(std::size_t n, std::index_sequence<I...>) {
  long& total = sum;
  for (; n != 0; --n) {
    std::array<settle::resolver<P>, sizeof...(I)> producers;
    settle::all(producers[I].get_handle()...).on_done([&total](auto&& out) { total += (std::get<I>(out.value()) + ...); });
    escape(producers);
    for (auto& r : producers) r.complete(42);
  }
}
inline void settle_all_of_ten(std::size_t n) { settle_all_of_pack<threads>(n, std::make_index_sequence<racers>()); }
inline void bound_all_of_ten(std::size_t n) {
  using group = bound::group<bound::atomic_word>;
  for (; n != 0; --n) {
    group* g = group::make(racers, &sum);
    escape(g);
    for (std::uint32_t i = 0; i != racers; ++i) group::complete(g, i, 42);
  }
}

template <class P>
void settle_race(std::size_t n) {
  long& total = sum;
  std::vector<settle::resolver<P>> producers;
  std::vector<settle::handle<P>> consumers;
  producers.reserve(racers);
  consumers.reserve(racers);
  for (; n != 0; --n) {
    for (std::size_t i = 0; i != racers; ++i) consumers.push_back(producers.emplace_back().get_handle());
    settle::race(std::move(consumers)).on_done([&total](auto&& out) { total += out.value().second; });
    escape(producers);
    producers[3].complete(42);
    producers.clear();  // each loser acknowledges
    consumers.clear();
  }
}
template <class Word>
void bound_race(std::size_t n) {
  using group = bound::group<Word>;
  for (; n != 0; --n) {
    group* g = group::make(racers, &sum);
    escape(g);
    group::win(g, 3, 42);
    long lost = 0;
    for (std::uint32_t i = 0; i != racers; ++i) lost += group::lost(g, i) ? 1 : 0;
    cleaned += lost;
    group::end(g);
  }
}

/// A parent and what is to be cancelled with it.
template <class P>
struct settle_tree {
  settle::resolver<P> root;
  settle::handle<P> owner = root.get_handle();
  std::vector<settle::resolver<P>> children;

  settle_tree() {
    children.reserve(members);
    for (std::size_t i = 0; i != members; ++i) children.emplace_back(root.op(), settle::inline_executor());
  }
};
template <class P>
double settle_cancel() {
  settle_tree<P> tree;
  escape(tree);
  thread_stopwatch const watch;
  tree.owner.cancel();
  escape(tree);
  return watch.seconds();
}
template <class P>
void settle_whole_tree(std::size_t n) {
  for (; n != 0; --n) {
    settle_tree<P> tree;
    escape(tree);
    tree.owner.cancel();
  }
}
template <class Word>
bound::member<Word>* bound_tree() {
  auto* const root = bound::member<Word>::make(nullptr);
  for (std::size_t i = 0; i != members; ++i) bound::member<Word>::make(root);
  return root;
}
template <class Word>
double bound_cancel() {
  auto* root = bound_tree<Word>();
  escape(root);
  thread_stopwatch const watch;
  cleaned += static_cast<long>(bound::member<Word>::cancel(root));
  double const took = watch.seconds();
  bound::member<Word>::end(root);
  return took;
}
template <class Word>
void bound_whole_tree(std::size_t n) {
  for (; n != 0; --n) {
    auto* root = bound_tree<Word>();
    escape(root);
    cleaned += static_cast<long>(bound::member<Word>::cancel(root));
    bound::member<Word>::end(root);
  }
}

}  // namespace bench

#endif
