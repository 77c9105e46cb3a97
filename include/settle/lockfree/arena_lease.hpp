// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_LOCKFREE_ARENA_LEASE_HPP
#define SETTLE_LOCKFREE_ARENA_LEASE_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <utility>

#include "../fwd.hpp"
#include "../memory/arena.hpp"
#include "../policy/sync.hpp"

namespace settle::inline v0 {

template <class Policy>
class basic_arena_pool;

/// The name of one lease of an arena as plain values, for what cannot keep a lease. Owns nothing: pass it to the pool's `release` once.
struct arena_ticket {
  arena* memory = nullptr;       ///< the arena; null names nothing
  std::uint64_t generation = 0;  ///< counts the leases of this slot

  friend bool operator==(arena_ticket const&, arena_ticket const&) = default;
};

namespace detail {

/// What a pool is made of: the Sync of its policy's terminal, if that has one. A pool has many threads, whatever its policy
/// says of operations.
template <class Policy>
struct pool_sync {
  using type = std_sync;
};
template <class Policy>
  requires requires { typename Policy::terminal::sync; } && (!requires { Policy::terminal::sync::one_thread; })
struct pool_sync<Policy> {
  using type = typename Policy::terminal::sync;
};

/// One arena of a pool, in one cache line where std::source_location is a pointer, and who has it.
template <class Policy>
struct alignas(64) arena_slot {
  using sync = typename pool_sync<Policy>::type;
  template <class T>
  using atomic = typename sync::template atomic<T>;

  // NOLINTNEXTLINE(performance-enum-size): it is combined with a generation of 62 bits
  enum phase : std::uint64_t { free = 0, held = 1, busy = 2, phase_bits = 3 };
  static constexpr int generation_shift = 2;
  static constexpr std::uint64_t last_generation = ~std::uint64_t{0} >> generation_shift;  // more would look like another one

  struct view {
    std::uint64_t generation;
    bool held;
    std::source_location acquired_at, released_at;
  };

  arena_slot(basic_arena_pool<Policy>& owner, void* block, std::size_t bytes) noexcept : memory(block, bytes), pool(owner) {}

  static constexpr std::uint64_t word(std::uint64_t generation, phase p) noexcept { return generation << generation_shift | p; }

  /// free to held, by whoever took the index from the free list. The acquire pairs with try_leave's last store: this holder sees the
  /// arena as the last one left it. The closing release makes the site visible to a refused release that sees this lease.
  bool try_hold(std::uint64_t& generation, std::source_location loc) noexcept {
    std::uint64_t w = state.load(std::memory_order_relaxed);
    if ((w & phase_bits) != free || !state.compare_exchange_strong(w, w | busy, std::memory_order_acquire, std::memory_order_relaxed))
      return false;
    generation = w >> generation_shift;
    acquired_at.store(loc, std::memory_order_release);
    state.store(word(generation, held), std::memory_order_release);
    return true;
  }

  /// held to free of the next generation: of all who try with one generation, one wins. The acquire keeps the reset behind the win; the
  /// closing release hands the emptied arena to the next holder. `busy` lasts for these few stores.
  bool try_leave(std::uint64_t generation, std::source_location loc) noexcept {
    std::uint64_t w = word(generation, held);
    if (!state.compare_exchange_strong(w, word(generation, busy), std::memory_order_acquire, std::memory_order_relaxed)) return false;
    released_at.store(loc, std::memory_order_release);
    memory.reset();
    state.store(word(generation + 1, free), std::memory_order_release);
    return true;
  }

  /// For the report of a misuse only: waits out `busy`, then reads the sites and makes sure that they belong to what it saw. A site is
  /// stored after its phase became busy and read with acquire, so one that is too new shows in the second look at the state.
  view look() const noexcept {
    for (unsigned round = 0;;) {
      std::uint64_t const w = state.load(std::memory_order_acquire);
      if ((w & phase_bits) == busy) {
        sync::pause(++round, state);
        continue;
      }
      view const v{w >> generation_shift, (w & phase_bits) == held, acquired_at.load(std::memory_order_acquire),
                   released_at.load(std::memory_order_acquire)};
      if (state.load(std::memory_order_relaxed) == w) return v;
    }
  }

  [[nodiscard]] bool is_held() const noexcept { return (state.load(std::memory_order_relaxed) & phase_bits) == held; }

  arena memory;
  atomic<std::uint64_t> state{free};
  atomic<std::source_location> acquired_at{std::source_location{}};
  atomic<std::source_location> released_at{std::source_location{}};
  basic_arena_pool<Policy>& pool;
};

}  // namespace detail

/// An arena of a pool for as long as this lives: move-only, 24 bytes, given back by its destructor or by `release`. Empty when moved from.
///
/// Ownership: of the arena; the pool owns the memory and must live longer. `op.own(std::move(lease))` ties it to an operation.
/// Throws: nothing. Threads: as a std::unique_ptr; it may end on another thread than it began. Cost: that of the pool's `release`.
/// Errors: an arena that was given back behind the lease's back is refused and reported; where no call can be named, because the
/// destructor gave it back, `where` is the call that acquired it.
///
/// ```cpp
/// settle::arena_pool pool(16, 4096);
/// settle::arena_lease memory = pool.try_acquire();
/// if (memory) use(memory->allocate(100));
/// ```
template <class Policy>
class basic_arena_lease {
 public:
  basic_arena_lease() noexcept = default;
  /// The source is empty afterwards.
  basic_arena_lease(basic_arena_lease&& other) noexcept
      : slot_(std::exchange(other.slot_, nullptr)), generation_(other.generation_), acquired_at_(other.acquired_at_) {}
  /// Gives back what it held before.
  basic_arena_lease& operator=(basic_arena_lease&& other) noexcept {
    basic_arena_lease(std::move(other)).swap(*this);
    return *this;
  }
  ~basic_arena_lease() { release(acquired_at_); }

  /// It holds an arena.
  [[nodiscard]] explicit operator bool() const noexcept { return slot_ != nullptr; }
  /// The arena, null when empty.
  [[nodiscard]] arena* get() const noexcept { return slot_ == nullptr ? nullptr : std::addressof(slot_->memory); }
  /// The arena. Precondition: not empty.
  [[nodiscard]] arena& operator*() const noexcept { return slot_->memory; }
  /// The arena. Precondition: not empty.
  [[nodiscard]] arena* operator->() const noexcept { return std::addressof(slot_->memory); }

  /// Gives it back now; the lease is empty afterwards. False when it was empty, or was refused and reported.
  bool release(std::source_location loc = std::source_location::current()) noexcept;

  /// Lets go without giving back: from here on the ticket must reach the pool's `release`.
  [[nodiscard]] arena_ticket detach() noexcept {
    arena_ticket const t{get(), generation_};
    slot_ = nullptr;
    return t;
  }

  /// Exchanges what the two hold.
  void swap(basic_arena_lease& other) noexcept {
    std::swap(slot_, other.slot_);
    std::swap(generation_, other.generation_);
    std::swap(acquired_at_, other.acquired_at_);
  }

 private:
  friend basic_arena_pool<Policy>;
  basic_arena_lease(detail::arena_slot<Policy>& s, std::uint64_t generation, std::source_location loc) noexcept
      : slot_(&s), generation_(generation), acquired_at_(loc) {}

  detail::arena_slot<Policy>* slot_ = nullptr;
  std::uint64_t generation_ = 0;
  std::source_location acquired_at_;
};

using arena_lease = basic_arena_lease<default_policy>;

}  // namespace settle::inline v0

#endif
