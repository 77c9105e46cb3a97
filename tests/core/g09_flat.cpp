// SPDX-License-Identifier: BSL-1.0
// G9: stack depth does not grow with chains, trees, or the number of executors (A12).
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "scale.hpp"
#include "situations.hpp"
#include "stack.hpp"

namespace {

using namespace test;

constexpr std::size_t many = a_million;
constexpr std::size_t stack_size = a_small_stack;

void on_a_small_stack(std::function<void()> f) { on_a_stack_of(stack_size, std::move(f)); }

/// As small as it gets: a million of them at once.
using small = settle::plain<void>;

/// Operation i adopts i + 1, or all are children of the first.
struct tree {
  std::vector<settle::resolver<small>> producers;
  settle::operation root;
  std::size_t told = 0;

  tree(bool deep, bool with_user_code) {
    producers.reserve(many);
    for (std::size_t i = 0; i != many; ++i) {
      producers.emplace_back();
      settle::operation const op = producers.back().op();
      if (i == 0) root = op;
      else (deep ? producers[i - 1].op() : root).adopt(op);
      if (with_user_code) {
        op.on_cancel([this] { ++told; });
        op.on_cleanup([this] { ++told; });
      }
    }
  }
};

void walk_the_tree(bool deep, bool with_user_code) {
  on_a_small_stack([=] {
    for (int how = 0; how != 3; ++how) {
      SCOPED_TRACE(how);
      tree t(deep, with_user_code);
      settle::operation const last = t.producers.back().op();
      if (how == 0) {
        EXPECT_TRUE(t.root.cancel());
      }
      if (how == 1) {
        EXPECT_TRUE(t.root.request_cancel());
      }
      if (how == 2) {
        EXPECT_TRUE(t.producers.front().complete());
      }
      EXPECT_TRUE(last.cancel_requested());
      EXPECT_EQ(last.is_settled(), how == 0);
      EXPECT_FALSE(t.root.is_released());
      // Released from the leaf up, in one go: the last producer to leave holds all the others.
      while (t.producers.size() > 1) {
        settle::resolver<small> r = std::move(t.producers[t.producers.size() - 2]);
        t.producers[t.producers.size() - 2] = std::move(t.producers.back());
        t.producers.pop_back();
        r.cancel();
      }
      EXPECT_EQ(t.root.is_released(), false);
      t.producers.pop_back();
      EXPECT_TRUE(t.root.is_released());
      EXPECT_TRUE(last.is_released());
      if (with_user_code) {
        EXPECT_EQ(t.told, 2 * many - (how == 2 ? 1 : 0));
      }
    }
  });
}

TEST(G09_flat, a_deep_tree) { walk_the_tree(true, false); }
TEST(G09_flat, a_deep_tree_with_user_code) { walk_the_tree(true, true); }
TEST(G09_flat, a_wide_tree) { walk_the_tree(false, false); }

// A chain in which each observer settles the next.
TEST(G09_flat, a_chain_of_observers) {
  on_a_small_stack([] {
    std::vector<settle::resolver<small>> chain(many);
    std::size_t reached = 0;
    for (std::size_t i = 0; i != many; ++i) {
      chain[i].op().on_done([&chain, &reached, i] {
        ++reached;
        if (i + 1 != many) chain[i + 1].complete();
      });
    }
    chain[0].complete();
    EXPECT_EQ(reached, many);
  });
}

/// How the links of a chain end: both ways run the same sequence, and neither may nest.
template <class Resolver>
void end_link(Resolver& r, bool cancelled) {
  if (cancelled) r.op().cancel();
  else r.complete();
}

// 10^6 steps of a callback that starts the next.
TEST(A12_deep_graph, a_callback_that_starts_the_next) {
  on_a_small_stack([] {
    struct stepper {
      bool cancelled;
      std::size_t left = many;
      void step() {
        if (left-- == 0) return;
        settle::resolver<small> r;
        r.get_handle().detach().on_done([this] { step(); });
        end_link(r, cancelled);
      }
    };
    for (bool const cancelled : {false, true}) {
      stepper s{cancelled};
      s.step();
      EXPECT_EQ(s.left, static_cast<std::size_t>(-1));
    }
  });
}

// Each operation on the other executor than the one before. They run their work inside execute(): nothing may nest.
TEST(A12_deep_graph, links_that_alternate_between_executors_that_run_inside) {
  on_a_small_stack([] {
    manual_loop loops[2];
    for (auto& l : loops) l.mood(manual_loop::runs_inside);
    using looped = settle::plain<void, settle::error, manual_loop::executor>;
    for (bool const cancelled : {false, true}) {
      std::vector<settle::resolver<looped>> chain;
      chain.reserve(many);
      std::size_t reached = 0;
      for (std::size_t i = 0; i != many; ++i) {
        chain.emplace_back(loops[i % 2].get_executor());
        chain[i].op().on_done([&chain, &reached, cancelled, i] {
          ++reached;
          if (i + 1 != many) end_link(chain[i + 1], cancelled);
        });
      }
      end_link(chain[0], cancelled);
      EXPECT_EQ(reached, many);
    }
  });
}

TEST(A12_deep_graph, links_that_alternate_between_queues) {
  on_a_small_stack([] {
    manual_loop loops[2];
    using looped = settle::plain<void, settle::error, manual_loop::executor>;
    for (int how = 0; how != 2; ++how) {
      std::vector<settle::resolver<looped>> chain;
      chain.reserve(many);
      std::size_t reached = 0;
      for (std::size_t i = 0; i != many; ++i) {
        chain.emplace_back(loops[i % 2].get_executor());
        if (i != 0) chain[i - 1].op().adopt(chain[i].op());
        chain[i].op().on_cleanup([&reached] { ++reached; });
      }
      settle::operation const root = chain[0].op();
      if (how == 0) root.cancel();
      else chain[0].complete();
      chain.clear();
      while (loops[0].run() + loops[1].run() != 0) {
      }
      EXPECT_EQ(reached, many);
      EXPECT_TRUE(root.is_released());
    }
  });
}

// User code of another executor is submitted, never called from inside a drain.
TEST(G09_flat, another_executors_code_is_submitted) {
  manual_loop loop;
  subject<counted<int>> here;
  subject<counted<int, manual_loop::executor>> there(loop.get_executor());
  int ran = 0;
  there.op.on_done([&] { ++ran; });
  here.op.on_done([&] {
    there.op.cancel();
    EXPECT_EQ(ran, 0);
  });
  here.op.cancel();
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(loop.size(), 1U);
  loop.run();
  EXPECT_EQ(ran, 1);
}

TEST(G09_flat, an_equal_executor_goes_on_in_the_same_drain) {
  manual_loop loop;
  using policy = counted<int, manual_loop::executor>;
  subject<policy> a(loop.get_executor());
  subject<policy> b(loop.get_executor());
  int ran = 0;
  b.op.on_done([&] { ++ran; });
  a.op.on_done([&] { b.op.cancel(); });
  a.op.cancel();
  EXPECT_EQ(loop.submissions(), 1U);
  loop.run();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(loop.submissions(), 1U);
}

}  // namespace
