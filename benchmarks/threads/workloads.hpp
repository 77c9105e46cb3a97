// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_THREADS_WORKLOADS_HPP
#define SETTLE_BENCHMARKS_THREADS_WORKLOADS_HPP

#include <settle/settle.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/workloads.hpp"
#include "handoff.hpp"
#include "helper.hpp"
#include "stopwatch.hpp"

// W6: operations are made here, completed on another thread, and their callbacks run here, by way of an executor.
//   near   both threads on one processor: they take turns
//   far    on two processors
namespace bench {

inline constexpr std::size_t hops = 256;

/// Of one thread: it runs what others hand it until so many callbacks have run.
template <class Node>
class loop {
 public:
  handoff<Node> queue;
  std::size_t ran = 0;

  void run_until(std::size_t n) {
    while (ran != n) {
      for (Node* w = queue.wait(); w != nullptr;) {
        Node* const next = w->link();
        w->run();
        w = next;
      }
    }
  }
};

struct loop_executor {
  loop<settle::work_node>* to;
  void submit(settle::work_node& n) const noexcept { to->queue.push(n); }
  bool operator==(loop_executor const&) const = default;
};
struct hopping : threads {
  using executor_type = loop_executor;
};

/// Makes `hops` operations, has the helper complete them, and runs their callbacks.
template <class Producer, class Loop, class Make>
double hop(placement where, Loop& here, Make make) {
  std::vector<Producer> producers;
  producers.reserve(hops);
  helper& other = helper::get();
  placed const at(where);
  here.ran = 0;
  wall_stopwatch const watch;
  for (std::size_t i = 0; i != hops; ++i) producers.push_back(make());
  other.start([&producers] {
    for (auto& p : producers) p.complete(42);
  });
  here.run_until(hops);
  double const took = watch.seconds();
  other.join();
  return took;
}

template <placement Where>
double settle_hop_born() {
  static loop<settle::work_node> here;
  return hop<settle::resolver<hopping>>(Where, here, [] {
    return settle::resolver<hopping>::with_done([](settle::outcome<int>&& out) { sum += out.value(), ++here.ran; }, loop_executor{&here});
  });
}
template <placement Where>
double settle_hop_moved() {
  static loop<settle::work_node> here;
  return hop<settle::resolver<hopping>>(Where, here, [] {
    settle::resolver<hopping> r(loop_executor{&here});
    r.get_handle().on_done([](settle::outcome<int>&& out) { sum += out.value(), ++here.ran; });
    return r;
  });
}

/// By hand: the operation is a node of the queue, and whoever has the pointer completes it.
struct hop_by_hand {
  hop_by_hand* next = nullptr;
  void (*call)(hop_by_hand&);
  handoff<hop_by_hand>* to;
  int value = 0;

  hop_by_hand* link() const noexcept { return next; }
  void link(hop_by_hand* n) noexcept { next = n; }
  void run() { call(*this); }
};
struct hop_producer {
  hop_by_hand* op;
  void complete(int v) const {
    op->value = v;
    op->to->push(*op);
  }
};
template <placement Where>
double bound_hop() {
  static loop<hop_by_hand> here;
  return hop<hop_producer>(Where, here, [] {
    void* const at = settle::recycling::try_allocate(sizeof(hop_by_hand), alignof(hop_by_hand));
    auto* const op = ::new (at) hop_by_hand;
    op->to = &here.queue;
    op->call = [](hop_by_hand& done) {
      sum += done.value, ++here.ran;
      settle::recycling::deallocate(&done, sizeof(hop_by_hand), alignof(hop_by_hand));
    };
    return hop_producer{op};
  });
}

}  // namespace bench

#endif
