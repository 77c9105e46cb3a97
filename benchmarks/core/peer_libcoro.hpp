// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_PEER_LIBCORO_HPP
#define SETTLE_BENCHMARKS_CORE_PEER_LIBCORO_HPP

#include <coro/event.hpp>
#include <coro/task.hpp>
#include <cstddef>

#include "benchmark_case.hpp"

namespace bench {

/// What is completed by hand is an event and a value beside it.
class libcoro_completion {
 public:
  void complete(int v) {
    value_ = v;
    done_.set();
  }
  coro::task<int> wait() const {
    co_await done_;
    co_return value_;
  }
  void stop() { done_.set(); }

 private:
  int value_ = 0;
  coro::event done_;
};

/// A continuation is a coroutine that awaits, and belongs to who made it.
template <class Awaitable>
coro::task<void> libcoro_add(Awaitable awaitable) {
  sum += co_await awaitable;
}

inline void libcoro_moved(std::size_t n) {
  for (; n != 0; --n) {
    libcoro_completion c;
    auto continuation = libcoro_add(c.wait());
    continuation.resume();
    escape(c);
    c.complete(42);
    escape(continuation);
  }
}

}  // namespace bench

#endif
