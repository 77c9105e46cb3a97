// SPDX-License-Identifier: BSL-1.0
#include <settle/memory/arena.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <list>
#include <memory_resource>
#include <string>
#include <type_traits>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define SETTLE_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SETTLE_TEST_ASAN 1
#endif
#endif

namespace {

constexpr std::size_t huge = std::numeric_limits<std::size_t>::max();

bool is_aligned(void const* p, std::size_t align) { return reinterpret_cast<std::uintptr_t>(p) % align == 0; }

struct block {
  alignas(4096) std::array<std::byte, 4096> bytes;
};

static_assert(!std::is_copy_constructible_v<settle::arena> && !std::is_copy_assignable_v<settle::arena>);
static_assert(!std::is_move_constructible_v<settle::arena> && !std::is_move_assignable_v<settle::arena>);
static_assert(noexcept(std::declval<settle::arena&>().try_allocate(1)) && noexcept(std::declval<settle::arena&>().reset()));

TEST(arena, allocations_follow_each_other_and_do_not_overlap) {
  block b;
  settle::arena memory(b.bytes);
  auto* first = static_cast<char*>(memory.allocate(10, 1));
  auto* second = static_cast<char*>(memory.allocate(20, 1));
  EXPECT_EQ(static_cast<void*>(first + 10), b.bytes.data() + b.bytes.size());
  EXPECT_EQ(second + 20, first);
  std::memset(first, 1, 10);
  std::memset(second, 2, 20);
  EXPECT_EQ(first[9], 1);
  EXPECT_EQ(second[19], 2);
}

TEST(arena, counts_used_and_remaining) {
  block b;
  settle::arena memory(b.bytes.data(), 100);
  EXPECT_EQ(memory.capacity(), 100U);
  EXPECT_EQ(memory.used(), 0U);
  EXPECT_EQ(memory.remaining(), 100U);
  (void)memory.allocate(5, 1);
  (void)memory.allocate(8, 8);  // 100 - 5 - 8 = 87, aligned 80: 7 bytes of padding
  EXPECT_EQ(memory.used(), 20U);
  EXPECT_EQ(memory.remaining(), 80U);
  EXPECT_EQ(memory.capacity(), 100U);
}

TEST(arena, every_alignment_is_kept_over_aligned_too) {
  block b;
  settle::arena memory(b.bytes.data() + 1, b.bytes.size() - 2);
  for (std::size_t align = 1; align <= 1024; align *= 2) {
    memory.reset();
    (void)memory.allocate(3, 1);
    void* p = memory.try_allocate(5, align);
    ASSERT_NE(p, nullptr) << align;
    EXPECT_TRUE(is_aligned(p, align)) << align;
    EXPECT_LE(static_cast<std::byte*>(p) + 5, b.bytes.data() + b.bytes.size() - 4);
    EXPECT_GT(static_cast<std::byte*>(p), b.bytes.data());
  }
  EXPECT_TRUE(is_aligned(memory.allocate(1), alignof(std::max_align_t)));
}

TEST(arena, the_last_byte_can_be_had_and_none_more) {
  block b;
  settle::arena memory(b.bytes.data(), 64);
  void* all = memory.try_allocate(64, 1);
  EXPECT_EQ(all, b.bytes.data());
  EXPECT_EQ(memory.remaining(), 0U);
  EXPECT_EQ(memory.try_allocate(1, 1), nullptr);
  EXPECT_NE(memory.try_allocate(0, 1), nullptr);
}

TEST(arena, a_refused_allocation_changes_nothing) {
  block b;
  settle::arena memory(b.bytes.data() + 1, 63);
  (void)memory.allocate(33, 1);
  EXPECT_EQ(memory.try_allocate(31, 1), nullptr);   // too big
  EXPECT_EQ(memory.try_allocate(16, 16), nullptr);  // fits without its padding only
  EXPECT_EQ(memory.try_allocate(1, 64), nullptr);   // the padding alone is too much
  EXPECT_EQ(memory.used(), 33U);
  EXPECT_NE(memory.try_allocate(15, 16), nullptr);
}

TEST(arena, huge_sizes_and_alignments_do_not_wrap) {
  block b;
  settle::arena memory(b.bytes);
  (void)memory.allocate(1, 1);
  for (std::size_t align : {std::size_t{1}, std::size_t{16}, std::size_t{4096}, huge / 2 + 1})
    for (std::size_t bytes : {huge, huge - 1, huge - 15, huge - 4095, huge / 2, huge / 2 + 1})
      EXPECT_EQ(memory.try_allocate(bytes, align), nullptr);
  EXPECT_EQ(memory.used(), 1U);
}

TEST(arena, an_arena_over_nothing_serves_nothing) {
  settle::arena memory(std::span<std::byte>{});
  EXPECT_EQ(memory.capacity(), 0U);
  EXPECT_EQ(memory.try_allocate(1, 1), nullptr);
  memory.reset();
  EXPECT_EQ(memory.used(), 0U);
}

#if defined(__cpp_exceptions)
TEST(arena, allocate_throws_bad_alloc_when_full_directly_and_as_a_resource) {
  block b;
  settle::arena memory(b.bytes.data(), 16);
  EXPECT_THROW((void)memory.allocate(17, 1), std::bad_alloc);
  std::pmr::memory_resource& resource = memory;
  EXPECT_THROW((void)resource.allocate(17, 1), std::bad_alloc);
  EXPECT_NO_THROW((void)resource.allocate(16, 1));
  EXPECT_THROW((void)resource.allocate(1, 1), std::bad_alloc);
  settle::arena nothing(std::span<std::byte>{});
  EXPECT_THROW((void)nothing.allocate(1, 1), std::bad_alloc);
  EXPECT_NO_THROW((void)nothing.allocate(0, 1));
}

TEST(arena, its_allocator_refuses_counts_that_wrap) {
  block b;
  settle::arena memory(b.bytes);
  settle::arena_allocator<std::uint64_t> a(memory);
  EXPECT_THROW((void)a.allocate(huge / 8 + 1), std::bad_array_new_length);
  EXPECT_THROW((void)a.allocate(huge / 8), std::bad_alloc);
  EXPECT_EQ(memory.used(), 0U);
}
#endif

TEST(arena, reset_makes_everything_available_again) {
  block b;
  settle::arena memory(b.bytes.data(), 64);
  for (int round = 0; round < 3; ++round) {
    void* p = memory.try_allocate(64, 1);
    ASSERT_EQ(p, b.bytes.data());
    std::memset(p, round, 64);
    memory.reset();
    EXPECT_EQ(memory.used(), 0U);
  }
}

TEST(arena, deallocate_takes_back_the_latest_only) {
  block b;
  settle::arena memory(b.bytes);
  void* first = memory.allocate(16, 16);
  void* second = memory.allocate(16, 16);
  memory.deallocate(first, 16, 16);
  EXPECT_EQ(memory.used(), 32U);
  memory.deallocate(second, 16, 16);
  EXPECT_EQ(memory.used(), 16U);
  EXPECT_EQ(memory.allocate(16, 16), second);
}

TEST(arena, equal_to_itself_alone) {
  block b;
  block c;
  settle::arena memory(b.bytes);
  settle::arena other(c.bytes);
  std::pmr::memory_resource& resource = memory;
  EXPECT_TRUE(resource.is_equal(memory));
  EXPECT_FALSE(resource.is_equal(other));
  EXPECT_FALSE(resource == *std::pmr::new_delete_resource());
}

TEST(arena, serves_pmr_containers) {
  block b;
  settle::arena memory(b.bytes);
  {
    std::pmr::vector<std::pmr::string> names(&memory);
    for (int i = 0; i < 10; ++i) names.emplace_back("a name that is too long for the string's own buffer");
    EXPECT_EQ(names[9].size(), 51U);
    auto* at = reinterpret_cast<std::byte*>(names[9].data());
    EXPECT_TRUE(at >= b.bytes.data() && at < b.bytes.data() + b.bytes.size());
  }
  EXPECT_GT(memory.used(), 500U);
}

TEST(arena, serves_standard_containers_through_its_allocator) {
  block b;
  settle::arena memory(b.bytes);
  std::vector<int, settle::arena_allocator<int>> numbers(memory);
  for (int i = 0; i < 100; ++i) numbers.push_back(i);
  std::list<double, settle::arena_allocator<double>> list(memory);  // rebinds
  list.push_back(1.5);
  EXPECT_EQ(numbers[99], 99);
  EXPECT_EQ(list.get_allocator(), numbers.get_allocator());
  block c;
  settle::arena other(c.bytes);
  EXPECT_NE(settle::arena_allocator<>(other), settle::arena_allocator<>(memory));
  EXPECT_EQ(&settle::arena_allocator<>(memory).resource(), &memory);
}

#if defined(SETTLE_TEST_ASAN)
// volatile, so that the load is not thought away
char touch(void* p) { return *static_cast<char volatile*>(p); }

TEST(arena_poison_DeathTest, names_who_touches_after_reset) {
  block b;
  settle::arena memory(b.bytes);
  void* p = memory.allocate(32);
  touch(p);
  memory.reset();
  EXPECT_DEATH(touch(p), "use-after-poison");
}

TEST(arena_poison_DeathTest, names_who_touches_after_deallocate_and_below_the_latest) {
  block b;
  settle::arena memory(b.bytes);
  void* p = memory.allocate(32);
  (void)memory.allocate(32);
  EXPECT_DEATH(touch(static_cast<char*>(p) - 33), "use-after-poison");
  memory.deallocate(p, 32);
  EXPECT_DEATH(touch(p), "use-after-poison");
}

TEST(arena_poison, gives_the_block_back_usable) {
  block b;
  {
    settle::arena memory(b.bytes);
    (void)memory.allocate(32);
    memory.reset();
  }
  touch(b.bytes.data());
  touch(b.bytes.data() + 4095);
}
#endif

}  // namespace
