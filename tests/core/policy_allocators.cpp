// SPDX-License-Identifier: BSL-1.0
// Where operations live: recycled blocks, std::allocator, pmr, an arena, a static pool.
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace {

using settle::recycling;

template <class A, class T = int>
struct in : settle::default_policy {
  using value_type = T;
  using allocator_type = A;
  using error_sink = settle::ignore_sink;
};

constexpr std::size_t usual = alignof(std::max_align_t);
constexpr bool keeps = !settle::detail::watched_by_address_sanitizer;

TEST(policy_recycling, a_block_serves_the_next_of_its_size) {
  settle::trim();
  void* const first = recycling::try_allocate(100, usual);
  ASSERT_NE(first, nullptr);
  recycling::deallocate(first, 100, usual);
  void* const smaller = recycling::try_allocate(64, usual);
  void* const same = recycling::try_allocate(128, usual);
  if (keeps) {
    EXPECT_EQ(same, first) << "65 to 128 bytes are one size";
    EXPECT_NE(smaller, first);
  }
  recycling::deallocate(smaller, 64, usual);
  recycling::deallocate(same, 128, usual);
  settle::trim();
}

TEST(policy_recycling, large_and_over_aligned_ones_pass_through) {
  void* const large = recycling::try_allocate(1025, usual);
  void* const aligned = recycling::try_allocate(64, 128);
  ASSERT_NE(large, nullptr);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(aligned) % 128, 0U);
  recycling::deallocate(large, 1025, usual);
  recycling::deallocate(aligned, 64, 128);
}

TEST(policy_recycling, each_size_is_bounded) {
  settle::trim();
  std::vector<void*> blocks(200);
  for (void*& p : blocks) p = recycling::try_allocate(1024, usual);
  for (void* p : blocks) recycling::deallocate(p, 1024, usual);
  std::vector<void*> again(128);
  for (void*& p : again) p = recycling::try_allocate(1024, usual);
  if (keeps) {
    EXPECT_TRUE(std::equal(again.rbegin(), again.rend(), blocks.begin())) << "the first 128 were kept, last in first out";
  }
  for (void* p : again) recycling::deallocate(p, 1024, usual);
  settle::trim();
}

TEST(policy_recycling, a_block_from_elsewhere_stays_where_it_comes_back) {
  void* p = nullptr;
  std::thread([&] { p = recycling::try_allocate(300, usual); }).join();
  recycling::deallocate(p, 300, usual);
  void* const next = recycling::try_allocate(300, usual);
  if (keeps) {
    EXPECT_EQ(next, p);
  }
  recycling::deallocate(next, 300, usual);
}

TEST(policy_recycling, an_operation_may_outlive_its_threads_cache) {
  std::thread([] {
    static thread_local std::optional<settle::handle_of<int>> last;  // dies after the cache, which is opened below
    last.emplace();
    settle::resolver<in<recycling>> r;
    *last = r.get_handle();
    {
      settle::resolver<in<recycling>>().cancel();
    }
    r.complete(1);
  }).join();
}

TEST(policy_recycling, is_what_operations_use_unless_told_otherwise) {
  static_assert(std::is_same_v<settle::default_policy::allocator_type, recycling>);
  settle::trim();
  settle::resolver_of<int> a;
  auto at = [](settle::operation const& op) {
    void const* p = nullptr;
    std::copy_n(reinterpret_cast<std::byte const*>(&op), sizeof(p), reinterpret_cast<std::byte*>(&p));
    return p;
  };
  void const* const first = at(a.op());
  a.cancel();
  settle::resolver_of<int> b;
  if (keeps) {
    EXPECT_EQ(at(b.op()), first);
  }
  b.cancel();
}

// --- standard allocators ---

struct counting_resource : std::pmr::memory_resource {
  std::size_t blocks = 0;
  std::size_t made = 0;
  bool dry = false;

