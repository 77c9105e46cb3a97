// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "books.hpp"

// Executors that take nodes: posting allocates nothing.
namespace {

/// A queue of nodes, linked through the nodes.
class node_loop {
 public:
  enum mood_t { keeps, throws, runs_inside };
  struct executor {
    node_loop* loop;
    void submit(settle::work_node& n) const { loop->take(n); }
    bool operator==(executor const&) const = default;
  };

  executor get_executor() noexcept { return {this}; }
  void mood(mood_t m) noexcept { mood_ = m; }
  bool empty() const noexcept { return first_ == nullptr; }
  std::size_t run() {
    std::size_t n = 0;
    for (; first_ != nullptr; ++n) pop().run();
    return n;
  }
  void drop_all() {
    while (first_ != nullptr) pop().drop();
  }

 private:
  void take(settle::work_node& n) {
    if (mood_ == throws) throw std::runtime_error("refused");
    if (mood_ == runs_inside) return n.run();
    n.link(nullptr);
    if (first_ == nullptr) first_ = &n;
    else last_->link(&n);
    last_ = &n;
  }
  settle::work_node& pop() noexcept {
    settle::work_node& n = *first_;
    first_ = n.link();
    return n;
  }

  settle::work_node* first_ = nullptr;
  settle::work_node* last_ = nullptr;
  mood_t mood_ = keeps;
};
static_assert(settle::executor<node_loop::executor>);

struct on_nodes : settle::default_policy {
  using value_type = int;
  using executor_type = node_loop::executor;
  using allocator_type = test::counting_allocator<std::byte>;
  using monitor = test::counting_monitor;
  using error_sink = test::recording_sink;
};

struct nodes : testing::Test {
  node_loop loop;
  std::vector<std::string> log;
  auto says(char const* what) {
    return [this, what] { log.push_back(what); };
  }
};

TEST_F(nodes, G04_the_order_is_that_of_every_executor) {
  settle::resolver<on_nodes> r(loop.get_executor());
  auto h = r.get_handle();
  h.on_done(says("done 1"));
  h.on_done(says("done 2"));
  h.on_cancel(says("cancel"));
  h.on_cleanup(says("cleanup 1"));
  h.on_cleanup(says("cleanup 2"));
  h.on_released(says("released"));
  h.cancel();
  r.cancel();
  EXPECT_TRUE(log.empty());
  loop.run();
  EXPECT_EQ(log, (std::vector<std::string>{"done 1", "done 2", "cancel", "cleanup 2", "cleanup 1", "released"}));
}

TEST_F(nodes, G10_nothing_is_allocated_from_the_claim_to_released) {
  int ran = 0;
  settle::resolver<on_nodes> parent(loop.get_executor());
  settle::resolver<on_nodes> child(parent.op(), loop.get_executor());
  settle::operation const p = parent.op();
  for (int i = 0; i != 8; ++i) {
    p.on_cancel([&] { ++ran; });
    p.on_done([&] { ++ran; });
    p.on_cleanup([&] { ++ran; });
    child.op().on_cancel([&] { ++ran; });
  }
  child.on_cancel([c = &child] { c->cancel(); });
  test::allocation_count const count;
  p.request_cancel();
  loop.run();
  parent.complete(1);
  loop.run();
  EXPECT_EQ(count.now(), 0u);
  EXPECT_TRUE(p.is_released());
  EXPECT_EQ(ran, 32);
}

TEST_F(nodes, G13_what_is_dropped_runs_where_it_is_dropped) {
  settle::resolver<on_nodes> r(loop.get_executor());
  settle::operation const op = r.op();
  op.on_done(says("done"));
  op.on_cleanup(says("cleanup"));
  r.complete(1);
  EXPECT_TRUE(log.empty());
  loop.drop_all();
  EXPECT_EQ(log, (std::vector<std::string>{"done", "cleanup"}));
  EXPECT_TRUE(op.is_released());
  auto const told = test::recording_sink::take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].what, settle::monitor_event::executor_lost);
}

TEST_F(nodes, G13_one_that_refuses_is_told_of_once) {
  settle::resolver<on_nodes> r(loop.get_executor());
  settle::operation const op = r.op();
  op.on_done(says("done"));
  op.on_cleanup(says("cleanup"));
  loop.mood(node_loop::throws);
  r.complete(1);
  EXPECT_EQ(log, (std::vector<std::string>{"done", "cleanup"}));
  auto const told = test::recording_sink::take();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].what, settle::monitor_event::executor_lost);
  EXPECT_EQ(told[0].said, "refused");
}

TEST_F(nodes, G09_one_that_runs_inside_submit_does_not_nest) {
  struct link {
    settle::resolver<on_nodes> r;
  };
  loop.mood(node_loop::runs_inside);
  std::vector<settle::resolver<on_nodes>> chain;
  for (int i = 0; i != 100'000; ++i) chain.emplace_back(loop.get_executor());
  for (std::size_t i = 0; i + 1 != chain.size(); ++i) chain[i].op().on_done([&next = chain[i + 1]] { next.complete(1); });
  settle::operation const last = chain.back().op();
  chain.front().complete(1);
  EXPECT_TRUE(last.is_released());
}

TEST_F(nodes, hooks_that_come_late_are_posted_one_by_one) {
  settle::resolver<on_nodes> r(loop.get_executor());
  settle::operation const op = r.op();
  r.complete(1);
  loop.run();
  for (int i = 0; i != 5; ++i) op.on_done(says("late"));
  EXPECT_TRUE(log.empty());
  EXPECT_EQ(loop.run(), 5u);
  EXPECT_EQ(log.size(), 5u);
}

}  // namespace
