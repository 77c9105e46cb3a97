// SPDX-License-Identifier: BSL-1.0
// G16: when everything is released and unreferenced nothing is left, and what is not released says why (A50, A62).
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "allocations.hpp"
#include "situations.hpp"

#include "../../include/settle/testing/quiescent.hpp"  // no part of the single header, and needs nothing of it

namespace {

using namespace test;

/// One set of books for each test.
template <class Tag, class Ex = settle::inline_executor>
struct noted : counted<int, Ex> {
  using monitor = settle::monitors<counting_monitor, settle::monitors<settle::basic_census<Tag>, settle::counting_monitor<Tag>>>;
  using error_sink = settle::ignore_sink;
  static constexpr std::string_view tag = "noted";
};

using words = std::vector<std::string>;

/// Why the n-th operation of a census is not released.
template <class Tag>
words why(std::size_t n = 0) {
  return reasons(settle::basic_census<Tag>::entries().at(n));
}

template <class Tag>
bool text_says(std::string const& part) {
  return settle::basic_census<Tag>::text().find(part) != std::string::npos;
}

/// Every kind of hook, withdrawn ones and a consumer among them.
template <class P>
void use_everything(subject<P>& s, subject<P>& child, int& ran) {
  auto const observe = [&ran] { ++ran; };
  s.op.adopt(child.op);
  for (auto const& op : {s.op, child.op}) {
    op.on_done(observe);
    op.on_cancel(observe);
    op.on_released(observe);
    for (int i = 0; i != 4; ++i) op.on_cleanup(observe);
    EXPECT_TRUE(op.own(std::make_unique<int>(1)));
    EXPECT_TRUE(op.on_done(observe).withdraw());
    EXPECT_TRUE(op.on_cancel(observe).withdraw());
    EXPECT_TRUE(op.on_released(observe).withdraw());
    static_cast<void>(op.pin());
  }
  std::move(child.h).on_done([&ran](auto&&) { ++ran; });
}

template <class Tag, class Place>
void live_and_die(Place& place, way how) {
  using policy = noted<Tag, typename Place::executor>;
  int ran = 0;
  {
    subject<policy> s(place.get_executor());
    subject<policy> child(place.get_executor());
    use_everything(s, child, ran);
    EXPECT_EQ(settle::basic_census<Tag>::size(), 2U);
    EXPECT_GT(ledger::bytes, 0);
    s.end(how);
    place.run();
    subject<policy>::drop(child.r);
    place.run();
    EXPECT_TRUE(s.op.is_released());
    EXPECT_TRUE(child.op.is_released());
    EXPECT_EQ(settle::counting_monitor<Tag>::totals().live(), 0U) << "released, although they are referred to";
  }
  place.run();
  EXPECT_GE(ran, 13);
}

TEST(G16_quiet, nothing_is_left_of_anything) {
  struct here {};
  using book = settle::basic_census<here>;
  on_each_executor([](auto& place) {
    in_each_way([&](way how) {
      live_and_die<here>(place, how);  // the census has its table now, and the queue its first block
      auto const before = settle::counting_monitor<here>::totals();
      std::int64_t const live = live_allocations_of_this_thread();
      live_and_die<here>(place, how);
      EXPECT_EQ(live_allocations_of_this_thread(), live) << "something was allocated and is still out";
      EXPECT_QUIESCENT(book());
      EXPECT_EQ(ledger::blocks, 0);
      EXPECT_EQ(ledger::bytes, 0);
      EXPECT_EQ(book::missed(), 0U);
      auto const after = settle::counting_monitor<here>::totals();
      EXPECT_EQ(after.created, before.created + 2);
      EXPECT_EQ(after.destroyed, after.created);
    });
  });
}

TEST(G16_quiet, no_work_is_left_in_the_executor) {
  manual_loop loop;
  struct here {};
  using policy = noted<here, manual_loop::executor>;
  in_each_way([&](way how) {
    std::size_t const submitted = loop.submissions();
    int ran = 0;
    {
      subject<policy> s(loop.get_executor());
      subject<policy> child(loop.get_executor());
      use_everything(s, child, ran);
      s.end(how);
      subject<policy>::drop(child.r);
      loop.run();
    }
    EXPECT_EQ(loop.run(), 0U) << "released and unreferenced, and still something to run";
    EXPECT_GT(loop.submissions(), submitted);
    EXPECT_QUIESCENT(settle::basic_census<here>());
  });
}

TEST(G16_quiet, from_many_threads) {
  struct here {};
  using policy = noted<here>;
  crew threads(4);
  for (int round = 0; round != 200; ++round) {
    threads.run([&](unsigned i) {
      for (int k = 0; k != 10; ++k) {
        subject<policy> s;
        subject<policy> child;
        s.op.adopt(child.op);
        s.op.on_cleanup([] {});
        s.end(all_ways[(static_cast<unsigned>(round + k) + i) % 6]);
      }
    });
    ASSERT_QUIESCENT(settle::basic_census<here>());
    ASSERT_EQ(ledger::bytes, 0);
  }
}

TEST(G16_quiet, a_reference_is_all_that_a_released_one_waits_for) {
  struct here {};
  in_each_way([](way how) {
    settle::operation last;
    {
      subject<noted<here>> s;
      s.end(how);
      last = s.op;
    }
    EXPECT_EQ(why<here>(), words{"referred to"});
    EXPECT_FALSE(settle::basic_census<here>::is_quiescent());
    last = {};
    EXPECT_QUIESCENT(settle::basic_census<here>());
  });
}

TEST(G16_quiet, each_reason_is_named_with_where_it_comes_from) {
  struct here {};
  using book = settle::basic_census<here>;
  settle::resolver<noted<here>> parent;
  unsigned const line = __LINE__ - 1;
  settle::operation const op = parent.op();
  EXPECT_EQ(why<here>(), words{"producer"});
  EXPECT_TRUE(text_says<here>("waits for: producer, created at " + std::string(__FILE__) + ':' + std::to_string(line)));
  EXPECT_TRUE(op.request_cancel());
  EXPECT_EQ(why<here>(), words{"producer, asked to stop"});
  settle::resolver<noted<here>> child(op);
  EXPECT_EQ(why<here>(0), (words{"producer, asked to stop", "1 child"}));
  EXPECT_EQ(why<here>(1), words{"producer, asked to stop"}) << "asked by its parent";
  EXPECT_EQ(book::entries()[1].parent, book::entries()[0].serial);
  settle::pin held = op.pin();
  EXPECT_TRUE(parent.complete(1));
  EXPECT_EQ(why<here>(0), (words{"1 child", "1 pin or producer"}));
  held.reset();
  EXPECT_EQ(why<here>(0), words{"1 child"});
  EXPECT_TRUE(text_says<here>("(value), "));
  int looked = 0;
  op.on_cleanup([&] {
    ++looked;
    EXPECT_EQ(why<here>(0), words{"cleanup"});
    EXPECT_TRUE(text_says<here>("waits for: cleanup, created at " + std::string(__FILE__) + ':' + std::to_string(line)));
  });
  EXPECT_TRUE(child.cancel());
  EXPECT_EQ(looked, 1);
  EXPECT_EQ(why<here>(0), words{"referred to"});
}

// What keeps itself alive: each is found by its line, and gone when the cycle is cut.
TEST(A62_why_unreleased, a_producer_that_its_own_observer_owns) {
  struct here {};
  auto owner = std::make_shared<std::optional<settle::resolver<noted<here>>>>(std::in_place);
  auto& r = **owner;
  r.op().on_done([owner] {});
  r.get_handle().detach();
  EXPECT_EQ(why<here>(), words{"producer"});
  std::weak_ptr<std::optional<settle::resolver<noted<here>>>> const seen = owner;
  owner.reset();
  ASSERT_FALSE(seen.expired()) << "it waits for itself";
  EXPECT_EQ(why<here>(), words{"producer"});
  {
    auto const mine = seen.lock();
    mine->reset();
  }
  EXPECT_TRUE(seen.expired());
  EXPECT_QUIESCENT(settle::basic_census<here>());
}

TEST(A62_why_unreleased, a_pin_that_a_hook_of_its_own_operation_owns) {
  struct here {};
  auto pin = std::make_shared<settle::pin>();
  std::weak_ptr<settle::pin> const seen = pin;
  {
    subject<noted<here>> s;
    *pin = s.op.pin();
    s.op.on_released([pin] {});
    pin.reset();
    s.end(way::complete);
    EXPECT_FALSE(s.op.is_released());
  }
  ASSERT_FALSE(seen.expired());
  EXPECT_EQ(why<here>(), words{"1 pin or producer"});
  EXPECT_TRUE(text_says<here>("noted settled (value)"));
  EXPECT_TRUE(text_says<here>("situations.hpp:")) << "where it was created";
  seen.lock()->reset();
  EXPECT_TRUE(seen.expired());
  EXPECT_QUIESCENT(settle::basic_census<here>());
}

TEST(A62_why_unreleased, a_child_whose_producer_its_parents_cleanup_owns) {
  struct here {};
  using book = settle::basic_census<here>;
  auto child = std::make_shared<std::optional<settle::resolver<noted<here>>>>();
  std::weak_ptr<std::optional<settle::resolver<noted<here>>>> const seen = child;
  {
    subject<noted<here>> s;
    child->emplace(s.op);
    EXPECT_TRUE(s.op.own(child));
    child.reset();
    s.end(way::cancel);
    EXPECT_FALSE(s.op.is_released());
  }
  ASSERT_FALSE(seen.expired());
  EXPECT_EQ(why<here>(0), words{"1 child"});
  EXPECT_EQ(why<here>(1), words{"1 pin or producer"}) << "forced: its producer has not noticed";
  EXPECT_EQ(book::entries()[1].parent, book::entries()[0].serial);
  EXPECT_TRUE(text_says<here>("child of #" + std::to_string(book::entries()[0].serial)));
  seen.lock()->reset();
  EXPECT_TRUE(seen.expired());
  EXPECT_QUIESCENT(book());
}

TEST(A62_why_unreleased, a_cleanup_that_does_not_end) {
  struct here {};
  std::atomic<bool> entered = false;
  std::atomic<bool> go_on = false;
  subject<noted<here>> s;
  s.op.on_cleanup([&] {
    entered = true;
    entered.notify_one();
    go_on.wait(false);
  });
  std::thread releaser([&] { s.end(way::fail); });
  entered.wait(false);
  EXPECT_EQ(why<here>(), words{"cleanup"});
  EXPECT_TRUE(text_says<here>("noted settled (failure)"));
  go_on = true;
  go_on.notify_one();
  releaser.join();
  EXPECT_EQ(why<here>(), words{"referred to"});
}

template <class Tag, int N>
struct named : noted<Tag> {
  static constexpr std::string_view tag = N == 0 ? "zero" : "one";
};

/// What a census should say, kept by hand.
struct truth {
  std::array<std::array<std::size_t, 3>, 2> count{};  // by tag and phase
};

/// Operations of two tags, moved through their lives at random.
template <class Tag>
struct population {
  struct one {
    int tag = 0;
    std::optional<settle::resolver<named<Tag, 0>>> r0{};
    std::optional<settle::resolver<named<Tag, 1>>> r1{};
    settle::operation op{};
    settle::pin pin{};
  };
  std::vector<one> all;

