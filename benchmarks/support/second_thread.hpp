// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_SUPPORT_SECOND_THREAD_HPP
#define SETTLE_BENCHMARKS_SUPPORT_SECOND_THREAD_HPP

#include <condition_variable>
#include <mutex>
#include <thread>

namespace bench {

/// A second thread that does nothing: with one thread only, libstdc++ and glibc leave atomic operations and locks out, and
/// the numbers would lie.
class second_thread {
 public:
  second_thread() : thread_([this] { wait(); }) {}
  second_thread(second_thread&&) = delete;
  ~second_thread() {
    {
      std::scoped_lock const guard(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

 private:
  void wait() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return over_; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace bench

#endif
