// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "../support/situations.hpp"

// Producers that race: one of them wins, each is a pin until it has tried or is gone.
namespace {

using text = test::counted<std::string>;
using nothing = test::counted<void>;
using settle::cause;

template <class P>
struct shared_subject : test::subject<P> {
  settle::shared_resolver<P> a;
  settle::shared_resolver<P> b;
  shared_subject() : a(std::move(this->r)), b(a) {}
};

TEST(G01_once, of_shared_producers_one_wins_and_the_losers_argument_is_untouched) {
  shared_subject<text> s;
  std::string mine = "mine", theirs = "a longer text that lives on the heap";
  EXPECT_TRUE(s.a.complete(std::move(mine)));
  EXPECT_FALSE(s.b.complete(std::move(theirs)));
  EXPECT_EQ(theirs, "a longer text that lives on the heap");
  EXPECT_FALSE(s.a);
  EXPECT_FALSE(s.b);
  EXPECT_FALSE(s.a.complete("again")) << "it is empty";
  EXPECT_FALSE(s.a.fail(settle::errc::closed));
  EXPECT_FALSE(s.a.cancel());
  EXPECT_EQ(std::move(s.h).wait().value(), "mine");
}

TEST(G01_once, shared_producers_fail_and_cancel) {
  {
    shared_subject<nothing> s;
    EXPECT_TRUE(s.b.fail(settle::errc::closed));
    EXPECT_FALSE(s.a.complete());
    EXPECT_EQ(std::move(s.h).wait().error(), settle::error(settle::errc::closed));
  }
  {
    shared_subject<nothing> s;
    EXPECT_TRUE(s.op.request_cancel(cause::deadline));
    EXPECT_TRUE(s.a.cancel());
    EXPECT_FALSE(s.b.complete());
    EXPECT_EQ(std::move(s.h).wait().cancel().why, cause::deadline);
  }
  shared_subject<nothing> s;
  EXPECT_TRUE(s.a.cancel());
  EXPECT_EQ(s.b.op(), s.op);
  s.b = {};
  EXPECT_EQ(std::move(s.h).wait().cancel().why, cause::requested);
}

TEST(G14_last_reference, the_last_shared_producer_gone_abandons) {
  shared_subject<nothing> s;
  {
    auto const gone = std::move(s.a);
  }
  EXPECT_FALSE(s.op.is_settled());
  s.b = {};
  EXPECT_EQ(std::move(s.h).wait().cancel().why, cause::abandoned);
  EXPECT_EQ(test::recording_sink::count(settle::monitor_event::abandoned), 1U);
  shared_subject<nothing> asked;
  EXPECT_TRUE(asked.op.request_cancel(cause::shutdown));
  asked.a = {};
  asked.b = {};
  EXPECT_EQ(std::move(asked.h).wait().cancel().why, cause::shutdown);
}

TEST(G07_pins, a_shared_producer_that_has_not_noticed_yet_holds_the_cleanups_back) {
  shared_subject<nothing> s;
  bool cleaned = false;
  s.h.on_cleanup([&] { cleaned = true; });
  EXPECT_TRUE(s.a.complete());
  EXPECT_TRUE(s.op.is_settled());
  EXPECT_FALSE(cleaned) << "b may still write into what the operation owns";
  EXPECT_FALSE(s.b.complete());
  EXPECT_TRUE(cleaned);
}

TEST(shared_resolver, empty_ones) {
  settle::resolver<nothing> none;
  none.complete();
  settle::shared_resolver<nothing> const s(std::move(none));
  EXPECT_FALSE(s);
  EXPECT_FALSE(s.op());
  settle::shared_resolver<nothing> const copy(s);
  EXPECT_FALSE(copy);
}

TEST(G11_no_leak_at_the_door, a_shared_resolver_without_memory_leaves_the_resolver_alone) {
  settle::resolver<nothing> r;
  auto h = r.get_handle();
  {
    test::dry_after const dry(0);
    EXPECT_THROW(settle::shared_resolver<nothing>(std::move(r)), std::bad_alloc);
  }
  EXPECT_TRUE(r);
  EXPECT_TRUE(r.complete());
}

TEST(A02_one_winner, shared_producers_and_a_rival_on_four_threads) {
  for (int round = 0; round < 2'000; ++round) {
    shared_subject<text> s;
    std::atomic<int> wins = 0, ready = 0;
    auto race = [&](auto attempt) {
      return std::thread([&wins, &ready, attempt]() mutable {
        ++ready;
        while (ready < 4) std::this_thread::yield();
        wins += attempt() ? 1 : 0;
      });
    };
    std::vector<std::thread> threads;
    threads.push_back(race([p = s.a]() mutable { return p.complete("a"); }));
    threads.push_back(race([p = s.b]() mutable { return p.complete("b"); }));
    threads.push_back(race([p = std::move(s.a)]() mutable { return p.fail(settle::errc::closed); }));
    threads.push_back(race([op = s.op] { return op.cancel(cause::overload); }));
    for (auto& t : threads) t.join();
    s.b = {};
    EXPECT_EQ(wins, 1);
    auto const out = std::move(s.h).wait();
    EXPECT_TRUE(out.has_error() || out.is_cancelled() || out.value() == "a" || out.value() == "b");
  }
}

struct totals_tag {};
struct totalled : settle::default_policy {
  using monitor = settle::monitors<settle::counting_monitor<totals_tag>, test::counting_monitor>;
};

TEST(counting_monitor, counts_what_happens) {
  using totals = settle::counting_monitor<totals_tag>;
  {
    settle::resolver<totalled> value, failure, cancelled;
    auto const a = value.get_handle();
    auto const b = failure.get_handle();
    auto const c = cancelled.get_handle();
    EXPECT_EQ(totals::totals().live(), 3U);
    EXPECT_TRUE(value.complete());
    EXPECT_TRUE(failure.fail(settle::errc::closed));
    b.on_done([] {});
    EXPECT_TRUE(c.cancel());
    EXPECT_EQ(totals::totals().live(), 1U) << "the producer of the third has not noticed";
  }
  auto const t = totals::totals();
  EXPECT_EQ(t.created, 3U);
  EXPECT_EQ(t.settled, 3U);
  EXPECT_EQ(t.released, 3U);
  EXPECT_EQ(t.destroyed, 3U);
  EXPECT_EQ(t.values, 1U);
  EXPECT_EQ(t.failures, 1U);
  EXPECT_EQ(t.cancelled, 1U);
  EXPECT_EQ(t.live(), 0U);
  totals::on_event({});  // another `created`
  settle::monitor_event other;
  other.what = settle::monitor_event::misuse;
  totals::on_event(other);
  EXPECT_EQ(totals::totals().created, 4U);
}

TEST(shared_resolver, one_that_cancels_unasked_asks_itself) {
  test::subject<test::counted<int>> s;
  settle::shared_resolver<test::counted<int>> shared(std::move(s.r));
  int told = 0;
  s.op.on_cancel([&](settle::cancellation const& c) {
    ++told;
    EXPECT_EQ(c.why, settle::cause::requested);
  });
  EXPECT_TRUE(shared.cancel());
  EXPECT_TRUE(s.op.cancel_requested());
  EXPECT_EQ(told, 1);
  auto const o = std::move(s.h).wait();
  ASSERT_TRUE(o.is_cancelled());
  EXPECT_EQ(o.cancel().why, settle::cause::requested);
}

TEST(G14_last_reference, a_shared_resolver_may_be_used_and_destroyed_by_what_it_sets_off) {
  using policy = test::counted<int>;
  using attempt = bool (*)(settle::shared_resolver<policy>&);
  for (attempt const a : {attempt([](auto& p) { return p.complete(1); }), attempt([](auto& p) { return p.fail(settle::errc::closed); }),
                          attempt([](auto& p) { return p.cancel(); })}) {
    test::subject<policy> s;
    auto shared = std::make_unique<settle::shared_resolver<policy>>(std::move(s.r));
    s.h.on_done([&] {
      EXPECT_FALSE(*shared);
      EXPECT_FALSE(shared->complete(2)) << "it is empty";
      shared.reset();
    });
    EXPECT_TRUE(a(*shared));
    EXPECT_TRUE(s.op.is_released());
  }
  test::subject<policy> s;
  auto shared = std::make_unique<settle::shared_resolver<policy>>(std::move(s.r));
  s.op.on_cancel([&] { shared.reset(); });
  EXPECT_TRUE(shared->cancel()) << "its observers hear of it first";
  EXPECT_TRUE(std::move(s.h).wait().is_cancelled());
}

TEST(shared_resolver, the_last_one_may_be_all_that_refers_to_the_operation) {
  using policy = test::counted<int>;
  {
    settle::shared_resolver<policy> const alone{settle::resolver<policy>()};
    EXPECT_TRUE(alone);
  }
  auto const told = test::recording_sink::take();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].what, settle::monitor_event::abandoned);
}

}  // namespace
