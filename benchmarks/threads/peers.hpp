// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_THREADS_PEERS_HPP
#define SETTLE_BENCHMARKS_THREADS_PEERS_HPP

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <future>
#include <mutex>
#include <utility>
#include <vector>

#if defined(SETTLE_BENCH_ASIO)
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#endif

#include "workloads.hpp"

// What people use instead.
namespace bench {

/// A lock, a condition variable, a vector of std::function.
class mutex_loop {
 public:
  std::size_t ran = 0;

  void post(std::function<void()> f) {
    bool was_empty = false;
    {
      std::scoped_lock const hold(mutex_);
      was_empty = in_.empty();
      in_.push_back(std::move(f));
    }
    if (was_empty) changed_.notify_one();
  }
  void run_until(std::size_t n) {
    while (ran != n) {
      {
        std::unique_lock hold(mutex_);
        changed_.wait(hold, [this] { return !in_.empty(); });
        in_.swap(out_);
      }
      for (auto& f : out_) f();
      out_.clear();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void()>> in_;
  std::vector<std::function<void()>> out_;
};
template <placement Where>
double mutex_hop() {
  static mutex_loop here;
  struct producer {
    std::function<void(int)> callback;
    void complete(int v) {
      here.post([f = std::move(callback), v] { f(v); });
    }
  };
  return hop<producer>(Where, here, [] { return producer{[](int v) { sum += v, ++here.ran; }}; });
}

/// It has no executor: this thread waits for one after the other.
template <placement Where>
double std_promise_hop() {
  struct waiting {
    std::vector<std::future<int>> futures;
    std::size_t ran = 0;
    void run_until(std::size_t) {
      for (auto& f : futures) sum += f.get();
      futures.clear();
    }
  };
  struct producer {
    std::promise<int> promise;
    void complete(int v) { promise.set_value(v); }
  };
  static waiting here;
  return hop<producer>(Where, here, [] {
    producer p;
    here.futures.push_back(p.promise.get_future());
    return p;
  });
}

#if defined(SETTLE_BENCH_ASIO)
template <placement Where>
double asio_hop() {
  struct running {
    asio::io_context loop;
    asio::executor_work_guard<asio::io_context::executor_type> stay{loop.get_executor()};
    std::size_t ran = 0;
    void run_until(std::size_t n) {
      while (ran != n) loop.run_one();
    }
  };
  static running here;
  struct producer {
    std::function<void(int)> callback;
    void complete(int v) {
      asio::post(here.loop, [f = std::move(callback), v] { f(v); });
    }
  };
  return hop<producer>(Where, here, [] { return producer{[](int v) { sum += v, ++here.ran; }}; });
}
#endif

}  // namespace bench

#endif
