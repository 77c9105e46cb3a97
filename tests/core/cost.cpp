// SPDX-License-Identifier: BSL-1.0
// What each form costs: atomic read-modify-writes, which decide the time, and blocks of memory. Counted, not timed.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

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
  static void failed() {
    resolver r;
    handle const h = r.get_handle();
    h.on_done([](outcome const&) { ++ran; });
    r.fail(settle::errc::closed);
  }
  static void cancelled() {
    resolver r;
    handle const h = r.get_handle();
    h.on_done([](outcome const&) { ++ran; });
    h.cancel();
  }
  static void heard_of_late() {
    resolver r;
    handle const h = r.get_handle();
    r.fail(settle::errc::closed);
    h.on_done([](outcome const&) { ++ran; });
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

TEST(cost, what_ends_without_a_value_has_none_to_lose) {
  EXPECT_EQ(of(forms<std::string, false>::failed), of(forms<int, false>::failed));
  EXPECT_EQ(of(forms<std::string, false>::cancelled), of(forms<int, false>::cancelled));
  EXPECT_EQ(of(forms<std::string, false>::heard_of_late), of(forms<int, false>::heard_of_late));
}

using producer = settle::resolver<measured<int>>;
using consumer = settle::handle_of<int, settle::error, settle::basic_cas_terminal<counting_sync>>;

consumer awaiting(int n, consumer first) {
  if (n == 0) co_return co_await std::move(first);
  auto before = awaiting(n - 1, std::move(first));
  int const v = co_await std::move(before);
  co_return v + 1;
}

/// The read-modify-writes of one more link, or input.
template <class F>
int each(F of_so_many) {
  constexpr int few = 10;
  constexpr int many = 110;
  auto const rmws = [&](int n) {
    int const before = counting_sync::rmws;
    of_so_many(n);
    return counting_sync::rmws - before;
  };
  return (rmws(many) - rmws(few)) / (many - few);
}

TEST(cost, a_link_of_a_chain) {
  EXPECT_EQ(each([](int n) {
              producer r;
              consumer h = r.get_handle();
              for (; n != 0; --n) h = settle::then(std::move(h), [](int v) { return v + 1; });
              std::move(h).on_done([](settle::outcome<int>&&) { ++ran; });
              r.complete(1);
            }),
            10)
      << "attaching, settling, keeping the input and giving it back, its part in the tree and its release";
}
TEST(cost, a_coroutine_that_awaits_another) {
  EXPECT_EQ(each([](int n) {
              producer r;
              awaiting(n, r.get_handle()).on_done([](settle::outcome<int>&&) { ++ran; });
              r.complete(1);
            }),
            12);
}
TEST(cost, an_input_of_a_group) {
  EXPECT_EQ(each([](int n) {
              std::vector<producer> producers(static_cast<std::size_t>(n));
              std::vector<settle::handle<measured<int>>> consumers;
              for (producer& r : producers) consumers.push_back(r.get_handle());
              settle::all(std::move(consumers)).on_done([](auto&&) { ++ran; });
              for (producer& r : producers) r.complete(1);
            }),
            9);
}
TEST(cost, a_child_that_is_cancelled_with_its_parent) {
  EXPECT_EQ(each([](int n) {
              producer parent;
              auto const owner = parent.get_handle();
              std::vector<producer> children;
              for (; n != 0; --n) children.emplace_back(parent.op(), settle::inline_executor());
              owner.cancel();
            }),
            13);
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
