// SPDX-License-Identifier: BSL-1.0
// A plain thread pool as an executor: what settle asks of one is `execute(f)`. Equality lets user code of operations that
// live on the same pool go on in one drain; running_in_this_thread() saves the way round through the queue.
#include <settle/settle.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

class thread_pool {
 public:
  class executor {
   public:
    explicit executor(thread_pool& p) noexcept : pool_(&p) {}
    /// f is move-only, called at most once. Destroyed without having been called it tells its operation: nothing is lost.
    template <class F>
    void execute(F f) const {
      pool_->push(std::make_unique<task<F>>(std::move(f)));
    }
    bool running_in_this_thread() const noexcept { return current == pool_; }
    bool operator==(executor const&) const = default;

   private:
    thread_pool* pool_;
  };

  explicit thread_pool(unsigned threads) {
    for (unsigned i = 0; i != threads; ++i) threads_.emplace_back([this](std::stop_token stop) { work(stop); });
  }
  thread_pool(thread_pool&&) = delete;
  executor get_executor() noexcept { return executor(*this); }

  /// Runs what is queued no further: it is destroyed, and its operations are abandoned.
  void stop() {
    for (auto& t : threads_) t.request_stop();
    threads_.clear();  // joins
    std::deque<std::unique_ptr<job>> left;
    {
      std::scoped_lock lock(guard_);
      left.swap(queue_);
    }
  }
  ~thread_pool() { stop(); }

 private:
  struct job {
    virtual ~job() = default;
    virtual void run() = 0;
  };
  template <class F>
  struct task final : job {
    F f;
    explicit task(F g) : f(std::move(g)) {}
    void run() override { std::move(f)(); }
  };

  void push(std::unique_ptr<job> j) {
    {
      std::scoped_lock lock(guard_);
      queue_.push_back(std::move(j));
    }
    wake_.notify_one();
  }
  void work(std::stop_token const& stop) {
    current = this;
    std::unique_lock lock(guard_);
    while (wake_.wait(lock, stop, [this] { return !queue_.empty(); }) && !stop.stop_requested()) {
      std::unique_ptr<job> j = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      j->run();
      j.reset();  // what it held dies outside the lock, too
      lock.lock();
    }
  }

  static inline thread_local thread_pool const* current = nullptr;
  std::mutex guard_;
  std::condition_variable_any wake_;
  std::deque<std::unique_ptr<job>> queue_;
  std::vector<std::jthread> threads_;
};

unsigned long sum_to(unsigned n) {
  unsigned long sum = 0;
  for (unsigned i = 1; i <= n; ++i) sum += i;
  return sum;
}

}  // namespace

int main() {
  thread_pool pool(2);
  auto const workers = pool.get_executor();

  // A job, and its result.
  std::printf("sum: %lu\n", settle::start_on(workers, [] { return sum_to(1000); }).wait().value());

  // Jobs that a job starts run beside it; it adopts what it returns.
  auto nested = settle::start_on(workers, [workers] { return settle::start_on(workers, [] { return sum_to(10); }); });
  std::printf("nested: %lu\n", std::move(nested).wait().value());

  // Whoever asks fires the token of a job that runs; wait() returns when the job has.
  std::atomic<bool> runs = false;
  auto endless = settle::start_on(workers, [&](std::stop_token stop) {
    runs = true;
    runs.notify_all();
    while (!stop.stop_requested()) std::this_thread::yield();
    return stop.stop_requested();
  });
  runs.wait(false);
  endless.request_cancel();
  std::printf("stopped by request: %s\n", std::move(endless).wait().value() ? "yes" : "no");

  // Observers of an operation of the pool run on the pool.
  settle::resolver_of<int, settle::error, thread_pool::executor> producer(workers);
  auto h = producer.get_handle();
  bool there = false;
  h.on_done([&] { there = workers.running_in_this_thread(); });
  producer.complete(1);
  h.wait_released();
  std::printf("observed on the pool: %s\n", there ? "yes" : "no");

  // A pool that stops destroys what it has not run: such jobs are abandoned, and say so.
  thread_pool idle(0);
  auto never_run = settle::start_on(idle.get_executor(), [] { return 1; });
  idle.stop();
  std::printf("on a pool that stopped: %s\n", std::string(to_string(std::move(never_run).wait().cancel().why)).c_str());
}
