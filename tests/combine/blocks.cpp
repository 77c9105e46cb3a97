// SPDX-License-Identifier: BSL-1.0
// What a group takes from the heap: one block for all that is its own, besides the list that it yields. What its function returns is made
// beforehand here, so that the rest is the group's.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <limits>
#include <list>
#include <map>
#include <new>
#include <optional>
#include <ranges>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "loop_with_timers.hpp"
#include "values.hpp"

namespace {

using namespace std::chrono_literals;
using namespace test;
using settle::handle_of;

struct throws_when_moved {
  int value;
  explicit throws_when_moved(int v) : value(v) {}
  throws_when_moved(throws_when_moved const& o) noexcept(false) : value(o.value) {}
};

enum class state { pending, settled };

/// Operations for a function to hand out, on an executor with timers or on none.
template <class Ex>
struct prepared {
  using resolver = settle::resolver_of<std::string, settle::error, Ex>;

  std::vector<resolver> producers;
  std::vector<handle_of<std::string>> handles;
  std::size_t begun = 0;

  prepared(std::size_t n, state how, Ex ex) {
    for (std::size_t i = 0; i != n; ++i) {
      resolver& r = producers.emplace_back(ex);
      handles.push_back(r.get_handle());
    }
    if (how == state::settled) complete_all();
    settle::trim();  // what was left would serve the group
  }

  auto hand_out() {
    return [this](auto&&) { return std::move(handles[begun++]); };
  }
  void clear() {
    handles.clear();
    producers.clear();
  }
  void complete_all() {
    for (resolver& r : producers) r.complete("value");
  }
};

/// A loop that has had a timer, so that it has room for the next.
struct with_timers {
  loop_with_timers loop;

  with_timers() {
    settle::resolver_of<int, settle::error, loop_with_timers::executor> r(loop.get_executor());
    auto h = settle::within(r.get_handle(), 1ms);
    loop.advance(1ms);
    r.cancel();
    loop.run_all();
    EXPECT_TRUE(std::move(h).wait().timed_out());
  }
  auto get_executor() { return loop.get_executor(); }
  void run() { loop.run_all(); }
};
struct without_timers {
  settle::inline_executor get_executor() { return {}; }
  void run() {}
};

/// After this nothing is left of what was begun since.
class nothing_left {
 public:
  nothing_left() {
    static_cast<void>(settle::ready().wait());  // a thread's first block takes one that stays
    settle::trim();
    before_ = live_allocations_of_this_thread();
  }
  nothing_left(nothing_left&&) = delete;
  ~nothing_left() {
    settle::trim();
    EXPECT_EQ(live_allocations_of_this_thread(), before_);
  }

 private:
  std::int64_t before_;
};

/// Makes items (or what else there is to be given away), begins a group of them by `begin(items, prepared)`, and ends it. How many blocks
/// the beginning took.
template <class Place, class Make, class Begin>
std::uint64_t blocks(std::size_t n, state how, Make make, Begin begin) {
  nothing_left const check;
  Place place;
  std::uint64_t taken = 0;
  prepared<decltype(place.get_executor())> p(n, how, place.get_executor());
  {
    auto items = make(p);
    allocation_count const count;
    auto h = begin(std::move(items), p);
    taken = count.now();
    p.complete_all();
    place.run();
    EXPECT_TRUE(h.is_released());
    static_cast<void>(std::move(h).wait());
  }
  p.clear();
  place.run();
  return taken;
}
/// Of three operations that are pending, or settled.
template <class Place = with_timers, class Make, class Begin>
void expect_blocks(std::uint64_t expected, Make make, Begin begin) {
  EXPECT_EQ(blocks<Place>(3, state::pending, make, begin), expected) << "pending";
  EXPECT_EQ(blocks<Place>(3, state::settled, make, begin), expected) << "settled";
}

std::vector const numbers{1, 2, 3};
std::array const three{1, 2, 3};
std::map<int, int> const sorted{{1, 1}, {2, 2}, {3, 3}};
std::vector<std::string> const strings{"a string that fits nowhere inside", "", ""};

auto copy_of(auto const& items) {
  return [&items](auto&) { return items; };
}

// ---- map_concurrent: the group's, and the list of the values ----

auto mapped(std::size_t limit) {
  return [limit](auto items, auto& p) { return settle::map_concurrent(std::move(items), limit, p.hand_out()); };
}

TEST(map_concurrent_blocks, are_one_and_the_list_whatever_the_limit) {
  for (std::size_t const limit : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::numeric_limits<std::size_t>::max()}) {
    SCOPED_TRACE(limit);
    expect_blocks<with_timers>(2, copy_of(numbers), mapped(limit));
    expect_blocks<without_timers>(2, copy_of(numbers), mapped(limit));
  }
}

