// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_THREADS_HELPER_HPP
#define SETTLE_BENCHMARKS_THREADS_HELPER_HPP

#include <atomic>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace bench {

/// The other thread: does what it is given, and sleeps between. It lives as long as the program.
class helper {
 public:
  static helper& get() {
    static helper one;
    return one;
  }

  void start(std::function<void()> work) {
    work_ = std::move(work);
    state_.store(busy, std::memory_order_release);
    state_.notify_all();
  }
  void join() { state_.wait(busy, std::memory_order_acquire); }
  std::thread& thread() { return thread_; }

 private:
  enum state : int { idle, busy, over };

  helper() : thread_([this] { run(); }) {}
  helper(helper&&) = delete;
  ~helper() {
    state_.store(over, std::memory_order_release);
    state_.notify_all();
    thread_.join();
  }

  void run() {
    for (;;) {
      state_.wait(idle, std::memory_order_acquire);
      if (state_.load(std::memory_order_acquire) == over) return;
      work_();
      state_.store(idle, std::memory_order_release);
      state_.notify_all();
    }
  }

  std::atomic<int> state_{idle};
  std::function<void()> work_;
  std::thread thread_;
};

enum class placement { near, far };

#if defined(__linux__)

/// This thread and the helper stay on one processor (near) or on two (far) as long as this lives.
class placed {
 public:
  explicit placed(placement where) {
    sched_getaffinity(0, sizeof before_, &before_);
    std::vector<int> const usable = processors();
    pin(pthread_self(), usable.front());
    pin(helper::get().thread().native_handle(), where == placement::far ? usable[1] : usable.front());
  }
  placed(placed&&) = delete;
  ~placed() {
    pthread_setaffinity_np(helper::get().thread().native_handle(), sizeof before_, &before_);
    sched_setaffinity(0, sizeof before_, &before_);
  }

  static bool is_possible(placement where) {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    return where == placement::near || CPU_COUNT(&set) > 1;
  }

 private:
  std::vector<int> processors() const {
    std::vector<int> all;
    for (int i = 0; i != CPU_SETSIZE; ++i)
      if (CPU_ISSET(i, &before_)) all.push_back(i);
    return all;
  }
  static void pin(pthread_t t, int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    pthread_setaffinity_np(t, sizeof set, &set);
  }

  cpu_set_t before_;
};

#else

/// Nobody can say where threads run: it is the system's choice.
class placed {
 public:
  explicit placed(placement) {}
  placed(placed&&) = delete;
  ~placed() {}
  static bool is_possible(placement where) { return where == placement::far; }
};

#endif

}  // namespace bench

#endif
