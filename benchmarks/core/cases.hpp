// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_CORE_CASES_HPP
#define SETTLE_BENCHMARKS_CORE_CASES_HPP

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "peers.hpp"
#include "workloads.hpp"

namespace bench {

/// Workload/policy/form/who, and a function that does it n times.
struct benchmark_case {
  std::string name;
  void (*run)(std::size_t n);
};

template <class Forms>
void add_forms(std::vector<benchmark_case>& to, std::string const& row, std::string const& who) {
  to.push_back({row + "/born/" + who, &Forms::born});
  to.push_back({row + "/moved/" + who, &Forms::moved});
  to.push_back({row + "/shared/" + who, &Forms::shared});
}

inline std::vector<benchmark_case> all_cases() {
  std::vector<benchmark_case> c;
  add_forms<settle_forms<threads, false>>(c, "W1/mt", "ours");
  add_forms<bound_forms<bound::atomic_word, false>>(c, "W1/mt", "bound");
  add_forms<settle_forms<one_thread, false>>(c, "W1/st", "ours");
  add_forms<bound_forms<bound::plain_word, false>>(c, "W1/st", "bound");
  add_forms<settle_forms<threads, true>>(c, "W2/mt", "ours");
  add_forms<bound_forms<bound::atomic_word, true>>(c, "W2/mt", "bound");
  add_forms<settle_forms<one_thread, true>>(c, "W2/st", "ours");
  add_forms<bound_forms<bound::plain_word, true>>(c, "W2/st", "bound");
  c.push_back({"W1/mt/moved/shared_ptr", &by_hand_moved<false>});
  c.push_back({"W1/mt/shared/shared_ptr", &by_hand_shared<false>});
  c.push_back({"W2/mt/moved/shared_ptr", &by_hand_moved<true>});
  c.push_back({"W2/mt/shared/shared_ptr", &by_hand_shared<true>});
  c.push_back({"W1/mt/shared/std::promise", &std_promise});
#if defined(SETTLE_BENCH_BOOST_THREAD)
  c.push_back({"W1/mt/moved/boost::future", &boost_future});
#endif
#if defined(SETTLE_BENCH_ANY_COMPLETION_HANDLER)
  c.push_back({"W1/mt/born/any_completion_handler", &any_completion_handler});
#endif
  return c;
}

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
