// SPDX-License-Identifier: BSL-1.0
// G11: a cleanup that cannot be registered gives its resource back there and then, and the caller is told.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <stdexcept>

#include "situations.hpp"

namespace {

using namespace test;

/// One resource: says when it was given back.
struct resource {
  int* returned;
  explicit resource(int& r) noexcept : returned(&r) {}
  resource(resource&& o) noexcept : returned(std::exchange(o.returned, nullptr)) {}
  ~resource() {
    if (returned != nullptr) ++*returned;
  }
};

TEST(G11_no_leak_at_the_door, out_of_memory) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    int ran = 0;
    int returned = 0;
    int closed = 0;
    play(place, at, s, [&] {
      dry_after const none(0);
      EXPECT_FALSE(s.op.on_cleanup([&] { ++ran; }));
      EXPECT_EQ(ran, 1);
      EXPECT_FALSE(s.op.own(resource(returned)));
      EXPECT_EQ(returned, 1);
      EXPECT_FALSE(s.op.own(5, [&](int fd) noexcept { closed += fd; }));
      EXPECT_EQ(closed, 5);
      if (settle::pin p = s.op.pin()) {
        EXPECT_THROW(p.own(resource(returned)), std::bad_alloc);
        EXPECT_EQ(returned, 2);
        EXPECT_THROW(p.own(5, [&](int fd) noexcept { closed += fd; }), std::bad_alloc);
        EXPECT_EQ(closed, 10);
        EXPECT_EQ(p.template try_own<resource>(returned), nullptr);
        EXPECT_FALSE(p.on_cleanup([&] { ++ran; }));
      }
    });
    EXPECT_EQ(ran, at.when == moment::released ? 1 : 2) << "never twice";
  });
}

TEST(G11_no_leak_at_the_door, try_own_makes_nothing_when_there_is_no_room) {
  static int made = 0;
  made = 0;
  struct counted_making {
    explicit counted_making(int) { ++made; }
    counted_making(counted_making&&) noexcept {}
  };
  settle::resolver<counted<int>> r;
  settle::handle<counted<int>> h = r.get_handle();
  {
    dry_after const none(0);
    EXPECT_EQ(r.try_own<counted_making>(1), nullptr);
  }
  EXPECT_EQ(made, 0);
  EXPECT_NE(r.try_own<counted_making>(1), nullptr);
  EXPECT_EQ(made, 1);
  EXPECT_TRUE(r.complete(1));
}

TEST(G11_no_leak_at_the_door, a_resolver_owns_through_its_slots_then_the_allocator) {
  int returned = 0;
  {
    settle::resolver<counted<int>> r;
    dry_after const none(0);
    r.own(std::make_unique<resource>(returned));
    r.own(std::make_unique<resource>(returned));
    EXPECT_THROW(r.own(std::make_unique<resource>(returned)), std::bad_alloc);
    EXPECT_EQ(returned, 1) << "two have slots of their own, the third went at once";
    EXPECT_FALSE(r.on_cleanup([&returned] { returned += 10; }));
    EXPECT_EQ(returned, 11);
    EXPECT_TRUE(r.complete(1));
  }
  EXPECT_EQ(returned, 13);
}

struct fixed : counted<int> {
  using cleanup = settle::fixed_cleanup<3>;
};

TEST(G11_no_leak_at_the_door, fixed_storage_that_is_full) {
  in_each_way([](way how) {
    subject<fixed> s;
    int returned = 0;
    trail log;
    long const blocks = ledger::made;
    EXPECT_TRUE(s.op.on_cleanup([&] { log.push_back("1"); }));
    EXPECT_TRUE(s.op.own(resource(returned)));
    settle::pin p = s.op.pin();
    resource& third = p.own(resource(returned));
    EXPECT_EQ(third.returned, &returned);
    EXPECT_FALSE(s.op.on_cleanup([&] { log.push_back("4"); }));
    EXPECT_EQ(log, trail{"4"});
    EXPECT_FALSE(s.op.own(resource(returned)));
    EXPECT_EQ(returned, 1);
    EXPECT_THROW(p.own(resource(returned)), std::bad_alloc);
    EXPECT_EQ(returned, 2);
    EXPECT_EQ(p.try_own<resource>(returned), nullptr);
    EXPECT_EQ(ledger::made, blocks) << "fixed storage never allocates";
    p.reset();
    s.end(how);
    EXPECT_EQ(log, (trail{"4", "1"}));
  });
}

