// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_LOCKFREE_DETAIL_QUEUE_PARTS_HPP
#define SETTLE_LOCKFREE_DETAIL_QUEUE_PARTS_HPP

// IWYU pragma: private, include <settle/lockfree/queue.hpp>

#include <cstddef>
#include <cstdint>
#include <new>

namespace settle::inline v0::detail {

/// A place in a line, for a Node derived from it.
template <class Node>
struct queue_place {
  Node* prev = nullptr;
  Node* next = nullptr;
  bool is_linked = false;
};

/// Who waits for a value: a node in the operation that waits.
template <class T>
struct queue_taker : queue_place<queue_taker<T>> {
  bool (*give)(queue_taker&, T&) noexcept;  // false: it is over already, and the value is as it was
  void (*refuse)(queue_taker&) noexcept;    // the queue is closed, and empty
};

/// Who waits for room, with a value.
template <class T>
struct queue_giver : queue_place<queue_giver<T>> {
  bool (*is_over)(queue_giver&) noexcept;  // its value is to go nowhere
  void (*move_to)(queue_giver&, void* at) noexcept;
  void (*tell)(queue_giver&, bool in) noexcept;  // its value is in the queue, or the queue is closed; or it was over
};

/// A line of those who wait, first come, first served. Under its owner's lock.
template <class Node>
class queue_line {
 public:
  Node* first() const noexcept { return first_; }
  void add(Node& n) noexcept {
    n.is_linked = true;
    n.prev = last_;
    (last_ == nullptr ? first_ : last_->next) = &n;
    last_ = &n;
  }
  void remove(Node& n) noexcept {
    (n.prev == nullptr ? first_ : n.prev->next) = n.next;
    (n.next == nullptr ? last_ : n.next->prev) = n.prev;
    n.is_linked = false;
  }

 private:
  Node* first_ = nullptr;
  Node* last_ = nullptr;
};

/// The word: values (16 bits), pushes under way (16), waiting for a value (31), closed.
struct queue_word {
  static constexpr std::uint64_t one_item = 1;
  static constexpr std::uint64_t one_push = std::uint64_t{1} << 16;
  static constexpr std::uint64_t one_waiter = std::uint64_t{1} << 32;
  static constexpr std::uint64_t closed_bit = std::uint64_t{1} << 63;
  static std::size_t items(std::uint64_t w) noexcept { return w & 0xFFFF; }
  static std::uint64_t waiters(std::uint64_t w) noexcept { return (w & ~closed_bit) >> 32; }
  /// Closed, nothing there, nothing to come.
  static bool is_drained(std::uint64_t w) noexcept { return (w & closed_bit) != 0 && (w & 0xFFFF'FFFF) == 0; }
};

using queue_index = std::uint16_t;

/// Room for one value.
template <class T>
struct queue_cell {
  alignas(T) std::byte bytes[sizeof(T)];
  queue_index before = 0;  // in the chain of those that came back
  T* value() noexcept { return std::launder(reinterpret_cast<T*>(bytes)); }
};

}  // namespace settle::inline v0::detail

#endif
