// SPDX-License-Identifier: BSL-1.0
// One thread, no exceptions, no heap: everything lives in a static pool and in fixed slots; full is said, not thrown.
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <array>
#include <new>
#include <system_error>
#include <utility>

#include "allocations.hpp"

namespace {

struct frame {
  std::array<unsigned char, 8> bytes{};
};

struct radio : settle::default_policy {
  using value_type = frame;
  using error_type = std::error_code;
  using terminal = settle::unsynchronized_terminal;
  using cleanup = settle::fixed_cleanup<2>;
  using allocator_type = settle::static_pool<2, 256, settle::single_thread_sync>;
  using error_sink = settle::ignore_sink;
  static std::error_code make_error(settle::errc e) noexcept { return settle::make_error_code(e); }
};
using pool = radio::allocator_type;

TEST(no_heap, an_operation_lives_in_the_pool) {
  test::allocation_count const heap;
  {
    settle::resolver<radio> r(std::nothrow);
    ASSERT_TRUE(r);
    auto h = r.get_handle();
    frame* const into = r.try_own<frame>();
    ASSERT_NE(into, nullptr);
    into->bytes[0] = 7;
    int told = 0;
    h.on_done([&] { ++told; });
    EXPECT_EQ(pool::in_use(), 2U);
    EXPECT_TRUE(r.complete(frame(*into)));
    EXPECT_EQ(told, 1);
    EXPECT_EQ(std::move(h).wait().value().bytes[0], 7);
  }
  EXPECT_EQ(heap.now(), 0U);
  EXPECT_EQ(pool::in_use(), 0U);
}

TEST(no_heap, a_full_pool_gives_an_empty_resolver) {
  test::allocation_count const heap;
  {
    settle::resolver<radio> a(std::nothrow);
    settle::resolver<radio> b(std::nothrow);
    settle::resolver<radio> c(std::nothrow);
    EXPECT_TRUE(a);
    EXPECT_TRUE(b);
    EXPECT_FALSE(c);
    EXPECT_EQ(c.get_handle().wait().error(), settle::errc::no_memory) << "an empty handle reads as failed";
  }
  EXPECT_EQ(heap.now(), 0U);
  EXPECT_EQ(pool::in_use(), 0U);
}

TEST(no_heap, full_slots_give_the_resource_back_at_once) {
  test::allocation_count const heap;
  int ran = 0;
  {
    settle::resolver<radio> r(std::nothrow);
    auto h = r.get_handle();
    EXPECT_TRUE(h.on_cleanup([&]() noexcept { ++ran; }));
    EXPECT_TRUE(r.on_cleanup([&]() noexcept { ++ran; }));
    EXPECT_FALSE(r.on_cleanup([&]() noexcept { ++ran; }));
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(r.try_own<frame>(), nullptr);
    EXPECT_TRUE(r.fail(settle::make_error_code(settle::errc::closed)));
    EXPECT_EQ(ran, 3);
  }
  EXPECT_EQ(heap.now(), 0U);
}

}  // namespace