TEST(G05_lifo, what_found_no_room_is_through_before_the_cleanups_begin) {
  subject<fixed> s;
  trail log;
  for (int i = 0; i != 3; ++i) s.op.on_cleanup([&log] { log.push_back("kept"); });
  settle::pin last = s.op.pin();
  s.end(way::complete);
  auto const refused = [&] {
    last.reset();
    log.push_back("refused");
  };
  EXPECT_FALSE(s.op.on_cleanup([&refused] { refused(); }));
  EXPECT_EQ(log, (trail{"refused", "kept", "kept", "kept"}));
  EXPECT_TRUE(s.op.is_released());
}

TEST(G11_no_leak_at_the_door, fixed_storage_takes_no_closure_that_is_too_big) {
  subject<fixed> s;
  std::array<char, 100> big{};
  int ran = 0;
  EXPECT_FALSE(s.op.on_cleanup([&ran, big] { ran += 1 + big[0]; }));
  EXPECT_EQ(ran, 1);
  s.end(way::complete);
  EXPECT_EQ(ran, 1);
}

TEST(G11_no_leak_at_the_door, fixed_storage_frees_its_slots_as_the_cleanups_run) {
  subject<fixed> s;
  trail log;
  s.op.on_cleanup([&log] { log.push_back("1"); });
  s.op.on_cleanup([&] {
    EXPECT_TRUE(s.op.on_cleanup([&] { log.push_back("next"); }));
    log.push_back("2");
  });
  s.op.on_cleanup([&] {
    EXPECT_FALSE(s.op.on_cleanup([&] { log.push_back("at once"); })) << "it stands in its slot until it has run";
    log.push_back("3");
  });
  s.end(way::complete);
  EXPECT_EQ(log, (trail{"at once", "3", "2", "next", "1"}));
}

TEST(G11_no_leak_at_the_door, fixed_storage_filled_from_many_threads) {
  crew threads(3);
  for (int round = 0; round != 2000; ++round) {
    subject<fixed> s;
    std::atomic<int> ran = 0;
    std::atomic<int> kept = 0;
    settle::pin hold = s.op.pin();
    s.end(way::complete);
    threads.run([&](unsigned i) {
      if (i == 0) {
        hold.reset();
        return;
      }
      for (int k = 0; k != 3; ++k) {
        if (s.op.on_cleanup([&] { ++ran; })) ++kept;
      }
    });
    ASSERT_EQ(ran, 6);
    ASSERT_TRUE(s.op.is_released());
  }
}

// A closure that gives up the last pin at one of its moves: the release begins when it is registered, or it came too late.
struct letting_go {
  struct plan {
    settle::pin hold;
    int moves_left;
    int ran = 0;
  };
  plan* my;
  explicit letting_go(plan& p) noexcept : my(&p) {}
  letting_go(letting_go&& o) noexcept : my(o.my) {
    if (--my->moves_left == 0) my->hold.reset();
  }
  void operator()() { ++my->ran; }
};
struct letting_go_and_throwing {
  using plan = letting_go::plan;
  plan* my;
  explicit letting_go_and_throwing(plan& p) noexcept : my(&p) {}
  letting_go_and_throwing(letting_go_and_throwing&& o) : my(o.my) {
    if (--my->moves_left != 0) return;
    my->hold.reset();
    throw std::runtime_error("letting go");
  }
  void operator()() { ++my->ran; }
};

template <class P>
void let_go_and_throw_while_registering() {
  for (int k = 1; k <= 6; ++k) {
    SCOPED_TRACE(k);
    subject<P> s;
    int before = 0;
    s.op.on_cleanup([&before] { ++before; });
    letting_go::plan plan{s.op.pin(), k};
    s.end(way::complete);
    try {
      s.op.on_cleanup(letting_go_and_throwing(plan));
    } catch (std::runtime_error const&) {
    }
    plan.hold.reset();
    EXPECT_EQ(plan.ran, 1) << "there and then, when it fails to move";
    EXPECT_EQ(before, 1);
    EXPECT_TRUE(s.op.is_released());
  }
}

TEST(G07_pins, the_last_one_may_go_while_a_closure_fails_to_move_in) {
  let_go_and_throw_while_registering<counted<int>>();
  let_go_and_throw_while_registering<fixed>();
}

template <class P>
void let_go_while_registering() {
  for (int k = 1; k <= 6; ++k) {
    SCOPED_TRACE(k);
    subject<P> s;
    letting_go::plan plan{s.op.pin(), k};
    int taken = 0;
    std::move(s.h).on_done([&](settle::outcome<int>&&) { ++taken; });
    s.end(way::complete);
    s.op.on_cleanup(letting_go(plan));
    plan.hold.reset();
    EXPECT_EQ(plan.ran, 1);
    EXPECT_EQ(taken, 1);
    EXPECT_TRUE(s.op.is_released());
  }
}

