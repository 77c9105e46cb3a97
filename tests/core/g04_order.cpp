// SPDX-License-Identifier: BSL-1.0
// G4: the structural part at once and everywhere, then user code in a fixed order.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <vector>

#include "situations.hpp"

namespace {

using namespace test;

template <class P>
void register_all(subject<P>& s, trail& log) {
  s.op.on_released([&] { log.push_back("released 1"); });
  s.op.on_cleanup([&] { log.push_back("cleanup 1"); });
  s.op.on_cancel([&] { log.push_back("cancel 1"); });
  s.op.on_done([&] { log.push_back("done 1"); });
  s.h.on_done([&](settle::outcome<int> const&) { log.push_back("done 2"); });
  s.op.on_cancel([&] { log.push_back("cancel 2"); });
  s.op.on_cleanup([&] { log.push_back("cleanup 2"); });
  s.op.on_done([&] { log.push_back("done 3"); });
  s.op.on_released([&] { log.push_back("released 2"); });
}
template <class P>
void take(subject<P>& s, trail& log) {
  std::move(s.h).on_done([&](settle::outcome<int>&&) { log.push_back("consumer"); });
}

TEST(G04_order, done_then_cancel_then_consumer_then_cleanups_then_released) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (way const how : {way::complete, way::fail, way::cancel, way::abandon}) {
      SCOPED_TRACE(way_names[static_cast<int>(how)]);
      subject<policy> s(place.get_executor());
      trail log;
      take(s, log);  // in its place although it is registered first
      register_all(s, log);
      s.end(how);
      place.run();
      trail expected = {"done 1", "done 3"};
      if (is_cancelled(how)) expected.insert(expected.end(), {"cancel 1", "cancel 2"});
      expected.insert(expected.end(), {"consumer", "cleanup 2", "cleanup 1", "released 1", "released 2"});
      EXPECT_EQ(log, expected);
    }
  });
}

TEST(G04_order, a_request_tells_cancel_observers_first) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (way const how : {way::request, way::drop}) {
      subject<policy> s(place.get_executor());
      trail log;
      register_all(s, log);
      s.end(how);
      place.run();
      EXPECT_EQ(log, (trail{"cancel 1", "cancel 2", "done 1", "done 2", "done 3", "cleanup 2", "cleanup 1", "released 1", "released 2"}));
    }
  });
}

TEST(G04_order, what_comes_late_runs_in_the_order_it_came) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      subject<policy> s(place.get_executor());
      auto w = s.h.watch();
      settle::pin hold = s.op.pin();
      s.end(how);
      place.run();
      trail log;
      s.op.on_done([&] { log.push_back("done 1"); });
      s.op.on_cancel([&] { log.push_back("cancel 1"); });
      w.on_done([&](auto const&) { log.push_back("done 2"); });
      place.run();
      EXPECT_EQ(log, is_cancelled(how) ? (trail{"done 1", "cancel 1", "done 2"}) : (trail{"done 1", "done 2"}));
    });
  });
}

template <class Order>
struct ordered : counted<int> {
  using notify = Order;
};

template <class Order>
trail log_of() {
  subject<ordered<Order>> s;
  trail log;
  take(s, log);
  register_all(s, log);
  s.end(way::cancel);
  return log;
}

TEST(G04_order, every_permutation_of_the_policy) {
  using settle::notice;
  constexpr auto done = notice::done;
  constexpr auto cancel = notice::cancel;
  constexpr auto consumer = notice::consumer;
  constexpr auto cleanup = notice::cleanup;
  trail const d = {"done 1", "done 3"};
  trail const c = {"cancel 1", "cancel 2"};
  trail const t = {"consumer"};
  auto const in_order = [](std::initializer_list<trail> parts) {
    trail all;
    for (trail const& p : parts) all.insert(all.end(), p.begin(), p.end());
    all.insert(all.end(), {"cleanup 2", "cleanup 1", "released 1", "released 2"});
    return all;
  };
  EXPECT_EQ((log_of<settle::notify_order<done, cancel, consumer, cleanup>>()), in_order({d, c, t}));
  EXPECT_EQ((log_of<settle::notify_order<done, consumer, cancel, cleanup>>()), in_order({d, t, c}));
  EXPECT_EQ((log_of<settle::notify_order<cancel, done, consumer, cleanup>>()), in_order({c, d, t}));
  EXPECT_EQ((log_of<settle::notify_order<cancel, consumer, done, cleanup>>()), in_order({c, t, d}));
  EXPECT_EQ((log_of<settle::notify_order<consumer, done, cancel, cleanup>>()), in_order({t, d, c}));
  EXPECT_EQ((log_of<settle::notify_order<consumer, cancel, done, cleanup>>()), in_order({t, c, d}));
  EXPECT_EQ(log_of<settle::reverse_order>(), in_order({{"done 3", "done 1"}, {"cancel 2", "cancel 1"}, t}));
}