 private:
  void* do_allocate(std::size_t n, std::size_t align) override {
    if (dry) throw std::bad_alloc();
    ++blocks;
    ++made;
    return std::pmr::new_delete_resource()->allocate(n, align);
  }
  void do_deallocate(void* p, std::size_t n, std::size_t align) override {
    --blocks;
    std::memset(p, 0xdd, n);  // whoever looks at it afterwards finds nonsense
    std::pmr::new_delete_resource()->deallocate(p, n, align);
  }
  [[nodiscard]] bool do_is_equal(memory_resource const& o) const noexcept override { return this == &o; }
};

TEST(policy_allocator, everything_of_an_operation_comes_from_its_resource) {
  using policy = in<std::pmr::polymorphic_allocator<std::byte>>;
  counting_resource memory;
  {
    settle::resolver<policy> r(std::allocator_arg, &memory);
    EXPECT_EQ(memory.made, 1U) << "one allocation makes an operation";
    auto h = r.get_handle();
    h.on_done([] {});
    std::array<char, 100> large{};
    EXPECT_TRUE(h.on_cleanup([large]() noexcept { static_cast<void>(large); }));
    EXPECT_EQ(memory.made, 3U);
    memory.dry = true;
    EXPECT_THROW(h.on_done([] {}), std::bad_alloc);
    EXPECT_THROW(settle::resolver<policy>(std::allocator_arg, &memory), std::bad_alloc);
    memory.dry = false;
    EXPECT_TRUE(r.complete(1));
    EXPECT_EQ(std::move(h).wait().value(), 1);
  }
  EXPECT_EQ(memory.blocks, 0U);
}

// The block that shared producers count themselves in goes before the operation, which may go with them, and its allocator with it.
TEST(policy_allocator, a_shared_resolver_gives_all_of_it_back) {
  using policy = in<std::pmr::polymorphic_allocator<std::byte>>;
  counting_resource memory;
  for (bool const settles : {false, true}) {
    settle::shared_resolver<policy> first(settle::resolver<policy>(std::allocator_arg, &memory));
    settle::shared_resolver<policy> second(first);
    if (settles) second.complete(1);
  }
  EXPECT_EQ(memory.blocks, 0U);
}

struct alignas(128) wide {
  int value;
};

TEST(policy_allocator, over_aligned_values_are_aligned_by_any_allocator) {
  settle::resolver<in<std::allocator<std::byte>, wide>> a;
  settle::resolver<in<recycling, wide>> b;
  for (int i = 0; i != 2; ++i) {
    auto h = i == 0 ? settle::handle_of<wide>(a.get_handle()) : settle::handle_of<wide>(b.get_handle());
    auto w = h.watch();
    EXPECT_TRUE(i == 0 ? a.complete(wide{7}) : b.complete(wide{7}));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&w.peek()->value()) % 128, 0U);
    EXPECT_EQ(w.peek()->value().value, 7);
  }
}

template <class T, class A>
void lives_in(A memory) {
  settle::resolver<in<A, T>> r(std::allocator_arg, memory);
  auto w = r.get_handle().share();
  EXPECT_TRUE(r.complete(T{7}));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&w.peek()->value()) % alignof(T), 0U);
}

TEST(policy_allocator, values_of_any_alignment_live_in_all_of_them) {
  std::array<std::byte, 4096> block;
  settle::arena memory(block);
  std::pmr::polymorphic_allocator<std::byte> const resource(std::pmr::new_delete_resource());
  lives_in<int>(resource);
  lives_in<wide>(resource);
  lives_in<int>(settle::arena_allocator<>(memory));
  lives_in<wide>(settle::arena_allocator<>(memory));
  lives_in<int>(std::allocator<std::byte>());
  lives_in<wide>(std::allocator<std::byte>());
}

