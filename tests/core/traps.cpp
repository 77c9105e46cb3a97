// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/settle.hpp>
#include "meanwhile.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../support/situations.hpp"

// Misuse that is trapped with one sentence, and what would otherwise wait for itself.
namespace {

using number = test::counted<int>;

void expect_misuse_reported_once() {
  auto const told = test::recording_sink::take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].what, settle::monitor_event::misuse);
}

TEST(traps, an_operation_cannot_adopt_itself) {
  test::subject<number> s;
  s.op.adopt(s.op);
  expect_misuse_reported_once();
  s.end(test::way::complete);
  EXPECT_TRUE(s.op.is_released());
}

TEST(traps, a_cycle_of_adoption_is_refused_at_any_depth) {
  for (std::size_t const depth : {2u, 3u, 40u}) {
    std::vector<test::subject<number>> chain(depth);
    for (std::size_t i = 0; i + 1 != depth; ++i) chain[i].op.adopt(chain[i + 1].op);
    chain.back().op.adopt(chain.front().op);
    expect_misuse_reported_once();
    for (auto& s : chain) s.end(test::way::complete);
    EXPECT_TRUE(chain.front().op.is_released());
  }
}

TEST(traps, what_is_no_cycle_is_adopted) {
  test::subject<number> a, b, c;
  a.op.adopt(b.op);
  b.op.adopt(c.op);
  a.op.adopt(c.op);  // twice below a
  EXPECT_TRUE(test::recording_sink::take().empty());
  for (auto* s : {&a, &b}) s->end(test::way::complete);
  EXPECT_FALSE(a.op.is_released());
  c.end(test::way::complete);
  EXPECT_TRUE(a.op.is_released());
}

TEST(traps, a_pin_of_its_own_is_not_for_an_operation_to_keep) {
  test::subject<number> s, other;
  EXPECT_TRUE(s.op.own(other.op.pin())) << "another's pin is fine";
  EXPECT_TRUE(test::recording_sink::take().empty());
  bool kept = true;
  {
    settle::pin p = s.op.pin();
    kept = s.op.own(std::move(p));
  }
  expect_misuse_reported_once();
  EXPECT_FALSE(kept);
  s.end(test::way::complete);
  EXPECT_TRUE(s.op.is_released());
  other.end(test::way::complete);
}

TEST(traps, a_handle_of_its_own_is_not_for_an_operation_to_keep) {
  test::subject<number> s;
  EXPECT_FALSE(s.op.own(std::move(s.h)));
  expect_misuse_reported_once();
  test::subject<number>::drop(s.r);
  EXPECT_TRUE(s.op.is_released());
}

TEST(traps, nor_by_way_of_a_pin) {
  test::subject<number> s;
  settle::pin p = s.op.pin();
  p.own(std::move(s.h));
  expect_misuse_reported_once();
  p.reset();
  s.drop(s.r);
  EXPECT_TRUE(s.op.is_released());
}

// The move of a value ends its own operation and throws: nothing waits for itself, and what was asked is not lost.
TEST(G01_once, a_value_whose_move_cancels_its_own_operation_and_throws) {
  struct meddling {
    settle::operation op;
    bool forced;
    bool throws;
    meddling(settle::operation o, bool f, bool t) : op(std::move(o)), forced(f), throws(t) {}
    meddling(meddling&& o) noexcept(false) : op(o.op), forced(o.forced), throws(o.throws) {
      if (!forced) EXPECT_TRUE(op.request_cancel(settle::cause::overload));
      else EXPECT_FALSE(op.cancel(settle::cause::overload));
      EXPECT_TRUE(op.cancel_requested());
      if (throws) throw std::runtime_error("meddling");
    }
  };
  for (bool const forced : {false, true}) {
    for (bool const throws : {false, true}) {
      test::subject<test::counted<meddling>> s;
      int asked = 0;
      s.op.on_cancel([&] { ++asked; });
      if (throws) {
        EXPECT_THROW(s.r.complete(meddling(s.op, forced, true)), std::runtime_error);
        EXPECT_FALSE(s.op.is_settled());
        test::subject<test::counted<meddling>>::drop(s.r);
      } else {
        EXPECT_TRUE(s.r.complete(meddling(s.op, forced, false)));
      }
      settle::ending::kind_t how{};
      s.op.on_done([&](settle::ending e) { how = e.kind; });
      EXPECT_EQ(how, throws ? settle::ending::cancelled : settle::ending::value);
      EXPECT_EQ(asked, 1);
      s.h = {};
      EXPECT_TRUE(s.op.is_released());
    }
  }
}

TEST(A56_cached_not_cancelled, watchers_read_while_the_owner_takes) {
  for (int i = 0; i != 2'000; ++i) {
    test::subject<test::counted<std::string>> s;
    auto const w = s.h.watch();
    s.r.complete("a value that is long enough to live on the heap");
    std::thread reader([w] { EXPECT_EQ(w.peek()->value().size(), 47u); });
    EXPECT_EQ(std::move(s.h).wait().value().size(), 47u);
    reader.join();
    EXPECT_EQ(w.peek()->value().size(), 47u);
  }
}

TEST(traps, a_cycle_is_looked_for_only_so_far) {
  test::subject<number> s;
  test::subject<number> other;
  for (int i = 0; i != 70; ++i) s.op.on_released([] {});
  other.op.on_cancel([] {});
  s.op.adopt(other.op);
  EXPECT_TRUE(test::recording_sink::take().empty());
  s.end(test::way::complete);
  EXPECT_FALSE(s.op.is_released());
  EXPECT_TRUE(other.op.cancel_requested());
  other.end(test::way::complete);
  EXPECT_TRUE(s.op.is_released());
}

TEST(traps, anothers_handle_is_for_an_operation_to_keep) {
  test::subject<number> s;
  test::subject<number> other;
  EXPECT_TRUE(s.op.own(std::move(other.h)));
  EXPECT_TRUE(test::recording_sink::take().empty());
  s.end(test::way::complete);
  EXPECT_TRUE(other.op.cancel_requested()) << "dropped with it";
  other.end(test::way::complete);
}

TEST(traps, a_blocked_thread_is_no_parent) {
  settle::resolver<test::on_passing<int>> a;
  settle::resolver<test::on_passing<int>> b;
  b.op().on_cancel([] {});  // there is something below b, so a is looked at
  auto h = a.get_handle();
  {
    test::meanwhile const other([&] { a.op().adopt(b.op()); });
    EXPECT_FALSE(std::move(h).wait_until(std::chrono::steady_clock::time_point()).has_value());
  }
  EXPECT_EQ(test::recording_sink::count(settle::monitor_event::misuse), 0U);
  {
    test::meanwhile const other([&] { b.op().adopt(a.op()); });
    EXPECT_FALSE(std::move(h).wait_until(std::chrono::steady_clock::time_point()).has_value());
  }
  EXPECT_EQ(test::recording_sink::count(settle::monitor_event::misuse), 1U) << "that one is a cycle";
  test::recording_sink::take();
  b.complete(1);
  a.complete(1);
  EXPECT_TRUE(b.op().is_released());
}

}  // namespace
