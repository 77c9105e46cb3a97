// SPDX-License-Identifier: BSL-1.0
// What the word of a queue orders: what was done before it was changed is seen by who finds it so, and values keep their order.
#include "atomics.hpp"
//
#include <settle/lockfree/queue.hpp>

#include <memory>
#include <vector>

#include "../stage.hpp"

namespace {

using namespace explore;
using core = settle::detail::queue_core<int, C::sync>;

/// Waits for a value, which it takes or not.
struct taker final : settle::detail::queue_taker<int> {
  explicit taker(bool takes) noexcept : settle::detail::queue_taker<int>{{}, &give_to, &refuse_it}, takes_(takes) {}
  weave::plain<int> given = 0;
  core* pushes_two = nullptr;  // while it is given something
  bool is_refused = false;

 private:
  static taker& of(settle::detail::queue_taker<int>& t) noexcept { return static_cast<taker&>(t); }
  static bool give_to(settle::detail::queue_taker<int>& t, int& v) noexcept {
    int two = 2;
    if (of(t).pushes_two != nullptr) of(t).pushes_two->push(two);
    if (of(t).takes_) of(t).given = v;
    return of(t).takes_;
  }
  static void refuse_it(settle::detail::queue_taker<int>& t) noexcept { of(t).is_refused = true; }

  bool takes_;
};

/// Waits for room.
struct giver final : settle::detail::queue_giver<int> {
  explicit giver(int v) noexcept : settle::detail::queue_giver<int>{{}, &is_settled, &move_it, &tell_it}, value(v) {}
  int value;
  weave::plain<int> moved = 0;
  bool is_in = false;

 private:
  static giver& of(settle::detail::queue_giver<int>& g) noexcept { return static_cast<giver&>(g); }
  static bool is_settled(settle::detail::queue_giver<int>&) noexcept { return false; }
  static void move_it(settle::detail::queue_giver<int>& g, void* at) noexcept {
    ::new (at) int(of(g).value);
    of(g).moved = 1;
  }
  static void tell_it(settle::detail::queue_giver<int>& g, bool in) noexcept { of(g).is_in = in; }
};

struct stage {
  std::shared_ptr<core> q = std::make_shared<core>(2);
  weave::plain<int> before = 0;  // written before the queue is changed, read by who sees the change
  int seen = 1;
  taker waits{true};
  taker is_over{false};
  giver one{1};
  std::vector<int> popped;

  void push(int v) { q->push(v); }
  bool pop() {
    return q->pop([this](int&& v) { popped.push_back(v); });
  }
  /// Who waited is over: the value is the first in the queue again.
  void a_value_comes_back() {
    q->enqueue(is_over);
    q->enqueue(one);
  }
};

TEST(explore_queue_core, who_finds_it_closed_comes_after_what_was_done_before) {
  exploration explore(2, false);
  explore("asked", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    w.thread("closes", [=] {
      s->before = 1;
      s->q->close();
    });
    w.thread("looks", [=] {
      if (s->q->is_closed()) s->seen = s->before;
    });
    w.finally([=, &w] { w.expect(s->seen == 1, "what was done before"); });
  });
  explore("turned away", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    w.thread("closes", [=] {
      s->before = 1;
      s->q->close();
    });
    w.thread("comes", [=] {
      if (s->q->enqueue(s->waits) == core::wait::closed) s->seen = s->before;
      else s->seen = 2;
    });
    w.finally([=, &w] { w.expect(s->seen == (s->waits.is_refused ? 2 : 1), "turned away by one of them, after what was done before"); });
  });
}

TEST(explore_queue_core, who_finds_how_many_there_are_comes_after_what_was_done_before) {
  exploration explore(2, false);
  explore("one more", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    w.thread("pushes", [=] {
      s->before = 1;
      s->push(7);
    });
    w.thread("looks", [=] {
      if (s->q->size() == 1) s->seen = s->before;
    });
    w.finally([=, &w] { w.expect(s->seen == 1, "what was done before"); });
  });
  explore("one less", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    s->push(7);
    w.thread("pops", [=] {
      s->before = 1;
      s->pop();
    });
    w.thread("looks", [=] {
      if (s->q->size() == 0) s->seen = s->before;
    });
    w.finally([=, &w] { w.expect(s->seen == 1, "what was done before"); });
  });
}

// Between the two steps that count it as under way and as there, a value is moved into its cell.
TEST(explore_queue_core, who_finds_one_counted_comes_after_it_was_moved_in) {
  exploration explore(2, false);
  explore("moved", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    w.thread("gives", [=] { s->q->enqueue(s->one); });
    w.thread("looks", [=] {
      if (s->q->size() == 1) s->seen = s->one.moved;
    });
    w.finally([=, &w] { w.expect(s->one.is_in && s->seen == 1, "moved before"); });
  });
}

TEST(explore_queue_core, who_is_told_that_nothing_is_left_comes_after_who_was_given_the_last) {
  exploration explore(2, true);
  explore("the last", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    auto late = std::make_shared<taker>(true);
    s->q->enqueue(s->waits);
    w.thread("gives", [=] { s->q->enqueue(s->one); });
    w.thread("closes", [=] {
      s->q->close();
      if (s->q->enqueue(*late) == core::wait::closed) s->seen = s->waits.given;
      else s->seen = 2;
    });
    w.finally([=, &w] {
      w.expect(s->one.is_in ? s->waits.given == 1 : s->waits.is_refused, "given, or turned away");
      w.expect(s->seen == (late->is_refused ? 2 : s->one.is_in ? 1 : 0), "who came late was told, and by then it was given");
    });
  });
}

// A value that comes back is the first again as soon as it is counted.
TEST(explore_queue_core, a_value_that_comes_back_is_had_before_one_that_came_meanwhile) {
  exploration explore(2, true);
  explore("comes back", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    s->is_over.pushes_two = s->q.get();
    w.thread("gives", [=] { s->a_value_comes_back(); });
    w.thread("pops", [=] {
      if (s->q->size() == 2) s->pop();
    });
    w.finally([=, &w] {
      bool const alone = s->popped.empty();
      while (s->pop()) {
      }
      w.expect(alone || s->popped.size() == 2, "both were there");
      w.expect(s->popped.size() == 2 && s->popped[0] == 1 && s->popped[1] == 2, "in their order");
    });
  });
}

}  // namespace
