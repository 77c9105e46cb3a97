// SPDX-License-Identifier: BSL-1.0
// G1: an operation settles exactly once; losers are told, and keep what they offered.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;

template <class P>
bool try_to(subject<P>& s, way how) {
  switch (how) {
    case way::complete:
      return s.r.complete(typename P::value_type(7));
    case way::fail:
      return s.r.fail(settle::errc::no_inputs);
    case way::cancel:
      return s.op.cancel(settle::cause::shutdown);
    case way::request:
      return s.op.request_cancel(settle::cause::shutdown);
    default:
      return s.r.cancel();
  }
}

TEST(G01_once, the_first_wins_and_all_others_are_told) {
  on_each_executor([](auto& place) {
    in_each_way([&](way first) {
      in_each_way([&](way second) {
        using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
        subject<policy> s(place.get_executor());
        settle::watcher<policy> w = s.h.watch();
        int told = 0;
        w.on_done([&](auto const&) { ++told; });
        s.end(first);
        EXPECT_FALSE(try_to(s, second));
        place.run();
        EXPECT_FALSE(try_to(s, second));
        EXPECT_EQ(told, 1);
        ASSERT_NE(w.peek(), nullptr);
        EXPECT_EQ(w.peek()->how().kind, kind_of(first));
        if (first == way::complete) {
          EXPECT_EQ(w.peek()->value(), 42);
        }
        if (first == way::fail) {
          EXPECT_EQ(w.peek()->error().code(), settle::errc::closed);
        }
        if (is_cancelled(first)) {
          EXPECT_EQ(w.peek()->cancel().why, cause_of(first));
        }
      });
    });
  });
}

TEST(G01_once, a_losing_complete_leaves_the_value_with_its_owner) {
  subject<counted<std::unique_ptr<int>>> s;
  s.op.cancel();
  auto mine = std::make_unique<int>(7);
  EXPECT_FALSE(s.r.complete(std::move(mine)));
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(*mine, 7);
  EXPECT_FALSE(s.r.complete(std::move(mine))) << "the second try finds an empty resolver";
  EXPECT_NE(mine, nullptr);
}

// The narrowest race, without a race: the value's own move ends the operation between the look and the settling.
TEST(G01_once, a_cancel_from_inside_the_value_s_move_wins_and_the_value_comes_back) {
  struct meddler {
    settle::operation op;
    std::string text;
    meddler(settle::operation o, char const* t) : op(std::move(o)), text(t) {}
    meddler(meddler&& o) noexcept : op(std::move(o.op)), text(std::move(o.text)) { op.cancel(settle::cause::shutdown); }
    meddler& operator=(meddler&& o) noexcept {
      op = std::move(o.op);
      text = std::move(o.text);
      return *this;
    }
  };
  using policy = counted<meddler>;
  subject<policy> s;
  settle::watcher<policy> w = s.h.watch();
  int told = 0;
  w.on_done([&](auto const&) { ++told; });
  meddler mine(s.op, "a text that is too long to live inside its string");
  EXPECT_FALSE(s.r.complete(std::move(mine)));
  EXPECT_EQ(mine.text, "a text that is too long to live inside its string");
  EXPECT_EQ(told, 1);
  ASSERT_NE(w.peek(), nullptr);
  ASSERT_TRUE(w.peek()->is_cancelled());
  EXPECT_EQ(w.peek()->cancel().why, settle::cause::shutdown);
}

TEST(G01_once, so_does_a_value_that_cannot_be_assigned) {
  static int alive = 0;
  struct meddler {
    settle::operation op;
    int value;
    meddler(settle::operation o, int v) : op(std::move(o)), value(v) { ++alive; }
    meddler(meddler&& o) noexcept : op(std::move(o.op)), value(std::exchange(o.value, 0)) {
      ++alive;
      op.cancel();
    }
    meddler& operator=(meddler&&) = delete;
    ~meddler() { --alive; }
  };
  {
    subject<counted<meddler>> s;
    meddler mine(s.op, 7);
    EXPECT_FALSE(s.r.complete(std::move(mine)));
    EXPECT_EQ(mine.value, 7);
    EXPECT_EQ(alive, 1) << "each that was made is gone, but for this one";
  }
  EXPECT_EQ(alive, 0);
}

