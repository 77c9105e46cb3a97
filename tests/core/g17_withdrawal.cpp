// SPDX-License-Identifier: BSL-1.0
// G17: every hook but a cleanup can be taken back until it starts, from any thread, and leaves nothing behind (A52, A53).
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "hooks.hpp"
#include "meanwhile.hpp"
#include "scale.hpp"
#include "situations.hpp"

namespace {

using namespace test;

template <class P>
settle::registration hook(subject<P>& s, int kind, int& ran) {
  if (kind == 0) return s.op.on_done([&ran] { ++ran; });
  if (kind == 1) return s.op.on_cancel([&ran] { ++ran; });
  if (kind == 2) return s.op.on_released([&ran] { ++ran; });
  return s.h.on_done([&ran](settle::outcome<int> const&) { ++ran; });
}

TEST(G17_withdrawal, before_the_end_it_never_runs) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      for (int kind = 0; kind != 4; ++kind) {
        subject<policy> s(place.get_executor());
        long const blocks = ledger::blocks;
        int ran = 0;
        settle::registration r = hook(s, kind, ran);
        EXPECT_TRUE(r);
        EXPECT_TRUE(r.withdraw());
        EXPECT_FALSE(r);
        EXPECT_FALSE(r.withdraw());
        place.run();
        EXPECT_EQ(ledger::blocks, blocks) << "nothing is left behind";
        s.end(how);
        place.run();
        EXPECT_EQ(ran, 0);
        EXPECT_TRUE(s.op.is_released());
      }
    });
  });
}

TEST(G17_withdrawal, after_it_ran_it_says_so) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    in_each_way([&](way how) {
      for (int kind = 0; kind != 4; ++kind) {
        subject<policy> s(place.get_executor());
        int ran = 0;
        settle::registration r = hook(s, kind, ran);
        s.end(how);
        place.run();
        EXPECT_EQ(ran, kind == 1 && !is_cancelled(how) ? 0 : 1);
        EXPECT_FALSE(r.withdraw());
      }
    });
  });
}

// Settled, its turn not yet come: true, and it never runs.
TEST(G17_withdrawal, between_settled_and_its_turn) {
  in_each_way([&](way how) {
    for (int kind = 0; kind != 4; ++kind) {
      manual_loop loop;
      subject<counted<int, manual_loop::executor>> s(loop.get_executor());
      int ran = 0;
      settle::registration r = hook(s, kind, ran);
      s.end(how);
      EXPECT_TRUE(r.withdraw());
      loop.run();
      EXPECT_EQ(ran, 0);
      EXPECT_TRUE(s.op.is_released());
      settle::registration late = hook(s, kind % 3, ran);
      EXPECT_TRUE(late.withdraw());
      loop.run();
      EXPECT_EQ(ran, 0);
    }
  });
}

// Asked, and not settled: the same of those who are told of a request.
TEST(G17_withdrawal, between_a_request_and_the_turn_of_its_observers) {
  manual_loop loop;
  subject<counted<int, manual_loop::executor>> s(loop.get_executor());
  int ran = 0;
  int others = 0;
  s.op.on_cancel([&] { ++others; });
  settle::registration r = s.op.on_cancel([&] { ++ran; });
  s.op.on_cancel([&] { ++others; });
  s.op.on_released([&] { ++others; });
  s.op.request_cancel();
  EXPECT_TRUE(r.withdraw());
  loop.run();
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(others, 2);
  s.end(way::complete);
  loop.run();
  EXPECT_EQ(others, 3);
  EXPECT_TRUE(s.op.is_released());
}

TEST(G17_withdrawal, a_registration_may_outlive_the_operation) {
  in_each_way([](way how) {
    settle::registration kept[4];
    int ran = 0;
    {
      subject<counted<int>> s;
      for (int kind = 0; kind != 4; ++kind) kept[kind] = hook(s, kind, ran);
      s.end(how);
    }
    EXPECT_EQ(ran, is_cancelled(how) ? 4 : 3);
    EXPECT_GE(ledger::blocks, 4) << "a hook's memory stays while its registration does";
    for (auto& r : kept) {
      EXPECT_TRUE(r);
      EXPECT_FALSE(r.withdraw());
    }
  });
}

TEST(G17_withdrawal, observers_withdraw_each_other_and_themselves) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    trail log;
    settle::registration own;
    settle::registration next;
    own = s.op.on_done([&] {
      log.push_back("first");
      EXPECT_FALSE(own.withdraw());
      EXPECT_TRUE(next.withdraw());
    });
    next = s.op.on_done([&] { log.push_back("second"); });
    s.op.on_done([&] { log.push_back("third"); });
    s.op.cancel();
    place.run();
    EXPECT_EQ(log, (trail{"first", "third"}));
  });
}

