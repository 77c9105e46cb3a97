// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "../support/situations.hpp"

// Corners: closures and values whose moves throw or meddle, memory that is gone at the last moment.
namespace {

using settle::cause;
using settle::operation;
using nothing = test::counted<void>;

struct fixed : nothing {
  using cleanup = settle::fixed_cleanup<2, 4 * sizeof(void*)>;
};

/// A cleanup whose n-th move throws.
struct throws_on_move {
  int* moves;
  int* ran;
  throws_on_move(int* m, int* r) noexcept : moves(m), ran(r) {}
  throws_on_move(throws_on_move&& o) : moves(o.moves), ran(o.ran) {
    if (--*moves == 0) throw std::runtime_error("move");
  }
  void operator()() const noexcept { ++*ran; }
};

template <class P>
void move_throws_at_every_step() {
  int thrown = 0;
  for (int step = 1;; ++step) {
    test::subject<P> s;
    int moves = step, ran = 0;
    try {
      s.op.on_cleanup(throws_on_move(&moves, &ran));
    } catch (std::runtime_error const&) {
      ++thrown;
    }
    bool const all_moved = moves > 0;
    s.end(test::way::complete);
    EXPECT_LE(ran, 1);
    if (all_moved) {
      EXPECT_EQ(ran, 1);
      break;
    }
  }
  EXPECT_GT(thrown, 0);
}

TEST(G11_no_leak_at_the_door, a_cleanup_whose_move_throws_at_any_step) {
  move_throws_at_every_step<nothing>();
  move_throws_at_every_step<fixed>();
}

TEST(G11_no_leak_at_the_door, no_memory_for_a_cleanup_that_comes_after_released) {
  for (long const allocations : {0L, 1L}) {
    test::subject<nothing> s;
    s.end(test::way::complete);
    int ran = 0;
    test::dry_after const dry(allocations);
    EXPECT_FALSE(s.op.on_cleanup([&] { ++ran; }));
    EXPECT_EQ(ran, 1) << "there and then";
  }
  test::subject<fixed> s;
  s.end(test::way::complete);
  int ran = 0;
  test::dry_after const dry(0);
  EXPECT_FALSE(s.op.on_cleanup([&] { ++ran; }));
  EXPECT_EQ(ran, 1);
}

/// A value whose first move or copy lets a rival win in between.
template <bool Assignable, bool Quiet>
struct meddler {
  std::function<void()>* then = nullptr;
  std::string text = "mine";

