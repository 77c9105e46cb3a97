// SPDX-License-Identifier: BSL-1.0
// Scopes in every interleaving: work that comes while the scope closes, ends or is cancelled is joined or refused, never lost.
#include <settle/scope/bell.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
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

TEST(explore_scope, who_is_turned_away_comes_after_what_was_done_before_it_closed) {
  exploration explore(2, true);
  explore("closed", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    auto before = std::make_shared<weave::plain<int>>(0);
    auto seen = std::make_shared<int>(1);
    w.thread("close", [=] {
      *before = 1;
      s->s->close();
    });
    w.thread("spawn", [=] {
      s->a.spawn_into(*s->s);
      if (s->a.seen.is_settled() && s->a.refused()) *seen = *before;
    });
    w.finally([=, &w] {
      s->b.at.end_as(end_t::cancelled, 0);  // which nobody spawned
      if (s->a.ran == 1) s->a.at.end_as(end_t::value, 1);
      w.expect(*seen == 1, "what was done before");
      s->check(w);
    });
  });
}

// Without children, whose links are taken apart under the scope's lock.
TEST(explore_scope, its_end_comes_after_what_was_done_by_all_who_left) {
  exploration explore(2, false);
  explore("left", [](weave::world& w) {
    struct place {
      weave::plain<int> done[2] = {0, 0};
      int seen = 0;
      operation op;
    };
    using cell = settle::detail::scope_cell<settle::plain<void, settle::error, settle::inline_executor, C>>;
    auto p = std::make_shared<place>();
    auto* const c = cell::make(settle::inline_executor(), false, std::source_location::current());
    settle::detail::scope_core<C>* const core = &c->core;
    p->op = settle::detail::state_access::ref<C>(*c);
    p->op.on_done([at = p.get()] { at->seen = at->done[0] + at->done[1]; });
    core->enter(false);
    core->enter(false);
    core->let_go();
    for (int i : {0, 1})
      w.thread(std::to_string(i), [=] {
        p->done[i] = 1;
        core->leave();
      });
    w.finally([=, &w] {
      w.expect(p->op.is_released() && p->seen == 2, "after both");
      p->op = {};
    });
  });
}

/// One who rings, and one who waits until what the other did is there.
struct rung {
  settle::detail::bell<C, settle::inline_executor> bell;
  weave::atomic<bool> posted = false;
  weave::plain<int> before = 0;
  handle<void> waiting;
  int seen = 1;

  void ring() {
    before = 1;
    posted.store(true, std::memory_order_relaxed);
    bell.ring();
  }
  bool wait() {
    waiting = bell.wait(settle::inline_executor());
    return waiting.is_settled();
  }
};

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

// What is looked at after the wait is loaded, and no more: the ring that ended the wait has to bring it.
TEST(explore_bell, who_takes_a_ring_comes_after_what_was_done_by_all_who_rang) {
  exploration explore(2, false);
  explore("rung", [](weave::world& w) {
    auto s = std::make_shared<rung>();
    s->bell.ring();
    w.thread("ring", [=] { s->ring(); });
    w.thread("wait", [=] {
      if (s->wait() && !s->posted.load(std::memory_order_relaxed) && s->wait()) s->seen = s->before;
    });
    w.finally([=, &w] {
      w.expect(s->seen == 1 && s->waiting.is_settled(), "it was heard, after what was done before");
      s->waiting = {};
    });
  });
}

TEST(explore_bell, asked_to_cancel_while_it_is_rung) {
  exploration explore(2, false);
  explore("asked", [](weave::world& w) {
    auto s = std::make_shared<rung>();
    w.thread("ring", [=] { s->ring(); });
    w.thread("wait", [=] {
      if (!s->wait()) s->waiting.request_cancel();
    });
    w.finally([=, &w] {
      w.expect(s->waiting.is_settled(), "it is over");
      bool const was_cancelled = std::move(s->waiting).wait().is_cancelled();
      w.expect(s->wait() == was_cancelled, "the ring ended that wait, or the next one");
      if (!was_cancelled) s->bell.ring();
      s->waiting = {};
    });
  });
}

}  // namespace
