// SPDX-License-Identifier: BSL-1.0
// Scopes in every interleaving: work that comes while the scope closes, ends or is cancelled is joined or refused, never lost.
#include <settle/scope/bell.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include "stage.hpp"

namespace {

using namespace explore;
using scope = settle::basic_scope<C>;

/// Work that is spawned: it ran and was joined, or was refused and never ran.
struct work {
  source<int> at;
  weave::plain<int> ran = 0;
  watcher<int> seen;

  void spawn_into(scope& s) {
    seen = s.spawn([this] {
      ran = ran + 1;
      return std::move(at.h);
    });
  }
  bool refused() const {
    return seen.peek() != nullptr && seen.peek()->has_error() && seen.peek()->error().code() == settle::errc::closed && ran == 0;
  }
  void check(weave::world& w) {
    w.expect(seen.is_released(), "it has ended");
    bool const never_began = seen.peek()->is_cancelled() && ran == 0;
    w.expect((ran == 1) != (refused() || never_began), "it ran once, or was turned away");
    at.h = {};
    if (at.r) at.end_as(end_t::cancelled, 0);
    seen = {};
  }
};

struct stage {
  std::optional<scope> s;
  work a;
  work b;
  operation op;
  weave::plain<int> ended = 0;

  stage() {
    s.emplace(settle::inline_executor());
    op = s->op();
    op.on_released([this] {
      ended = ended + 1;
      for (work* each : {&a, &b})  // what was let in has ended before
        if (each->ran == 1) each->at.cleaned = each->at.cleaned + 1;
    });
  }
  void check(weave::world& w) {
    w.expect(ended == 1, "the scope has ended, once");
    for (work* each : {&a, &b})
      if (each->seen) {
        w.expect(each->at.cleaned == (each->ran == 1 ? 2 : 0), "the scope after its children");
        each->check(w);
      }
    s.reset();
    op = {};
  }
};

TEST(explore_scope, spawning_while_it_closes_and_a_child_ends) {
  with_two_and_three([](exploration& explore) {
    explore("closing", [threads = explore.threads](weave::world& w) {
      auto s = std::make_shared<stage>();
      s->a.spawn_into(*s->s);
      w.thread("spawn", [=] { s->b.spawn_into(*s->s); });
      w.thread("close", [=] {
        s->s->close();
        if (threads == 2) s->a.at.end_as(end_t::value, 1);
      });
      if (threads == 3) w.thread("child", [=] { s->a.at.end_as(end_t::value, 1); });
      w.finally([=, &w] {
        if (s->b.ran == 1) w.expect(!s->op.is_settled(), "it waits for who came last");
        if (s->b.ran == 1) s->b.at.end_as(end_t::value, 2);
        s->check(w);
      });
    });
  });
}

TEST(explore_scope, spawning_while_it_is_let_go_and_the_last_child_ends) {
  with_two_and_three([](exploration& explore) {
    explore("let go", [threads = explore.threads](weave::world& w) {
      auto s = std::make_shared<stage>();
      auto joined = std::make_shared<handle<void>>();
      s->a.spawn_into(*s->s);
      w.thread("spawn", [=] { s->b.spawn_into(*s->s); });
      w.thread("join", [=] {
        *joined = s->s->join();
        if (threads == 2) s->a.at.end_as(end_t::value, 1);
      });
      if (threads == 3) w.thread("child", [=] { s->a.at.end_as(end_t::value, 1); });
      w.finally([=, &w] {
        if (s->b.ran == 1) s->b.at.end_as(end_t::value, 2);
        w.expect(joined->is_settled(), "who joined was told");
        *joined = {};
        s->check(w);
      });
    });
  });
}

TEST(explore_scope, two_that_spawn_while_it_is_cancelled) {
  with_two_and_three([](exploration& explore) {
    for (bool const force : {false, true})
      explore(force ? "by force" : "asked", [=, threads = explore.threads](weave::world& w) {
        auto s = std::make_shared<stage>();
        s->a.at.stops_when_asked();
        s->b.at.stops_when_asked();
        if (threads == 2) s->a.spawn_into(*s->s);
        else w.thread("spawn a", [=] { s->a.spawn_into(*s->s); });
        w.thread("spawn b", [=] { s->b.spawn_into(*s->s); });
        w.thread("cancel", [=] { force ? s->op.cancel() : s->op.request_cancel(); });
        w.finally([=, &w] { s->check(w); });
      });
  });
}

TEST(explore_scope, spawning_while_a_child_fails) {
  with_two_and_three([](exploration& explore) {
    explore("a failure", [threads = explore.threads](weave::world& w) {
      auto s = std::make_shared<stage>();
      s->b.at.stops_when_asked();
      s->a.spawn_into(*s->s);
      w.thread("spawn", [=] { s->b.spawn_into(*s->s); });
      w.thread("fail", [=] { s->a.at.end_as(end_t::failure, 1); });
      if (threads == 3) w.thread("close", [=] { s->s->close(); });
      w.finally([=, &w] { s->check(w); });
    });
  });
}

// What wakes the coroutine of a supervisor or of a shutdown: whatever was done before it rang is seen after the wait, or ends the next.
TEST(explore_bell, rung_again_by_who_finds_it_rung) {
  exploration explore(2, false);
  explore("rung", [](weave::world& w) {
    auto bell = std::make_shared<settle::detail::bell<C, settle::inline_executor>>();
    auto posted = std::make_shared<weave::atomic<int>>(0);
    auto rung = std::make_shared<handle<void>>();
    bell->ring();
    w.thread("ring", [=] {
      posted->fetch_add(1, std::memory_order_release);
      bell->ring();
    });
    w.thread("wait", [=] {
      *rung = bell->wait(settle::inline_executor());
      if (posted->exchange(0, std::memory_order_acquire) == 0) *rung = bell->wait(settle::inline_executor());
    });
    w.finally([=, &w] {
      w.expect(rung->is_settled(), "it was heard");
      *rung = {};
    });
  });
}

}  // namespace
