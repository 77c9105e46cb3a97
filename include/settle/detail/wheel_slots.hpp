// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_WHEEL_SLOTS_HPP
#define SETTLE_DETAIL_WHEEL_SLOTS_HPP

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace settle::inline v0::detail {

struct wheel_link {
  wheel_link* next = nullptr;
  wheel_link* prev = nullptr;
};
/// What a wheel holds: when, in ticks.
struct wheel_node : wheel_link {
  std::uint64_t tick = 0;
};

/// A ring of nodes around a head that is none.
class wheel_list {
 public:
  wheel_list() noexcept { clear(); }
  wheel_list(wheel_list&&) = delete;

  bool empty() const noexcept { return head_.next == &head_; }
  void push(wheel_node& n) noexcept {
    n.next = &head_;
    n.prev = head_.prev;
    head_.prev->next = &n;
    head_.prev = &n;
  }
  /// Precondition: not empty.
  wheel_node& pop() noexcept {
    wheel_link& n = *head_.next;
    head_.next = n.next;
    n.next->prev = &head_;
    return static_cast<wheel_node&>(n);
  }
  /// Takes all of the other, behind what is here.
  void append(wheel_list& other) noexcept {
    if (other.empty()) return;
    head_.prev->next = other.head_.next;
    other.head_.next->prev = head_.prev;
    other.head_.prev->next = &head_;
    head_.prev = other.head_.prev;
    other.clear();
  }
  /// Takes n out of its list. True: it was the only one; `head` is which list then.
  static bool remove(wheel_node& n, wheel_link*& head) noexcept {
    n.prev->next = n.next;
    n.next->prev = n.prev;
    head = n.next;
    return n.next == n.prev;
  }

 private:
  void clear() noexcept { head_.next = head_.prev = &head_; }

  wheel_link head_;
};

/// A hierarchical timing wheel: eleven levels of 64 slots take in 64 bits of ticks. A node waits on the level of the highest
/// digit, of six bits, in which its tick differs from now; when time comes to its slot it moves to a lower level, and from
/// the lowest it is due. Lower levels are always earlier, so that the next slot is found by two bit scans. Nodes of equal
/// ticks stay in the order in which they came: the earlier one is never above the later one.
class wheel_slots {
 public:
  static constexpr unsigned bits = 6;
  static constexpr unsigned width = 1U << bits;
  static constexpr unsigned levels = (64 + bits - 1) / bits;

  /// Now, in ticks. Never goes back.
  std::uint64_t now() const noexcept { return now_; }
  bool empty() const noexcept { return used_levels_ == 0; }

  /// Precondition: n.tick > now(). The tick at which time has to come by for it.
  std::uint64_t insert(wheel_node& n) noexcept {
    auto const level = static_cast<unsigned>(63 - std::countl_zero(n.tick ^ now_)) / bits;
    auto const slot = static_cast<unsigned>(n.tick >> (level * bits)) % width;
    slots_[level][slot].push(n);
    used_slots_[level] |= std::uint64_t{1} << slot;
    used_levels_ |= 1U << level;
    return begin_of(level, slot);
  }

  void remove(wheel_node& n) noexcept {
    wheel_link* head = nullptr;
    if (!wheel_list::remove(n, head)) return;
    // The last of its slot: the head is a part of the list, and the list of the table.
    auto const at =
        static_cast<std::size_t>(reinterpret_cast<std::byte*>(head) - reinterpret_cast<std::byte*>(slots_)) / sizeof(wheel_list);
    leave(static_cast<unsigned>(at / width), static_cast<unsigned>(at % width));
  }

  /// The tick at which time has to come by next. Precondition: not empty.
  std::uint64_t next() const noexcept {
    unsigned const level = first_level();
    return begin_of(level, first_slot(level));
  }

  /// Lets time pass; what comes due goes to the end of `due`, in the order of ticks, equal ones as they were inserted.
  void turn(std::uint64_t to, wheel_list& due) noexcept {
    while (!empty()) {
      unsigned const level = first_level();
      unsigned const slot = first_slot(level);
      std::uint64_t const begin = begin_of(level, slot);
      if (begin > to) break;
      now_ = begin;
      leave(level, slot);
      if (level == 0) due.append(slots_[0][slot]);
      else move_down(slots_[level][slot], due);
    }
    now_ = std::max(now_, to);
  }

  /// Everything, as it comes.
  void take_all(wheel_list& all) noexcept {
    while (!empty()) {
      unsigned const level = first_level();
      unsigned const slot = first_slot(level);
      leave(level, slot);
      all.append(slots_[level][slot]);
    }
  }

 private:
  /// Of a wheel that is not empty; the last one, else: g++ 12 does not see that nobody asks.
  unsigned first_level() const noexcept { return static_cast<unsigned>(std::countr_zero(used_levels_ | 1U << (levels - 1))); }
  unsigned first_slot(unsigned level) const noexcept { return static_cast<unsigned>(std::countr_zero(used_slots_[level])); }

  void leave(unsigned level, unsigned slot) noexcept {
    used_slots_[level] &= ~(std::uint64_t{1} << slot);
    if (used_slots_[level] == 0) used_levels_ &= ~(1U << level);
  }

  /// Now, with the digit of `level` replaced by the slot and all digits below it by zero.
  std::uint64_t begin_of(unsigned level, unsigned slot) const noexcept {
    unsigned const above = (level + 1) * bits;
    std::uint64_t const kept = above >= 64 ? 0 : now_ >> above << above;
    return kept | (std::uint64_t{slot} << (level * bits));
  }

  void move_down(wheel_list& list, wheel_list& due) noexcept {
    while (!list.empty()) {
      wheel_node& n = list.pop();
      if (n.tick == now_) due.push(n);
      else insert(n);
    }
  }

  std::uint64_t now_ = 0;
  unsigned used_levels_ = 0;
  std::uint64_t used_slots_[levels] = {};
  wheel_list slots_[levels][width];
};

}  // namespace settle::inline v0::detail

#endif
