// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_WORD_HPP
#define SETTLE_TESTING_WEAVE_WORD_HPP

#include <cstdint>
#include <memory>
#include <source_location>

#include "execution.hpp"

namespace settle::inline v0::testing::weave {

/// A number that threads wait on: what mutex, event and queue are made of. Only inside of an exploration.
class word {
 public:
  using place = std::source_location;

  explicit word(std::uint64_t v = 0) : id_(execution::current()->create(this, {v, 0})) {}
  word(word&&) = delete;
  ~word() {
    if (execution* const e = execution::current()) e->destroy(id_, this);
  }

  void wait_nonzero(place at) { execution::current()->wait(id_, this, at); }
  bool is_nonzero(place at) { return execution::current()->load(id_, this, std::memory_order_acquire, at).low != 0; }
  void set(std::uint64_t v, place at) { execution::current()->store(id_, this, {v, 0}, std::memory_order_release, at); }
  void add(place at) {
    execution::current()->update(id_, this, [](bits b) { return bits{b.low + 1, 0}; }, std::memory_order_acq_rel, at);
  }
  bool take(place at) { return execution::current()->take(id_, this, at); }
  /// Without waiting, where nobody else is.
  void subtract(place at) {
    execution::current()->update(id_, this, [](bits b) { return bits{b.low - 1, 0}; }, std::memory_order_acq_rel, at);
  }
  void lock(place at) { execution::current()->lock(id_, this, {1, 0}, std::memory_order_acquire, at); }
  bool try_lock(place at) {
    bits expected;
    return execution::current()->compare_exchange(id_, this, expected, {1, 0}, std::memory_order_acquire, std::memory_order_relaxed, false,
                                                  at);
  }

 private:
  std::uint32_t id_;
};

}  // namespace settle::inline v0::testing::weave

#endif
