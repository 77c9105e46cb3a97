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

  /// Fetches a long list from behind while it is taken from the front. Each node says where the next one is, so that whoever only
  /// takes waits for them one after the other; this way two are on their way from memory at a time.
  class fetcher {
   public:
    explicit fetcher(wheel_list& list) noexcept : head_(&list.head_), at_(list.head_.prev) {}
    /// One for each that was taken, before that is put elsewhere: where the two meet, what is before the node is the head.
    void step() noexcept {
      if (at_ == head_) return;
      at_ = at_->prev;
      __builtin_prefetch(at_, 1);
    }

   private:
    wheel_link const* head_;
    wheel_link const* at_;
  };

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

/// A hierarchical timing wheel: two levels of 256 slots, and eight of 64, take in 64 bits of ticks. A node waits on the level of
/// the highest digit in which its tick differs from now; when time comes to its slot it moves to a lower level, and from the
/// lowest it is due. To move it is to fetch it from memory: what is due within 65536 ticks is moved once. Lower levels are
/// always earlier, so that the next slot is found by bit scans. Nodes of equal ticks stay in the order in which they came:
/// the earlier one is never above the later one.
class wheel_slots {
 public:
  static constexpr unsigned wide_levels = 2;
  static constexpr unsigned levels = 10;
  static constexpr unsigned bits_of(unsigned level) noexcept { return level < wide_levels ? 8 : 6; }
  static constexpr unsigned shift_of(unsigned level) noexcept { return level < wide_levels ? level * 8 : 16 + (level - wide_levels) * 6; }

  /// Now, in ticks. Never goes back.
  std::uint64_t now() const noexcept { return now_; }
  bool empty() const noexcept { return used_levels_ == 0; }

  /// Precondition: n.tick > now(). The tick at which time has to come by for it.
  std::uint64_t insert(wheel_node& n) noexcept {
    unsigned const level = level_of(static_cast<unsigned>(63 - std::countl_zero(n.tick ^ now_)));
    unsigned const slot = static_cast<unsigned>(n.tick >> shift_of(level)) & ((1U << bits_of(level)) - 1);
    slots_[place_of(level, slot)].push(n);
    used_slots_[level][slot / 64] |= std::uint64_t{1} << slot % 64;
    used_levels_ |= 1U << level;
    return begin_of(level, slot);
  }

  void remove(wheel_node& n) noexcept {
    wheel_link* head = nullptr;
    if (!wheel_list::remove(n, head)) return;
    // The last of its slot: the head is a part of the list, and the list of the table.
    auto const bytes = reinterpret_cast<std::byte*>(head) - reinterpret_cast<std::byte*>(slots_);
    auto const at = static_cast<unsigned>(static_cast<std::size_t>(bytes) / sizeof(wheel_list));
    if (at < wide_slots) leave(at / 256, at % 256);
    else leave(wide_levels + (at - wide_slots) / 64, at % 64);
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
      if (level == 0) due.append(slots_[slot]);
      else move_down(slots_[place_of(level, slot)], due);
    }
    now_ = std::max(now_, to);
  }

  /// Everything, as it comes.
  void take_all(wheel_list& all) noexcept {
    while (!empty()) {
      unsigned const level = first_level();
      unsigned const slot = first_slot(level);
      leave(level, slot);
      all.append(slots_[place_of(level, slot)]);
    }
  }

 private:
  /// Of a wheel that is not empty; the last one, else: g++ 12 does not see that nobody asks.
  unsigned first_level() const noexcept { return static_cast<unsigned>(std::countr_zero(used_levels_ | 1U << (levels - 1))); }
  /// Of a level that is not empty.
  unsigned first_slot(unsigned level) const noexcept {
    unsigned word = 0;
    while (word != 3 && used_slots_[level][word] == 0) ++word;
    return word * 64 + static_cast<unsigned>(std::countr_zero(used_slots_[level][word]));
  }

  void leave(unsigned level, unsigned slot) noexcept {
    auto& used = used_slots_[level];
    used[slot / 64] &= ~(std::uint64_t{1} << slot % 64);
    if ((used[0] | used[1] | used[2] | used[3]) == 0) used_levels_ &= ~(1U << level);
  }

  static constexpr unsigned wide_slots = wide_levels * 256;
  /// Of the highest bit of a difference.
  static constexpr unsigned level_of(unsigned bit) noexcept { return bit < 16 ? bit / 8 : wide_levels + (bit - 16) / 6; }
  static constexpr std::size_t place_of(unsigned level, unsigned slot) noexcept {
    return slot + (level < wide_levels ? level * 256 : wide_slots + (level - wide_levels) * 64);
  }

  /// Now, with the digit of `level` replaced by the slot and all digits below it by zero.
  std::uint64_t begin_of(unsigned level, unsigned slot) const noexcept {
    unsigned const above = shift_of(level) + bits_of(level);
    std::uint64_t const kept = above >= 64 ? 0 : now_ >> above << above;
    return kept | (std::uint64_t{slot} << shift_of(level));
  }

  void move_down(wheel_list& list, wheel_list& due) noexcept {
    for (wheel_list::fetcher ahead(list); !list.empty();) {
      wheel_node& n = list.pop();
      ahead.step();
      if (n.tick == now_) due.push(n);
      else insert(n);
    }
  }

  std::uint64_t now_ = 0;
  unsigned used_levels_ = 0;
  std::uint64_t used_slots_[levels][4] = {};
  wheel_list slots_[wide_slots + (levels - wide_levels) * 64];
};

}  // namespace settle::inline v0::detail

#endif
