// SPDX-License-Identifier: BSL-1.0
// G8: cancelling is told to everybody, with its cause, and requests are sticky.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>

#include "hooks.hpp"
#include "situations.hpp"

namespace {

using namespace test;
using settle::cause;

TEST(G08_loud_cancel, every_cause_survives_to_the_outcome) {
  for (int c = 0; c <= static_cast<int>(cause::dropped); ++c) {
    for (bool const forced : {false, true}) {
      using policy = counted<int>;
      subject<policy> s;
      auto w = s.h.watch();
      settle::cancellation told;
      s.op.on_cancel([&](settle::cancellation x) { told = x; });
      EXPECT_TRUE(forced ? s.op.cancel(static_cast<cause>(c)) : s.op.request_cancel(static_cast<cause>(c)));
      unsigned const line = __LINE__ - 1;
      EXPECT_TRUE(s.op.cancel_requested());
      EXPECT_EQ(s.op.is_settled(), forced);
      EXPECT_EQ(told.why, static_cast<cause>(c));
      EXPECT_EQ(told.where.line(), line);
      subject<policy>::drop(s.r);
      ASSERT_NE(w.peek(), nullptr);
      EXPECT_EQ(w.peek()->cancel().why, static_cast<cause>(c));
      EXPECT_EQ(w.peek()->cancel().root, static_cast<cause>(c));
      EXPECT_EQ(w.peek()->cancel().where.line(), line);
    }
  }
}

TEST(G08_loud_cancel, the_first_request_is_the_one_that_counts) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    auto w = s.h.watch();
    int fired = 0;
    s.op.on_cancel([&] { ++fired; });
    EXPECT_TRUE(s.op.request_cancel(cause::deadline));
    EXPECT_FALSE(s.op.request_cancel(cause::shutdown));
    subject<policy>::drop(s.h);
    subject<policy>::drop(s.r);
    place.run();
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(w.peek()->cancel().why, cause::deadline);
  });
}

TEST(G08_loud_cancel, a_request_may_be_outrun_by_a_value_or_a_force) {
  using policy = counted<int>;
  for (bool const forced : {false, true}) {
    subject<policy> s;
    auto w = s.h.watch();
    int fired = 0;
    s.op.on_cancel([&] { ++fired; });
    EXPECT_TRUE(s.op.request_cancel(cause::deadline));
    EXPECT_TRUE(forced ? s.op.cancel(cause::shutdown) : s.r.complete(1));
    EXPECT_EQ(fired, 1) << "each cancel observer fires at most once";
    EXPECT_EQ(w.peek()->is_cancelled(), forced);
    if (forced) {
      EXPECT_EQ(w.peek()->cancel().why, cause::shutdown);
    }
  }
}

TEST(G08_loud_cancel, who_registers_after_a_request_is_told) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    s.op.request_cancel(cause::overload);
    int fired = 0;
    s.op.on_cancel([&](settle::cancellation c) { fired += c.why == cause::overload ? 1 : 100; });
    s.r.on_cancel([&] { ++fired; });
    place.run();
    EXPECT_EQ(fired, 2);
    EXPECT_FALSE(s.op.is_settled());
  });
}

TEST(G08_loud_cancel, cancel_observers_never_fire_for_a_value_or_an_error) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    if (is_cancelled(at.how)) return;
    subject<policy> s(place.get_executor());
    int fired = 0;
    play(place, at, s, [&] { s.op.on_cancel([&] { ++fired; }); });
    s.op.cancel();
    s.op.request_cancel();
    place.run();
    EXPECT_EQ(fired, 0);
  });
}