TEST(map_concurrent_blocks, are_no_more_whatever_the_range) {
  expect_blocks(2, copy_of(three), mapped(2));
  expect_blocks(2, [](auto&) { return std::list{1, 2, 3}; }, mapped(2));
  expect_blocks(2, [](auto&) { return std::forward_list{1, 2, 3}; }, mapped(2));
  expect_blocks(2, [](auto&) { return std::vector{true, false, true}; }, mapped(2));
  expect_blocks(2, [](auto&) { return std::views::all(std::vector(strings)); }, mapped(2));
  expect_blocks(2, [](auto&) { return std::span(three); }, mapped(2));
  expect_blocks(2, [](auto&) { return std::views::reverse(three); }, mapped(2));
  expect_blocks(2, [](auto&) { return std::views::values(sorted); }, mapped(2));
  expect_blocks(2, [](auto&) { return std::views::iota(1, 7) | std::views::filter([](int i) { return i % 2 == 0; }); }, mapped(2));
}

TEST(map_concurrent_blocks, are_one_of_nothing) {
  EXPECT_EQ(blocks<with_timers>(0, state::pending, [](auto&) { return std::vector<int>(); }, mapped(2)), 1U);
  EXPECT_EQ(blocks<with_timers>(0, state::pending, [](auto&) { return std::views::all(std::vector<std::string>()); }, mapped(2)), 1U);
  EXPECT_EQ(blocks<with_timers>(0, state::pending, [](auto&) { return std::span<int>(); }, mapped(2)), 1U);
}

TEST(map_concurrent_blocks, are_one_more_for_an_item_that_cannot_be_counted) {
  std::istringstream text("1");
  auto const read = [&](auto&) { return std::views::istream<int>(text); };
  EXPECT_EQ(blocks<with_timers>(1, state::pending, read, mapped(2)), 3U);
}

// ---- hedge: the group's, with its timer if that can be told in time ----

constexpr auto hedge_it = [](auto items, auto& p) { return settle::hedge(1h, std::move(items), p.hand_out()); };

TEST(hedge_blocks, are_one_with_its_timer_when_the_items_are_its_own) {
  expect_blocks(1, copy_of(numbers), hedge_it);
  expect_blocks(1, copy_of(strings), hedge_it);
  expect_blocks(1, copy_of(three), hedge_it);
  expect_blocks(1, [](auto&) { return std::list{1, 2, 3}; }, hedge_it);
  expect_blocks(1, [](auto&) { return std::views::all(std::list{1, 2, 3}); }, hedge_it);
}

TEST(hedge_blocks, are_one_more_for_its_timer_when_the_items_are_somebody_else_s) {
  expect_blocks(2, [](auto&) { return std::span(three); }, hedge_it);
  expect_blocks(2, [](auto&) { return std::views::values(sorted); }, hedge_it);
  expect_blocks(2, [](auto&) { return std::array{throws_when_moved(1), throws_when_moved(2), throws_when_moved(3)}; }, hedge_it);
}

TEST(hedge_blocks, are_one_without_timers) {
  expect_blocks<without_timers>(1, copy_of(numbers), hedge_it);
  expect_blocks<without_timers>(1, [](auto&) { return std::span(three); }, hedge_it);
}

TEST(hedge_blocks, are_one_of_nothing) {
  EXPECT_EQ(blocks<with_timers>(0, state::pending, [](auto&) { return std::vector<int>(); }, hedge_it), 1U);
  EXPECT_EQ(blocks<with_timers>(0, state::pending, [](auto&) { return std::views::all(std::list<int>()); }, hedge_it), 1U);
  EXPECT_EQ(blocks<with_timers>(0, state::pending, [](auto&) { return std::span<int>(); }, hedge_it), 1U);
}

handle_of<int> cold(int i) { co_return i; }
handle_of<int> awaits(loop_with_timers::executor, handle_of<int> h) { co_return co_await std::move(h); }

TEST(hedge_blocks, are_one_until_a_cold_one_starts) {
  with_timers place;
  settle::trim();
  std::vector items{1, 2, 3};
  allocation_count const count;
  auto h = settle::hedge(1h, std::move(items), &cold);
  EXPECT_EQ(count.now(), 2U) << "its own, and the coroutine's";
  auto got = awaits(place.get_executor(), std::move(h));
  place.run();
  EXPECT_EQ(place.loop.made(), 0U);
  EXPECT_EQ(std::move(got).wait().value(), 1);
}

// ---- groups of a range ----

auto handles_of(auto& p) { return std::move(p.handles); }

