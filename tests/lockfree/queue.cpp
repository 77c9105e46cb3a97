// SPDX-License-Identifier: BSL-1.0
// The bounded queue: pressure is said, nothing is lost, who waits is served in order.
#include <settle/lockfree/queue.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "executors.hpp"
#include "scale.hpp"
#include "values.hpp"

namespace {

using settle::cause;
using numbers = std::vector<int>;

static_assert(!std::is_move_constructible_v<settle::queue<int>>);

template <class T>
T value_of(settle::handle_of<T>&& h) {
  EXPECT_TRUE(h.is_released());
  return std::move(h).wait().value();
}

TEST(queue, first_in_first_out_and_says_when_it_is_full) {
  settle::queue<int> q(3);
  EXPECT_EQ(q.capacity(), 3U);
  for (int round = 0; round != 5; ++round) {
    EXPECT_FALSE(q.try_pop());
    for (int i = 0; i != 3; ++i) EXPECT_TRUE(q.try_push(i));
    EXPECT_FALSE(q.try_push(3));
    EXPECT_EQ(q.size(), 3U);
    EXPECT_EQ(q.try_pop(), 0);
    EXPECT_TRUE(q.try_push(3));
    EXPECT_EQ(value_of(q.pop()), 1);
    EXPECT_EQ(q.try_pop(), 2);
    EXPECT_EQ(q.try_pop(), 3);
    EXPECT_EQ(q.size(), 0U);
  }
}

TEST(queue, what_is_refused_is_as_it_was) {
  settle::queue<std::unique_ptr<int>> q(1);
  EXPECT_TRUE(q.try_push(std::make_unique<int>(1)));
  auto more = std::make_unique<int>(2);
  EXPECT_FALSE(q.try_push(std::move(more)));
  ASSERT_NE(more, nullptr);
  EXPECT_EQ(**q.try_pop(), 1);
  q.close();
  EXPECT_FALSE(q.try_push(std::move(more)));
  ASSERT_NE(more, nullptr);
  EXPECT_EQ(*more, 2);
}

TEST(queue, who_waits_is_served_in_order) {
  settle::queue<int> q(2);
  numbers got;
  for (int i = 0; i != 5; ++i) q.pop().on_done([&, i](auto&& out) { got.push_back(10 * i + out.value()); });
  for (int i = 0; i != 5; ++i) EXPECT_TRUE(q.try_push(i)) << "handed on, it takes no room";
  EXPECT_EQ(got, (numbers{0, 11, 22, 33, 44}));
  EXPECT_EQ(q.size(), 0U);
}

TEST(queue, who_comes_later_waits_behind_those_who_wait) {
  settle::queue<int> q(2);
  test::manual_loop loop;
  auto first = q.pop(loop.get_executor());
  EXPECT_FALSE(q.try_pop());
  q.try_push(1);
  q.try_push(2);
  EXPECT_EQ(q.try_pop(), 2);
  EXPECT_TRUE(first.is_settled());
  loop.run();
  EXPECT_EQ(value_of(std::move(first)), 1);
}

TEST(queue, who_is_cancelled_or_dropped_leaves_the_line) {
  for (int how = 0; how != 3; ++how) {
    settle::queue<int> q(2);
    auto a = q.pop();
    auto b = std::make_optional(q.pop());
    auto c = q.pop();
    auto w = b->watch();
    if (how == 0) b->request_cancel(cause::shutdown);
    if (how == 1) b->cancel(cause::shutdown);
    b.reset();
    ASSERT_TRUE(w.is_released());
    EXPECT_EQ(w.peek()->cancel().why, how == 2 ? cause::dropped : cause::shutdown);
    EXPECT_TRUE(q.try_push(1));
    EXPECT_TRUE(q.try_push(2));
    EXPECT_EQ(value_of(std::move(a)), 1);
    EXPECT_EQ(value_of(std::move(c)), 2);
  }
}

TEST(queue, a_value_on_its_way_to_one_that_is_cancelled_by_force_stays_the_first) {
  settle::queue<int> q(4);
  test::manual_loop loop;
  auto a = q.pop(loop.get_executor());
  auto b = q.pop(loop.get_executor());
  a.cancel(cause::overload);  // it is still in the line: it hears of it on its executor
  b.cancel(cause::overload);
  EXPECT_TRUE(q.try_push(1));
  EXPECT_TRUE(q.try_push(2));
  EXPECT_EQ(q.size(), 2U);
  EXPECT_EQ(q.try_pop(), 1);
  loop.run();
  EXPECT_TRUE(a.is_released() && b.is_released());
  EXPECT_EQ(q.try_pop(), 2);
  auto c = q.pop(loop.get_executor());
  auto d = q.pop();
  c.cancel();
  EXPECT_TRUE(q.try_push(3)) << "the next in line has it";
  EXPECT_EQ(value_of(std::move(d)), 3);
  loop.run();
}

TEST(queue, closed_it_takes_nothing_more_and_gives_what_it_has) {
  settle::queue<int> q(2);
  q.try_push(1);
  q.try_push(2);
  EXPECT_FALSE(q.is_closed());
  q.close();
  q.close();
  EXPECT_TRUE(q.is_closed());
  EXPECT_FALSE(q.try_push(3));
  EXPECT_EQ(value_of(q.pop()), 1);
  EXPECT_EQ(q.try_pop(), 2);
  EXPECT_FALSE(q.try_pop());
  EXPECT_EQ(q.pop().wait().error().code(), settle::errc::closed);
}

TEST(queue, closed_or_destroyed_it_tells_those_who_wait) {
  for (bool const destroyed : {false, true}) {
    auto q = std::make_optional<settle::queue<int>>(2);
    test::manual_loop loop;
    auto a = q->pop();
    auto b = q->pop(loop.get_executor());
    auto c = q->pop(loop.get_executor());
    c.request_cancel();  // will hear of it when the queue is gone
    if (destroyed) q.reset();
    else q->close();
    EXPECT_EQ(std::move(a).wait().error().code(), settle::errc::closed);
    loop.run();
    EXPECT_EQ(std::move(b).wait().error().code(), settle::errc::closed);
    EXPECT_TRUE(c.is_released());
    EXPECT_TRUE(std::move(c).wait().has_error());
  }
}

TEST(G14_last_reference, a_queue_is_destroyed_by_whom_it_tells_that_it_is_closed) {
  auto q = std::make_unique<settle::queue<int>>(2);
  auto* const it = q.get();
  auto a = q->pop();
  a.on_done([&] { q.reset(); });
  auto b = q->pop();
  it->close();
  EXPECT_EQ(q, nullptr);
  EXPECT_EQ(std::move(a).wait().error().code(), settle::errc::closed);
  EXPECT_EQ(std::move(b).wait().error().code(), settle::errc::closed);
}

TEST(G14_last_reference, a_queue_is_destroyed_by_whom_it_lets_in) {
  auto q = std::make_unique<settle::queue<int>>(1);
  auto* const it = q.get();
  q->try_push(1);
  auto a = q->push(2);
  a.on_done([&] { q.reset(); });
  auto b = q->push(3);
  EXPECT_EQ(it->try_pop(), 1);
  EXPECT_EQ(q, nullptr);
  EXPECT_TRUE(std::move(a).wait().has_value());
  EXPECT_EQ(std::move(b).wait().error().code(), settle::errc::closed);
}

TEST(queue, destroyed_it_destroys_what_is_left_once) {
  auto const counted = std::make_shared<int>(0);
  {
    settle::queue<std::shared_ptr<int>> q(4);
    for (int i = 0; i != 3; ++i) q.try_push(counted);
    q.try_pop();
    EXPECT_EQ(counted.use_count(), 3);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(queue, a_taker_may_push_and_wait_again_however_often) {
  settle::queue<int> q(1);
  std::size_t const rounds = test::a_million / 50;
  std::size_t ran = 0;
  struct taker {
    settle::queue<int>& q;
    std::size_t& ran;
    std::size_t rounds;
    void operator()(settle::outcome<int>&& out) const {
      if (!out.has_value() || ++ran == rounds) return;
      q.pop().on_done(taker(*this));
      EXPECT_TRUE(q.try_push(out.value() + 1));
    }
  };
  q.pop().on_done(taker{q, ran, rounds});
  q.try_push(0);
  EXPECT_EQ(ran, rounds);
}

TEST(queue, without_anyone_waiting_nothing_is_allocated) {
  settle::queue<int> q(16);
  test::allocation_count const count;
  for (int i = 0; i != 100; ++i) {
    q.try_push(i);
    EXPECT_EQ(q.try_pop(), i);
  }
  EXPECT_EQ(count.now(), 0U);
}

TEST(queue, impossible_sizes_are_refused) {
  EXPECT_THROW(settle::queue<int>(0), std::invalid_argument);
  EXPECT_THROW(settle::queue<int>(65'535), std::invalid_argument);
  settle::queue<char> most(settle::queue<char>::max_capacity);
  std::size_t n = 0;
  while (most.try_push('x')) ++n;
  EXPECT_EQ(n, 65'534U);
}

// ---- waiting for room ------------------------------------------------------------------------------------------------------------------

TEST(queue_push, goes_in_at_once_or_waits_for_room_in_order) {
  settle::queue<int> q(2);
  numbers in;
  for (int i = 0; i != 5; ++i)
    q.push(i).on_done([&, i](settle::outcome<void> const& o) {
      EXPECT_TRUE(o.has_value());
      in.push_back(i);
    });
  EXPECT_EQ(in, (numbers{0, 1}));
  EXPECT_FALSE(q.try_push(9)) << "nobody goes first";
  for (int i = 0; i != 5; ++i) EXPECT_EQ(q.try_pop(), i);
  EXPECT_EQ(in, (numbers{0, 1, 2, 3, 4}));
  EXPECT_EQ(q.size(), 0U);
  EXPECT_TRUE(q.try_push(9));
}

TEST(queue_push, is_handed_to_who_waits) {
  settle::queue<std::unique_ptr<int>> q(1);
  auto taker = q.pop();
  EXPECT_TRUE(q.push(std::make_unique<int>(7)).is_released());
  EXPECT_EQ(*value_of(std::move(taker)), 7);
}

TEST(queue_push, its_user_code_runs_where_it_says_and_finds_the_value_in_the_queue) {
  settle::queue<int> q(1);
  test::manual_loop loop;
  q.try_push(1);
  auto h = q.push(2, loop.get_executor());
  bool here = false;
  h.on_done([&] { here = loop.is_here() && q.size() == 1; });
  EXPECT_EQ(q.try_pop(), 1);
  EXPECT_TRUE(h.is_settled());
  EXPECT_FALSE(here);
  loop.run();
  EXPECT_TRUE(here);
}

TEST(queue_push, who_is_cancelled_or_dropped_leaves_the_line_and_its_value_dies_on_its_executor) {
  for (int how = 0; how != 3; ++how) {
    test::tracked::alive = 0;
    static test::manual_loop* place = nullptr;
    test::manual_loop loop;
    place = &loop;
    settle::queue<test::tracked> q(1);
    q.try_push(test::tracked(1));
    auto a = q.push(test::tracked(2));
    auto b = std::make_optional(q.push(test::tracked(3), loop.get_executor()));
    auto c = q.push(test::tracked(4));
    auto w = b->watch();
    EXPECT_EQ(test::tracked::alive, 4);
    test::tracked::on_death = [] { EXPECT_TRUE(place->is_here()); };
    if (how == 0) b->request_cancel(cause::shutdown);
    if (how == 1) b->cancel(cause::shutdown);
    b.reset();
    loop.run();
    test::tracked::on_death = nullptr;
    ASSERT_TRUE(w.is_released());
    EXPECT_EQ(test::tracked::alive, 3);
    EXPECT_EQ(w.peek()->cancel().why, how == 2 ? cause::dropped : cause::shutdown);
    EXPECT_EQ(q.try_pop()->value, 1);
    EXPECT_EQ(q.try_pop()->value, 2);
    EXPECT_EQ(q.try_pop()->value, 4);
    EXPECT_TRUE(a.is_released() && c.is_released());
    EXPECT_EQ(test::tracked::alive, 0);
  }
}

TEST(queue_push, one_that_was_cancelled_by_force_and_has_not_heard_of_it_is_passed_over) {
  settle::queue<int> q(1);
  test::manual_loop loop;
  q.try_push(1);
  auto a = q.push(2, loop.get_executor());
  auto b = q.push(3);
  a.cancel();
  EXPECT_EQ(q.try_pop(), 1);
  EXPECT_TRUE(b.is_settled());
  EXPECT_EQ(q.try_pop(), 3);
  EXPECT_EQ(q.size(), 0U);
  loop.run();
  EXPECT_TRUE(a.is_released());
}

TEST(queue_push, closed_or_destroyed_it_tells_those_who_wait_for_room) {
  for (bool const destroyed : {false, true}) {
    auto q = std::make_optional<settle::queue<int>>(1);
    test::manual_loop loop;
    q->try_push(1);
    auto a = q->push(2);
    auto b = q->push(3, loop.get_executor());
    auto c = q->push(4, loop.get_executor());
    c.request_cancel();  // will hear of it when the queue is gone
    if (!destroyed) {
      q->close();
      EXPECT_EQ(q->push(5).wait().error().code(), settle::errc::closed);
      EXPECT_EQ(q->try_pop(), 1) << "what is in it can be had";
      EXPECT_FALSE(q->try_pop());
    }
    q.reset();
    EXPECT_EQ(std::move(a).wait().error().code(), settle::errc::closed);
    loop.run();
    EXPECT_EQ(std::move(b).wait().error().code(), settle::errc::closed);
    EXPECT_TRUE(c.is_released());
    EXPECT_TRUE(std::move(c).wait().has_error());
  }
}

TEST(queue_push, who_is_let_in_may_push_and_wait_again_however_often) {
  settle::queue<int> q(1);
  std::size_t const rounds = test::a_million / 50;
  std::size_t ran = 0;
  struct giver {
    settle::queue<int>& q;
    std::size_t& ran;
    std::size_t rounds;
    void operator()(settle::outcome<void>&& out) const {
      if (!out.has_value() || ++ran == rounds) return;
      q.push(1).on_done(giver(*this));
      EXPECT_TRUE(q.try_pop());
    }
  };
  q.push(0).on_done(giver{q, ran, rounds});
  EXPECT_EQ(ran, rounds);
}

// ---- threads ---------------------------------------------------------------------------------------------------------------------------

constexpr std::size_t transitions = test::sanitized ? 20'000 : 100'000;

/// Each value once?
void expect_each_once(std::vector<std::atomic<int>> const& seen) {
  std::size_t wrong = 0;
  for (auto const& n : seen) wrong += n == 1 ? 0 : 1;
  EXPECT_EQ(wrong, 0U);
}

TEST(A37_queue_saturation, every_end_of_an_operation_arrives_through_a_tiny_queue) {
  settle::queue<std::size_t> q(4);
  std::vector<std::atomic<int>> seen(transitions);
  constexpr std::size_t producers = 3;
  std::deque<std::size_t> parked[producers];
  std::atomic<bool> pressed = false;
  std::atomic<bool> over = false;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t != producers; ++t)
    threads.emplace_back([&, &mine = parked[t], t = t] {
      for (std::size_t i = t; i < transitions; i += producers) {
        settle::resolver_of<int> r;
        settle::operation const op = r.op();
        op.on_done([&, i] {
          if (!q.try_push(i)) mine.push_back(i);
        });
        if (i % 2 == 0) r.complete(1);
        else op.cancel();
        if (!mine.empty()) pressed = true;
        if (!mine.empty() && q.try_push(mine.front())) mine.pop_front();
      }
    });
  std::thread consumer([&] {
    while (!pressed) std::this_thread::yield();
    while (!over)
      while (auto const v = q.try_pop()) ++seen[*v];
  });
  for (auto& t : threads) t.join();
  over = true;
  consumer.join();
  for (auto& mine : parked)
    for (; !mine.empty(); mine.pop_front())
      while (!q.try_push(mine.front())) ++seen[*q.try_pop()];
  while (auto const v = q.try_pop()) ++seen[*v];
  expect_each_once(seen);
  EXPECT_TRUE(pressed) << "pushing says that there is no room";
}

TEST(A37_queue_saturation, any_number_waits_at_a_queue_for_one) {
  settle::queue<std::size_t> q(1);
  std::vector<std::atomic<int>> seen(transitions);
  for (std::size_t i = 0; i != transitions; ++i) q.pop().on_done([&](auto&& out) { ++seen[out.value()]; });
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t != 3; ++t)
    threads.emplace_back([&] {
      for (std::size_t i = next++; i < transitions; i = next++)
        while (!q.try_push(i)) std::this_thread::yield();
    });
  for (auto& t : threads) t.join();
  expect_each_once(seen);
  EXPECT_EQ(q.size(), 0U);
}

TEST(A37_queue_saturation, any_number_waits_for_room_in_a_queue_for_one) {
  settle::queue<std::size_t> q(1);
  constexpr std::size_t each = transitions / 4;
  std::vector<std::atomic<int>> seen(2 * each);
  std::atomic<std::size_t> in = 0;
  std::atomic<std::size_t> out = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t != 2; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i != each; ++i) q.push(2 * i + t).on_done([&](settle::outcome<void>&& o) { in += o.has_value() ? 1 : 0; });
    });
  for (int t = 0; t != 2; ++t)
    threads.emplace_back([&] {
      while (out < 2 * each)
        if (auto const v = q.try_pop()) ++seen[*v], ++out;
        else std::this_thread::yield();
    });
  for (auto& t : threads) t.join();
  expect_each_once(seen);
  EXPECT_EQ(in, 2 * each);
  EXPECT_EQ(q.size(), 0U);
}

TEST(queue_threads, waiting_for_room_races_with_cancelling_and_closing_and_everybody_is_told) {
  test::crew threads(3);
  for (int round = 0; round != 300; ++round) {
    settle::queue<int> q(1);
    std::atomic<int> in = 0;
    std::atomic<int> refused = 0;
    int out = 0;
    threads.run([&](unsigned i) {
      for (int n = 0; n != 4 && i == 0; ++n) {
        auto h = q.push(n);
        auto const op = settle::operation(h);
        std::move(h).on_done([&](settle::outcome<void>&& o) { ++(o.has_value() ? in : refused); });
        if (n == 3) op.request_cancel();
      }
      for (int n = 0; n != 4 && i == 1; ++n) out += q.try_pop() ? 1 : 0;
      if (i == 2 && round % 2 == 0) q.close();
    });
    q.close();
    EXPECT_EQ(in + refused, 4);
    while (q.try_pop()) ++out;
    EXPECT_EQ(in, out) << "who was told that it is in is in";
  }
}

TEST(queue_threads, with_takers_that_come_wait_and_are_cancelled_each_value_arrives_once_and_in_its_producers_order) {
  settle::queue<std::pair<int, std::size_t>> q(4);
  constexpr int producers = 2;
  constexpr std::size_t each = transitions / 50;
  std::vector<std::atomic<int>> seen(producers * each);
  std::atomic<int> out_of_order = 0;
  std::vector<std::thread> threads;
  for (int p = 0; p != producers; ++p)
    threads.emplace_back([&, p] {
      for (std::size_t i = 0; i != each; ++i)
        while (!q.try_push({p, i})) std::this_thread::yield();
    });
  std::vector<std::thread> takers;
  for (int t = 0; t != 2; ++t)
    takers.emplace_back([&, t] {
      std::size_t last[producers] = {};
      auto const take = [&](std::pair<int, std::size_t> const& v) {
        auto& before = last[v.first];
        out_of_order += v.second + 1 <= before ? 1 : 0;
        before = v.second + 1;
        ++seen[static_cast<std::size_t>(v.first) * each + v.second];
      };
      for (std::size_t round = 0;; ++round) {
        if (round % 4 == 3) {
          if (auto v = q.try_pop()) take(*v);
          continue;
        }
        auto h = q.pop();
        if (round % 3 == static_cast<std::size_t>(t)) h.cancel();  // by force: what was on its way goes back
        auto out = std::move(h).wait();
        if (out.has_value()) take(out.value());
        else if (out.has_error()) return;
      }
    });
  for (auto& t : threads) t.join();
  q.close();
  for (auto& t : takers) t.join();
  expect_each_once(seen);
  EXPECT_LT(out_of_order, static_cast<int>(each / 10)) << "only a value that came back may be overtaken";
}

TEST(queue_threads, closing_races_with_pushing_and_nothing_that_was_taken_in_is_lost) {
  test::crew threads(3);
  for (int round = 0; round != 100; ++round) {
    settle::queue<int> q(4);
    std::atomic<int> in = 0;
    std::atomic<int> out = 0;
    std::atomic<int> refused = 0;
    threads.run([&](unsigned i) {
      if (i == 0) q.close();
      for (int n = 0; n != 4 && i == 1; ++n) in += q.try_push(n) ? 1 : 0;
      for (int n = 0; n != 4 && i == 2; ++n) q.pop().on_done([&](auto&& o) { ++(o.has_value() ? out : refused); });
    });
    EXPECT_EQ(out + refused, 4) << "everybody was told";
    while (q.try_pop()) ++out;
    EXPECT_EQ(in, out);
  }
}

}  // namespace
