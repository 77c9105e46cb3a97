// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_LOCKFREE_DETAIL_QUEUE_CORE_HPP
#define SETTLE_LOCKFREE_DETAIL_QUEUE_CORE_HPP

// IWYU pragma: private, include <settle/lockfree/queue.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "boost_lockfree.hpp"
#include "queue_parts.hpp"

namespace settle::inline v0::detail {

/// What a queue and those who wait at it share. Values are in a fixed number of cells; which are free and which are full, in
/// which order, is Boost.Lockfree's. Who waits is linked under a lock, which those who find a value never take.
///
/// One word decides: how many values there are, how many pushes are under way, how many wait, whether it is closed. A value is
/// in its ring before it is counted, and who has taken it out of the count finds one there.
///
/// Who waits for room is counted beside it: in the count before it looks for room once more; and who makes room looks at the
/// count, by a read-modify-write as well, after it. So one of the two sees the other.
template <class T, class Sync>
class queue_core : queue_word, public std::enable_shared_from_this<queue_core<T, Sync>> {
  template <class V>
  using atomic = typename Sync::template atomic<V>;

 public:
  using waiter = queue_taker<T>;
  using giver = queue_giver<T>;
  enum class wait : std::uint8_t { waits, has_value, closed };

  explicit queue_core(std::size_t capacity)
      : capacity_(capacity), cells_(std::make_unique<cell[]>(capacity)), free_(capacity), full_(capacity) {
    for (std::size_t i = capacity; i-- > 0;) free_.unsynchronized_push(static_cast<index>(i));
  }
  queue_core(queue_core&&) = delete;
  ~queue_core() {  // the queue has taken out what was left, but for what came back after it
    while (pop([](T&&) {})) {
    }
  }

  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t size() const noexcept { return items(word_.load(std::memory_order_acquire)); }
  bool is_closed() const noexcept { return (word_.load(std::memory_order_acquire) & closed_bit) != 0; }

  /// False: full or closed, and the value is as it was.
  bool push(T& v) noexcept {
    std::shared_ptr<queue_core> const keep = waiters(word_.load(std::memory_order_acquire)) != 0 ? this->shared_from_this() : nullptr;
    if (keep != nullptr && hand_on(v)) return true;
    index i{};
    if (givers_.load(std::memory_order_acquire) != 0 || !begin_push(i)) return false;
    std::construct_at(cells_[i].value(), std::move(v));
    end_push(i);
    return true;
  }
  /// Waits until its value is in. False: closed.
  bool enqueue(giver& n) noexcept {
    {
      std::lock_guard const hold(guard_);
      if (is_closed()) return false;
      giving_.add(n);
      givers_.fetch_add(1, std::memory_order_acq_rel);
    }
    let_in();
    return true;
  }
  /// False: it waits no longer, somebody is about to tell it something.
  bool withdraw(giver& n) noexcept {
    std::lock_guard const hold(guard_);
    if (!n.is_linked) return false;
    leave_line(n);
    return true;
  }

  /// f(T&&) with the first value. False: there is none, or others wait for it.
  template <class F>
  bool pop(F&& f) {
    std::uint64_t w = word_.load(std::memory_order_acquire);
    do {
      if (items(w) == 0 || waiters(w) != 0) return false;
    } while (!word_.compare_exchange_weak(w, w - one_item, std::memory_order_acq_rel, std::memory_order_acquire));
    full_cell const c(*this, claim());
    std::forward<F>(f)(std::move(*c.value()));
    return true;
  }

  /// Waits, unless there is something to be had at once.
  wait enqueue(waiter& n) noexcept {
    std::lock_guard const hold(guard_);
    std::uint64_t w = word_.load(std::memory_order_acquire);
    do {
      if (waiters(w) == 0 && items(w) != 0) return wait::has_value;
      if (is_drained(w)) return wait::closed;
    } while (!word_.compare_exchange_weak(w, w + one_waiter, std::memory_order_acq_rel, std::memory_order_acquire));
    taking_.add(n);
    return wait::waits;
  }
  /// False: it waits no longer, somebody is about to tell it something.
  bool withdraw(waiter& n) noexcept {
    std::lock_guard const hold(guard_);
    if (!n.is_linked) return false;
    taking_.remove(n);
    word_.fetch_sub(one_waiter, std::memory_order_acq_rel);
    return true;
  }

  void close() noexcept {
    std::shared_ptr<queue_core> const keep = this->shared_from_this();  // who is told may destroy the queue
    word_.fetch_or(closed_bit, std::memory_order_acq_rel);
    settle_up();
    let_in();
  }

 private:
  using index = queue_index;
  using cell = queue_cell<T>;
  static constexpr index none = 0xFFFF;

  /// A value that is this thread's: destroyed, and its cell given back, at the end.
  class full_cell {
   public:
    full_cell(queue_core& q, index i) noexcept : queue_(q), at_(i) {}
    full_cell(full_cell&&) = delete;
    ~full_cell() {
      std::destroy_at(value());
      queue_.free_.bounded_push(at_);
      if (queue_.givers_.fetch_add(0, std::memory_order_acq_rel) != 0) queue_.let_in();
    }
    T* value() const noexcept { return queue_.cells_[at_].value(); }

