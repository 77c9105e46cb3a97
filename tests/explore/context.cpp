// SPDX-License-Identifier: BSL-1.0
// A context by itself: who finds a deadline, or a part, comes after what was done before it was there.
#include <settle/detail/context.hpp>

#include <chrono>
#include <memory>

#include "stage.hpp"

namespace {

using namespace explore;
using namespace std::chrono_literals;
using context = settle::detail::context<C>;
using part = settle::detail::context_part<C>;

struct stage {
  context all{std::source_location::current()};
  weave::plain<int> before = 0;
  int seen = 1;
  char key = 0;
  part one;
  char other_key = 0;
  part other;

  stage() {
    one.key = &key;
    one.self = &before;
    other.key = &other_key;
  }
  void find() {
    if (part const* const p = all.find(&key); p != nullptr) seen = *static_cast<weave::plain<int> const*>(p->self);
  }
};

TEST(explore_context, who_finds_the_deadline_comes_after_what_was_done_before_it_was_set) {
  exploration explore(2, false);
  explore("tightened", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    context::time_point const t(5s);
    w.thread("tightens", [=] {
      s->before = 1;
      s->all.tighten(t);
    });
    w.thread("looks", [=] {
      if (s->all.deadline() == t) s->seen = s->before;
    });
    w.finally([=, &w] { w.expect(s->seen == 1 && s->all.deadline() == t, "what was done before"); });
  });
}

TEST(explore_context, who_finds_a_part_comes_after_what_was_done_before_it_was_there) {
  exploration explore(2, false);
  for (bool const once : {false, true})
    explore(once ? "added" : "pushed", [=](weave::world& w) {
      auto s = std::make_shared<stage>();
      w.thread("adds", [=] {
        s->before = 1;
        if (once) s->all.add(s->one);
        else s->all.push(s->one);
      });
      w.thread("looks", [=] { s->find(); });
      w.finally([=, &w] { w.expect(s->seen == 1 && s->all.find(&s->key) == &s->one, "what was done before"); });
    });
}

// One has it already, or nobody has: never two.
TEST(explore_context, two_that_add_a_part_with_one_key) {
  exploration explore(2, false);
  explore("one of them", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    s->other.key = &s->key;
    auto added = std::make_shared<int>(0);
    auto other_added = std::make_shared<int>(0);
    w.thread("one", [=] { *added = s->all.add(s->one) ? 1 : 0; });
    w.thread("the other", [=] { *other_added = s->all.add(s->other) ? 1 : 0; });
    w.finally([=, &w] {
      w.expect(*added + *other_added == 1, "one of them");
      w.expect(s->all.find(&s->key) == (*added == 1 ? &s->one : &s->other), "and that is found");
    });
  });
}

// Whoever turns one away has found the other.
TEST(explore_context, who_is_turned_away_finds_the_part_that_was_there) {
  exploration explore(2, false);
  explore("turned away", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    s->other.key = &s->key;
    s->other.self = &s->before;
    w.thread("one", [=] {
      s->before = 1;
      s->all.add(s->one);
    });
    w.thread("the other", [=] {
      if (!s->all.add(s->other)) s->seen = s->before;
    });
    w.finally([=, &w] { w.expect(s->seen == 1, "what was done before"); });
  });
}

}  // namespace
