// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_LOCKFREE_ARENA_POOL_HPP
#define SETTLE_LOCKFREE_ARENA_POOL_HPP

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "../detail/exceptions.hpp"
#include "../memory/arena.hpp"
#include "../policy/default_policy.hpp"
#include "../policy/error_sink.hpp"
#include "arena_lease.hpp"
#include "detail/boost_lockfree.hpp"

namespace settle::inline v0 {

/// What a pool has counted, all of one instant (`peak`: of the life so far). acquires == releases + in_use, always.
struct arena_pool_counters {
  std::size_t capacity = 0;    ///< how many arenas there are
  std::uint64_t acquires = 0;  ///< modulo 2^48
  std::uint64_t releases = 0;  ///< modulo 2^48
  std::size_t in_use = 0;      ///< how many are out
  std::size_t peak = 0;        ///< the most that were out at once

  friend bool operator==(arena_pool_counters const&, arena_pool_counters const&) = default;
};

/// A fixed number of arenas of one size, handed out and given back from any thread.
///
/// Ownership: the pool owns the memory and must outlive every lease; it says so to the error sink when it does not.
/// The memory is reserved once and each page touched only when an arena uses it; the slot given back last is handed out first.
/// Throws: the constructor, std::invalid_argument in one sentence for impossible sizes, std::bad_alloc; nothing else does.
/// Threads: every member from any thread, but construction and destruction. One arena: one thread at a time.
/// Cost: no allocation after construction. Four atomic read-modify-writes to acquire, four to release, when nobody else is at it.
/// Errors: a double, stale or foreign release is refused: it returns false, changes nothing, and goes to `Policy::error_sink` as
/// `monitor_event::misuse` with `where` the call and `other` the first release (see `release`).
/// Without exceptions Boost wants a boost::throw_exception of yours, and an impossible size terminates.
///
/// ```cpp
/// settle::arena_pool pool(1024, 65536);                  // 1024 arenas of 64 KiB
/// if (settle::arena_lease memory = pool.try_acquire()) {  // given back at the end of the scope, or
///   use(memory->allocate(100));
///   op.own(std::move(memory));                            // with the operation
/// }
/// ```
template <class Policy>
class basic_arena_pool {
  static_assert(error_sink<typename Policy::error_sink>,
                "settle: Policy::error_sink must have `static void report(std::exception_ptr, monitor_event const&) noexcept`");
  using slot = detail::arena_slot<Policy>;

 public:
  /// What `try_acquire` yields.
  using lease = basic_arena_lease<Policy>;

  /// What the free list can count to.
  static constexpr std::size_t max_slots = 65'535;

  /// `slots` arenas of `bytes_per_slot` bytes each.
  basic_arena_pool(std::size_t slots, std::size_t bytes_per_slot, std::source_location loc = std::source_location::current())
      : made_at_(loc),
        capacity_(checked_slots(slots)),
        stride_(checked_stride(slots, bytes_per_slot)),
        bytes_(bytes_per_slot),
        memory_(static_cast<std::byte*>(::operator new(slots * stride_, page))),
        slots_(static_cast<slot*>(::operator new(slots * sizeof(slot), std::align_val_t{alignof(slot)}))),
        free_(slots) {
    for (std::size_t i = slots; i-- > 0;) {  // backwards: the lowest address is handed out first
      std::construct_at(slots_.get() + i, *this, memory_.get() + (i * stride_), bytes_);
      free_.unsynchronized_push(static_cast<std::uint16_t>(i));
    }
  }
  basic_arena_pool(basic_arena_pool const&) = delete;
  basic_arena_pool& operator=(basic_arena_pool const&) = delete;

  /// Reports arenas that are still out: their holders are about to touch memory that is gone.
  ~basic_arena_pool() {
    slot* const end = slots_.get() + capacity_;
    slot* const out = std::find_if(slots_.get(), end, [](slot const& s) { return s.is_held(); });
    if (out != end)
      report("the pool was destroyed while arenas were out: `where` acquired one, `other` made the pool",
             out->acquired_at.load(std::memory_order_acquire), made_at_);
    std::destroy_n(slots_.get(), capacity_);
  }