TEST(G17_withdrawal, any_order_of_many) {
  for (std::size_t step : {1U, 3U, 7U, 11U}) {
    subject<counted<int>> s;
    constexpr std::size_t n = 13;
    trail log;
    std::vector<settle::registration> all;
    long const blocks = ledger::blocks;
    for (std::size_t i = 0; i != n; ++i) all.push_back(s.op.on_done([&log, i] { log.push_back(std::to_string(i)); }));
    trail expected;
    for (std::size_t i = 0; i != 8; ++i) {
      EXPECT_TRUE(all[i * step % n].withdraw());
    }
    EXPECT_EQ(ledger::blocks, blocks + 5);
    for (std::size_t i = 0; i != n; ++i) {
      if (all[i]) expected.push_back(std::to_string(i));
    }
    s.end(way::complete);
    EXPECT_EQ(log, expected);
  }
}

// An operation that lives for ever stays as small as it was.
TEST(G17_withdrawal, a_million_registrations_leave_nothing) {
  subject<counted<int>> s;
  int ran = 0;
  long const bytes = ledger::bytes;
  for (int i = 0; i != 300'000; ++i) {
    for (int kind = 0; kind != 3; ++kind) {
      settle::registration r = hook(s, kind, ran);
      ASSERT_TRUE(r.withdraw());
    }
  }
  EXPECT_EQ(ledger::bytes, bytes);
  EXPECT_EQ(ran, 0);
}

/// What an operation has about it: hooks on it, and memory of settle's altogether.
struct burden {
  std::size_t hooks;
  long blocks = ledger::blocks;
  long bytes = ledger::bytes;
  explicit burden(settle::operation const& op) : hooks(hooks_on(op)) {}
  friend bool operator==(burden const&, burden const&) = default;
};

/// Adopted, settled and released, in the ways that there are.
void come_and_go(settle::operation const& parent, unsigned how) {
  settle::resolver<counted<void>> child(parent);
  child.on_cleanup([] {});
  if (how % 4 == 0) child.complete();
  else if (how % 4 == 1) child.cancel();
  else if (how % 4 == 2) child.op().cancel();
}

TEST(A52_long_lived_parent, a_million_children_come_and_go) {
  subject<counted<int>> parent;
  int heard = 0;
  burden const before(parent.op);
  for (unsigned i = 0; i != 1'000'000; ++i) {
    come_and_go(parent.op, i);
    ASSERT_EQ(burden(parent.op), before) << "after child " << i;
  }
  std::vector<settle::resolver<counted<void>>> live;
  for (int i = 0; i != 10; ++i) {
    live.emplace_back(parent.op);
    live.back().on_cancel([&] { ++heard; });
  }
  EXPECT_EQ(hooks_on(parent.op), before.hooks + 10);
  parent.op.cancel();
  EXPECT_EQ(heard, 10) << "only the live ones hear it, each once";
}

TEST(A52_long_lived_parent, from_four_threads) {
  crew threads(4);
  subject<counted<int>> parent;
  burden const before(parent.op);
  for (int round = 0; round != 10; ++round) {
    threads.run([&](unsigned n) {
      for (unsigned i = 0; i != a_million / 40; ++i) come_and_go(parent.op, i + n);
    });
    ASSERT_EQ(burden(parent.op), before);
  }
  std::atomic<int> heard = 0;
  threads.run([&](unsigned i) {
    if (i == 0) {
      parent.op.cancel();
      return;
    }
    for (int k = 0; k != 2000; ++k) {
      settle::resolver<counted<void>> child(parent.op);
      child.on_cancel([&] { ++heard; });
    }
  });
  EXPECT_EQ(heard, 6000) << "abandoned or told by the parent, each once";
  EXPECT_EQ(hooks_on(parent.op), 0U);
}

// A53: true means never run, false means run exactly once.
template <class Operate>
void withdraw_race(int others, Operate operate) {
  crew threads(static_cast<unsigned>(others) + 2);
  for (int round = 0; round != 2000; ++round) {
    using policy = counted<int>;
    long const blocks = ledger::blocks;
    long const bytes = ledger::bytes;
    auto s = std::make_unique<subject<policy>>();
    std::atomic<int> ran[3] = {};
    settle::registration r[3];
    r[0] = s->op.on_done([&] { ++ran[0]; });
    r[1] = s->op.on_cancel([&] { ++ran[1]; });
    r[2] = s->op.on_released([&] { ++ran[2]; });
    bool withdrawn[3] = {};
    settle::ending::kind_t kind{};
    s->op.on_done([&](settle::ending e) { kind = e.kind; });
    threads.run([&](unsigned i) {
      if (i == 0) operate(s, round);
      else if (i == 1)
        for (int k = 0; k != 3; ++k) withdrawn[(k + round) % 3] = r[(k + round) % 3].withdraw();
      else if (i == 2) s->op.on_done([] {}).withdraw();
    });
    s.reset();
    ASSERT_EQ(ledger::blocks, blocks) << "a hook was left behind in round " << round;
    ASSERT_EQ(ledger::bytes, bytes);
    for (int k = 0; k != 3; ++k) {
      bool const due = k != 1 || kind == settle::ending::cancelled;
      ASSERT_EQ(ran[k], !withdrawn[k] && due ? 1 : 0) << k << " in round " << round;
    }
  }
}

