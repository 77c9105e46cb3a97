// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SCENES_HPP
#define SETTLE_TESTS_MODEL_SCENES_HPP

#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <stdexcept>
#include <utility>

#include "allocations.hpp"
#include "situations.hpp"

// A fixed set of things that programs do, each of them complete, and the book that says afterwards whether the contract held.
// The sweeps run them with one fault after another.
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

/// One operation with every kind of hook, watched, pinned, and taken from.
template <class Place>
void everything_on_one(world<Place>& w) {
  using P = swept<touchy, typename Place::executor>;
  subject<P> s(w.get_executor());
  w.all_of_them(s.op);
  s.h.watch().on_done([](settle::outcome<touchy> const& o) {
    if (o) trouble::user_call();
  });
  std::move(s.h).on_done([](settle::outcome<touchy>&& o) {
    if (o) touchy const mine(std::move(o).value());
  });
  w.ending([&] {
    settle::pin const held = s.op.pin();
    s.r.complete(touchy(1));
    subject<P>::drop(s.r);
  });
}

/// Three levels, asked, forced from the top, with the producers going last.
template <class Place>
void a_tree_forced(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> top(w.get_executor());
  subject<P> middle(w.get_executor());
  subject<P> leaf(w.get_executor());
  for (auto* s : {&top, &middle, &leaf}) w.all_of_them(s->op);
  top.op.adopt(std::move(middle.h));
  middle.op.adopt(leaf.op);
  w.ending([&] {
    leaf.op.request_cancel();
    top.op.cancel(settle::cause::shutdown);
    subject<P>::drop(leaf.r);
    subject<P>::drop(middle.r);
    subject<P>::drop(top.r);
  });
}

/// A value whose owner went away, for which a function waits; and one that nobody waits for.
template <class Place>
void lost_values(world<Place>& w) {
  using P = swept<touchy, typename Place::executor>;
  subject<P> s(w.get_executor());
  subject<P> t(w.get_executor());
  w.cleanup(s.op);
  w.done(t.op);
  s.h = std::move(s.h).on_lost([](touchy&&) noexcept {});
  subject<P>::drop(s.h);
  w.ending([&] {
    s.r.complete(touchy(2));
    t.r.complete(touchy(3));
    subject<P>::drop(s.r);
    subject<P>::drop(t.r);
  });
}

/// Observers that live with another operation, which ends first, last, or not at all.
template <class Place>
void bound_observers(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> session(w.get_executor());
  subject<P> early(w.get_executor());
  subject<P> late(w.get_executor());
  for (auto* s : {&session, &early, &late}) w.cleanup(s->op);
  early.op.on_done(settle::bound_to(session.op), [] { trouble::user_call(); });
  std::move(late.h).on_done(settle::bound_to(session.op), [](settle::outcome<int>&&) { trouble::user_call(); });
  w.ending([&] {
    early.r.complete(1);
    session.op.cancel();
    late.r.fail(settle::errc::closed);
    subject<P>::drop(session.r);
  });
}

/// Two producers, of which the second loses; registering when it is over.
template <class Place>
void two_producers_and_late_hooks(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s(w.get_executor());
  w.all_of_them(s.op);
  settle::shared_resolver<P> a(std::move(s.r));
  settle::shared_resolver<P> b(a);
  w.ending([&] {
    a.complete(1);
    b.fail(settle::errc::closed);
  });
  w.all_of_them(s.op);
}

/// Nobody settles: the producer goes, asked and not asked.
template <class Place>
void abandoned(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s(w.get_executor());
  subject<P> t(w.get_executor());
  w.all_of_them(s.op);
  w.all_of_them(t.op);
  w.ending([&] {
    subject<P>::drop(s.h);
    subject<P>::drop(s.r);
    subject<P>::drop(t.r);
  });
}

/// all, race and any of operations that are adopted, a step after each.
template <class Place>
void combined(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s[6] = {subject<P>(w.get_executor()), subject<P>(w.get_executor()), subject<P>(w.get_executor()),
                     subject<P>(w.get_executor()), subject<P>(w.get_executor()), subject<P>(w.get_executor())};
  for (auto& x : s) w.cleanup(x.op);
  auto both = settle::then(settle::all(std::move(s[0].h), std::move(s[1].h)), [](auto&&...) {
    trouble::user_call();
    return 1;
  });
  auto first = settle::then(settle::race(std::move(s[2].h), std::move(s[3].h)), [](auto&&...) {
    trouble::user_call();
    return 2;
  });
  auto good = settle::any(std::move(s[4].h), std::move(s[5].h));
  w.done_quietly(both);
  w.done_quietly(first);
  w.done_quietly(good);
  w.ending([&] {
    for (auto& x : s) x.r.complete(4);
  });
}

template <class P>
settle::handle<P> twice_of(typename P::executor_type, settle::handle<P> h) {
  int const n = co_await std::move(h);
  trouble::user_call();
  co_return 2 * n;
}

/// A coroutine that joins an operation, and one that is cancelled while it does.
template <class Place>
void awaited(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s(w.get_executor());
  subject<P> t(w.get_executor());
  w.cleanup(s.op);
  w.cleanup(t.op);
  auto joined = twice_of<P>(w.get_executor(), std::move(s.h));
  auto cancelled = twice_of<P>(w.get_executor(), std::move(t.h));
  w.all_of_them(joined);
  w.all_of_them(cancelled);
  s.r.complete(21);
  cancelled.cancel();
  subject<P>::drop(t.r);
}

/// A cleanup that takes its time.
template <class Place>
void asynchronous_cleanup(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s(w.get_executor());
  subject<P> farewell(w.get_executor());
  w.cleanup(s.op);
  settle::handle<P> begun = std::move(farewell.h);
  s.op.on_cleanup([h = std::move(begun)]() mutable { return std::move(h); });
  w.cleanup(s.op);
  s.r.complete(1);
  farewell.r.fail(settle::errc::closed);
}

template <class Place>
struct scene {
  char const* name;
  void (*play)(world<Place>&);
};
template <class Place>
inline constexpr scene<Place> scenes[] = {{"everything on one", &everything_on_one<Place>},
                                          {"a tree forced", &a_tree_forced<Place>},
                                          {"lost values", &lost_values<Place>},
                                          {"bound observers", &bound_observers<Place>},
                                          {"two producers and late hooks", &two_producers_and_late_hooks<Place>},
                                          {"abandoned", &abandoned<Place>},
                                          {"combined", &combined<Place>},
                                          {"awaited", &awaited<Place>},
                                          {"asynchronous cleanup", &asynchronous_cleanup<Place>}};

}  // namespace sweep

#endif
