// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_THREADS_QUEUES_HPP
#define SETTLE_BENCHMARKS_THREADS_QUEUES_HPP

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#if defined(SETTLE_BENCH_BOOST_LOCKFREE)
#include <settle/lockfree/queue.hpp>

#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/stack.hpp>
#endif

#include "benchmark_case.hpp"
#include "handoff.hpp"
#include "helper.hpp"
#include "stopwatch.hpp"

// Queues: an int goes in and comes out.
//   one   one thread: 64 in, 64 out
//   two   one thread pushes, another one takes, on two processors
// A queue is a class with `bool push(int)` and `std::size_t take(f)`, which calls f(int) for what it takes.
namespace bench {

inline constexpr std::size_t at_once = 64, room = 1024, passed = std::size_t{1} << 14;

struct queue_node {
  std::atomic<queue_node*> next{nullptr};
  int value = 0;

  queue_node* link() const noexcept { return next.load(std::memory_order_relaxed); }
  void link(queue_node* n) noexcept { next.store(n, std::memory_order_relaxed); }
};

/// The queues by hand link nodes that are their user's, each of which is pushed again only when all have come out.
class user_nodes {
 public:
  queue_node& next(int v) {
    queue_node& n = nodes_[used_++ % nodes_.size()];
    n.value = v;
    return n;
  }

 private:
  std::vector<queue_node> nodes_ = std::vector<queue_node>(2 * passed);
  std::size_t used_ = 0;
};

/// Take-all Treiber.
class take_all_queue {
 public:
  bool push(int v) {
    list_.push(nodes_.next(v));
    return true;
  }
  template <class F>
  std::size_t take(F f) {
    std::size_t n = 0;
    for (queue_node* at = list_.take(); at != nullptr; ++n) {
      queue_node* const next = at->link();
      f(at->value);
      at = next;
    }
    return n;
  }

 private:
  user_nodes nodes_;
  handoff<queue_node> list_;
};

/// Vyukov's queue of many producers and one consumer: one exchange to push, none to take.
class vyukov_queue {
 public:
  bool push(int v) {
    add(nodes_.next(v));
    return true;
  }
  template <class F>
  std::size_t take(F f) {
    queue_node* first = first_;
    queue_node* next = first->next.load(std::memory_order_acquire);
    if (first == &sentinel_) {
      if (next == nullptr) return 0;
      first_ = first = next;
      next = first->next.load(std::memory_order_acquire);
    }
    if (next == nullptr) {
      if (first != last_.load(std::memory_order_acquire)) return 0;
      add(sentinel_);
      next = first->next.load(std::memory_order_acquire);
      if (next == nullptr) return 0;
    }
    first_ = next;
    f(first->value);
    return 1;
  }

 private:
  void add(queue_node& n) noexcept {
    n.next.store(nullptr, std::memory_order_relaxed);
    last_.exchange(&n, std::memory_order_acq_rel)->next.store(&n, std::memory_order_release);
  }

  user_nodes nodes_;
  queue_node sentinel_;
  alignas(64) std::atomic<queue_node*> last_{&sentinel_};
  alignas(64) queue_node* first_ = &sentinel_;
};

/// A lock, and a vector that is swapped out.
class mutex_queue {
 public:
  bool push(int v) {
    std::scoped_lock const hold(mutex_);
    in_.push_back(v);
    return true;
  }
  template <class F>
  std::size_t take(F f) {
    {
      std::scoped_lock const hold(mutex_);
      in_.swap(out_);
    }
    std::size_t const n = out_.size();
    for (int const v : out_) f(v);
    out_.clear();
    return n;
  }

 private:
  std::mutex mutex_;
  std::vector<int> in_;
  std::vector<int> out_;
};

#if defined(SETTLE_BENCH_BOOST_LOCKFREE)
class settle_queue {
 public:
  bool push(int v) { return queue_.try_push(v); }
  template <class F>
  std::size_t take(F f) {
    std::optional<int> const v = queue_.try_pop();
    if (v) f(*v);
    return v ? 1 : 0;
  }

 private:
  settle::queue<int> queue_{room};
};

template <class Boost>
class boost_queue {
 public:
  bool push(int v) { return queue_.bounded_push(v); }
  template <class F>
  std::size_t take(F f) {
    int v = 0;
    if (!queue_.pop(v)) return 0;
    f(v);
    return 1;
  }

 private:
  Boost queue_{room};
};
using boost_fifo = boost_queue<boost::lockfree::queue<int>>;
using boost_lifo = boost_queue<boost::lockfree::stack<int>>;
#endif

template <class Queue>
void one_thread_queue(std::size_t n) {
  static auto const q = std::make_unique<Queue>();
  long& total = sum;
  for (; n != 0; --n) {
    for (std::size_t i = 0; i != at_once; ++i) q->push(42);
    for (std::size_t left = at_once; left != 0;) left -= q->take([&total](int v) { total += v; });
  }
}

template <class Queue>
double two_thread_queue() {
  static auto const q = std::make_unique<Queue>();
  helper& other = helper::get();
  placed const at(placement::far);
  wall_stopwatch const watch;
  other.start([] {
    for (std::size_t i = 0; i != passed; ++i)
      while (!q->push(42)) std::this_thread::yield();
  });
  long total = 0;
  for (std::size_t left = passed; left != 0;) {
    std::size_t const n = q->take([&total](int v) { total += v; });
    if (n == 0) std::this_thread::yield();
    left -= n;
  }
  double const took = watch.seconds();
  other.join();
  sum += total;
  return took;
}

}  // namespace bench

#endif