TEST(G04_order, a_child_is_released_before_its_parents_cleanups) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      for (bool const child_first : {false, true}) {
        SCOPED_TRACE(child_first);
        trail log;
        subject<policy> grandchild(place.get_executor());
        subject<policy> child(place.get_executor());
        subject<policy> parent(place.get_executor());
        if (child_first) child.op.adopt(grandchild.op);
        parent.op.adopt(child.op);
        if (!child_first) child.op.adopt(grandchild.op);
        parent.op.on_cleanup([&] { log.push_back("parent's cleanup"); });
        child.op.on_cleanup([&] { log.push_back("child's cleanup"); });
        grandchild.op.on_cleanup([&] { log.push_back("grandchild's cleanup"); });
        grandchild.op.on_released([&] { log.push_back("grandchild released"); });
        child.op.on_released([&] { log.push_back("child released"); });
        parent.end(how);
        place.run();
        EXPECT_EQ(log, trail{});
        subject<policy>::drop(child.r);
        place.run();
        EXPECT_EQ(log, trail{});
        subject<policy>::drop(grandchild.r);
        place.run();
        EXPECT_EQ(log, (trail{"grandchild's cleanup", "grandchild released", "child's cleanup", "child released", "parent's cleanup"}));
      }
    });
  });
}

// Tied by its producer alone, and ending the short way.
TEST(G04_order, what_is_born_under_a_parent_is_released_before_it) {
  for (bool const with_owner : {false, true}) {
    SCOPED_TRACE(with_owner);
    trail log;
    settle::resolver_of<int> parent;
    settle::operation const above = parent.op();
    above.on_cleanup([&] { log.push_back("parent's cleanup"); });
    settle::resolver_of<int> child(above, settle::inline_executor());
    settle::handle_of<int> owner;
    if (with_owner) owner = child.get_handle();
    parent.complete(1);
    EXPECT_TRUE(above.is_settled());
    EXPECT_FALSE(above.is_released());
    EXPECT_TRUE(child.op().cancel_requested());
    EXPECT_EQ(log, trail{});
    child.complete(2);
    EXPECT_TRUE(above.is_released());
    EXPECT_EQ(log, trail{"parent's cleanup"});
  }
}

TEST(G04_order, the_structural_part_does_not_wait_for_executors) {
  manual_loop blocked;
  using middle_policy = counted<int, manual_loop::executor>;
  subject<counted<int>> root;
  subject<middle_policy> middle(blocked.get_executor());
  subject<counted<int>> leaf;
  root.op.adopt(middle.op);
  middle.op.adopt(leaf.op);
  trail log;
  middle.op.on_done([&] { log.push_back("middle"); });
  leaf.op.on_cancel([&] { log.push_back("leaf"); });
  root.op.cancel();
  EXPECT_TRUE(middle.op.is_settled());
  EXPECT_TRUE(leaf.op.is_settled());
  EXPECT_EQ(log, trail{"leaf"});
  blocked.run();
  EXPECT_EQ(log, (trail{"leaf", "middle"}));
}

// The tree is told before any user code runs: an observer of the root already finds the leaf settled.
TEST(G04_order, the_tree_is_settled_before_the_first_observer_runs) {
  subject<counted<int>> root;
  subject<counted<int>> middle;
  subject<counted<int>> leaf;
  root.op.adopt(middle.op);
  middle.op.adopt(leaf.op);
  int looked = 0;
  root.op.on_done([&] {
    ++looked;
    EXPECT_TRUE(middle.op.is_settled());
    EXPECT_TRUE(leaf.op.is_settled());
  });
  root.op.cancel();
  EXPECT_EQ(looked, 1);
}

TEST(G04_order, observers_that_settle_others_are_not_nested) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> a(place.get_executor());
    subject<policy> b(place.get_executor());
    trail log;
    a.op.on_done([&] {
      log.push_back("a begins");
      b.op.cancel();
      EXPECT_TRUE(b.op.is_settled());
      log.push_back("a ends");
    });
    a.op.on_done([&] { log.push_back("a again"); });
    b.op.on_done([&] { log.push_back("b"); });
    a.op.cancel();
    place.run();
    EXPECT_EQ(log, (trail{"a begins", "a ends", "a again", "b"}));
  });
}

struct backwards : counted<int> {
  using notify = settle::reverse_order;
};

TEST(G04_order, callbacks_run_the_other_way_round_where_the_policy_says_so) {
  trail log;
  subject<backwards> s;
  settle::done_callback const one(s.op, [&] { log.emplace_back("1"); });
  s.op.on_done([&] { log.emplace_back("2"); });
  settle::done_callback const three(s.op, [&] { log.emplace_back("3"); });
  s.op.on_cancel([&] { log.emplace_back("asked"); });
  s.op.cancel();
  s.r.cancel();
  EXPECT_EQ(log, (trail{"3", "2", "1", "asked"}));
}

TEST(G04_order, who_observes_the_release_of_a_child_finds_the_parent_unreleased) {
  subject<counted<int>> parent;
  subject<counted<int>> child;
  parent.op.adopt(child.op);
  int told = 0;
  child.op.on_released([&] {
    ++told;
    EXPECT_FALSE(parent.op.is_released());
  });
  parent.end(way::complete);
  child.end(way::complete);
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(parent.op.is_released());
}

}  // namespace