  void add(int tag) {
    one& o = all.emplace_back();
    o.tag = tag;
    o.op = tag == 0 ? o.r0.emplace().op() : o.r1.emplace().op();
  }
  void settle(one& o) {
    if (o.op.is_settled()) return;
    o.pin = o.op.pin();
    if (o.tag == 0) o.r0->complete(1);
    else o.r1->fail(settle::errc::closed);
  }
  truth count() const {
    truth t;
    for (one const& o : all) ++t.count[static_cast<std::size_t>(o.tag)][o.op.is_released() ? 2 : o.op.is_settled() ? 1 : 0];
    return t;
  }
};

TEST(A50_observability, a_census_agrees_with_what_is_there) {
  struct here {};
  using book = settle::basic_census<here>;
  unsigned const seed = 20'240'601;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  auto const any = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  population<here> p;
  for (int step = 0; step != 2000; ++step) {
    std::size_t const what = p.all.empty() ? 0 : any(4);
    if (what == 0) p.add(static_cast<int>(any(2)));
    if (what == 1) p.settle(p.all[any(p.all.size())]);
    if (what == 2) p.all[any(p.all.size())].pin.reset();
    if (what == 3 && p.all.size() > 20) p.all.erase(p.all.begin() + static_cast<std::ptrdiff_t>(any(p.all.size())));
    truth told;
    std::chrono::nanoseconds oldest{};
    auto const entries = book::entries();
    for (auto const& e : entries) {
      ++told.count[e.tag == "zero" ? 0 : 1][static_cast<std::size_t>(e.phase)];
      oldest = std::max(oldest, e.age);
      EXPECT_FALSE(reasons(e).empty()) << "alive for no reason";
    }
    ASSERT_EQ(told.count, p.count().count) << "after step " << step;
    ASSERT_EQ(entries.size(), p.all.size());
    if (!entries.empty()) {
      EXPECT_EQ(oldest, entries.front().age) << "the oldest comes first";
    }
  }
  EXPECT_EQ(settle::counting_monitor<here>::totals().created - settle::counting_monitor<here>::totals().destroyed, p.all.size());
  p.all.clear();
  EXPECT_QUIESCENT(book());
}

}  // namespace