// A shared producer has won, and its value is on its way in: force from above comes too late.
TEST(G01_once, force_on_the_parent_from_inside_the_value_s_move_finds_it_won) {
  struct meddler {
    settle::operation above;
    int value;
    meddler(settle::operation o, int v) : above(std::move(o)), value(v) {}
    meddler(meddler&& o) noexcept : above(std::move(o.above)), value(o.value) { above.cancel(); }
  };
  subject<counted<int>> parent;
  subject<counted<meddler>> s;
  settle::watcher<counted<meddler>> w = s.h.watch();
  parent.op.adopt(s.op);
  settle::shared_resolver<counted<meddler>> shared(std::move(s.r));
  EXPECT_TRUE(shared.complete(meddler(parent.op, 7)));
  EXPECT_TRUE(parent.op.is_settled());
  ASSERT_NE(w.peek(), nullptr);
  ASSERT_TRUE(w.peek()->has_value());
  EXPECT_EQ(w.peek()->value().value, 7);
}

TEST(G01_once, a_losing_complete_by_copy_leaves_the_value) {
  subject<counted<std::string>> s;
  s.op.cancel();
  std::string const text(100, 'x');
  EXPECT_FALSE(s.r.complete(text));
  EXPECT_EQ(text, std::string(100, 'x'));
}

TEST(G01_once, a_value_whose_move_may_throw_is_not_touched_by_a_loser) {
  subject<counted<fragile>> s;
  s.op.cancel();
  fragile mine(7);
  fragile::throw_at = 1;
  EXPECT_FALSE(s.r.complete(std::move(mine)));
  fragile::throw_at = 0;
  EXPECT_EQ(mine.value, 7);
}

TEST(G01_once, a_throwing_construction_leaves_the_operation_pending) {
  for (bool const by_copy : {false, true}) {
    subject<counted<fragile>> s;
    settle::watcher<counted<fragile>> w = s.h.watch();
    fragile mine(7);
    fragile::throw_at = 1;
    if (by_copy) {
      EXPECT_THROW(s.r.complete(std::as_const(mine)), std::runtime_error);
    } else {
      EXPECT_THROW(s.r.complete(std::move(mine)), std::runtime_error);
    }
    EXPECT_FALSE(s.op.is_settled());
    EXPECT_EQ(w.peek(), nullptr);
    EXPECT_EQ(mine.value, 7);
    EXPECT_TRUE(s.r.complete(std::move(mine)));
    ASSERT_NE(w.peek(), nullptr);
    EXPECT_EQ(w.peek()->value().value, 7);
  }
  EXPECT_EQ(fragile::alive, 0);
}

// Between the claim and a throw others try to end it: a force waits, a request stays. Neither may get lost.
TEST(G01_once, a_request_during_a_construction_that_throws_is_not_lost) {
  struct slow {
    settle::operation op;
    std::thread* helper;
    explicit slow(settle::operation o, std::thread* t) : op(std::move(o)), helper(t) {}
    slow(slow&& o) noexcept(false) : op(o.op), helper(o.helper) {
      std::atomic<bool> begun = false;
      *helper = std::thread([&begun, op = this->op] {
        begun = true;
        op.request_cancel(settle::cause::deadline);
      });
      while (!begun) std::this_thread::yield();
      for (int i = 0; i != 100; ++i) std::this_thread::yield();
      throw std::runtime_error("slow");
    }
  };
  using policy = counted<slow>;
  subject<policy> s;
  std::thread helper;
  EXPECT_THROW(s.r.complete(slow(s.op, &helper)), std::runtime_error);
  helper.join();
  EXPECT_TRUE(s.op.cancel_requested());
  EXPECT_FALSE(s.op.is_settled());
  subject<policy>::drop(s.r);
  settle::watcher<policy> w = s.h.watch();
  ASSERT_NE(w.peek(), nullptr);
  EXPECT_EQ(w.peek()->cancel().why, settle::cause::deadline);
}

