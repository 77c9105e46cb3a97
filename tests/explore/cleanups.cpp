// SPDX-License-Identifier: BSL-1.0
// Asynchronous cleanups and deadlines in every interleaving.
#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>

#include "clockwork.hpp"

namespace {

namespace weave = settle::testing::weave;
using namespace std::chrono_literals;
using explore::clockwork;
using explore::time_point;
using explore::timed_executor;
using terminal = weave::cas_terminal;
using operation = settle::basic_operation<terminal>;
template <class T, class Ex = settle::inline_executor>
using resolver = settle::resolver_of<T, settle::error, Ex, terminal>;

// A sanitizer looks at what one execution does; a hundred of them are enough for that.
#if defined(SETTLE_WEAVE_ASAN) || defined(SETTLE_WEAVE_TSAN)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

weave::options at_most(std::uint64_t executions) {
  weave::options o;
  o.max_executions = sanitized ? 100 : executions;
  return o;
}

/// Two cleanups, the second (which runs first) asynchronous.
template <class Ex>
struct farewell {
  resolver<int, Ex> owner;
  resolver<void> goodbye;
  settle::handle_of<void, settle::error, terminal> begun = goodbye.get_handle();
  operation op = owner.op();
  weave::plain<int> last{0};
  weave::plain<int> late{0};

  explicit farewell(Ex ex = Ex()) : owner(std::move(ex)) {
    owner.on_cleanup([this] { last = last + 1; });
    owner.on_cleanup([this] { return std::move(begun); });
  }
  void check(weave::world& w) {
    w.expect(op.is_released(), "released");
    w.expect(last == 1, "the next cleanup ran once");
  }
};
using plain_farewell = farewell<settle::inline_executor>;

TEST(explore_cleanups, the_owner_ends_beside_what_its_cleanup_waits_for) {
  auto const r = weave::explore(
      [](weave::world& w) {
        auto const f = std::make_shared<plain_farewell>();
        w.thread("owner", [=] { f->owner.complete(1); });
        w.thread("goodbye", [=] { f->goodbye.complete(); });
        w.finally([=, &w] { f->check(w); });
      },
      at_most(100'000));
  EXPECT_TRUE(r.clean && (r.exhausted || sanitized)) << r.text();
}

// The late one runs next, or on the released operation: never beside another.
TEST(explore_cleanups, one_that_is_registered_while_another_is_under_way) {
  auto const r = weave::explore([](weave::world& w) {
    auto const f = std::make_shared<plain_farewell>();
    f->owner.complete(1);
    w.thread("goodbye", [=] { f->goodbye.complete(); });
    w.thread("late", [=] {
      f->op.on_cleanup([f = f.get()] {
        f->late = f->late + 1;
        f->last = int(f->last);
      });
    });
    w.finally([=, &w] {
      f->check(w);
      w.expect(f->late == 1, "the late one ran once");
    });
  });
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
}

TEST(explore_cleanups, all_three) {
  auto const r = weave::explore(
      [](weave::world& w) {
        auto const f = std::make_shared<plain_farewell>();
        w.thread("owner", [=] { f->owner.complete(1); });
        w.thread("goodbye", [=] { f->goodbye.complete(); });
        w.thread("late", [=] { f->op.on_cleanup([f = f.get()] { f->late = f->late + 1; }); });
        w.finally([=, &w] {
          f->check(w);
          w.expect(f->late == 1, "the late one ran once");
        });
      },
      at_most(20'000));
  EXPECT_TRUE(r.clean) << r.text();
}

TEST(explore_cleanups, the_budgets_timer_fires_beside_the_end) {
  auto const r = weave::explore(
      [](weave::world& w) {
        auto const clock = std::make_shared<clockwork>();
        auto const f = std::make_shared<farewell<timed_executor>>(timed_executor(*clock));
        f->owner.complete(1);
        w.thread("goodbye", [=] { f->goodbye.complete(); });
        w.thread("clock", [=] { clock->tick(); });
        w.finally([=, &w] {
          clock->tick();
          w.expect(clock->alive == 0, "the timer is gone");
          f->check(w);
        });
      },
      at_most(100'000));
  EXPECT_TRUE(r.clean && (r.exhausted || sanitized)) << r.text();
}

struct tree {
  resolver<int> root;
  resolver<int> leaf;
  operation above = root.op();
  operation below = leaf.op();
};
time_point const t0(1h);

TEST(explore_deadlines, adopting_tightening_and_reading) {
  auto const r = weave::explore([](weave::world& w) {
    auto const t = std::make_shared<tree>();
    w.thread("adopt", [=] { t->above.adopt(t->below); });
    w.thread("tighten", [=] { t->above.tighten(t0); });
    w.thread("read", [=, &w] {
      time_point const first = t->below.deadline();
      w.expect(t->below.deadline() <= first, "never later");
    });
    w.finally([=, &w] {
      w.expect(t->below.deadline() == t0, "inherited");
      t->leaf.complete(1);
      t->root.complete(1);
    });
  });
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
}

TEST(explore_deadlines, the_tree_ends_while_somebody_looks_up_in_it) {
  auto const r = weave::explore(
      [](weave::world& w) {
        auto const t = std::make_shared<tree>();
        t->above.adopt(t->below);
        t->above.tighten(t0);
        w.thread("leaf", [=] { t->leaf.complete(1); });
        w.thread("root", [=] { t->root.complete(1); });
        w.thread("read", [=, &w] {
          time_point const seen = t->below.deadline();
          w.expect(seen == t0 || seen == time_point::max(), "one of the two");
        });
        w.finally([=, &w] { w.expect(t->above.is_released(), "released"); });
      },
      at_most(20'000));
  EXPECT_TRUE(r.clean) << r.text();
}

TEST(explore_deadlines, two_first_calls_make_one_context) {
  auto const r = weave::explore([](weave::world& w) {
    auto const t = std::make_shared<tree>();
    w.thread("a", [=] { t->below.tighten(t0); });
    w.thread("b", [=] { t->below.tighten(t0 + 1s); });
    w.finally([=, &w] {
      w.expect(t->below.deadline() == t0, "the earliest");
      t->leaf.complete(1);
      t->root.complete(1);
    });
  });
  EXPECT_TRUE(r.clean && r.exhausted) << r.text();
}

}  // namespace