  explicit meddler(std::function<void()>* f) : then(f) {}
  meddler(meddler&& o) noexcept(Quiet) : then(std::exchange(o.then, nullptr)), text(std::exchange(o.text, "")) {
    if (then != nullptr) (*std::exchange(then, nullptr))();
  }
  meddler(meddler const& o) : text(o.text) {
    if (o.then != nullptr) (*o.then)();
  }
  meddler& operator=(meddler&& o) noexcept
    requires Assignable
  {
    text = std::exchange(o.text, "");
    return *this;
  }
};

template <bool Assignable>
void a_rival_wins_while_the_value_is_moved() {
  using value = meddler<Assignable, true>;
  settle::resolver<test::counted<value>> r;
  auto h = r.get_handle();
  std::function<void()> cancel = [op = r.op()] { op.cancel(cause::overload); };
  value mine(&cancel);
  EXPECT_FALSE(r.complete(std::move(mine)));
  EXPECT_EQ(mine.text, "mine") << "moved back";
  EXPECT_FALSE(r);
  EXPECT_EQ(std::move(h).wait().cancel().why, cause::overload);
}

TEST(G01_once, a_rival_that_wins_while_the_value_is_moved_gets_it_moved_back) {
  a_rival_wins_while_the_value_is_moved<true>();
  a_rival_wins_while_the_value_is_moved<false>();
}

TEST(G01_once, a_rival_that_wins_while_the_value_is_copied) {
  using value = meddler<true, true>;
  settle::resolver<test::counted<value>> r;
  auto h = r.get_handle();
  std::function<void()> cancel = [op = r.op()] { op.cancel(cause::overload); };
  value const mine(&cancel);
  EXPECT_FALSE(r.complete(mine));
  EXPECT_EQ(mine.text, "mine");
  EXPECT_TRUE(std::move(h).wait().is_cancelled());
}

TEST(G01_once, a_value_that_may_throw_is_not_touched_by_a_loser) {
  using value = meddler<true, false>;
  settle::resolver<test::counted<value>> r;
  auto h = r.get_handle();
  EXPECT_TRUE(h.cancel());
  value mine(nullptr);
  EXPECT_FALSE(r.complete(std::move(mine)));
  EXPECT_FALSE(r.complete(std::move(mine))) << "it is spent";
  EXPECT_EQ(mine.text, "mine");
  settle::resolver<test::counted<value>> wins;
  auto won = wins.get_handle();
  EXPECT_TRUE(wins.complete(std::move(mine)));
  EXPECT_EQ(std::move(won).wait().value().text, "mine");
}

/// An error whose move lets a rival win in between.
struct meddling_error {
  std::function<void()>* then = nullptr;
  meddling_error() noexcept = default;
  explicit meddling_error(std::function<void()>* f) noexcept : then(f) {}
  meddling_error(meddling_error&& o) noexcept : then(std::exchange(o.then, nullptr)) {
    if (then != nullptr) (*std::exchange(then, nullptr))();
  }
};
struct failing : nothing {
  using error_type = meddling_error;
  static meddling_error make_error(settle::errc) noexcept { return {}; }
};

TEST(G01_once, a_rival_that_wins_while_the_error_is_moved) {
  settle::resolver<failing> r;
  auto h = r.get_handle();
  std::function<void()> cancel = [op = r.op()] { op.cancel(cause::overload); };
  EXPECT_FALSE(r.fail(meddling_error(&cancel)));
  EXPECT_TRUE(std::move(h).wait().is_cancelled());
}

TEST(G01_once, losers_of_every_kind) {
  for (int kind = 0; kind < 4; ++kind) {
    settle::resolver<nothing> r;
    auto h = r.get_handle();
    EXPECT_TRUE(h.cancel(cause::overload));
    EXPECT_FALSE(kind == 0   ? r.complete()
                 : kind == 1 ? r.fail(settle::errc::closed)
                 : kind == 2 ? r.cancel()
                             : r.settle(settle::cancellation()));
    EXPECT_EQ(std::move(h).wait().cancel().why, cause::overload);
  }
  settle::resolver<nothing> r;
  auto h = r.get_handle();
  EXPECT_TRUE(r.settle(settle::cancellation(cause::deadline, std::source_location::current())));
  EXPECT_TRUE(std::move(h).wait().timed_out());
}

TEST(G15_lost_at_the_edges, a_handle_that_is_adopted_gives_its_value_up) {
  test::subject<nothing> parent;
  settle::resolver<test::counted<std::string>> r;
  parent.h.adopt(r.get_handle());
  operation const child = r.op();
  EXPECT_TRUE(r.complete("nobody takes it"));
  EXPECT_TRUE(child.is_released());
  parent.end(test::way::complete);
}

TEST(G03_every_path, settles_with_an_outcome) {
  settle::resolver<nothing> r;
  auto h = r.get_handle();
  EXPECT_TRUE(r.settle(settle::outcome<void>(std::in_place, {})));
  EXPECT_TRUE(std::move(h).wait().has_value());
  settle::resolver<test::counted<int>> n;
  auto k = n.get_handle();
  EXPECT_TRUE(n.settle(settle::outcome<int>(std::in_place, 7)));
  EXPECT_EQ(std::move(k).wait().value(), 7);
  settle::resolver<nothing> f;
  auto g = f.get_handle();
  EXPECT_TRUE(f.settle(settle::outcome<void>(settle::error(settle::errc::closed))));
  EXPECT_TRUE(std::move(g).wait().has_error());
}

struct alignas(32) wide_closure {
  std::string* trace;
  void operator()() const { *trace += 'w'; }
};

TEST(G05_lifo, slots_and_blocks_in_any_mixture) {
  std::string trace;
  {
    settle::resolver<nothing> r;
    r.on_cleanup([&] { trace += '1'; });
    r.on_cleanup(wide_closure{&trace});
    r.on_cleanup([&trace, padding = std::string("beyond any slot")] { trace += padding.empty() ? '?' : '2'; });
    r.on_cleanup([&] { trace += '3'; });
    auto h = r.get_handle();
    h.on_cleanup([&] { trace += '4'; });
    EXPECT_TRUE(r.complete());
  }
  EXPECT_EQ(trace, "432w1");
}

TEST(error, compares) {
  auto const thrown = std::make_exception_ptr(std::runtime_error("x"));
  settle::error const code = settle::errc::closed, other = settle::errc::timed_out, exception = thrown,
                      another = std::make_exception_ptr(std::runtime_error("y"));
  settle::error const foreign = std::make_error_code(static_cast<std::errc>(static_cast<int>(settle::errc::closed)));
  EXPECT_TRUE(code == settle::error(settle::errc::closed));
  EXPECT_FALSE(code == other);
  EXPECT_FALSE(code == foreign) << "another category";
  EXPECT_FALSE(code == exception);
  EXPECT_FALSE(exception == code);
  EXPECT_TRUE(exception == settle::error(thrown));
  EXPECT_FALSE(exception == another);
}

TEST(outcome, visits_what_was_taken_as_cancelled) {
  test::subject<test::counted<test::tracked>> s;
  auto const w = s.h.watch();
  s.end(test::way::complete);
  EXPECT_EQ(std::move(s.h).wait().value().value, 42);
  ASSERT_NE(w.peek(), nullptr);
  EXPECT_TRUE(w.peek()->is_taken());
  EXPECT_EQ(w.peek()->visit([](test::tracked const&) { return 1; }, [](auto const&) { return 2; }, [](auto const&) { return 3; }), 3);
  EXPECT_EQ(w.peek()->how().kind, settle::ending::value);
}

}  // namespace