// Down the tree: a request stays a request, force stays force, settling asks.
TEST(G08_loud_cancel, each_way_reaches_the_grandchildren) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> root(place.get_executor());
    subject<policy> child(place.get_executor());
    subject<policy> grandchild(place.get_executor());
    auto w = grandchild.h.watch();
    int fired = 0;
    settle::cancellation told;
    grandchild.op.on_cancel([&](settle::cancellation c) {
      ++fired;
      told = c;
    });
    bool forced = at.how == way::cancel;
    auto const look = [&] {
      EXPECT_EQ(fired, 1);
      EXPECT_EQ(child.op.is_settled(), forced);
      EXPECT_EQ(grandchild.op.is_settled(), forced);
      EXPECT_TRUE(grandchild.op.cancel_requested());
      EXPECT_EQ(told.why, cause::parent);
      EXPECT_EQ(told.root, is_cancelled(at.how) ? cause_of(at.how) : cause::parent);
    };
    if (at.when == moment::pending) {
      root.op.adopt(child.op);
      child.op.adopt(grandchild.op);
      root.end(at.how);
    } else {
      settle::pin hold = at.when == moment::released ? settle::pin() : root.op.pin();
      child.op.adopt(grandchild.op);
      root.end(at.how);
      if (at.when != moment::queued) place.run();
      root.op.adopt(child.op);
    }
    place.run();
    look();
    EXPECT_EQ(root.op.is_released(), at.when == moment::released);
    subject<policy>::drop(grandchild.r);
    subject<policy>::drop(child.r);
    place.run();
    EXPECT_TRUE(root.op.is_released());
    EXPECT_TRUE(grandchild.op.is_released());
    EXPECT_EQ(w.peek()->cancel().why, cause::parent);
  });
}

TEST(G08_loud_cancel, a_request_on_the_parent_is_one_on_the_child) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (bool const adopt_late : {false, true}) {
      subject<policy> parent(place.get_executor());
      subject<policy> child(place.get_executor());
      if (!adopt_late) parent.op.adopt(child.op);
      EXPECT_TRUE(parent.op.request_cancel(cause::shutdown));
      if (adopt_late) parent.op.adopt(child.op);
      EXPECT_TRUE(child.op.cancel_requested());
      EXPECT_FALSE(child.op.is_settled());
      EXPECT_FALSE(parent.op.is_settled());
      EXPECT_TRUE(child.r.complete(1)) << "asked, not forced";
      place.run();
      EXPECT_TRUE(child.op.is_released());
    }
  });
}

TEST(G08_loud_cancel, force_after_a_request_reaches_children_that_were_asked) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> parent(place.get_executor());
    subject<policy> child(place.get_executor());
    parent.op.adopt(child.op);
    int fired = 0;
    child.op.on_cancel([&] { ++fired; });
    parent.op.request_cancel(cause::deadline);
    EXPECT_FALSE(child.op.is_settled());
    parent.op.cancel(cause::shutdown);
    place.run();
    EXPECT_TRUE(child.op.is_settled());
    EXPECT_EQ(fired, 1);
  });
}

TEST(G08_loud_cancel, a_cancelled_child_does_not_touch_its_parent_or_siblings) {
  subject<counted<int>> parent;
  subject<counted<int>> child;
  subject<counted<int>> sibling;
  parent.op.adopt(child.op);
  parent.op.adopt(sibling.op);
  child.op.cancel();
  EXPECT_FALSE(parent.op.cancel_requested());
  EXPECT_FALSE(sibling.op.cancel_requested());
  EXPECT_FALSE(child.op.is_released()) << "its producer lives";
}

// Cancel observers that cancel, register, throw and drop the last reference.
TEST(G08_loud_cancel, cancel_observers_may_do_anything) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (bool const forced : {false, true}) {
      subject<policy> s(place.get_executor());
      subject<policy> other(place.get_executor());
      trail log;
      s.op.on_cancel([&] {
        log.push_back("1");
        EXPECT_EQ(s.op.cancel(cause::overload), !forced);
        other.op.cancel();
      });
      s.op.on_cancel([&] {
        log.push_back("2");
        s.op.on_cancel([&] { log.push_back("nested"); });
        s.op.on_cleanup([&] { log.push_back("cleanup"); });
      });
      s.op.on_cancel([&]() -> void {
        log.push_back("3");
        throw std::runtime_error("3");
      });
      s.op.on_cancel([&] {
        log.push_back("4");
        subject<policy>::drop(s.h);
        subject<policy>::drop(s.r);
        s.op = {};
      });
      if (forced) s.op.cancel();
      else s.op.request_cancel();
      place.run();
      EXPECT_EQ(log, (trail{"1", "2", "3", "4", "nested", "cleanup"}));
      auto const reports = recording_sink::take();
      ASSERT_EQ(reports.size(), 1U);
      EXPECT_EQ(reports[0].what, settle::monitor_event::callback_threw);
      EXPECT_EQ(reports[0].said, "3");
      EXPECT_TRUE(other.op.is_settled());
    }
  });
}