   private:
    queue_core& queue_;
    index at_;
  };

  /// To the first who waits, if nothing else is there for it: takes no room.
  bool hand_on(T& v) noexcept {
    while (waiter* const n = next_to_tell([](std::uint64_t w) { return (w & closed_bit) == 0 && items(w) == 0; }, 0))
      if (n->give(*n, v)) return true;
    return false;
  }
  /// A free cell, and the right to fill it.
  bool begin_push(index& i) noexcept {
    if (!free_.pop(i)) return false;
    std::uint64_t w = word_.load(std::memory_order_relaxed);
    do {
      if ((w & closed_bit) != 0) return free_.bounded_push(i), false;
    } while (!word_.compare_exchange_weak(w, w + one_push, std::memory_order_acq_rel, std::memory_order_relaxed));
    return true;
  }
  void end_push(index i) noexcept {
    full_.bounded_push(i);
    std::uint64_t const before = word_.fetch_add(one_item - one_push, std::memory_order_acq_rel);
    if (waiters(before) != 0) settle_up();
  }

  /// As many of those who wait for room as there is room for; all of them once it is closed.
  void let_in() noexcept {
    std::shared_ptr<queue_core> const keep = this->shared_from_this();
    for (index i{};;) {
      bool has_room = false;
      giver* const n = next_to_let_in(i, has_room);
      if (n == nullptr) return;
      if (has_room) {
        n->move_to(*n, cells_[i].value());
        end_push(i);
      }
      n->tell(*n, has_room);
    }
  }
  giver* next_to_let_in(index& i, bool& has_room) noexcept {
    std::lock_guard const hold(guard_);
    giver* const n = giving_.first();
    if (n == nullptr) return n;
    if (!n->is_over(*n)) {
      has_room = begin_push(i);
      if (!has_room && !is_closed()) return nullptr;
    }
    leave_line(*n);
    return n;
  }
  void leave_line(giver& n) noexcept {
    giving_.remove(n);
    givers_.fetch_sub(1, std::memory_order_acq_rel);
  }

  /// The first value of those that are there, one of which is ours.
  index claim() noexcept {
    for (index i{};;) {
      if (returned_.load(std::memory_order_acquire) != none && claim_returned(i)) return i;
      if (full_.pop(i)) return i;
    }
  }
  bool claim_returned(index& i) noexcept {
    std::lock_guard const hold(guard_);
    i = returned_.load(std::memory_order_relaxed);
    if (i == none) return false;
    returned_.store(cells_[i].before, std::memory_order_relaxed);
    return true;
  }
  /// Nobody took it: it is the first again.
  void put_back(index i) noexcept {
    std::lock_guard const hold(guard_);
    cells_[i].before = returned_.load(std::memory_order_relaxed);
    returned_.store(i, std::memory_order_release);
    word_.fetch_add(one_item - one_push, std::memory_order_acq_rel);
  }

  /// Whoever makes it so that somebody waits although there is something to be had, or never will be, sees to it.
  void settle_up() noexcept {
    std::shared_ptr<queue_core> const keep = this->shared_from_this();
    for (;;) {
      if (waiter* const taker = next_to_tell([](std::uint64_t w) { return items(w) != 0; }, one_item - one_push)) give(*taker);
      else if (waiter* const late = next_to_tell(&is_drained, 0)) late->refuse(*late);
      else return;
    }
  }
  /// Takes the first who waits out of the line, and `with` out of the count, if the word allows it.
  template <class If>
  waiter* next_to_tell(If allowed, std::uint64_t with) noexcept {
    std::lock_guard const hold(guard_);
    std::uint64_t w = word_.load(std::memory_order_acquire);
    do {
      if (waiters(w) == 0 || !allowed(w)) return nullptr;
    } while (!word_.compare_exchange_weak(w, w - one_waiter - with, std::memory_order_acq_rel, std::memory_order_acquire));
    waiter* const n = taking_.first();
    taking_.remove(*n);
    return n;
  }
  /// On its way the value counts as a push: it may come back, and until then the queue is not drained.
  void give(waiter& n) noexcept {
    index const i = claim();
    if (!n.give(n, *cells_[i].value())) return put_back(i);
    word_.fetch_sub(one_push, std::memory_order_acq_rel);
    full_cell const taken(*this, i);
  }

  std::size_t const capacity_;
  std::unique_ptr<cell[]> const cells_;
  boost::lockfree::stack<index, boost::lockfree::fixed_sized<true>> free_;
  boost::lockfree::queue<index, boost::lockfree::fixed_sized<true>> full_;
  alignas(64) atomic<std::uint64_t> word_{0};
  atomic<index> returned_{none};     // changed under the lock
  atomic<std::uint32_t> givers_{0};  // how many wait for room
  typename Sync::mutex guard_;
  queue_line<waiter> taking_;
  queue_line<giver> giving_;
};

}  // namespace settle::inline v0::detail

#endif