  /// An empty arena, or an empty lease when all are out.
  [[nodiscard]] lease try_acquire(std::source_location loc = std::source_location::current()) noexcept {
    for (std::uint16_t i = 0; free_.pop(i);) {
      // The free list's own tags have 16 bits. Should one ever wrap under a sleeping thread and hand out an index twice,
      // the second taker skips it here: an arena never has two holders.
      std::uint64_t generation = 0;
      if (!slots_.get()[i].try_hold(generation, loc)) continue;
      count_acquire();
      return lease(slots_.get()[i], generation, loc);
    }
    return lease();
  }

  /// Gives an arena back by the ticket its lease was turned into. True when that was right.
  /// A ticket whose lease is over already is refused: `double release` while the slot is free, `stale release` when it has been
  /// acquired again. `other` is the lease's first release as long as the slot remembers it, then the slot's latest release or,
  /// when it is out, acquisition. A ticket that never came from here is a `foreign release`; `other` says where this pool was made.
  bool release(arena_ticket ticket, std::source_location loc = std::source_location::current()) noexcept {
    if (ticket.memory == nullptr) return false;
    slot* const s = find(ticket.memory);
    if (s == nullptr || ticket.generation > slot::last_generation) return refuse_foreign(loc);
    return give_back(*s, ticket.generation, loc);
  }

  /// The same by the arena alone, for C callbacks that carry one pointer. It knows no generation, so a stale release looks like a
  /// right one here: it takes the arena from whoever holds it now. Keep the lease or the ticket where you can.
  bool release(arena* memory, std::source_location loc = std::source_location::current()) noexcept {
    if (memory == nullptr) return false;
    slot* const s = find(memory);
    if (s == nullptr) return refuse_foreign(loc);
    auto const now = s->look();
    // Free: the latest lease is the one before. Never leased: generation 0, which is refused as foreign.
    return give_back(*s, now.held || now.generation == 0 ? now.generation : now.generation - 1, loc);
  }

  /// How many arenas there are.
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  /// How large each one is.
  [[nodiscard]] std::size_t arena_bytes() const noexcept { return bytes_; }
  /// How many are out. One atomic load.
  [[nodiscard]] std::size_t in_use() const noexcept { return snapshot().in_use; }

  /// All counters. One atomic load for acquires, releases and in_use, one for the peak.
  [[nodiscard]] arena_pool_counters snapshot() const noexcept {
    std::uint64_t const word = counts_.load(std::memory_order_relaxed);
    std::uint64_t const in_use = word & in_use_mask;
    std::uint64_t const acquires = word >> in_use_bits;
    return {.capacity = capacity_,
            .acquires = acquires,
            .releases = acquires - in_use,
            .in_use = static_cast<std::size_t>(in_use),
            .peak = peak_.load(std::memory_order_relaxed)};
  }

  /// Whether as many arenas were given back as were taken since `then`.
  [[nodiscard]] bool balanced_since(arena_pool_counters const& then) const noexcept {
    arena_pool_counters const now = snapshot();
    return now.acquires - then.acquires == now.releases - then.releases;
  }

 private:
  friend lease;

  // A page, so that slots of whole pages share none; a cache line, so that small slots of two threads share none.
  static constexpr std::align_val_t page{4096};
  static constexpr std::size_t line = 64;
  // Acquires above, in_use below: one read-modify-write counts both, and in_use never exceeds 65,535.
  static constexpr int in_use_bits = 16;
  static constexpr std::uint64_t in_use_mask = (std::uint64_t{1} << in_use_bits) - 1;

  struct free_memory {
    void operator()(std::byte* p) const noexcept { ::operator delete(p, page); }
    void operator()(slot* p) const noexcept { ::operator delete(p, std::align_val_t{alignof(slot)}); }
  };

