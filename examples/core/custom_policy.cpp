// SPDX-License-Identifier: BSL-1.0
// A policy of one's own: an executor with priorities and timers, a monitor that measures, states in an arena, an error sink.
#include <settle/settle.hpp>

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

/// One worker, three priorities, and timers. Nothing of settle's but the wheel.
class work_pool {
 public:
  work_pool() : worker_([this] { work(); }) {}
  work_pool(work_pool&&) = delete;
  ~work_pool() {
    {
      std::scoped_lock const lock(guard_);
      stop_ = true;
    }
    wake_.notify_one();
    worker_.join();
  }

  template <class F>
  void push(std::size_t priority, F f) {
    std::scoped_lock const lock(guard_);
    queues_.at(priority).push_back(std::make_unique<job<F>>(std::move(f)));
    wake_.notify_one();
  }
  bool is_worker() const noexcept { return std::this_thread::get_id() == worker_.get_id(); }
  settle::timer_wheel& wheel() noexcept { return wheel_; }

 private:
  struct any_job {
    virtual ~any_job() = default;
    virtual void run() = 0;
  };
  template <class F>
  struct job final : any_job {
    F f;
    explicit job(F&& g) : f(std::move(g)) {}
    void run() override { std::move(f)(); }
  };

  std::unique_ptr<any_job> next_job() {
    for (auto& q : queues_) {
      if (q.empty()) continue;
      auto j = std::move(q.front());
      q.pop_front();
      return j;
    }
    return nullptr;
  }
  void work() {
    std::unique_lock lock(guard_);
    while (!stop_) {
      auto const next = wheel_.next_expiry();
      if (auto const now = wheel_.now(); next <= now) {  // due timers first, whatever is queued
        lock.unlock();
        wheel_.advance(now);
        lock.lock();
      } else if (auto const j = next_job()) {
        lock.unlock();
        j->run();
        lock.lock();
      } else if (next == clock_type::time_point::max()) {
        wake_.wait(lock);
      } else {
        wake_.wait_until(lock, next);
      }
    }
  }
  static void look_at_the_wheel(void* self) noexcept {
    auto& pool = *static_cast<work_pool*>(self);
    std::scoped_lock const lock(pool.guard_);
    pool.wake_.notify_one();
  }

  std::mutex guard_;
  std::condition_variable wake_;
  std::array<std::deque<std::unique_ptr<any_job>>, 3> queues_;
  bool stop_ = false;
  settle::timer_wheel wheel_{1ms, &look_at_the_wheel, this};
  std::thread worker_;
};

struct lane {  // any executor: execute(f) and equality
  work_pool* pool;
  std::size_t priority;

  template <class F>
  void execute(F f) const {
    pool->push(priority, std::move(f));
  }
  bool operator==(lane const&) const = default;
};
template <>
struct settle::executor_traits<lane> {  // optional: what `dispatch` and deadlines ask for; the rest falls back
  static bool running_in_this_thread(lane const& l) noexcept { return l.pool->is_worker(); }
  static settle::timer_wheel& timers(lane const& l) noexcept { return l.pool->wheel(); }
};

/// A monitor: static, noexcept, sees values, never the operation. Two operations that share a place in `since` spoil one
/// measurement; that is worth not having to lock.
struct latency {
  static inline std::array<std::atomic<clock_type::rep>, 256> since{};
  static inline std::array<std::atomic<std::uint64_t>, 64> buckets{};  // by powers of two of a microsecond

  static void on_event(settle::monitor_event const& e) noexcept {
    auto& begin = since[reinterpret_cast<std::uintptr_t>(e.id) / 64 % since.size()];
    auto const now = clock_type::now().time_since_epoch().count();
    if (e.what == settle::monitor_event::created) begin.store(now, std::memory_order_relaxed);
    if (e.what != settle::monitor_event::settled) return;
    auto const took =
        std::chrono::duration_cast<std::chrono::microseconds>(clock_type::duration(now - begin.load(std::memory_order_relaxed)));
    buckets[static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(took.count())))].fetch_add(1, std::memory_order_relaxed);
  }
  /// How many took at least so long.
  static std::uint64_t slower_than(std::chrono::microseconds t) {
    std::uint64_t n = 0;
    for (auto i = static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(t.count()))); i != buckets.size(); ++i)
      n += buckets[i];
    return n;
  }
};

