// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_PEERS_HPP
#define SETTLE_BENCHMARKS_CORE_PEERS_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <utility>

#if defined(SETTLE_BENCH_BOOST_THREAD)
#define BOOST_THREAD_VERSION 4
#include <boost/thread/future.hpp>
#endif
#if defined(SETTLE_BENCH_ASIO) && __has_include(<asio/any_completion_handler.hpp>)
#define SETTLE_BENCH_ANY_COMPLETION_HANDLER
#include <asio/any_completion_handler.hpp>
#endif

#include "workloads.hpp"

// What people use instead.
namespace bench {

/// std::shared_ptr and std::function, by hand: the usual home-made future.
struct by_hand {
  std::atomic<unsigned> steps = 0;  // 1: attached, 2: settled
  int value = 0;
  std::function<void(int)> callback;
  std::array<std::function<void()>, 2> cleanups;
  std::size_t registered = 0;

  template <class F>
  void on_cleanup(F f) {
    cleanups[registered++] = std::move(f);
  }
  template <class F>
  void then(F f) {
    callback = std::move(f);
    if ((steps.fetch_or(1, std::memory_order_acq_rel) & 2) != 0) finish();
  }
  void complete(int v) {
    value = v;
    if ((steps.fetch_or(2, std::memory_order_acq_rel) & 1) != 0) finish();
  }
  void finish() {
    callback(value);
    while (registered != 0) cleanups[--registered]();
  }
};

template <bool Cleanups>
void by_hand_shared(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    auto p = std::make_shared<by_hand>();
    add_cleanups<Cleanups>(*p);
    std::shared_ptr<by_hand> c = p;
    escape(p);
    escape(c);
    c->then([&total](int v) { total += v; });
    escape(p);
    p->complete(42);
    p.reset();
    escape(c);
  }
}
template <bool Cleanups>
void by_hand_moved(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    auto p = std::make_shared<by_hand>();
    add_cleanups<Cleanups>(*p);
    std::shared_ptr<by_hand> c = p;
    escape(p);
    escape(c);
    c->then([&total](int v) { total += v; });
    c.reset();
    escape(p);
    p->complete(42);
    p.reset();
  }
}

/// It knows no callbacks: waiting for what is there already stands for one.
inline void std_promise(std::size_t n) {
  for (; n != 0; --n) {
    std::promise<int> p;
    std::future<int> f = p.get_future();
    escape(p);
    escape(f);
    p.set_value(42);
    sum += f.get();
  }
}

#if defined(SETTLE_BENCH_BOOST_THREAD)
inline void boost_future(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    boost::promise<int> p;
    auto f = p.get_future();
    escape(p);
    escape(f);
    auto g = f.then(boost::launch::sync, [&total](boost::future<int> done) { total += done.get(); });
    escape(g);
    p.set_value(42);
    g.get();
  }
}
#endif

#if defined(SETTLE_BENCH_ANY_COMPLETION_HANDLER)
/// A type-erased callback that is called once; that nobody calls it twice is up to the caller.
inline void any_completion_handler(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    asio::any_completion_handler<void(int)> h([&total](int v) { total += v; });
    escape(h);
    std::move(h)(42);
    escape(h);
  }
}
#endif

}  // namespace bench

#endif
