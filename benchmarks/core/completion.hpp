// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_COMPLETION_HPP
#define SETTLE_BENCHMARKS_CORE_COMPLETION_HPP

#include <atomic>

namespace bench {

/// What stands for a promise in a library of senders, which has none: completed once, by hand, before or after somebody waits.
/// It needs no memory; the operation that waits is the node.
class completion {
 public:
  class waiter {
   public:
    virtual void completed(int v) noexcept = 0;
    virtual void stopped() noexcept = 0;

   protected:
    ~waiter() = default;
  };

  void complete(int v) noexcept {
    value_ = v;
    void* const before = state_.exchange(this, std::memory_order_acq_rel);
    if (before != nullptr && before != &value_) static_cast<waiter*>(before)->completed(v);
  }

  /// For the one who waits: `w` is told, here or later.
  void wait(waiter& w) noexcept {
    void* before = nullptr;
    if (state_.compare_exchange_strong(before, &w, std::memory_order_acq_rel, std::memory_order_acquire)) return;
    before == this ? w.completed(value_) : w.stopped();
  }

  /// For the one who waits, or is about to, once: does nothing when it is completed already.
  void stop() noexcept {
    void* before = state_.load(std::memory_order_acquire);
    do {
      if (before == this) return;
    } while (!state_.compare_exchange_weak(before, &value_, std::memory_order_acq_rel, std::memory_order_acquire));
    if (before != nullptr) static_cast<waiter*>(before)->stopped();
  }

 private:
  int value_ = 0;
  std::atomic<void*> state_ = nullptr;  // or who waits, or this: completed, or the address of the value: stopped
};

}  // namespace bench

#endif
