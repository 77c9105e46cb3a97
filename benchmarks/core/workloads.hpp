// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_WORKLOADS_HPP
#define SETTLE_BENCHMARKS_CORE_WORKLOADS_HPP

#include <settle/settle.hpp>

#include <cstddef>
#include <utility>

#include "benchmark_case.hpp"
#include "bound.hpp"

// W1: create, attach a callback, complete, the callback runs, destroy. W2: the same with two cleanups.
//   born    the callback is given at creation                       resolver::with_done(f)
//   moved   attaching consumes the handle: takes the value          std::move(h).on_done(f)
//   shared  the handle is kept: observes                            h.on_done(f)
// What the forms cost (tests/core/cost.cpp counts it): born is one block and no atomic read-modify-write; moved is two
// blocks and one, registering; shared is two blocks and four, registering, dropping the registration, settling, releasing,
// for another thread may hold the handle. Two cleanups in the state's slots cost no block, and none of those while only the
// resolver refers to it; shared, one more, which keeps pins off while they run. A read-modify-write waits for the stores
// before it: what a state and a hook are made of is written in as few as possible.
namespace bench {

inline long cleaned = 0;

struct threads : settle::default_policy {
  using value_type = int;
};
struct one_thread : settle::default_policy {
  using value_type = int;
  using terminal = settle::unsynchronized_terminal;
};

template <bool Cleanups, class Producer>
void add_cleanups(Producer& p) {
  if constexpr (Cleanups) {
    long& n = cleaned;
    p.on_cleanup([&n] { ++n; });
    p.on_cleanup([&n] { n += 2; });
  }
}

template <class P, bool Cleanups>
struct settle_forms {
  using outcome = settle::outcome<int>;

  static void born(std::size_t n) {
    long& total = sum;
    for (; n != 0; --n) {
      auto r = settle::resolver<P>::with_done([&total](outcome&& out) { total += out.value(); });
      add_cleanups<Cleanups>(r);
      escape(r);
      r.complete(42);
      escape(r);
    }
  }
  static void moved(std::size_t n) {
    long& total = sum;
    for (; n != 0; --n) {
      settle::resolver<P> r;
      add_cleanups<Cleanups>(r);
      settle::handle<P> h = r.get_handle();
      escape(r);
      escape(h);
      std::move(h).on_done([&total](outcome&& out) { total += out.value(); });
      escape(r);
      r.complete(42);
      escape(r);
    }
  }
  static void shared(std::size_t n) {
    long& total = sum;
    for (; n != 0; --n) {
      settle::resolver<P> r;
      add_cleanups<Cleanups>(r);
      settle::handle<P> h = r.get_handle();
      escape(r);
      escape(h);
      h.on_done([&total](outcome const& out) { total += out.value(); });
      escape(r);
      r.complete(42);
      escape(r);
      escape(h);
    }
  }
};

template <class Producer, class Consumer, bool Cleanups>
struct forms_by_hand {
  static void born(std::size_t n) {
    long& total = sum;
    for (; n != 0; --n) {
      auto p = Producer::with([&total](int v) { total += v; });
      add_cleanups<Cleanups>(p);
      escape(p);
      p.complete(42);
      escape(p);
    }
  }
  static void moved(std::size_t n) {
    long& total = sum;
    for (; n != 0; --n) {
      Producer p;
      add_cleanups<Cleanups>(p);
      Consumer c = p.get_consumer();
      escape(p);
      escape(c);
      std::move(c).then([&total](int v) { total += v; });
      escape(p);
      p.complete(42);
      escape(p);
    }
  }
  static void shared(std::size_t n) {
    long& total = sum;
    for (; n != 0; --n) {
      Producer p;
      add_cleanups<Cleanups>(p);
      Consumer c = p.get_consumer();
      escape(p);
      escape(c);
      c.then([&total](int v) { total += v; });
      escape(p);
      p.complete(42);
      escape(p);
      escape(c);
    }
  }
};

template <class Word, bool Cleanups>
using bound_forms = forms_by_hand<bound::producer<Word>, bound::consumer<Word>, Cleanups>;

}  // namespace bench

#endif