TEST(G01_once, many_threads_one_winner) {
  crew threads(3);
  using policy = counted<int>;
  for (int round = 0; round != 3000; ++round) {
    subject<policy> s;
    settle::watcher<policy> w = s.h.watch();
    std::atomic<int> told = 0;
    std::atomic<int> cleaned = 0;
    w.on_done([&](auto const&) { ++told; });
    s.op.on_cleanup([&] { ++cleaned; });
    bool won[3] = {};
    threads.run([&](unsigned i) {
      if (i == 0) won[i] = round % 2 == 0 ? s.r.complete(1) : s.r.fail(settle::errc::closed);
      else won[i] = s.op.cancel(i == 1 ? settle::cause::shutdown : settle::cause::overload);
    });
    ASSERT_EQ(won[0] + won[1] + won[2], 1);
    EXPECT_EQ(told, 1);
    EXPECT_EQ(cleaned, 1);
    ASSERT_NE(w.peek(), nullptr);
    auto const& out = *w.peek();
    if (won[0]) {
      EXPECT_TRUE(round % 2 == 0 ? out.has_value() && out.value() == 1 : out.has_error());
    } else {
      ASSERT_TRUE(out.is_cancelled());
      EXPECT_EQ(out.cancel().why, won[1] ? settle::cause::shutdown : settle::cause::overload);
    }
  }
}

TEST(G01_once, a_losing_value_comes_back_whole_from_a_race) {
  crew threads(2);
  for (int round = 0; round != 2000; ++round) {
    subject<counted<std::unique_ptr<int>>> s;
    auto mine = std::make_unique<int>(round);
    bool won = false;
    threads.run([&](unsigned i) {
      if (i == 0) won = s.r.complete(std::move(mine));
      else s.op.cancel();
    });
    ASSERT_EQ(mine == nullptr, won);
    if (!won) {
      EXPECT_EQ(*mine, round);
    }
  }
}

/// Does something while it is moved.
template <bool Quiet>
struct busy_while_moved {
  std::function<void()> act;
  explicit busy_while_moved(std::function<void()> f) : act(std::move(f)) {}
  busy_while_moved(busy_while_moved&& o) noexcept(Quiet) : act(std::exchange(o.act, nullptr)) {
    if (auto const f = std::exchange(act, nullptr)) f();
  }
  busy_while_moved& operator=(busy_while_moved&&) = delete;
};

TEST(G01_once, a_shared_producer_that_has_claimed_is_asked_in_vain) {
  settle::resolver<counted<busy_while_moved<true>>> r;
  settle::operation const op = r.op();
  settle::shared_resolver<counted<busy_while_moved<true>>> shared(std::move(r));
  bool asked = true;
  EXPECT_TRUE(shared.complete(busy_while_moved<true>([&] { asked = op.request_cancel(); })));
  EXPECT_FALSE(asked);
  EXPECT_FALSE(op.cancel_requested());
  EXPECT_TRUE(op.is_settled());
}

TEST(G01_once, values_whose_moves_end_each_others_operations) {
  using value = busy_while_moved<false>;
  subject<counted<value>> outer;
  subject<counted<value>> inner;
  bool cancelled = true;
  EXPECT_TRUE(outer.r.complete(value([&] { EXPECT_TRUE(inner.r.complete(value([&] { cancelled = outer.op.cancel(); }))); })));
  EXPECT_FALSE(cancelled);
  EXPECT_TRUE(outer.op.cancel_requested());
  EXPECT_TRUE(std::move(outer.h).wait().has_value());
  EXPECT_TRUE(std::move(inner.h).wait().has_value());
}

struct unheard : settle::default_policy {
  using value_type = int;
  using error_sink = settle::ignore_sink;
};
/// Both are at it at once, in every order that two threads come to in so many rounds.
TEST(G01_once, the_producer_goes_while_another_thread_cancels) {
  constexpr int rounds = 20'000;
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  std::atomic<bool> won = false;
  settle::operation op;
  std::thread other([&] {
    for (int i = 1; i <= rounds; ++i) {
      for (int n = 1; begun != i; ++n)
        if (n % 2'000 == 0) std::this_thread::yield();  // else too late
      won = op.cancel(settle::cause::shutdown);
      ended = i;
    }
  });
  for (int i = 1; i <= rounds; ++i) {
    int told = 0;
    auto why = settle::cause::requested;
    auto r = std::make_unique<settle::resolver<unheard>>();
    op = r->op();
    op.on_done([&](settle::ending e) {
      ++told;
      why = e.cancel.why;
    });
    begun = i;
    for (int n = 0; n != i % 64; ++n) static_cast<void>(ended.load());
    r.reset();
    while (ended != i) std::this_thread::yield();
    ASSERT_EQ(told, 1);
    ASSERT_EQ(why, won ? settle::cause::shutdown : settle::cause::abandoned);
    op = {};
  }
  other.join();
}

}  // namespace
