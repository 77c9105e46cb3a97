// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_TESTING_SMALL_WORLD_HPP
#define SETTLE_TESTS_TESTING_SMALL_WORLD_HPP

#include <settle/settle.hpp>
#include <settle/testing/seed.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

// Small programs in a simulated world, each with the choice to do one thing wrong; and whether some seed notices (A48).
namespace test {

using namespace std::chrono_literals;
using settle::cause;
using settle::handle_of;
using settle::testing::dice;
using settle::testing::sim_executor;
using settle::testing::simulation;
using producer = settle::resolver_of<void, settle::error, sim_executor>;

enum class kind { timer, socket, buffer };

/// A simulated program's world: resources that are opened, used and closed, and what was noticed.
struct world {
  dice chance;
  std::map<int, kind> open;
  int next = 0;
  std::string noticed;
  simulation sim;
  sim_executor ex = sim.get_executor();
  std::vector<std::shared_ptr<void>> kept;  // by a program that does not stop what it began

  explicit world(std::uint64_t seed) : chance(seed), sim(seed) {}
  world(world&&) = delete;
  ~world() {
    kept.clear();
    to_the_end();
  }

  void notice(char const* what) {
    if (noticed.empty()) noticed = what;
  }
  int acquire(kind k) {
    open.emplace(++next, k);
    return next;
  }
  void close(int id, kind with) {
    auto const it = open.find(id);
    if (it == open.end()) return notice("closed twice");
    if (it->second != with) notice("closed by another's closer");
    open.erase(it);
  }
  void use(int id) {
    if (!open.contains(id)) notice("used after it was closed");
  }
  /// Given back with the operation.
  template <class Op>
  int own(Op& op, kind k) {
    int const id = acquire(k);
    op.on_cleanup([this, id, k] { close(id, k); });
    return id;
  }
  handle_of<void> pause() { return settle::sleep(ex, std::chrono::milliseconds(1 + static_cast<int>(chance.below(5)))); }
  /// Somewhere in the middle of it.
  void for_a_while() {
    for (std::size_t n = chance.below(12); n != 0; --n)
      if (!sim.run_one()) sim.advance(1ms);
  }
  void to_the_end() { sim.advance(1s); }
  std::string verdict() {
    to_the_end();
    if (!open.empty()) notice("left open");
    if (!sim.is_quiescent()) notice("not quiescent");
    return noticed;
  }
};

using program = void (*)(world&, bool wrong);

/// A session: asked to cancel in the middle of something.
template <class F>
void session(world& w, F begin) {
  settle::scope all(w.ex, settle::on_failure::keep_going);
  begin(all);
  w.for_a_while();
  all.op().request_cancel(cause::shutdown);
  w.to_the_end();
}

/// What was noticed.
inline std::string played(program p, std::uint64_t seed, bool wrong) {
  world w(seed);
  p(w, wrong);
  return w.verdict();
}

/// Each program, done wrong, is caught by some seed, and done right by none.
inline void expect_caught(std::span<program const> programs, char const* what) {
  constexpr std::uint64_t seeds = 200;
  int number = 0;
  for (program const p : programs) {
    SCOPED_TRACE(what + std::to_string(++number));
    std::uint64_t caught = 0;
    std::uint64_t first = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      ASSERT_EQ(played(p, seed, false), "") << "seed " << seed;
      if (played(p, seed, true).empty()) continue;
      ++caught;
      if (first == 0) first = seed;
    }
    EXPECT_NE(caught, 0U) << "nobody noticed";
    std::printf("%s%d is caught by %llu of %llu seeds, first by %llu\n", what, number, static_cast<unsigned long long>(caught),
                static_cast<unsigned long long>(seeds), static_cast<unsigned long long>(first));
  }
}
/// What a seed has caught it catches again.
inline void expect_caught_again(std::span<program const> programs) {
  for (program const p : programs)
    for (std::uint64_t seed = 1; seed != 20; ++seed) EXPECT_EQ(played(p, seed, true), played(p, seed, true));
}

}  // namespace test

#endif
