// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_WORLD_HPP
#define SETTLE_TESTING_WEAVE_WORLD_HPP

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "execution.hpp"
#include "executor.hpp"

namespace settle::inline v0::testing::weave {

/// A step of a thread, to ask later whether it happened before another: by the memory model, so that the answer is the
/// same in every order of steps that do not depend on each other.
class moment {
 public:
  /// Now, on this thread.
  moment() : thread_(execution::current()->thread()), number_(execution::current()->now()) {}
  /// By the memory model.
  bool happened_before_this_thread() const { return execution::current()->happened(thread_, number_); }

 private:
  unsigned thread_;
  std::uint32_t number_;
};

/// What a test is given: one world for each execution.
///
/// The test sets up, adds threads and returns; then the threads run, interleaved; then what was given to `finally` runs,
/// alone. The threads' callables are destroyed between the two, also alone: what a thread itself is to give back, it moves out.
class world : private execution {
  friend class explorer;

 public:
  /// Made by explore().
  explicit world(options const& o) : execution(o) {}

  /// At most 7. Threads may not be added once they run.
  template <class F>
  void thread(std::string name, F f) {
    add(std::move(name), shared(std::move(f)));
  }
  /// One that does the same, with like objects of its own, as the one that was added before it: which of the two goes first
  /// is not tried both ways.
  template <class F>
  void twin(std::string name, F f) {
    add(std::move(name), shared(std::move(f)));
    threads_.back().twin_of = static_cast<std::uint32_t>(threads_.size()) - 2;
  }
  /// Runs when all threads are through, in the order given.
  template <class F>
  void finally(F f) {
    finally_.push_back(shared(std::move(f)));
  }
  /// Runs before each step; it may look at anything, which is no step then, and change nothing. What comes in any order, as steps on
  /// different objects, or additions nobody reads between, comes in one of them only: let a thread look at what must hold between those.
  template <class F>
  void always(F f) {
    always_.push_back(shared(std::move(f)));
  }
  /// One of 0 ... n-1: each is tried.
  unsigned choose(unsigned n) { return n <= 1 ? 0 : execution::choose(n); }
  /// Ends the execution as failed unless `holds`.
  void expect(bool holds, char const* text) {
    if (!holds) fail(text);
  }
  /// Notes something in the trace of a failing execution.
  void note(std::string const& text) {
    if (trace.on) trace.add(me().name, text);
  }
  /// Its work runs on a thread of its own; each call makes another.
  executor get_executor() {
    run_queue& q = queues_.emplace_back();
    add("executor", [&q] { q.serve(); });
    threads_.back().daemon = true;
    return executor(q);
  }

 private:
  /// A std::function must be copyable, a callable need not be.
  template <class F>
  static std::function<void()> shared(F f) {
    if constexpr (std::is_copy_constructible_v<F>) return std::function<void()>(std::move(f));
    else return [p = std::make_shared<F>(std::move(f))] { (*p)(); };
  }
  void add(std::string name, std::function<void()> f) {
    if (threads_.size() == max_threads) fail("more threads than an exploration can have");
    threads_.emplace_back().begin(std::move(name), std::move(f));
  }

  bool help_out() {
    for (auto& q : queues_)
      if (q.run_one()) return true;
    return false;
  }

  template <class Test>
  void execute(Test& test) {
    quarantine_.reset();
    help_ = [this] { return help_out(); };
    execution::current() = this;
    run([&] {
      test(*this);
      run_threads();
      for (auto const& f : finally_) {
        f();
        while (help_out()) {
        }
      }
      finally_.clear();
      always_.clear();
      while (help_out()) {
      }
      end_daemons();
      queues_.clear();
      if (settings().leaks && quarantine_.live() != 0) fail("memory was not given back: " + std::to_string(quarantine_.live()) + " blocks");
    });
    execution::current() = nullptr;
  }
  std::vector<std::function<void()>> finally_;
  std::list<run_queue> queues_;
};

}  // namespace settle::inline v0::testing::weave

#endif