TEST(range_blocks, are_one_and_the_list) {
  expect_blocks(2, [](auto& p) { return handles_of(p); }, [](auto h, auto&) { return settle::all(std::move(h)); });
  expect_blocks(2, [](auto& p) { return handles_of(p); }, [](auto h, auto&) { return settle::all_settled(std::move(h)); });
}
TEST(range_blocks, are_one_without_a_list) {
  expect_blocks(1, [](auto& p) { return handles_of(p); }, [](auto h, auto&) { return settle::race(std::move(h)); });
  expect_blocks(1, [](auto& p) { return handles_of(p); }, [](auto h, auto&) { return settle::any(std::move(h)); });
}
TEST(range_blocks, are_one_more_for_a_while_when_the_inputs_come_in_no_vector) {
  auto const in_an_array = [](auto& p) { return std::array{std::move(p.handles[0]), std::move(p.handles[1])}; };
  expect_blocks(2, in_an_array, [](auto h, auto&) { return settle::race(std::move(h)); });
}

// ---- when something goes wrong on the way ----

template <class Items>
auto three_tracked() {
  return [] {
    Items items;
    for (int i : {3, 2, 1}) items.emplace_front(i);
    return items;
  };
}

#if defined(SETTLE_TEST_NEW_RUNS_DRY)
#if defined(SETTLE_TEST_HEAP_RUNS_DRY)
using none_after = no_heap_after;
#else
using none_after = no_memory_after;  // of the blocks alone
#endif

/// Begins a group with memory for so many blocks, one more each time until there is enough.
template <class Make, class Begin>
void expect_nothing_left_without_memory(std::int64_t least, Make make, Begin begin) {
  for (std::int64_t n = 0;; ++n) {
    SCOPED_TRACE(n);
    nothing_left const check;
    with_timers place;
    prepared<loop_with_timers::executor> p(3, state::pending, place.get_executor());
    bool enough = false;
    {
      auto items = make();
      std::optional<decltype(begin(std::move(items), p))> h;
      none_after const dry(n);
      try {
        h.emplace(begin(std::move(items), p));
        enough = true;
      } catch (std::bad_alloc const&) {
      }
    }
    EXPECT_EQ(p.producers[0].op().cancel_requested(), p.begun != 0) << "dropped";
    EXPECT_EQ(tracked::alive, enough ? 3 : 0);
    if (enough) {
      EXPECT_GE(n, least);
      p.complete_all();
      place.run();
    }
    p.clear();
    place.run();
    EXPECT_EQ(tracked::alive, 0);
    if (enough) return;
  }
}

TEST(group_blocks, without_memory_for_one_nothing_is_left) {
  auto const in_a_vector = [] {
    std::vector<tracked> items;
    items.reserve(3);
    for (int i : {1, 2, 3}) items.emplace_back(i);
    return items;
  };
  auto const in_a_list = three_tracked<std::list<tracked>>();
  expect_nothing_left_without_memory(1, in_a_vector, mapped(2));
  expect_nothing_left_without_memory(1, in_a_list, mapped(2));
  expect_nothing_left_without_memory(1, in_a_vector, hedge_it);
  expect_nothing_left_without_memory(1, in_a_list, hedge_it);
}
TEST(group_blocks, without_memory_for_the_timer_only_failures_begin_the_next) {
  with_timers place;
  prepared<loop_with_timers::executor> p(3, state::pending, place.get_executor());
  std::optional<handle_of<std::string>> h;
  {
    no_memory_after const dry(1);
    h.emplace(settle::hedge(1h, std::span(three), p.hand_out()));
  }
  EXPECT_EQ(place.loop.made(), 0U);
  p.producers[0].fail(settle::errc::closed);
  place.run();
  EXPECT_EQ(p.begun, 2U);
  p.complete_all();
  place.run();
  EXPECT_EQ(std::move(*h).wait().value(), "value");
  p.clear();
  place.run();
}
#endif

