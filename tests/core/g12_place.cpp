// SPDX-License-Identifier: BSL-1.0
// G12: user code, closures' and values' destructors included, runs where its operation's executor runs it, and never
// under a lock (A13).
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;

manual_loop* home = nullptr;  // where it must happen
std::atomic<int> astray = 0;
std::atomic<int> deaths = 0;

/// Notices where it is called and where it dies.
struct local {
  bool mine = true;
  int* calls = nullptr;

  local() noexcept = default;
  explicit local(int& n) noexcept : calls(&n) {}
  local(local&& o) noexcept : mine(std::exchange(o.mine, false)), calls(o.calls) {}
  local& operator=(local&&) = delete;
  ~local() {
    if (!mine) return;
    ++deaths;
    if (!home->is_here()) ++astray;
  }
  void operator()() const {
    if (!home->is_here()) ++astray;
    ++*calls;
  }
};

struct scene {
  manual_loop loop;
  scene() {
    home = &loop;
    astray = 0;
    deaths = 0;
  }
  ~scene() { EXPECT_EQ(astray, 0); }
};

/// Calls f on another thread.
template <class F>
void elsewhere(F f) {
  std::thread(f).join();
}

TEST(G12_place, user_code_and_closures_stay_on_the_executor) {
  for (moment const when : all_moments) {
    in_each_way([&](way how) {
      SCOPED_TRACE(moment_names[static_cast<int>(when)]);
      scene here;
      using policy = counted<int, manual_loop::executor>;
      int done = 0;
      int cancelled = 0;
      int cleaned = 0;
      int released = 0;
      {
        subject<policy> s(here.loop.get_executor());
        settle::pin hold = when == moment::released ? settle::pin() : s.op.pin();
        auto const wire = [&] {
          s.op.on_done(local(done));
          s.op.on_cancel(local(cancelled));
          s.op.on_cleanup(local(cleaned));
          s.op.on_cleanup(local(cleaned));
          s.op.on_cleanup(local(cleaned));
          s.op.on_released(local(released));
        };
        if (when != moment::pending) elsewhere([&] { s.end(how); });
        if (when != moment::queued && when != moment::pending) here.loop.run();
        elsewhere(wire);
        if (when == moment::pending) elsewhere([&] { s.end(how); });
        EXPECT_EQ(done, 0);
        here.loop.run();
        elsewhere([&] { hold.reset(); });
        here.loop.run();
        EXPECT_EQ(done, 1);
        EXPECT_EQ(cancelled, is_cancelled(how) ? 1 : 0);
        EXPECT_EQ(cleaned, 3);
        EXPECT_EQ(released, 1);
      }
      EXPECT_EQ(deaths, 6);
    });
  }
}

/// Alone: nothing else of the user's brings the operation to its executor, neither its end nor a pin that outlives that.
TEST(G12_place, one_alone_stays_on_the_executor) {
  in_each_way([](way how) {
    for (bool const pinned : {false, true})
      for (int const which : {0, 1, 2}) {
        scene at;
        subject<counted<int, manual_loop::executor>> s(at.loop.get_executor());
        settle::pin last = pinned ? s.op.pin() : settle::pin();
        int calls = 0;
        if (which == 0) s.op.on_done(local(calls));
        if (which == 1) s.op.on_cleanup(local(calls));
        if (which == 2) s.op.on_released(local(calls));
        elsewhere([&] { s.end(how); });
        EXPECT_EQ(calls, 0);
        at.loop.run();
        EXPECT_EQ(calls, pinned && which != 0 ? 0 : 1);
        elsewhere([&] { last.reset(); });
        at.loop.run();
        EXPECT_EQ(calls, 1);
      }
  });
}

TEST(G12_place, a_withdrawn_closure_dies_on_the_executor) {
  scene here;
  using policy = counted<int, manual_loop::executor>;
  subject<policy> s(here.loop.get_executor());
  int calls = 0;
  settle::registration r[] = {s.op.on_done(local(calls)), s.op.on_cancel(local(calls)), s.op.on_released(local(calls))};
  elsewhere([&] {
    for (auto& x : r) {
      EXPECT_TRUE(x.withdraw());
    }
  });
  EXPECT_EQ(deaths, 0);
  here.loop.run();
  EXPECT_EQ(deaths, 3);
  EXPECT_EQ(calls, 0);
  s.end(way::complete);
  here.loop.run();
  EXPECT_EQ(calls, 0);
}

TEST(G12_place, owned_resources_die_on_the_executor) {
  in_each_way([](way how) {
    scene here;
    using policy = counted<int, manual_loop::executor>;
    subject<policy> s(here.loop.get_executor());
    s.r.own(local());
    EXPECT_TRUE(s.op.own(local()));
    s.r.own(std::make_unique<local>());
    elsewhere([&] { s.end(how); });
    EXPECT_EQ(deaths, 0);
    here.loop.run();
    EXPECT_EQ(deaths, 3);
    elsewhere([&] { EXPECT_FALSE(s.op.own(local())); });
    here.loop.run();
    EXPECT_EQ(deaths, 4);
  });
}