TEST(A53_withdraw_race, against_every_end) {
  withdraw_race(0, [](auto& s, int round) { s->end(all_ways[round % 6]); });
}
TEST(A53_withdraw_race, against_every_end_and_another_registration) {
  withdraw_race(1, [](auto& s, int round) { s->end(all_ways[round % 6]); });
}
// Nothing but the producer knows the operation: it takes the short way, and the registration must not get in between.
TEST(A53_withdraw_race, against_a_producer_that_is_alone) {
  withdraw_race(0, [](auto& s, int round) {
    s->op = {};
    if (round % 2 == 0) s->r.complete(1);
    else s->r.fail(settle::errc::closed);
    std::move(s->h).detach();
  });
}
TEST(A53_withdraw_race, against_a_producer_that_was_alone_from_the_start) {
  crew threads(2);
  for (int round = 0; round != 5000; ++round) {
    using policy = counted<int>;
    settle::resolver<policy> r;
    std::atomic<int> ran = 0;
    settle::registration x = round % 2 == 0 ? r.op().on_done([&] { ++ran; }) : r.op().on_released([&] { ++ran; });
    bool withdrawn = false;
    threads.run([&](unsigned i) {
      if (i == 0) r.complete(1);
      else withdrawn = x.withdraw();
    });
    ASSERT_EQ(ran, withdrawn ? 0 : 1) << round;
  }
}

TEST(A53_withdraw_race, four_threads_register_and_withdraw) {
  crew threads(4);
  for (int round = 0; round != 200; ++round) {
    subject<counted<int>> s;
    std::atomic<int> ran = 0;
    std::atomic<int> expected = 0;
    threads.run([&](unsigned i) {
      settle::operation const op = s.op;
      if (i == 0 && round % 2 == 0) op.request_cancel();
      for (int k = 0; k != 20; ++k) {
        settle::registration r = k % 3 == 0   ? op.on_done([&] { ++ran; })
                                 : k % 3 == 1 ? op.on_cancel([&] { ++ran; })
                                              : op.on_released([&] { ++ran; });
        if (!r.withdraw()) ++expected;
      }
      if (i == 0) s.end(way::abandon);
    });
    ASSERT_EQ(hooks_on(s.op), 0U);
    ASSERT_EQ(ran, expected);
  }
}

TEST(G17_withdrawal, a_late_cancel_callback_whose_operation_completes_meanwhile_is_taken_away_unrun) {
  manual_loop loop;
  subject<interrupted<int, manual_loop::executor>> s(loop.get_executor());
  s.op.request_cancel();
  bool ran = false;
  auto f = [&] { ran = true; };
  std::optional<settle::cancel_callback<decltype(f)>> late;
  {
    meanwhile const other([&] { s.end(way::complete); });
    late.emplace(s.op, f);
  }
  late.reset();
  loop.run();
  EXPECT_FALSE(ran);
  EXPECT_TRUE(s.op.is_released());
}

/// std_sync; the next compare-and-exchange of an operation's word on a thread lets something pass, and waiting is seen.
struct stepping_sync : settle::std_sync {
  template <class T>
  struct atomic : std::atomic<T> {
    using std::atomic<T>::atomic;
    bool compare_exchange_strong(T& expected, T v, std::memory_order a, std::memory_order b) noexcept {
      if constexpr (std::is_same_v<T, std::uint32_t>)
        if (auto const f = std::exchange(before_lock(), nullptr)) f();
      return std::atomic<T>::compare_exchange_strong(expected, v, a, b);
    }
  };
  template <class A>
  static void pause(unsigned, A const&) noexcept {
    waits.store(true);
    waits.notify_all();
    std::this_thread::yield();
  }
  static std::function<void()>& before_lock() noexcept {
    static thread_local std::function<void()> f;
    return f;
  }
  static inline std::atomic<bool> waits = false;
};
struct stepping : settle::default_policy {
  using value_type = int;
  using terminal = settle::basic_cas_terminal<stepping_sync>;
};

TEST(G17_withdrawal, the_sequence_waits_for_a_withdrawal_that_is_under_way) {
  stepping_sync::waits = false;
  settle::resolver<stepping> r;
  int ran = 0;
  auto kept = r.op().on_done([&] { ++ran; });
  std::atomic<bool> begun = false;
  bool withdrawn = false;
  std::thread other([&] {
    stepping_sync::before_lock() = [&] {  // it is claimed, and still on its ring
      begun.store(true);
      begun.notify_all();
      stepping_sync::waits.wait(false);
    };
    withdrawn = kept.withdraw();
  });
  begun.wait(false);
  r.complete(1);
  other.join();
  EXPECT_TRUE(stepping_sync::waits.load());
  EXPECT_TRUE(withdrawn);
  EXPECT_EQ(ran, 0);
}

}  // namespace
