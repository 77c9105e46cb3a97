// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_THREADS_HANDOFF_HPP
#define SETTLE_BENCHMARKS_THREADS_HANDOFF_HPP

#include <atomic>

namespace bench {

/// A list of nodes that many push and one takes whole (Treiber's). Who takes sleeps while there is nothing; it is woken only
/// by the push that found the list empty.
template <class Node>
class handoff {
 public:
  void push(Node& n) noexcept {
    Node* top = top_.load(std::memory_order_relaxed);
    do n.link(top);
    while (!top_.compare_exchange_weak(top, &n, std::memory_order_seq_cst, std::memory_order_relaxed));
    if (top == nullptr && sleeps_.load(std::memory_order_seq_cst) != 0 && sleeps_.exchange(0, std::memory_order_seq_cst) != 0)
      sleeps_.notify_one();
  }

  /// All of it, the first pushed first; null when there is nothing.
  Node* take() noexcept {
    if (top_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    Node* n = top_.exchange(nullptr, std::memory_order_acquire);
    Node* first = nullptr;
    while (n != nullptr) {
      Node* const below = n->link();
      n->link(first);
      first = n;
      n = below;
    }
    return first;
  }
  /// The same; sleeps until there is something.
  Node* wait() noexcept {
    for (;;) {
      if (Node* const n = take()) return n;
      sleeps_.store(1, std::memory_order_seq_cst);
      if (top_.load(std::memory_order_seq_cst) == nullptr) sleeps_.wait(1, std::memory_order_acquire);
      sleeps_.store(0, std::memory_order_relaxed);
    }
  }

 private:
  alignas(64) std::atomic<Node*> top_{nullptr};
  alignas(64) std::atomic<int> sleeps_{0};
};

}  // namespace bench

#endif
