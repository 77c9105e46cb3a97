// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_UV_DETAIL_LOOP_CORE_HPP
#define SETTLE_UV_DETAIL_LOOP_CORE_HPP

// IWYU pragma: private, include <settle/uv/loop.hpp>

#include <uv.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "../../operation.hpp"
#include "../../policy/work_node.hpp"
#include "../../time/timer_wheel.hpp"

namespace settle::inline v0::uv::detail {

/// What a loop and its executors share: a queue, a wheel, and three handles of libuv's that take turns for them. Its handles
/// keep it alive until their close callbacks have run, its executors as long as there are any.
class loop_core {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit loop_core(uv_loop_t& l) noexcept : loop_(&l), wheel_(std::chrono::milliseconds(1), &on_wheel, this) {}
  loop_core(loop_core&&) = delete;

  /// A libuv status; when it is negative nothing is open.
  int open(std::shared_ptr<loop_core> self) noexcept {
    int const status = uv_async_init(loop_, &async_, [](uv_async_t* h) { of(h).turn(); });
    if (status < 0) return status;
    uv_timer_init(loop_, &timer_);
    uv_idle_init(loop_, &idle_);
    uv_unref(reinterpret_cast<uv_handle_t*>(&async_));
    async_.data = timer_.data = idle_.data = this;
    open_ = 3;
    self_ = std::move(self);
    return 0;
  }

  /// On the loop's thread. What is queued runs here, told that it is lost; timers likewise. Nothing is taken any more.
  void close() noexcept {
    {
      std::lock_guard const hold(guard_);
      is_closed_ = true;
    }
    inside([&] {
      run(in_order(queue_.exchange(closed_mark(), std::memory_order_acquire)));
      wheel_.close();
    });
    for (auto* const h :
         {reinterpret_cast<uv_handle_t*>(&async_), reinterpret_cast<uv_handle_t*>(&timer_), reinterpret_cast<uv_handle_t*>(&idle_)})
      uv_close(h, [](uv_handle_t* closed) { of(closed).let_go(); });
  }

  void submit(work_node& n) noexcept {
    work_node* first = queue_.load(std::memory_order_relaxed);
    do {
      if (first == closed_mark()) return n.drop();
      n.link(first);
    } while (!queue_.compare_exchange_weak(first, &n, std::memory_order_release, std::memory_order_relaxed));
    if (is_here()) take_turn_soon();
    else if (first == nullptr) wake();
  }

  bool is_here() const noexcept { return here_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }
  uv_loop_t& loop() const noexcept { return *loop_; }
  timer_wheel& wheel() noexcept { return wheel_; }

  /// Runs f with this thread known as the loop's.
  template <class F>
  void inside(F&& f) noexcept {
    std::thread::id const outer = here_.exchange(std::this_thread::get_id(), std::memory_order_relaxed);
    std::forward<F>(f)();
    here_.store(outer, std::memory_order_relaxed);
  }

  int run(uv_run_mode mode) noexcept {
    int left = 0;
    inside([&] {
      do {
        arm();
        left = uv_run(loop_, mode);
      } while (left == 0 && mode == UV_RUN_DEFAULT && has_work());  // what came from other threads meanwhile
    });
    return left;
  }

 private:
  template <class H>
  static loop_core& of(H* h) noexcept {
    return *static_cast<loop_core*>(h->data);
  }
  static void on_wheel(void* at) noexcept {
    auto& self = *static_cast<loop_core*>(at);
    if (!self.is_here()) self.wake();
    else if (!self.in_turn_) self.arm();
  }

  /// Stands in the queue for "closed".
  work_node* closed_mark() noexcept { return static_cast<work_node*>(static_cast<void*>(&queue_)); }

  static work_node* in_order(work_node* last) noexcept {
    work_node* first = nullptr;
    while (last != nullptr) {
      work_node* const before = last->link();
      last->link(first);
      first = std::exchange(last, before);
    }
    return first;
  }
  work_node* take() noexcept {
    work_node* last = queue_.load(std::memory_order_relaxed);
    while (last != nullptr && last != closed_mark())
      if (queue_.compare_exchange_weak(last, nullptr, std::memory_order_acquire, std::memory_order_relaxed)) return in_order(last);
    return nullptr;
  }
  void run(work_node* n) const noexcept {
    while (n != nullptr) {
      work_node* const next = n->link();
      if (is_closed_) n->drop();
      else n->run();
      n = next;
    }
  }

  /// What is queued, once: what that queues waits for the next iteration of the loop. Then the timers that are due.
  void turn() noexcept {
    inside([&] {
      in_turn_ = true;
      run(take());
      wheel_.advance(timer_wheel::now());
      in_turn_ = false;
      arm();
    });
  }
  void take_turn_soon() noexcept {
    if (!in_turn_ && !is_closed_) uv_idle_start(&idle_, [](uv_idle_t* h) { of(h).turn(); });
  }
  bool has_work() noexcept {
    return !is_closed_ && (queue_.load(std::memory_order_relaxed) != nullptr || wheel_.next_expiry() != time_point::max());
  }

  /// Sees to it that the next turn comes in time. The idle handle keeps the loop turning, but it does not keep I/O waiting.
  void arm() noexcept {
    if (is_closed_) return;
    time_point const next = wheel_.next_expiry();
    time_point const now = timer_wheel::now();
    if (next <= now || queue_.load(std::memory_order_relaxed) != nullptr) return take_turn_soon();
    uv_idle_stop(&idle_);
    bool const is_active = uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_)) != 0;
    if (next == std::exchange(armed_for_, next) && is_active == (next != time_point::max())) return;
    if (next == time_point::max()) {
      uv_timer_stop(&timer_);
    } else {
      uv_update_time(loop_);
      auto const left = std::chrono::ceil<std::chrono::milliseconds>(next - now);
      uv_timer_start(&timer_, [](uv_timer_t* h) { of(h).turn(); }, static_cast<std::uint64_t>(left.count()), 0);
    }
  }

  /// From any thread.
  void wake() noexcept {
    std::lock_guard const hold(guard_);
    if (!is_closed_) uv_async_send(&async_);
  }
  /// One handle is closed.
  void let_go() noexcept {
    if (--open_ == 0) std::exchange(self_, nullptr).reset();
  }

  uv_loop_t* loop_;
  uv_async_t async_{};
  uv_timer_t timer_{};
  uv_idle_t idle_{};
  std::atomic<work_node*> queue_{nullptr};  // the last one first
  std::atomic<std::thread::id> here_{};
  timer_wheel wheel_;
  time_point armed_for_ = time_point::max();
  bool in_turn_ = false;
  bool is_closed_ = false;  // written on the loop's thread, under the lock; read there, or under it
  int open_ = 0;
  std::mutex guard_;  // the async handle is open while it is sent to
  std::shared_ptr<loop_core> self_;
};

}  // namespace settle::inline v0::uv::detail

#endif
