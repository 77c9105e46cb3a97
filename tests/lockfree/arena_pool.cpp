// SPDX-License-Identifier: BSL-1.0
#include <settle/lockfree/arena_pool.hpp>
#include <settle/policy/terminal.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <source_location>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <unistd.h>

#include "scale.hpp"

namespace {

/// Keeps what was reported, so that tests can look at it.
struct recording_sink {
  static inline std::mutex guard;
  static inline std::vector<settle::monitor_event> events;

  static void report(std::exception_ptr p, settle::monitor_event const& e) noexcept {
    EXPECT_EQ(p, nullptr);
    std::scoped_lock lock(guard);
    events.push_back(e);
  }
  static std::vector<settle::monitor_event> take() {
    std::scoped_lock lock(guard);
    return std::exchange(events, {});
  }
};

struct recorded {
  using error_sink = recording_sink;
};
using pool_t = settle::basic_arena_pool<recorded>;

// A pool is for many threads also when its policy's operations are for one.
struct one_thread : settle::default_policy {
  using terminal = settle::unsynchronized_terminal;
};
static_assert(std::is_same_v<settle::detail::pool_sync<one_thread>::type, settle::std_sync>);
using lease_t = pool_t::lease;
using here = std::source_location;

static_assert(std::is_same_v<lease_t, settle::basic_arena_lease<recorded>>);
static_assert(std::is_nothrow_move_constructible_v<lease_t> && std::is_nothrow_move_assignable_v<lease_t>);
static_assert(std::is_nothrow_destructible_v<lease_t> && !std::is_copy_constructible_v<lease_t>);
static_assert(std::is_trivially_copyable_v<settle::arena_ticket> && !std::is_copy_constructible_v<pool_t>);

struct site {
  char const* file = "";
  std::uint_least32_t line = 0;
};
/// Where the statement below this one is.
site next_line(here at = here::current()) { return {at.file_name(), at.line() + 1}; }

void expect_misuse(char const* kind, site where, site other) {
  auto const events = recording_sink::take();
  ASSERT_EQ(events.size(), 1U) << kind;
  EXPECT_EQ(events[0].what, settle::monitor_event::misuse);
  EXPECT_EQ(events[0].detail.substr(0, std::strlen(kind)), kind);
  EXPECT_STREQ(events[0].where.file_name(), where.file);
  EXPECT_EQ(events[0].where.line(), where.line);
  EXPECT_STREQ(events[0].other.file_name(), other.file);
  EXPECT_EQ(events[0].other.line(), other.line);
}

/// After every misuse: the pool still hands out each of its arenas once, empty, and no more.
void expect_intact(pool_t& pool) {
  auto const before = pool.snapshot();
  std::vector<lease_t> all;
  std::set<settle::arena*> distinct;
  while (lease_t memory = pool.try_acquire()) {
    EXPECT_EQ(memory->used(), 0U);
    EXPECT_EQ(memory->capacity(), pool.arena_bytes());
    distinct.insert(memory.get());
    all.push_back(std::move(memory));
  }
  EXPECT_EQ(all.size(), pool.capacity() - before.in_use);
  EXPECT_EQ(distinct.size(), all.size());
  all.clear();
  EXPECT_TRUE(pool.balanced_since(before));
  EXPECT_TRUE(recording_sink::take().empty());
}

struct arena_pool : ::testing::Test {
  void SetUp() override { recording_sink::take(); }
  void TearDown() override { EXPECT_TRUE(recording_sink::take().empty()); }
};
using A36_slot_misuse = arena_pool;

TEST_F(arena_pool, hands_out_each_arena_once_until_it_is_empty) {
  pool_t pool(3, 100);
  EXPECT_EQ(pool.capacity(), 3U);
  EXPECT_EQ(pool.arena_bytes(), 100U);
  lease_t a = pool.try_acquire();
  lease_t b = pool.try_acquire();
  lease_t c = pool.try_acquire();
  ASSERT_TRUE(a && b && c);
  EXPECT_TRUE(a.get() != b.get() && b.get() != c.get() && a.get() != c.get());
  EXPECT_FALSE(pool.try_acquire());
  EXPECT_EQ(pool.try_acquire().get(), nullptr);
  EXPECT_EQ(pool.snapshot(), (settle::arena_pool_counters{3, 3, 0, 3, 3}));
  EXPECT_TRUE(b.release());
  EXPECT_FALSE(b);
  EXPECT_TRUE(pool.try_acquire());
}

TEST_F(arena_pool, arenas_of_one_pool_do_not_overlap) {
  pool_t pool(8, 100);
  std::vector<lease_t> all;
  std::vector<void*> blocks;
  while (lease_t memory = pool.try_acquire()) {
    void* p = memory->allocate(100, 1);
    EXPECT_EQ(memory->try_allocate(1, 1), nullptr);
    std::memset(p, static_cast<int>(all.size()), 100);
    blocks.push_back(p);
    all.push_back(std::move(memory));
  }
  for (std::size_t i = 0; i < blocks.size(); ++i)
    for (int j = 0; j < 100; ++j) ASSERT_EQ(static_cast<unsigned char*>(blocks[i])[j], i);
}

TEST_F(arena_pool, an_arena_comes_back_empty_and_is_handed_out_first) {
  pool_t pool(4, 256);
  lease_t memory = pool.try_acquire();
  settle::arena* const first = memory.get();
  (void)memory->allocate(200);
  EXPECT_TRUE(memory.release());
  memory = pool.try_acquire();
  EXPECT_EQ(memory.get(), first);
  EXPECT_EQ(memory->used(), 0U);
}

TEST_F(arena_pool, a_lease_gives_back_at_its_end_and_moves) {
  pool_t pool(2, 64);
  {
    lease_t a = pool.try_acquire();
    lease_t b = std::move(a);
    EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): what it says is tested
    EXPECT_EQ(pool.in_use(), 1U);
    lease_t c = pool.try_acquire();
    c = std::move(b);  // gives back what c had
    EXPECT_EQ(pool.in_use(), 1U);
    lease_t& same = c;
    c = std::move(same);
    EXPECT_TRUE(c);
    EXPECT_EQ(pool.in_use(), 1U);
    lease_t empty;
    EXPECT_FALSE(empty.release());
  }
  EXPECT_EQ(pool.snapshot(), (settle::arena_pool_counters{2, 2, 2, 0, 2}));
}