/// What becomes of a value that nobody takes: it dies on the executor, before released.
TEST(G12_place, an_untaken_value_dies_on_the_executor) {
  for (int who = 0; who != 5; ++who) {
    SCOPED_TRACE(who);
    scene here;
    using policy = counted<local, manual_loop::executor>;
    {
      settle::resolver<policy> r(here.loop.get_executor());
      settle::operation const op = r.op();
      bool dead_at_release = false;
      op.on_released([&] { dead_at_release = deaths == 1; });
      if (who == 0) {  // there never was a handle
        elsewhere([&] { r.complete(local()); });
        here.loop.run();
      } else if (who == 1) {  // it goes while pending
        subject<policy>::drop(*std::make_unique<settle::handle<policy>>(r.get_handle()));
        elsewhere([&] { r.complete(local()); });
        here.loop.run();
      } else if (who == 2) {  // it goes between settled and the executor's turn
        auto h = r.get_handle();
        r.complete(local());
        elsewhere([&] { subject<policy>::drop(h); });
        here.loop.run();
      } else if (who == 3) {  // it goes while a pin holds
        auto h = r.get_handle();
        settle::pin p = op.pin();
        r.complete(local());
        here.loop.run();
        elsewhere([&] { subject<policy>::drop(h); });
        p.reset();
        here.loop.run();
      } else {  // it goes after released
        auto h = r.get_handle();
        r.complete(local());
        here.loop.run();
        EXPECT_TRUE(op.is_released());
        dead_at_release = true;
        elsewhere([&] { subject<policy>::drop(h); });
        here.loop.run();
      }
      EXPECT_TRUE(dead_at_release);
    }
    EXPECT_EQ(deaths, 1);
  }
}

TEST(G12_place, what_a_consumer_leaves_dies_with_its_call) {
  for (bool const settled : {false, true}) {
    scene here;
    using policy = counted<local, manual_loop::executor>;
    settle::resolver<policy> r(here.loop.get_executor());
    auto h = r.get_handle();
    bool alive_inside = false;
    auto const take = [&] { std::move(h).on_done([&](settle::outcome<local>&&) { alive_inside = deaths == 0; }); };
    if (!settled) take();
    elsewhere([&] { r.complete(local()); });
    if (settled) here.loop.run();
    if (settled) take();
    here.loop.run();
    EXPECT_TRUE(alive_inside);
    EXPECT_EQ(deaths, 1);
  }
}

// Every member from inside every kind of callback: under a lock it would hang.
TEST(G12_place, callbacks_may_call_everything) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (way const how : all_ways) {
      subject<policy> s(place.get_executor());
      subject<policy> child(place.get_executor());
      auto w = s.h.watch();
      int ran = 0;
      auto const everything = [&] {
        ++ran;
        EXPECT_EQ(s.op.is_settled(), w.peek() != nullptr);
        static_cast<void>(s.op.is_released());
        static_cast<void>(s.op.cancel_requested());
        settle::pin const p = s.op.pin();
        s.op.own(5);
        s.op.on_cleanup([] {});
        s.op.on_done([] {}).withdraw();
        s.op.on_cancel([] {}).withdraw();
        s.op.on_released([] {}).withdraw();
        s.op.adopt(child.op);
        s.op.request_cancel();
        s.op.cancel();
      };
      s.op.on_cancel(everything);
      s.op.on_cancel([&](settle::cancellation) { everything(); });
      s.op.on_done(everything);
      w.on_done([&](settle::outcome<int> const&) { everything(); });
      s.op.on_cleanup(everything);
      s.op.on_cleanup([&](settle::ending) { everything(); });
      s.op.on_released(everything);
      s.end(how);
      place.run();
      subject<policy>::drop(child.r);
      place.run();
      EXPECT_EQ(ran, is_cancelled(how) ? 7 : 5);
      EXPECT_TRUE(s.op.is_released());
    }
  });
}

struct posted : counted<int, manual_loop::executor> {
  static constexpr bool dispatch = false;
};

TEST(G12_place, dispatch_runs_at_once_where_the_executor_already_is) {
  manual_loop loop;
  using policy = counted<int, manual_loop::executor>;
  int ran = 0;
  loop.inside([&] {
    subject<policy> s(loop.get_executor());
    s.op.on_done([&] { ++ran; });
    s.op.cancel();
    EXPECT_EQ(ran, 1);
  });
  loop.run();
  loop.inside([&] {
    subject<posted> s(loop.get_executor());
    s.op.on_done([&] { ++ran; });
    s.op.cancel();
    EXPECT_EQ(ran, 1) << "always posted";
  });
  EXPECT_EQ(loop.run(), 1U);
  EXPECT_EQ(ran, 2);
}

// A13: cancelled from any thread, on a pool: user code only on its threads.
TEST(A13_foreign_thread_cancel, user_code_stays_in_the_pool) {
  thread_pool pool(2);
  crew threads(2);
  using policy = counted<tracked, thread_pool::executor>;
  for (int round = 0; round != 500; ++round) {
    std::atomic<int> inside = 0;
    std::atomic<int> outside = 0;
    auto const look = [&] { ++(pool.is_here() ? inside : outside); };
    {
      subject<policy> parent(pool.get_executor());
      subject<policy> s(pool.get_executor());
      parent.op.adopt(s.op);
      s.op.on_cancel(look);
      s.op.on_done(look);
      s.op.on_cleanup(look);
      s.op.on_cleanup(look);
      s.op.on_cleanup(look);
      s.op.on_released(look);
      threads.run([&](unsigned i) {
        if (i == 0) parent.op.cancel();
        else subject<policy>::drop(s.r);
      });
    }
    pool.wait_idle();
    ASSERT_EQ(outside, 0);
    ASSERT_EQ(inside, 6);
  }
}

TEST(G12_place, the_inline_executor_runs_here_and_now_and_is_like_any_other) {
  settle::inline_executor const ex;
  std::unique_ptr<int> got;
  ex.execute([&got, v = std::make_unique<int>(3)]() mutable { got = std::move(v); });
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(*got, 3);
  EXPECT_TRUE(ex == settle::inline_executor());
}

}  // namespace