// Requests, forces, values and registrations from three threads: every observer fires at most once, those of a
// cancelled operation exactly once.
TEST(G08_loud_cancel, requests_race_with_everything) {
  crew threads(3);
  for (int round = 0; round != 3000; ++round) {
    using policy = counted<int>;
    subject<policy> parent;
    subject<policy> s;
    parent.op.adopt(s.op);
    auto w = s.h.watch();
    std::atomic<int> early = 0;
    std::atomic<int> late = 0;
    std::atomic<int> causes_read = 0;
    s.op.on_cancel([&](settle::cancellation c) {
      ++early;
      if (c.why == cause::parent || c.why == cause::deadline || c.why == cause::shutdown || c.why == cause::abandoned) ++causes_read;
    });
    threads.run([&](unsigned i) {
      if (i == 0) {
        if (round % 2 == 0) s.r.complete(1);
        else subject<policy>::drop(s.r);
      } else if (i == 1) {
        parent.op.request_cancel(cause::disconnect);
        s.op.cancel(cause::shutdown);
      } else {
        s.op.request_cancel(cause::deadline);
        s.op.on_cancel([&](settle::cancellation) { ++late; });
      }
    });
    bool const cancelled = w.peek()->is_cancelled();
    ASSERT_LE(early, 1);
    ASSERT_LE(late, 1);
    ASSERT_EQ(early, causes_read);
    if (cancelled) {
      ASSERT_EQ(early, 1);
      ASSERT_EQ(late, 1);
    }
    subject<policy>::drop(s.r);
    ASSERT_TRUE(s.op.is_released());
  }
}

// --- stop hooks, as combinators register them ---

struct told_hook : settle::detail::hook<settle::cas_terminal> {
  using hook = settle::detail::hook<settle::cas_terminal>;
  static inline int told = 0;
  static void tell(hook&, settle::detail::hook_action action) { told += action == settle::detail::hook_action::invoke ? 1 : 0; }
  static constexpr settle::detail::hook_type<settle::cas_terminal> stop_type{&tell, 0, 0};
  explicit told_hook(settle::operation const& op) {
    kind = settle::detail::hook_kind::stop;
    owner = settle::detail::state_access::get(op);
    type = &stop_type;
  }
};

TEST(G08_loud_cancel, a_stop_hook_learns_at_once_that_it_came_too_late) {
  auto const add = [](settle::operation const& op, told_hook& h) {
    return settle::detail::registry<settle::cas_terminal>::add_stop(*settle::detail::state_access::get(op), h);
  };
  told_hook::told = 0;
  for (way const how : all_ways) {
    subject<counted<int>> pending;
    told_hook in_time(pending.op);
    EXPECT_TRUE(add(pending.op, in_time));
    pending.end(how);
    settle::pin const hold = pending.op.pin();
    told_hook too_late(pending.op);
    EXPECT_EQ(add(pending.op, too_late), !is_cancelled(how)) << "a value or an error stops nobody";
  }
  subject<counted<int>> asked;
  asked.op.request_cancel();
  told_hook too_late(asked.op);
  EXPECT_FALSE(add(asked.op, too_late));
  EXPECT_EQ(hooks_on(asked.op), 0U);
  asked.r.cancel();
  EXPECT_EQ(told_hook::told, 4);
}

}  // namespace
