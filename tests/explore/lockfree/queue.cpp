// SPDX-License-Identifier: BSL-1.0
// Those who wait at a queue, for room and for values, in every interleaving: nobody is forgotten, nothing is lost.
#include "atomics.hpp"
//
#include <settle/lockfree/queue.hpp>

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "../stage.hpp"

namespace {

using namespace explore;
using queue = settle::queue<int, C>;

/// A queue for one, which is full, and somebody who waits for room.
struct stage {
  queue q{1};
  handle<void> waiting;
  operation op;
  int popped = 0;  // how many, and what they come to
  int sum = 0;

  stage() {
    q.try_push(1);
    waiting = q.push(2);
    op = waiting;
  }
  void pop() {
    if (auto const v = q.try_pop()) ++popped, sum += *v;
  }
  void check(weave::world& w, bool may_be_turned_away) {
    while (q.size() != 0) pop();
    w.expect(waiting.is_released(), "who waits is told");
    auto const out = std::move(waiting).wait();
    w.expect(out.has_value() || may_be_turned_away, "there was room");
    w.expect(sum == (out.has_value() ? 3 : 1), "what is in was said to be in, and what is out to be out");
    op = {};
  }
};

TEST(explore_queue, room_is_made_while_who_waits_for_it_is_cancelled) {
  with_two_and_three([](exploration& explore) {
    explore("cancelled", [threads = explore.threads](weave::world& w) {
      auto s = std::make_shared<stage>();
      w.thread("pop", [=] { s->pop(); });
      w.thread("cancel", [=] { s->op.request_cancel(); });
      if (threads == 3) w.thread("try_push", [=] { s->sum -= s->q.try_push(7) ? 7 : 0; });
      w.finally([=, &w] { s->check(w, true); });
    });
  });
}

TEST(explore_queue, room_is_made_while_it_closes) {
  with_two_and_three([](exploration& explore) {
    explore("closed", [threads = explore.threads](weave::world& w) {
      auto s = std::make_shared<stage>();
      w.thread("pop", [=] { s->pop(); });
      w.thread("close", [=] { s->q.close(); });
      if (threads == 3) w.thread("cancel", [=] { s->op.request_cancel(); });
      w.finally([=, &w] { s->check(w, true); });
    });
  });
}

// Whoever finds no room, and whoever makes some: one of the two sees the other.
TEST(explore_queue, coming_to_wait_while_room_is_made) {
  with_two_and_three([](exploration& explore) {
    explore("pushing", [threads = explore.threads](weave::world& w) {
      auto q = std::make_shared<queue>(1);
      auto got = std::make_shared<int>(0);
      auto late = std::make_shared<handle<void>>();
      auto another = std::make_shared<handle<void>>();
      q->try_push(1);
      w.thread("push", [=] { *late = q->push(2); });
      w.thread("pop", [=] { *got = q->try_pop().value_or(0); });
      if (threads == 3) w.thread("push, too", [=] { *another = q->push(4); });
      w.finally([=, &w] {
        w.expect(*got == 1, "it had one");
        int left = 0;
        for (unsigned n = 1; n != threads; ++n) left += q->try_pop().value_or(0);
        w.expect(left == (threads == 3 ? 6 : 2), "everybody came in");
        w.expect(late->is_released() && (threads == 2 || another->is_released()), "and was told");
        *late = {};
        *another = {};
      });
    });
  });
}

// A value that comes back from one that was cancelled by force: until it is there again, the queue is not drained.
TEST(explore_queue, it_closes_while_a_value_comes_back) {
  weave::options how;
  how.preemptions = 3;
  how.old_values = 0;
  if (sanitized) how.max_executions = 100;
  auto const r = weave::explore(
      [](weave::world& w) {
        auto q = std::make_shared<queue>(2);
        auto first = std::make_shared<handle<int>>();
        auto second = std::make_shared<handle<int>>();
        w.thread("push", [=] { q->try_push(1); });
        w.thread("pop", [=] {
          *first = q->pop();
          *second = q->pop();
          operation(*first).cancel();
          q->close();
        });
        w.finally([=, &w] {
          auto const out = std::move(*second).wait();
          w.expect(out.has_value() || q->size() == 0, "closed is said when nothing is left");
          *first = {};
        });
      },
      how);
  EXPECT_TRUE(r.clean && (r.exhausted || sanitized)) << r.text();
}

TEST(explore_queue, it_is_destroyed_by_one_that_was_passed_over) {
  using tokens = settle::queue<token, C>;
  weave::options how;
  how.preemptions = 3;
  how.old_values = 0;
  if (sanitized) how.max_executions = 100;
  auto const r = weave::explore(
      [](weave::world& w) {
        token::alive = 0;
        auto const q = std::make_shared<std::unique_ptr<tokens>>(std::make_unique<tokens>(2));
        tokens* const it = q->get();
        auto first = std::make_shared<handle<token>>();
        auto pushing = std::make_shared<std::size_t>(0);
        w.thread("push", [=] {
          *pushing = C::sync::this_thread_id();
          it->try_push(token(1));
          *pushing = 0;
        });
        w.thread("pop", [=] {
          *first = it->pop();
          operation(*first).on_released([=] {
            if (*pushing == C::sync::this_thread_id()) q->reset();  // inside try_push
          });
          operation(*first).cancel();
        });
        w.finally([=, &w] {
          *first = {};
          q->reset();
          w.expect(token::alive == 0, "the value is gone");
        });
      },
      how);
  std::printf("%s\n", r.text().c_str());
  EXPECT_TRUE(r.clean && (r.exhausted || sanitized)) << r.text();
}

}  // namespace