TEST(policy_allocator, an_arena_holds_operations) {
  using policy = in<settle::arena_allocator<>>;
  std::array<std::byte, 1024> block;
  settle::arena memory(block);
  {
    settle::resolver<policy> r(std::allocator_arg, memory);
    auto h = r.get_handle();
    EXPECT_GE(memory.used(), sizeof(settle::detail::cell<policy>));
    int ran = 0;
    h.on_done([&] { ++ran; });
    std::optional<settle::resolver<policy>> many[8];
    EXPECT_THROW(
        {
          for (auto& one : many) one.emplace(std::allocator_arg, memory);
        },
        std::bad_alloc);
    EXPECT_TRUE(r.complete(3));
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(std::move(h).wait().value(), 3);
  }
  memory.reset();
  EXPECT_EQ(memory.used(), 0U);
}

// --- no heap ---

TEST(policy_static_pool, a_full_pool_says_so) {
  using pool = settle::static_pool<3, 256>;
  using policy = in<pool>;
  {
    settle::resolver<policy> a;
    settle::resolver<policy> b;
    auto h = b.get_handle();
    h.on_done([] {});
    EXPECT_EQ(pool::in_use(), 3U);
    EXPECT_FALSE(settle::resolver<policy>(std::nothrow));
    EXPECT_THROW(settle::resolver<policy>(), std::bad_alloc);
    EXPECT_THROW(h.on_cancel([] {}), std::bad_alloc);
    a.cancel();
    EXPECT_EQ(pool::in_use(), 2U);
    EXPECT_TRUE(settle::resolver<policy>(std::nothrow));
    EXPECT_TRUE(b.complete(1));
  }
  EXPECT_EQ(pool::in_use(), 0U);
}

TEST(policy_static_pool, what_does_not_fit_is_refused) {
  using pool = settle::static_pool<1, 64>;
  EXPECT_EQ(pool::try_allocate(65, usual), nullptr);
  EXPECT_EQ(pool::try_allocate(16, 4 * usual), nullptr);
  EXPECT_EQ(pool::in_use(), 0U);
}

TEST(policy_static_pool, counts_past_one_word) {
  struct mine {};
  using pool = settle::static_pool<130, 16, settle::std_sync, mine>;
  std::vector<void*> blocks;
  for (void* p = pool::try_allocate(16, usual); p != nullptr; p = pool::try_allocate(16, usual)) blocks.push_back(p);
  EXPECT_EQ(blocks.size(), 130U);
  EXPECT_EQ(pool::in_use(), 130U);
  std::sort(blocks.begin(), blocks.end());
  EXPECT_EQ(std::unique(blocks.begin(), blocks.end()), blocks.end());
  pool::deallocate(blocks[77], 16, usual);
  EXPECT_EQ(pool::try_allocate(1, 1), blocks[77]);
  for (void* p : blocks) pool::deallocate(p, 16, usual);
  EXPECT_EQ(pool::in_use(), 0U);
}

/// Fails once where it may fail at any time.
struct unlucky_sync {
  template <class T>
  struct atomic : std::atomic<T> {
    bool was_unlucky = false;
    bool compare_exchange_weak(T& expected, T v, std::memory_order good, std::memory_order bad) noexcept {
      if (!std::exchange(was_unlucky, true)) return false;
      return std::atomic<T>::compare_exchange_weak(expected, v, good, bad);
    }
  };
};

TEST(policy_static_pool, a_lost_race_is_tried_again) {
  using pool = settle::static_pool<1, 32, unlucky_sync>;
  void* const p = pool::try_allocate(32, usual);
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(pool::in_use(), 1U);
  pool::deallocate(p, 32, usual);
}

TEST(policy_static_pool, threads_share_it) {
  struct mine {};
  using pool = settle::static_pool<64, 32, settle::std_sync, mine>;
  std::vector<std::thread> threads;
  for (int t = 0; t != 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i != 2000; ++i) {
        auto* const p = static_cast<int*>(pool::try_allocate(32, usual));
        ASSERT_NE(p, nullptr);
        *p = t;
        EXPECT_EQ(*p, t);
        pool::deallocate(p, 32, usual);
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(pool::in_use(), 0U);
}

}  // namespace
