// SPDX-License-Identifier: BSL-1.0
// An operation inside the arena that is its own: the allocator counts the states, the slot goes back with the last.
#include <gtest/gtest.h>
#include <settle/lockfree/arena_pool.hpp>
#include <settle/settle.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace {

/// The lease belongs to the states in it, not to a cleanup: a cleanup would return the memory it stands in.
template <class T = std::byte>
class leased {
 public:
  using value_type = T;
  explicit leased(settle::arena_lease l) : lease_(std::make_shared<settle::arena_lease>(std::move(l))) {}
  template <class U>
  leased(leased<U> const& o) noexcept : lease_(o.lease()) {}

  T* allocate(std::size_t n) { return static_cast<T*>((*lease_)->allocate(n * sizeof(T), alignof(T))); }
  void deallocate(T* p, std::size_t n) noexcept { (*lease_)->deallocate(p, n * sizeof(T), alignof(T)); }
  std::shared_ptr<settle::arena_lease> const& lease() const noexcept { return lease_; }
  friend bool operator==(leased const& a, leased const& b) noexcept { return a.lease_ == b.lease_; }

 private:
  std::shared_ptr<settle::arena_lease> lease_;
};

struct request : settle::default_policy {
  using value_type = int;
  using allocator_type = leased<>;
};

TEST(operation_in_arena, the_slot_goes_back_with_the_last_reference) {
  settle::arena_pool pool(1, 4096);
  settle::operation last;
  {
    settle::resolver<request> r(std::allocator_arg, leased<>(pool.try_acquire()));
    auto h = r.get_handle();
    bool cleaned = false;
    EXPECT_TRUE(h.on_cleanup([&]() noexcept { cleaned = true; }));
    h.on_done([] {});
    last = h;
    EXPECT_TRUE(r.complete(1));
    EXPECT_TRUE(cleaned);
    EXPECT_EQ(std::move(h).wait().value(), 1);
  }
  EXPECT_TRUE(last.is_released());
  EXPECT_EQ(pool.snapshot().in_use, 1U) << "somebody still looks at the state";
  last = {};
  EXPECT_EQ(pool.snapshot().in_use, 0U);
}

}  // namespace