struct log_sink {
  static void report(std::exception_ptr p, settle::monitor_event const& e) noexcept {
    try {
      if (p) std::rethrow_exception(p);
    } catch (std::exception const& x) {
      std::printf("a callback of %s threw: %s\n", std::string(e.tag).c_str(), x.what());
    }
  }
};

template <class T>
struct rpc : settle::default_policy {
  using value_type = T;
  using executor_type = lane;
  using monitor = settle::monitors<latency, settle::census>;
  using allocator_type = settle::arena_allocator<>;  // stateful: an instance goes to the constructor
  using error_sink = log_sink;
  static constexpr std::string_view tag = "rpc";
};

struct user {
  std::string name;
};

/// Stands for the network: knows some, is slow about others, and never answers for the rest.
class directory {
 public:
  explicit directory(lane ex) : ex_(ex) {}

  void send(std::string const& key, settle::resolver<rpc<user>> answer) {
    if (key == "ann") {
      answer.complete(user{"Ann"});
    } else if (key == "eve") {
      auto const at = waiting_.insert(waiting_.end(), std::move(answer));
      settle::sleep(ex_, 2ms).on_done([this, at](settle::outcome<void>&&) {
        auto late = std::move(*at);
        waiting_.erase(at);
        late.complete(user{"Eve"});
      });
    } else {
      auto const at = waiting_.insert(waiting_.end(), std::move(answer));
      at->on_cancel([this, at] {
        auto gone = std::move(*at);
        waiting_.erase(at);
      });
    }
  }

 private:
  lane ex_;
  std::list<settle::resolver<rpc<user>>> waiting_;
};

settle::handle_of<user> lookup(lane ex, settle::arena& memory, directory& names, std::string const& key) {
  settle::resolver<rpc<user>> r(std::allocator_arg, settle::arena_allocator<>(memory), ex);
  settle::handle_of<user> h = r.get_handle();  // the policy stays with the producer: no rpc<> in the caller's signature
  names.send(key, std::move(r));
  return h;
}

/// Asks `h` to stop when it is not done in time. The timer is its child: it ends, and is gone, before `h` is.
settle::handle_of<user> in_time(settle::handle_of<user> h, lane ex, std::chrono::nanoseconds d) {
  auto alarm = settle::sleep(ex, d);
  settle::operation const op = h;
  alarm.on_done([op](settle::outcome<void> const& out) {
    if (out) op.request_cancel(settle::cause::deadline);
  });
  h.adopt(std::move(alarm));
  return h;
}

int main() {
  std::array<std::byte, 16384> block;
  settle::arena memory(block);  // one thread at a time: all of this runs on the worker
  work_pool pool;
  lane const urgent{&pool, 0};
  lane const normal{&pool, 1};
  directory names(normal);
  std::atomic<int> left = 3;

  urgent.execute([&] {
    for (char const* const key : {"ann", "eve", "bob"}) {
      in_time(lookup(normal, memory, names, key), normal, 20ms).on_done([key, &left](settle::outcome<user>&& out) {
        if (out.timed_out()) std::printf("%s: no answer in time\n", key);
        else std::printf("%s: %s\n", key, out.value().name.c_str());
        if (--left == 0) left.notify_one();
        if (out && out.value().name == "Eve") throw std::runtime_error("no room for Eve");
      });
    }
  });
  for (int n = left; n != 0; n = left) left.wait(n);

  std::atomic<bool> drained = false;
  normal.execute([&] {
    drained = true;
    drained.notify_one();
  });
  drained.wait(false);
  std::printf("%s, %zu live\n", latency::slower_than(1ms) >= 2 ? "the slow ones were seen" : "nothing was slow", settle::census::size());
}
