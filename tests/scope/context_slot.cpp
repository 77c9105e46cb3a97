// SPDX-License-Identifier: BSL-1.0
// The context: slots of the user, inherited down the tree; a deadline as a header says it (A28).
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "executors.hpp"
#include "situations.hpp"

namespace {

using namespace std::chrono_literals;
using settle::handle_of;

constexpr settle::context_slot<std::string> trace_id;
constexpr settle::context_slot<std::string> tenant;
constexpr settle::context_slot<int> depth;

TEST(context_slot, is_seen_by_those_below_the_nearest_first) {
  test::subject<test::counted<int>> root;
  test::subject<test::counted<int>> child;
  test::subject<test::counted<int>> leaf;
  child.op.adopt(leaf.op);
  root.op.adopt(child.op);
  EXPECT_EQ(trace_id.of(leaf.op), std::nullopt);
  EXPECT_TRUE(trace_id.set(root.op, "abc"));
  EXPECT_EQ(trace_id.of(leaf.op), "abc");
  EXPECT_EQ(trace_id.of(root.op), "abc");
  EXPECT_EQ(tenant.of(leaf.op), std::nullopt) << "two of a type are two";
  EXPECT_TRUE(trace_id.set(child.op, "def"));
  EXPECT_EQ(trace_id.of(leaf.op), "def");
  EXPECT_FALSE(trace_id.set(root.op, "again"));
  EXPECT_EQ(trace_id.of(root.op), "abc");
  EXPECT_TRUE(tenant.set(root.op, "t"));
  EXPECT_TRUE(depth.set(leaf.op, 2));
  EXPECT_EQ(tenant.of(leaf.op), "t");
  EXPECT_EQ(depth.of(leaf.op), 2);
  auto const token = leaf.op.stop_token();
  EXPECT_FALSE(token.stop_requested());
  for (auto* s : {&leaf, &child, &root}) s->end(test::way::complete);
  EXPECT_EQ(trace_id.of(leaf.op), std::nullopt) << "released: its own, and it has none";
  EXPECT_FALSE(trace_id.set(settle::operation(), "x"));
  EXPECT_EQ(trace_id.of(settle::operation()), std::nullopt);
}
handle_of<std::string> inner() { co_return trace_id.of(co_await settle::this_operation).value_or("none"); }
handle_of<std::string> outer() {
  trace_id.set(co_await settle::this_operation, "of the request");
  co_return co_await inner();
}
TEST(context_slot, coroutines_and_scopes_inherit) {
  EXPECT_EQ(outer().wait().value(), "of the request");
  settle::resolver_of<void> parent;
  trace_id.set(parent.op(), "of the parent");
  settle::scope s(parent.op());
  auto w = s.spawn([] { return inner(); });
  EXPECT_EQ(w.peek()->value(), "of the parent");
  parent.complete();
}
TEST(context_slot, costs_nothing_where_there_is_none) {
  settle::resolver_of<void> r;
  test::allocation_count const allocated;
  EXPECT_EQ(trace_id.of(r.op()), std::nullopt);
  EXPECT_EQ(allocated.now(), 0U);
  r.complete();
}
struct touchy {
  bool copies = false;
  explicit touchy(bool c) : copies(c) {}
  touchy(touchy const& o) : copies(o.copies) {
    if (!copies) throw std::runtime_error("copied");
  }
};
TEST(context_slot, what_copying_throws_comes_out) {
  static constexpr settle::context_slot<touchy> slot;
  test::subject<test::counted<int>> parent;
  test::subject<test::counted<int>> child;
  parent.op.adopt(child.op);
  EXPECT_THROW(slot.set(parent.op, touchy(false)), std::runtime_error) << "its move is a copy";
  EXPECT_EQ(slot.of(child.op), std::nullopt);
  child.end(test::way::complete);
  parent.end(test::way::complete);
}
TEST(context_slot, without_memory_it_is_false) {
  test::subject<test::counted<int>> s;
  for (long n : {0, 1}) {
    test::dry_after const dry(n);
    EXPECT_FALSE(depth.set(s.op, 1));
  }
  EXPECT_TRUE(depth.set(s.op, 1));
  s.end(test::way::complete);
}
TEST(context_slot, set_from_many_threads_one_wins) {
  for (int round = 0; round != 100; ++round) {
    settle::resolver_of<void> r;
    std::atomic<int> won = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i != 3; ++i)
      threads.emplace_back([&, op = r.op(), i] {
        if (i == 0) static_cast<void>(op.stop_token());
        won += depth.set(op, i) ? 1 : 0;
        EXPECT_TRUE(depth.of(op).has_value());
      });
    for (auto& t : threads) t.join();
    EXPECT_EQ(won, 1);
    EXPECT_TRUE(r.op().stop_token().stop_possible());
    r.complete();
  }
}

#if defined(__cpp_exceptions)
/// Throws when it is copied and told to.
struct delicate {
  static inline bool throws = false;
  int n;
  explicit delicate(int i) : n(i) {}
  delicate(delicate const& o) : n(o.n) {
    if (throws) throw std::runtime_error("copy");
  }
};
TEST(context_slot, the_nearest_above_is_found_and_what_copying_it_throws_comes_out) {
  static constexpr settle::context_slot<delicate> slot;
  settle::resolver_of<void> top;
  settle::resolver_of<void> middle(top.op());
  settle::resolver_of<void> low(middle.op());
  slot.set(top.op(), delicate(1));
  slot.set(middle.op(), delicate(2));
  EXPECT_EQ(slot.of(low.op()).value().n, 2);
  delicate::throws = true;
  EXPECT_THROW(slot.of(low.op()), std::runtime_error);
  delicate::throws = false;
  low.complete();
  middle.complete();
  top.complete();
}
#endif

TEST(A28_deadline_text, there_and_back_and_never_more) {
  using std::chrono::nanoseconds;
  EXPECT_EQ(settle::timeout_text(nanoseconds::max()), "");
  EXPECT_EQ(settle::timeout_text(0ns), "0n");
  EXPECT_EQ(settle::timeout_text(-5s), "0n");
  EXPECT_EQ(settle::timeout_text(99'999'999ns), "99999999n");
  EXPECT_EQ(settle::timeout_text(100'000'999ns), "100000u");
  EXPECT_EQ(settle::timeout_text(1h), "3600000m");
  EXPECT_EQ(settle::timeout_text(std::chrono::hours(24 * 365 * 100)), "52560000M");
  for (nanoseconds d = 1ns; d < std::chrono::hours(1'000'000); d *= 7) {
    auto const back = settle::timeout_from_text(settle::timeout_text(d));
    ASSERT_TRUE(back);
    EXPECT_LE(*back, d);
    EXPECT_GE(*back, d - d / 10'000);
  }
  EXPECT_EQ(settle::timeout_from_text("2H"), 2h);
  EXPECT_EQ(settle::timeout_from_text("99999999H"), nanoseconds::max());
  for (char const* bad : {"", "5", "s", "5s", "x5S", "-1S", " 1S", "1 S", "123456789S", "1SS"})
    EXPECT_EQ(settle::timeout_from_text(bad), std::nullopt) << bad;
}

}  // namespace