TEST(group_blocks, a_throw_while_the_items_are_taken_leaves_nothing) {
  std::vector<fragile> items;
  items.reserve(3);
  for (int i : {1, 2, 3}) items.emplace_back(i);
  int calls = 0;
  auto const f = [&](fragile const&) { ++calls; };
  for (int at : {1, 2, 3}) {
    fragile::throw_at = at;
    EXPECT_THROW(static_cast<void>(settle::map_concurrent(std::span(items), 2, f)), std::runtime_error);
    fragile::throw_at = at;
    EXPECT_THROW(static_cast<void>(settle::hedge(1h, std::span(items), f)), std::runtime_error);
    EXPECT_EQ(fragile::alive, 3);
  }
  EXPECT_EQ(calls, 0);
  fragile::throw_at = 1;
  EXPECT_TRUE(settle::map_concurrent(std::move(items), 2, f).wait().has_value()) << "those of a vector stay where they are";
  fragile::throw_at = 0;
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(fragile::alive, 0);
}
TEST(group_blocks, a_throw_while_the_function_is_taken_leaves_nothing) {
  settle::resolver_of<int> r;
  std::list<tracked> items = three_tracked<std::list<tracked>>()();
  fragile::throw_at = 1;
  EXPECT_THROW(static_cast<void>(settle::map_concurrent(std::move(items), 2,
                                                        [h = r.get_handle(), x = fragile(1)](tracked) mutable { return std::move(h); })),
               std::runtime_error);
  fragile::throw_at = 0;
  EXPECT_TRUE(r.op().cancel_requested());
  EXPECT_EQ(fragile::alive, 0);
  EXPECT_EQ(tracked::alive, 0);
}

TEST(group_blocks, that_cannot_be_are_no_memory) {
  auto const too_many = std::views::iota(std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max() / 2);
  EXPECT_THROW(static_cast<void>(settle::map_concurrent(too_many, 2, [](std::uint64_t) {})), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(settle::hedge(1h, too_many, [](std::uint64_t) {})), std::bad_alloc);
}

// ---- what is in them ----

TEST(group_blocks, have_items_of_any_alignment) {
  std::array const items{over_aligned{1}, over_aligned{2}, over_aligned{3}};
  int sum = 0;
  auto const f = [&](over_aligned&& i) {
    EXPECT_TRUE(i.aligned());
    return sum += i.value, over_aligned{0};
  };
  EXPECT_EQ(settle::map_concurrent(std::span(items), 2, f).wait().value().size(), 3U);
  EXPECT_TRUE(settle::hedge(1h, std::list(items.begin(), items.end()), f).wait().has_value());
  EXPECT_EQ(sum, 7);
}

struct stays {
  int value = 1;
  stays() = default;
  stays(stays&&) = delete;
};
TEST(group_blocks, leave_items_that_cannot_move_in_their_vector) {
  auto const look = [](stays&& s) { return s.value; };
  EXPECT_EQ(settle::map_concurrent(std::vector<stays>(2), 2, look).wait().value(), (std::vector{1, 1}));
  EXPECT_EQ(settle::hedge(1h, std::vector<stays>(2), look).wait().value(), 1);
}

/// Has three items, and says something else.
struct miscounts {
  std::array<int, 3> items{1, 2, 3};
  std::size_t said;
  auto begin() { return items.begin(); }
  auto end() { return items.end(); }
  std::size_t size() const noexcept { return said; }
};
TEST(group_blocks, have_no_more_items_than_there_were_said_to_be) {
  auto const same = [](int i) { return i; };
  EXPECT_EQ(settle::map_concurrent(miscounts{.said = 2}, 9, same).wait().value(), (std::vector{1, 2}));
  EXPECT_EQ(settle::map_concurrent(miscounts{.said = 4}, 9, same).wait().value(), (std::vector{1, 2, 3}));
  EXPECT_EQ(settle::hedge(1h, miscounts{.said = 4}, [](int) { throw std::runtime_error("each"); }).wait().has_error(), true);
}

/// Remembers how large each block is.
struct measured {
  static inline std::map<void*, std::pair<std::size_t, std::size_t>> out;
  static inline std::size_t taken = 0;
  static void* try_allocate(std::size_t n, std::size_t align) noexcept {
    void* const p = ::operator new(n, std::align_val_t(align), std::nothrow);
    out[p] = {n, align};
    ++taken;
    return p;
  }
  static void deallocate(void* p, std::size_t n, std::size_t align) noexcept {
    EXPECT_EQ(out.at(p), std::pair(n, align));
    out.erase(p);
    ::operator delete(p, std::align_val_t(align));
  }
};
struct measured_policy : settle::detail::result_policy<std::vector<int>, settle::error, settle::cas_terminal> {
  using allocator_type = measured;
};
TEST(group_blocks, are_the_policy_s_and_go_back_as_large_as_they_were) {
  auto f = [](over_aligned&& i) { return i.value; };
  std::array const few{over_aligned{1}, over_aligned{2}};
  std::span items(few);
  using kept = settle::detail::kept_items<decltype(items)>;
  using body = settle::detail::traversal<measured_policy, kept, decltype(f)>;
  auto h = settle::detail::begin_items<body>(items, f, std::source_location::current(), std::size_t{2});
  EXPECT_EQ(measured::taken, 1U);
  EXPECT_EQ(std::move(h).wait().value(), (std::vector{1, 2}));
  h = {};
  EXPECT_TRUE(measured::out.empty());
}

}  // namespace
