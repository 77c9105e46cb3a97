// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_EXECUTOR_HPP
#define SETTLE_TESTING_WEAVE_EXECUTOR_HPP

#include <deque>
#include <memory>
#include <source_location>
#include <utility>

#include "execution.hpp"
#include "word.hpp"

namespace settle::inline v0::testing::weave {

/// Work in the order it came, run by a thread of the world, or by the one that sets up and checks while that is alone.
class run_queue {
 public:
  /// Adds work. Throws std::bad_alloc.
  template <class F>
  void push(F&& f) {
    auto work = std::make_unique<holder<std::decay_t<F>>>(std::forward<F>(f));
    waiting_.add(std::source_location::current());
    work_.push_back(std::move(work));
  }
  /// This thread runs its work.
  bool is_here() const noexcept { return runner_ == execution::current()->thread(); }

  /// The loop of its thread.
  void serve() {
    runner_ = execution::current()->thread();
    while (waiting_.take(std::source_location::current())) run_front();
  }
  /// For the thread that is alone. False: nothing to do.
  bool run_one() {
    if (work_.empty()) return false;
    unsigned const outer = std::exchange(runner_, execution::current()->thread());
    waiting_.subtract(std::source_location::current());
    run_front();
    runner_ = outer;
    return true;
  }

 private:
  struct base {
    base() = default;
    base(base&&) = delete;
    virtual ~base() = default;
    virtual void run() = 0;
  };
  template <class F>
  struct holder final : base {
    F f;
    template <class G>
    // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): never copied or moved
    explicit holder(G&& g) : f(std::forward<G>(g)) {}
    void run() override { std::move(f)(); }
  };

  void run_front() {
    auto const work = std::move(work_.front());
    work_.pop_front();
    work->run();
  }

  word waiting_;
  std::deque<std::unique_ptr<base>> work_;
  unsigned runner_ = max_threads;
};

/// An executor whose work a thread of the world runs: world::get_executor().
class executor {
 public:
  /// Over a queue that outlives it: the world's.
  explicit executor(run_queue& q) noexcept : queue_(&q) {}
  /// Adds work. Throws std::bad_alloc.
  template <class F>
  void execute(F&& f) const {
    queue_->push(std::forward<F>(f));
  }
  /// Inside its work.
  bool running_in_this_thread() const noexcept { return queue_->is_here(); }
  /// Of the same queue.
  bool operator==(executor const&) const = default;

 private:
  run_queue* queue_;
};

}  // namespace settle::inline v0::testing::weave

#endif