TEST(G07_pins, the_last_one_may_go_while_a_closure_moves_in) {
  let_go_while_registering<counted<int>>();
  let_go_while_registering<fixed>();
}

TEST(G11_no_leak_at_the_door, out_of_memory_for_everything_else_throws_or_says_so) {
  using policy = counted<int>;
  subject<policy> s;
  subject<policy> child;
  auto w = s.h.watch();
  {
    dry_after const none(0);
    EXPECT_THROW(s.op.on_done([] {}), std::bad_alloc);
    EXPECT_THROW(s.op.on_cancel([] {}), std::bad_alloc);
    EXPECT_THROW(s.op.on_released([] {}), std::bad_alloc);
    EXPECT_THROW(w.on_done([](auto const&) {}), std::bad_alloc);
    EXPECT_THROW(std::move(s.h).on_done([](settle::outcome<int>&&) {}), std::bad_alloc);
    EXPECT_TRUE(s.h) << "the handle is untouched";
    EXPECT_THROW(s.op.adopt(child.op), std::bad_alloc);
    EXPECT_THROW(settle::resolver<policy>(), std::bad_alloc);
    settle::resolver<policy> none_made(std::nothrow);
    EXPECT_FALSE(none_made);
    EXPECT_THROW(settle::resolver<policy>(s.op), std::bad_alloc);
    dry_after const second(1);
    EXPECT_THROW(settle::resolver<policy>(s.op), std::bad_alloc) << "made, but not adopted";
  }
  s.op.cancel();
  EXPECT_FALSE(child.op.cancel_requested()) << "the adoption did not happen";
}

// A closure whose move throws, at each of its moves: it is not lost, not run twice, and the operation goes on.
template <class P>
void closures_whose_move_throws() {
  in_each_way([](way how) {
    for (moment const when : all_moments) {
      for (int k = 1; k <= 8; ++k) {
        SCOPED_TRACE(k);
        at_once place;
        subject<P> s;
        int cleaned = 0;
        int ran = 0;
        bool threw = false;
        s.op.on_cleanup([&] { ++cleaned; });
        play(place, situation{how, when}, s, [&] {
          fragile f(1);
          fragile::throw_at = 0;
          auto cleanup = [f = std::move(f), &ran] { ++ran; };
          fragile::throw_at = k;
          try {
            s.op.on_cleanup(std::move(cleanup));
          } catch (std::runtime_error const&) {
            threw = true;
          }
          fragile::throw_at = 0;
        });
        EXPECT_EQ(ran, k == 1 ? 0 : 1) << "on its way into the call it is still the caller's; afterwards it runs in any case";
        EXPECT_TRUE(threw || k > 1) << "at least one move was tried";
        EXPECT_EQ(cleaned, 1);
      }
      EXPECT_EQ(fragile::alive, 0);
    }
  });
}
TEST(G11_no_leak_at_the_door, closures_whose_move_throws) { closures_whose_move_throws<counted<int>>(); }
TEST(G11_no_leak_at_the_door, closures_whose_move_into_fixed_storage_throws) { closures_whose_move_throws<fixed>(); }

// The same while nobody but the producer knows the operation, of one that fits into the state.
struct small_and_fragile {
  static inline int ran = 0;
  fragile f{1};
  void operator()() { ++ran; }
};
TEST(G11_no_leak_at_the_door, closures_whose_move_throws_before_anybody_else_looks) {
  for (int k = 1; k <= 4; ++k) {
    SCOPED_TRACE(k);
    small_and_fragile::ran = 0;
    bool threw = false;
    {
      settle::resolver_of<int> r;
      small_and_fragile cleanup;
      fragile::throw_at = k;
      try {
        r.on_cleanup(std::move(cleanup));
      } catch (std::runtime_error const&) {
        threw = true;
        EXPECT_EQ(small_and_fragile::ran, k == 1 ? 0 : 1) << "there and then, once the call has it";
      }
      fragile::throw_at = 0;
      r.complete(1);
    }
    EXPECT_EQ(small_and_fragile::ran, k == 1 ? 0 : 1);
    EXPECT_TRUE(threw || k > 2) << "into the call, and into the state";
  }
  EXPECT_EQ(fragile::alive, 0);
}

}  // namespace