  static std::size_t checked_slots(std::size_t slots) {
    if (slots == 0 || slots > max_slots)
      detail::raise(std::invalid_argument("settle: an arena pool has 1 to 65535 slots, not " + std::to_string(slots)));
    return slots;
  }
  static std::size_t checked_stride(std::size_t slots, std::size_t bytes) {
    if (bytes == 0) detail::raise(std::invalid_argument("settle: the slots of an arena pool have at least 1 byte, not 0"));
    if (bytes > std::numeric_limits<std::ptrdiff_t>::max() / slots - line)
      detail::raise(std::invalid_argument("settle: " + std::to_string(slots) + " arenas of " + std::to_string(bytes) +
                                          " bytes are more than there are addresses"));
    return (bytes + line - 1) / line * line;
  }

  /// The slot whose arena this is; null for any other pointer, which is never followed.
  slot* find(arena const* memory) const noexcept {
    auto const at = reinterpret_cast<std::uintptr_t>(memory);
    auto const first = reinterpret_cast<std::uintptr_t>(std::addressof(slots_->memory));
    std::uintptr_t const index = (at - first) / sizeof(slot);
    if (at < first || index >= capacity_) return nullptr;
    slot* const s = slots_.get() + index;
    return std::addressof(s->memory) == memory ? s : nullptr;
  }

  bool give_back(slot& s, std::uint64_t generation, std::source_location loc) noexcept {
    if (!s.try_leave(generation, loc)) return refuse(s, generation, loc);
    // Counted before it is to be had again, so that in_use never exceeds the capacity.
    counts_.fetch_sub(1, std::memory_order_relaxed);
    free_.bounded_push(static_cast<std::uint16_t>(&s - slots_.get()));  // never full: one node for each index
    return true;
  }

  void count_acquire() noexcept {
    // Relaxed: the counters publish nothing, and each read-modify-write sees the one before it, so the peak is exact.
    std::uint64_t const before = counts_.fetch_add((std::uint64_t{1} << in_use_bits) + 1, std::memory_order_relaxed);
    std::size_t const now = static_cast<std::size_t>(before & in_use_mask) + 1;
    for (std::size_t peak = peak_.load(std::memory_order_relaxed);
         peak < now && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed);) {
    }
  }

  bool refuse(slot const& s, std::uint64_t generation, std::source_location loc) const noexcept {
    auto const now = s.look();
    if (generation >= now.generation) return refuse_foreign(loc);  // no such lease was ever handed out
    bool const remembered = now.generation == generation + 1;
    if (remembered && !now.held) report("double release of an arena: `other` gave it back first", loc, now.released_at);
    else if (remembered)
      report("stale release of an arena: `other` gave it back first, and the slot has been acquired again", loc, now.released_at);
    else if (now.held) report("stale release of an arena: its slot has been acquired again, last by `other`", loc, now.acquired_at);
    else report("stale release of an arena: its slot has been acquired again, and given back last by `other`", loc, now.released_at);
    return false;
  }
  bool refuse_foreign(std::source_location loc) const noexcept {
    report("foreign release: this is no arena of the pool that `other` made", loc, made_at_);
    return false;
  }
  static void report(std::string_view detail, std::source_location where, std::source_location other) noexcept {
    Policy::error_sink::report(nullptr, monitor_event{.what = monitor_event::misuse, .detail = detail, .where = where, .other = other});
  }

  std::source_location const made_at_;
  std::size_t const capacity_;
  std::size_t const stride_;
  std::size_t const bytes_;
  std::unique_ptr<std::byte, free_memory> const memory_;
  std::unique_ptr<slot, free_memory> const slots_;
  boost::lockfree::stack<std::uint16_t, boost::lockfree::fixed_sized<true>> free_;
  alignas(line) typename slot::template atomic<std::uint64_t> counts_{0};
  typename slot::template atomic<std::size_t> peak_{0};
};

template <class Policy>
bool basic_arena_lease<Policy>::release(std::source_location loc) noexcept {
  if (slot_ == nullptr) return false;
  detail::arena_slot<Policy>& s = *std::exchange(slot_, nullptr);
  return s.pool.give_back(s, generation_, loc);
}

using arena_pool = basic_arena_pool<default_policy>;

}  // namespace settle::inline v0

#endif
