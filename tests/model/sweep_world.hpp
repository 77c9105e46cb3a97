// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SWEEP_WORLD_HPP
#define SETTLE_TESTS_MODEL_SWEEP_WORLD_HPP

#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <utility>

#include "allocations.hpp"
#include "situations.hpp"

// What the scenes of the fault sweeps play in, and the book that says afterwards whether the contract held.
namespace sweep {

using namespace test;

/// Every call of user code comes by here; the one that was asked for throws.
struct trouble {
  static inline long calls = 0;
  static inline long at = 0;  // the first that throws, counted from 1; 0: none
  static inline bool for_good = false;
  static inline long thrown = 0;

  static void user_call() {
    ++calls;
    if (at == 0 || calls < at || (calls > at && !for_good)) return;
    ++thrown;
    throw std::runtime_error("trouble");
  }
  static void begin(long first, bool all_after_it) noexcept {
    calls = thrown = 0;
    at = first;
    for_good = all_after_it;
  }
};

/// A value whose every move is user code.
struct touchy {
  static inline long alive = 0;
  int number;

  explicit touchy(int n) noexcept : number(n) { ++alive; }
  touchy(touchy&& o) : number(o.number) {
    trouble::user_call();
    ++alive;
  }
  touchy& operator=(touchy&&) = delete;
  ~touchy() { --alive; }
};

/// Allocates nothing, so that it can be told when there is no memory.
struct tally_sink {
  static inline std::array<long, 16> heard{};
  static void report(std::exception_ptr, settle::monitor_event const& e) noexcept { ++heard[e.what]; }
};

/// What was registered, and what ran.
class book {
 public:
  enum kind { done, cancel, cleanup, released };

  /// About to register; what it returns is what the hook calls.
  std::size_t entry(kind k) {
    if (used_ == entries_.size()) throw std::logic_error("a scene with more hooks than the book has lines");
    entries_[used_] = {k, k == cleanup, 0};
    return used_++;
  }
  /// It was taken. A cleanup is from the start: it runs in any case.
  void taken(std::size_t id) noexcept { entries_[id].stands = true; }
  void runs(std::size_t id, bool may_throw = true) {
    ++entries_[id].runs;
    if (may_throw) trouble::user_call();
  }
  /// Every hook exactly once, a cancel observer at most once, what was refused never.
  void check() const {
    for (std::size_t i = 0; i != used_; ++i) {
      line const& l = entries_[i];
      int const least = l.stands && l.what != cancel ? 1 : 0;
      EXPECT_GE(l.runs, least) << "hook " << i << " of kind " << l.what;
      EXPECT_LE(l.runs, l.stands ? 1 : 0) << "hook " << i << " of kind " << l.what;
    }
  }

 private:
  struct line {
    kind what;
    bool stands;
    int runs;
  };
  std::array<line, 64> entries_{};
  std::size_t used_ = 0;
};

template <class V, class Ex>
struct swept : counted<V, Ex> {
  using error_sink = tally_sink;
};

/// What a scene plays in. `ending(f)`: from claimed to released settle asks for no memory in there.
template <class Place>
struct world {
  using executor = typename Place::executor;
  Place& place;
  book& hooks;
  bool measure = false;
  std::uint64_t allocated = 0;

  executor get_executor() const { return place.get_executor(); }
  template <class F>
  void ending(F f) {
    settle::trim();
    allocation_count const count;
    f();
    if (measure) allocated += count.now();
  }

  void done(settle::operation const& op) {
    std::size_t const id = hooks.entry(book::done);
    op.on_done([b = &hooks, id] { b->runs(id); });
    if (op) hooks.taken(id);  // empty when there was no memory for a coroutine
  }
  /// Of a combinator's result: what throws there ends the program, unless its policy is given.
  void done_quietly(settle::operation const& op) {
    std::size_t const id = hooks.entry(book::done);
    op.on_done([b = &hooks, id] { b->runs(id, false); });
    if (op) hooks.taken(id);
  }
  void cancel(settle::operation const& op) {
    std::size_t const id = hooks.entry(book::cancel);
    op.on_cancel([b = &hooks, id] { b->runs(id); });
    if (op) hooks.taken(id);
  }
  void cleanup(settle::operation const& op) {
    std::size_t const id = hooks.entry(book::cleanup);
    op.on_cleanup([b = &hooks, id] { b->runs(id); });
  }
  void released(settle::operation const& op) {
    std::size_t const id = hooks.entry(book::released);
    op.on_released([b = &hooks, id] { b->runs(id); });
    if (op) hooks.taken(id);
  }
  void all_of_them(settle::operation const& op) {
    cleanup(op);
    done(op);
    cancel(op);
    cleanup(op);
    released(op);
    cleanup(op);
  }
};

}  // namespace sweep

#endif
