// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_PEER_FOLLY_HPP
#define SETTLE_BENCHMARKS_CORE_PEER_FOLLY_HPP

#include <folly/Executor.h>
#include <folly/executors/InlineExecutor.h>
#include <folly/futures/Future.h>
#include <folly/futures/Promise.h>
#include <folly/futures/SharedPromise.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "benchmark_case.hpp"

namespace bench {

/// A continuation runs on an executor: this one runs at once.
inline folly::Executor* folly_inline() { return &folly::InlineExecutor::instance(); }

/// What attaching a continuation makes is a future too, which nobody waits for here.
template <class T, class F>
void folly_last(folly::Future<T> f, F continuation) {
  static_cast<void>(std::move(f).thenValueInline(std::move(continuation)));
}

inline void folly_moved(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    auto [p, f] = folly::makePromiseContract<int>(folly_inline());
    escape(p);
    escape(f);
    folly_last(std::move(f), [&total](int v) { total += v; });
    escape(p);
    p.setValue(42);
    escape(p);
  }
}
/// A future has one continuation: what is kept is the promise, which makes a future for each who observes. A FutureSplitter has
/// that inside, behind another future.
inline void folly_shared(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    auto p = std::make_shared<folly::SharedPromise<int>>();
    auto kept = p;
    escape(p);
    escape(kept);
    folly_last(kept->getSemiFuture().via(folly_inline()), [&total](int v) { total += v; });
    escape(p);
    p->setValue(42);
    p.reset();
    escape(kept);
  }
}

}  // namespace bench

#endif