TEST_F(arena_pool, a_ticket_gives_back_what_a_lease_let_go) {
  pool_t pool(2, 64);
  settle::arena_ticket ticket;
  {
    lease_t memory = pool.try_acquire();
    ticket = memory.detach();
    EXPECT_FALSE(memory);
  }
  EXPECT_EQ(pool.in_use(), 1U);
  EXPECT_NE(ticket.memory->try_allocate(64, 1), nullptr);
  EXPECT_TRUE(pool.release(ticket));
  EXPECT_EQ(pool.in_use(), 0U);
  settle::arena* const alone = pool.try_acquire().detach().memory;
  EXPECT_TRUE(pool.release(alone));
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST_F(arena_pool, the_default_policy_has_its_own_names) {
  settle::arena_pool pool(1, 64);
  settle::arena_lease memory = pool.try_acquire();
  EXPECT_TRUE(memory);
}

TEST_F(arena_pool, releasing_nothing_is_nothing) {
  pool_t pool(1, 64);
  EXPECT_FALSE(pool.release(settle::arena_ticket{}));
  EXPECT_FALSE(pool.release(nullptr));
  EXPECT_EQ(pool.snapshot(), (settle::arena_pool_counters{1, 0, 0, 0, 0}));
}

TEST_F(arena_pool, the_peak_is_the_most_that_were_out_at_once) {
  pool_t pool(10, 64);
  std::vector<lease_t> out;
  for (int i = 0; i < 4; ++i) out.push_back(pool.try_acquire());
  out.clear();
  for (int i = 0; i < 3; ++i) out.push_back(pool.try_acquire());
  EXPECT_EQ(pool.snapshot(), (settle::arena_pool_counters{10, 7, 4, 3, 4}));
}

TEST_F(arena_pool, snapshots_tell_a_leak_from_a_balance) {
  pool_t pool(4, 64);
  lease_t const long_lived = pool.try_acquire();
  auto const before = pool.snapshot();
  EXPECT_TRUE(pool.balanced_since(before));
  lease_t a = pool.try_acquire();
  EXPECT_FALSE(pool.balanced_since(before));
  lease_t b = pool.try_acquire();
  EXPECT_TRUE(a.release());
  EXPECT_FALSE(pool.balanced_since(before));
  EXPECT_TRUE(b.release());
  EXPECT_TRUE(pool.balanced_since(before));
  EXPECT_NE(pool.snapshot(), before);
}

TEST_F(arena_pool, back_at_its_count_after_ten_thousand_leases) {
  pool_t pool(16, 128);
  auto const before = pool.snapshot();
  for (int i = 0; i < 10'000; ++i) {
    lease_t memory = pool.try_acquire();
    ASSERT_TRUE(memory);
    (void)memory->allocate(100);
  }
  EXPECT_TRUE(pool.balanced_since(before));
  EXPECT_EQ(pool.snapshot(), (settle::arena_pool_counters{16, 10'000, 10'000, 0, 1}));
}

TEST_F(arena_pool, takes_65535_slots_and_hands_them_all_out) {
  pool_t pool(pool_t::max_slots, 1);
  std::vector<lease_t> all;
  all.reserve(pool.capacity());
  while (lease_t memory = pool.try_acquire()) all.push_back(std::move(memory));
  EXPECT_EQ(all.size(), 65'535U);
  EXPECT_EQ(pool.snapshot(), (settle::arena_pool_counters{65'535, 65'535, 0, 65'535, 65'535}));
  all.clear();
  EXPECT_EQ(pool.snapshot(), (settle::arena_pool_counters{65'535, 65'535, 65'535, 0, 65'535}));
  expect_intact(pool);
}

#if defined(__cpp_exceptions)
std::string refusal(std::size_t slots, std::size_t bytes) {
  try {
    pool_t pool(slots, bytes);
  } catch (std::invalid_argument const& e) {
    return e.what();
  }
  return "";
}

TEST_F(arena_pool, impossible_sizes_are_refused_in_one_sentence) {
  EXPECT_EQ(refusal(65'536, 64), "settle: an arena pool has 1 to 65535 slots, not 65536");
  EXPECT_EQ(refusal(0, 64), "settle: an arena pool has 1 to 65535 slots, not 0");
  EXPECT_EQ(refusal(4, 0), "settle: the slots of an arena pool have at least 1 byte, not 0");
  for (std::size_t bytes : {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1, SIZE_MAX / 4, SIZE_MAX / 8 + 1})
    EXPECT_EQ(refusal(4, bytes), "settle: 4 arenas of " + std::to_string(bytes) + " bytes are more than there are addresses");
}
#endif

#if defined(__linux__) && !defined(SETTLE_TEST_SANITIZED)
std::size_t resident_bytes() {
  std::size_t total = 0;
  std::size_t resident = 0;
  if (std::FILE* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%zu %zu", &total, &resident) != 2) resident = 0;
    std::fclose(f);
  }
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(arena_pool, memory_is_touched_only_when_used) {
  constexpr std::size_t mib = 1024 * 1024;
  std::size_t const before = resident_bytes();
  ASSERT_GT(before, 0U);
  pool_t pool(10'240, 65'536);  // 640 MiB
  std::size_t const reserved = resident_bytes() - before;
  EXPECT_LT(reserved, 2 * mib);  // the slots' own state: 72 bytes each
  std::vector<lease_t> all;
  while (lease_t memory = pool.try_acquire()) {
    if (all.size() < 160) std::memset(memory->allocate(65'536, 1), 1, 65'536);  // 10 MiB
    all.push_back(std::move(memory));
  }
  std::size_t const used = resident_bytes() - before;
  EXPECT_GE(used, 10 * mib);
  EXPECT_LT(used, 14 * mib);
  RecordProperty("reserved_kib", static_cast<int>(reserved / 1024));
  RecordProperty("used_kib", static_cast<int>(used / 1024));
  all.clear();
  for (int i = 0; i < 10'240; ++i) std::memset(pool.try_acquire()->allocate(65'536, 1), 1, 65'536);
  EXPECT_LT(resident_bytes() - before, 14 * mib);  // one after the other: always the same slot
}
#endif

// ---- misuse ----------------------------------------------------------------------------------------------------------------------------

TEST_F(A36_slot_misuse, double_release_is_refused_with_both_sites) {
  pool_t pool(4, 64);
  settle::arena_ticket const t = pool.try_acquire().detach();
  site const first = next_line();
  EXPECT_TRUE(pool.release(t));
  auto const before = pool.snapshot();
  site const second = next_line();
  EXPECT_FALSE(pool.release(t));
  expect_misuse("double release", second, first);
  EXPECT_EQ(pool.snapshot(), before);
  expect_intact(pool);
}

TEST_F(A36_slot_misuse, double_release_is_refused_by_arena_too) {
  pool_t pool(4, 64);
  settle::arena* const memory = pool.try_acquire().detach().memory;
  site const first = next_line();
  EXPECT_TRUE(pool.release(memory));
  auto const before = pool.snapshot();
  site const second = next_line();
  EXPECT_FALSE(pool.release(memory));
  expect_misuse("double release", second, first);
  EXPECT_EQ(pool.snapshot(), before);
  expect_intact(pool);
}

TEST_F(A36_slot_misuse, stale_release_is_refused_and_its_slot_stays_with_the_holder) {
  pool_t pool(1, 64);
  settle::arena_ticket const old = pool.try_acquire().detach();
  site const first = next_line();
  EXPECT_TRUE(pool.release(old));
  lease_t holder = pool.try_acquire();
  ASSERT_EQ(holder.get(), old.memory);
  void* kept = holder->allocate(32);
  std::memset(kept, 7, 32);
  auto const before = pool.snapshot();
  site const late = next_line();
  EXPECT_FALSE(pool.release(old));
  expect_misuse("stale release", late, first);
  EXPECT_EQ(pool.snapshot(), before);
  EXPECT_EQ(holder->used(), 32U);
  EXPECT_EQ(static_cast<char*>(kept)[31], 7);
  EXPECT_FALSE(pool.try_acquire());
  EXPECT_TRUE(holder.release());
  expect_intact(pool);
}

TEST_F(A36_slot_misuse, very_stale_release_names_who_had_the_slot_last) {
  pool_t pool(1, 64);
  settle::arena_ticket const old = pool.try_acquire().detach();
  EXPECT_TRUE(pool.release(old));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(pool.try_acquire().release());
  site const holder_at = next_line();
  lease_t holder = pool.try_acquire();
  site const late = next_line();
  EXPECT_FALSE(pool.release(old));
  expect_misuse("stale release", late, holder_at);
  EXPECT_EQ(pool.in_use(), 1U);
  site const given_back_at = next_line();
  EXPECT_TRUE(holder.release());
  site const later = next_line();
  EXPECT_FALSE(pool.release(old));
  expect_misuse("stale release", later, given_back_at);
  expect_intact(pool);
}

TEST_F(A36_slot_misuse, another_pools_arena_is_foreign) {
  site const made = next_line();
  pool_t pool(2, 64);
  pool_t other(2, 64);
  settle::arena_ticket const t = other.try_acquire().detach();
  site const by_ticket = next_line();
  EXPECT_FALSE(pool.release(t));
  expect_misuse("foreign release", by_ticket, made);
  site const by_arena = next_line();
  EXPECT_FALSE(pool.release(t.memory));
  expect_misuse("foreign release", by_arena, made);
  EXPECT_EQ(pool.snapshot(), (settle::arena_pool_counters{2, 0, 0, 0, 0}));
  EXPECT_EQ(other.in_use(), 1U);
  EXPECT_TRUE(other.release(t));
  expect_intact(pool);
  expect_intact(other);
}

TEST_F(A36_slot_misuse, pointers_into_the_pool_that_are_no_arena_are_foreign) {
  site const made = next_line();
  pool_t pool(4, 64);
  settle::arena_ticket const t = pool.try_acquire().detach();
  void* const block = t.memory->allocate(8);
  auto const before = pool.snapshot();
  auto refused = [&](void* p) {
    site const call = next_line();
    EXPECT_FALSE(pool.release(static_cast<settle::arena*>(p)));
    expect_misuse("foreign release", call, made);
  };
  auto* const bytes = reinterpret_cast<std::byte*>(t.memory);
  for (int offset : {1, 8, 32, 63}) refused(bytes + offset);  // inside a slot, not at its start
  refused(bytes - 64);                                        // one before the first
  refused(bytes + 4 * 64);                                    // one behind the last
  refused(block);                                             // the arena's memory
  int local = 0;
  refused(&local);
  EXPECT_EQ(pool.snapshot(), before);
  EXPECT_TRUE(pool.release(t));
  expect_intact(pool);
}

TEST(A36_slot_misuse_DeathTest, ends_the_program_under_the_default_policy) {
  settle::arena_pool pool(1, 64);
  settle::arena_ticket const t = pool.try_acquire().detach();
  EXPECT_TRUE(pool.release(t));
  EXPECT_DEATH(pool.release(t), "double release.*arena_pool.cpp:[0-9]+, first .*arena_pool.cpp:[0-9]+");
}

TEST_F(A36_slot_misuse, arenas_and_tickets_that_were_never_handed_out_are_foreign) {
  site const made = next_line();
  pool_t pool(2, 64);
  settle::arena_ticket const t = pool.try_acquire().detach();
  auto* const never = reinterpret_cast<settle::arena*>(reinterpret_cast<std::byte*>(t.memory) + 64);
  site const a = next_line();
  EXPECT_FALSE(pool.release(never));
  expect_misuse("foreign release", a, made);
  site const b = next_line();
  EXPECT_FALSE(pool.release({t.memory, t.generation + 1}));
  expect_misuse("foreign release", b, made);
  site const c = next_line();
  EXPECT_FALSE(pool.release({t.memory, t.generation + (std::uint64_t{1} << 62)}));
  expect_misuse("foreign release", c, made);
  EXPECT_EQ(pool.in_use(), 1U);
  EXPECT_TRUE(pool.release(t));
  expect_intact(pool);
}

TEST_F(A36_slot_misuse, leases_that_were_swapped_are_named_by_where_they_were_acquired) {
  pool_t pool(2, 64);
  lease_t other = pool.try_acquire();
  site first;
  site leased;
  {
    leased = next_line();
    lease_t memory = pool.try_acquire();
    memory.swap(other);
    first = next_line();
    EXPECT_TRUE(pool.release(other.get()));
    lease_t gone = std::move(other);
  }
  expect_misuse("double release", leased, first);
  expect_intact(pool);
}

TEST_F(A36_slot_misuse, a_lease_whose_arena_was_given_back_behind_its_back_is_named) {
  pool_t pool(1, 64);
  site first;
  site leased;
  {
    leased = next_line();
    lease_t memory = pool.try_acquire();
    first = next_line();
    EXPECT_TRUE(pool.release(memory.get()));
  }
  expect_misuse("double release", leased, first);
  lease_t holder;
  {
    leased = next_line();
    lease_t memory = pool.try_acquire();
    first = next_line();
    EXPECT_TRUE(pool.release(memory.get()));
    holder = pool.try_acquire();
    site const call = next_line();
    EXPECT_FALSE(memory.release());
    expect_misuse("stale release", call, first);
    EXPECT_FALSE(memory);
  }
  EXPECT_TRUE(holder.release());
  expect_intact(pool);
}

TEST_F(A36_slot_misuse, a_pool_that_dies_before_its_leases_says_so) {
  site made;
  site taken;
  {
    made = next_line();
    pool_t pool(3, 64);
    {
      lease_t const given_back = pool.try_acquire();
    }
    taken = next_line();
    (void)pool.try_acquire().detach();
  }
  expect_misuse("the pool was destroyed while arenas were out", taken, made);
}

// ---- threads ---------------------------------------------------------------------------------------------------------------------------

template <class F>
void on_threads(int count, F f) {
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      ++ready;
      while (ready < count) std::this_thread::yield();
      f(i);
    });
  for (auto& t : threads) t.join();
}

TEST_F(A36_slot_misuse, of_racing_releases_exactly_one_wins) {
  pool_t pool(2, 64);
  constexpr int rounds = 100'000;
  std::vector<settle::arena_ticket> tickets(rounds);
  std::array<std::atomic<int>, 2> arrived{};
  std::atomic<int> won{0};
  here const one = here::current();
  here const two = here::current();
  here const sites[] = {one, two};
  on_threads(2, [&](int me) {
    for (int i = 0; i < rounds; ++i) {
      if (me == 0) tickets[static_cast<std::size_t>(i)] = pool.try_acquire().detach();
      arrived[static_cast<std::size_t>(me)] = i + 1;
      for (int spins = 0; arrived[static_cast<std::size_t>(1 - me)] < i + 1; ++spins)
        if (spins > 100) std::this_thread::yield();
      // Who arrives last goes on first: a delay that grows from round to round makes the two meet at every offset.
      for (int volatile wait = me == i % 2 ? i / 2 % 64 : 0; wait > 0;) wait = wait - 1;
      if (pool.release(tickets[static_cast<std::size_t>(i)], sites[me])) ++won;
    }
  });
  EXPECT_EQ(won, rounds);
  EXPECT_EQ(pool.snapshot().releases, static_cast<std::uint64_t>(rounds));
  auto const events = recording_sink::take();
  ASSERT_EQ(events.size(), static_cast<std::size_t>(rounds));
  for (auto const& e : events) ASSERT_NE(e.where.line(), e.other.line());  // the loser's and the winner's, whoever was which
  expect_intact(pool);
}

TEST_F(arena_pool, four_threads_churn_and_every_byte_and_count_is_right) {
  constexpr int threads = 4;
  constexpr int rounds = 20'000;
  pool_t pool(6, 256);  // fewer than the threads may want: 4 x 3
  auto const before = pool.snapshot();
  std::atomic<std::uint64_t> acquired{0};
  on_threads(threads, [&](int me) {
    std::minstd_rand random(static_cast<unsigned>(me) + 1);
    std::vector<lease_t> mine;
    std::uint64_t got = 0;
    for (int i = 0; i < rounds; ++i) {
      if (mine.size() == 3 || (!mine.empty() && random() % 2 == 0)) {
        lease_t last = std::move(mine.back());
        mine.pop_back();
        auto const* p = static_cast<unsigned char const*>(last->allocate(1, 1)) + 1;
        for (int j = 0; j < 200; ++j) ASSERT_EQ(p[j], me);
      } else if (lease_t memory = pool.try_acquire()) {
        ++got;
        ASSERT_EQ(memory->used(), 0U);
        std::memset(memory->allocate(200, 1), me, 200);
        mine.push_back(std::move(memory));
      }
      auto const now = pool.snapshot();
      ASSERT_LE(now.in_use, 6U);
      ASSERT_EQ(now.acquires, now.releases + now.in_use);
    }
    acquired += got;
  });
  auto const after = pool.snapshot();
  EXPECT_TRUE(pool.balanced_since(before));
  EXPECT_EQ(after.acquires, acquired);
  EXPECT_EQ(after.releases, acquired);
  EXPECT_EQ(after.in_use, 0U);
  EXPECT_LE(after.peak, 6U);
  expect_intact(pool);
}

TEST_F(arena_pool, the_peak_is_exact_across_threads) {
  pool_t pool(64, 64);
  std::atomic<int> full{0};
  on_threads(4, [&](int) {
    std::vector<lease_t> mine;
    for (int round = 0; round < 200; ++round) {
      mine.clear();
      for (int i = 0; i < 5; ++i) mine.push_back(pool.try_acquire());
    }
    ++full;
    while (full < 4) std::this_thread::yield();
  });
  EXPECT_EQ(pool.snapshot(), (settle::arena_pool_counters{64, 4'000, 4'000, 0, 20}));
}

TEST_F(arena_pool, an_arena_filled_on_one_thread_is_given_back_on_another) {
  pool_t pool(64, 128);
  std::array<std::atomic<settle::arena_ticket*>, 4> mail{};
  constexpr int rounds = 5'000;
  on_threads(4, [&](int me) {
    auto const mine = static_cast<std::size_t>(me);
    std::size_t const next = (mine + 1) % 4;
    int sent = 0;
    int got = 0;
    while (sent < rounds || got < rounds) {
      if (sent < rounds && mail[next].load() == nullptr) {
        lease_t memory = pool.try_acquire();
        ASSERT_TRUE(memory);
        auto* const letter = new (memory->allocate(sizeof(settle::arena_ticket))) settle::arena_ticket;
        *letter = memory.detach();
        mail[next].store(letter);
        ++sent;
      }
      if (settle::arena_ticket* const letter = mail[mine].exchange(nullptr)) {
        EXPECT_TRUE(pool.release(*letter));
        ++got;
      }
    }
  });
  EXPECT_EQ(pool.snapshot().acquires, 4U * rounds);
  EXPECT_EQ(pool.in_use(), 0U);
  expect_intact(pool);
}

}  // namespace
