// SPDX-License-Identifier: BSL-1.0
// What each form costs: atomic read-modify-writes, which decide the time, and blocks of memory. Counted, not timed.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>

#include "situations.hpp"

namespace {

/// std_sync, with its read-modify-writes counted.
struct counting_sync : settle::std_sync {
  static inline std::atomic<int> rmws = 0;

  template <class T>
  class atomic {
   public:
    constexpr atomic() noexcept = default;
    constexpr atomic(T v) noexcept : value_(v) {}
    T load(std::memory_order o = std::memory_order_seq_cst) const noexcept { return value_.load(o); }
    void store(T v, std::memory_order o = std::memory_order_seq_cst) noexcept { value_.store(v, o); }
    T exchange(T v, std::memory_order o = std::memory_order_seq_cst) noexcept { return counted().exchange(v, o); }
    bool compare_exchange_strong(T& e, T v, std::memory_order s, std::memory_order f) noexcept {
      return counted().compare_exchange_strong(e, v, s, f);
    }
    bool compare_exchange_weak(T& e, T v, std::memory_order s, std::memory_order f) noexcept {
      return counted().compare_exchange_strong(e, v, s, f);
    }
    T fetch_add(T v, std::memory_order o = std::memory_order_seq_cst) noexcept { return counted().fetch_add(v, o); }
    T fetch_sub(T v, std::memory_order o = std::memory_order_seq_cst) noexcept { return counted().fetch_sub(v, o); }
    T fetch_and(T v, std::memory_order o = std::memory_order_seq_cst) noexcept { return counted().fetch_and(v, o); }
    T fetch_or(T v, std::memory_order o = std::memory_order_seq_cst) noexcept { return counted().fetch_or(v, o); }

   private:
    std::atomic<T>& counted() noexcept {
      ++rmws;
      return value_;
    }
    std::atomic<T> value_{};
  };
  template <class T>
  static void pause(unsigned /*round*/, atomic<T> const& /*word*/) noexcept {
    FAIL() << "nobody else is there to be waited for";
  }
};

template <class Value>
struct measured : settle::default_policy {
  using value_type = Value;
  using terminal = settle::basic_cas_terminal<counting_sync>;
  using allocator_type = test::counting_allocator<std::byte>;
};

struct costs {
  int rmws;
  long blocks;
  bool operator==(costs const&) const = default;
  friend std::ostream& operator<<(std::ostream& to, costs const& c) {
    return to << c.rmws << " read-modify-writes, " << c.blocks << " blocks";
  }
};

template <class F>
costs of(F f) {
  int const rmws = counting_sync::rmws;
  long const blocks = test::ledger::made;
  f();
  return {counting_sync::rmws - rmws, test::ledger::made - blocks};
}

int ran = 0;

template <class Value, bool Cleanups>
struct forms {
  using policy = measured<Value>;
  using resolver = settle::resolver<policy>;
  using handle = settle::handle<policy>;
  using outcome = settle::outcome<Value>;

  static void clean(resolver& r) {
    if constexpr (Cleanups) {
      r.on_cleanup([] { ++ran; });
      r.on_cleanup([] { ++ran; });
    }
  }
  static void born() {
    resolver r = resolver::with_done([](outcome&&) { ++ran; });
    clean(r);
    r.complete(Value());
  }
  static void moved() {
    resolver r;
    clean(r);
    handle h = r.get_handle();
    std::move(h).on_done([](outcome&&) { ++ran; });
    r.complete(Value());
  }
  static void shared() {
    resolver r;
    clean(r);
    handle const h = r.get_handle();
    h.on_done([](outcome const&) { ++ran; });
    r.complete(Value());
  }
};

TEST(cost, a_consumer_born_with_its_operation) {
  EXPECT_EQ(of(forms<int, false>::born), (costs{0, 1}));
  EXPECT_EQ(of(forms<int, true>::born), (costs{0, 1}));
  EXPECT_EQ(of(forms<std::string, true>::born), (costs{0, 1}));
}

TEST(cost, a_handle_that_is_moved_into_its_consumer) {
  EXPECT_EQ(of(forms<int, false>::moved), (costs{1, 2}));
  EXPECT_EQ(of(forms<int, true>::moved), (costs{1, 2}));
  EXPECT_EQ(of(forms<std::string, true>::moved), (costs{1, 2}));
}

TEST(cost, a_handle_that_is_kept) {
  EXPECT_EQ(of(forms<int, false>::shared), (costs{4, 2})) << "registering, dropping the registration, settling, releasing";
  EXPECT_EQ(of(forms<int, true>::shared), (costs{5, 2})) << "and keeping pins off while the cleanups run";
}

// Its turn comes when the user code that settled it is through.
TEST(cost, an_operation_that_settles_inside_another_one) {
  using form = forms<int, false>;
  auto const nested = [] {
    form::resolver inner;
    form::handle h = inner.get_handle();
    std::move(h).on_done([](form::outcome&&) { ++ran; });
    form::resolver outer = form::resolver::with_done([&](form::outcome&&) { inner.complete(1); });
    outer.complete(1);
  };
  EXPECT_EQ(of(nested), (costs{1, 3})) << "registering";
}

}  // namespace
