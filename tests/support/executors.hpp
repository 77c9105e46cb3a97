// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_EXECUTORS_HPP
#define SETTLE_TESTS_EXECUTORS_HPP

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

// Executors that do what a test says. All take move-only work.
namespace test {

class task {
 public:
  template <class F>
    requires(!std::same_as<F, task>)
  explicit task(F f) : work_(std::make_unique<holder<F>>(std::move(f))) {}
  void operator()() {
    auto w = std::move(work_);
    w->run();
  }

 private:
  struct base {
    virtual ~base() = default;
    virtual void run() = 0;
  };
  template <class F>
  struct holder final : base {
    F f;
    explicit holder(F&& g) : f(std::move(g)) {}
    void run() override { std::move(f)(); }
  };
  std::unique_ptr<base> work_;
};

/// A queue that runs when told to, on the thread that tells.
class manual_loop {
 public:
  enum mood_t { keeps, throws, drops, runs_inside };

  class executor {
   public:
    explicit executor(manual_loop& l) noexcept : loop_(&l) {}
    template <class F>
    void execute(F f) const {
      loop_->take(std::move(f));
    }
    bool running_in_this_thread() const noexcept { return loop_->is_here(); }
    bool operator==(executor const&) const = default;

   private:
    manual_loop* loop_;
  };

  manual_loop() = default;
  manual_loop(manual_loop&&) = delete;

  executor get_executor() noexcept { return executor(*this); }
  void mood(mood_t m) noexcept { mood_ = m; }

  std::size_t size() {
    std::scoped_lock lock(guard_);
    return queue_.size();
  }
  /// How often something was submitted.
  std::size_t submissions() const noexcept { return submissions_; }
  bool is_here() const noexcept { return here_ == std::this_thread::get_id(); }

  bool run_one() {
    std::unique_lock lock(guard_);
    if (queue_.empty()) return false;
    task t = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    inside([&] { t(); });
    return true;
  }
  /// What was queued last, as one of several threads may come to it first.
  bool run_last() {
    std::unique_lock lock(guard_);
    if (queue_.empty()) return false;
    task t = std::move(queue_.back());
    queue_.pop_back();
    lock.unlock();
    inside([&] { t(); });
    return true;
  }
  std::size_t run() {
    std::size_t n = 0;
    while (run_one()) ++n;
    return n;
  }
  /// Destroys what is queued, and what that makes queue, without running it.
  void drop_all() {
    for (;;) {
      std::unique_lock lock(guard_);
      if (queue_.empty()) return;
      task t = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
    }
  }
  /// Makes this thread the loop's for a while.
  template <class F>
  void inside(F&& f) {
    auto const outer = here_.exchange(std::this_thread::get_id());
    std::forward<F>(f)();
    here_ = outer;
  }

 private:
  template <class F>
  void take(F f) {
    ++submissions_;
    if (mood_ == drops) return;
#if defined(__cpp_exceptions)
    if (mood_ == throws) throw std::runtime_error("refused");
#endif
    if (mood_ == runs_inside) return inside([&] { std::move(f)(); });
    std::scoped_lock lock(guard_);
    queue_.emplace_back(std::move(f));
  }

  std::mutex guard_;
  std::deque<task> queue_;
  std::atomic<std::thread::id> here_{};
  std::atomic<std::size_t> submissions_ = 0;
  std::atomic<mood_t> mood_ = keeps;
};

/// A few threads, one queue. Joins and runs what is left when it goes.
class thread_pool {
 public:
  class executor {
   public:
    explicit executor(thread_pool& p) noexcept : pool_(&p) {}
    template <class F>
    void execute(F f) const {
      pool_->take(task(std::move(f)));
    }
    bool running_in_this_thread() const noexcept { return pool_->is_here(); }
    bool operator==(executor const&) const = default;

   private:
    thread_pool* pool_;
  };

  explicit thread_pool(unsigned n) {
    for (unsigned i = 0; i != n; ++i) threads_.emplace_back([this] { work(); });
  }
  thread_pool(thread_pool&&) = delete;
  ~thread_pool() { join(); }

  executor get_executor() noexcept { return executor(*this); }
  bool is_here() const noexcept { return current() == this; }

  void join() {
    {
      std::scoped_lock lock(guard_);
      stop_ = true;
    }
    wake_.notify_all();
    for (auto& t : threads_) t.join();
    threads_.clear();
  }
  /// Until nothing is queued and nobody works.
  void wait_idle() {
    std::unique_lock lock(guard_);
    idle_.wait(lock, [this] { return queue_.empty() && busy_ == 0; });
  }

 private:
  static thread_pool const*& current() noexcept {
    static thread_local thread_pool const* p = nullptr;
    return p;
  }
  void take(task t) {
    {
      std::scoped_lock lock(guard_);
      queue_.push_back(std::move(t));
    }
    wake_.notify_one();
  }
  void work() {
    current() = this;
    std::unique_lock lock(guard_);
    for (;;) {
      wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
      if (queue_.empty()) return;
      {
        task t = std::move(queue_.front());
        queue_.pop_front();
        ++busy_;
        lock.unlock();
        t();
      }
      lock.lock();
      if (--busy_ == 0 && queue_.empty()) idle_.notify_all();
    }
  }

  std::mutex guard_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<task> queue_;
  std::vector<std::thread> threads_;
  unsigned busy_ = 0;
  bool stop_ = false;
};

/// Threads that begin a round together, again and again: for races.
class crew {
 public:
  explicit crew(unsigned n) : size_(n) {
    for (unsigned i = 1; i < n; ++i) threads_.emplace_back([this, i] { work(i); });
  }
  crew(crew&&) = delete;
  ~crew() {
    job_ = nullptr;
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    for (auto& t : threads_) t.join();
  }

  /// Calls f(0) here and f(1), f(2), ... on the others, all at about the same time, shifted a little from round to round.
  template <class F>
  void run(F&& f) {
    job_ = [](void* at, unsigned i) { (*static_cast<std::remove_reference_t<F>*>(at))(i); };
    at_ = std::addressof(f);
    left_.store(size_ - 1, std::memory_order_relaxed);
    ready_.store(0, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    meet(0);
    f(0U);
    while (left_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  }

 private:
  void meet(unsigned i) {
    ready_.fetch_add(1, std::memory_order_acq_rel);
    while (ready_.load(std::memory_order_acquire) != size_) std::this_thread::yield();
    for (unsigned spin = (round_.load(std::memory_order_relaxed) * (i + 1) * 7) % 61; spin != 0; --spin)
      static_cast<void>(ready_.load(std::memory_order_relaxed));
  }
  void work(unsigned i) {
    for (unsigned seen = 0;;) {
      round_.wait(seen, std::memory_order_acquire);
      seen = round_.load(std::memory_order_acquire);
      if (job_ == nullptr) return;
      meet(i);
      job_(at_, i);
      left_.fetch_sub(1, std::memory_order_acq_rel);
    }
  }

  unsigned size_;
  std::atomic<unsigned> round_ = 0;
  std::atomic<unsigned> ready_ = 0;
  std::atomic<unsigned> left_ = 0;
  void (*job_)(void*, unsigned) = nullptr;
  void* at_ = nullptr;
  std::vector<std::thread> threads_;
};

}  // namespace test

#endif
