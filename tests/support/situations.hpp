// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SITUATIONS_HPP
#define SETTLE_TESTS_SITUATIONS_HPP

#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "books.hpp"
#include "executors.hpp"
#include "values.hpp"

// The ways an operation can end, the moments at which something can be registered, the executors: every guarantee is
// tried in all of them.
namespace test {

/// The tests' policy: everything is counted.
template <class Value, class Ex = settle::inline_executor>
struct counted : settle::default_policy {
  using value_type = Value;
  using executor_type = Ex;
  using allocator_type = counting_allocator<std::byte>;
  using error_sink = recording_sink;
  using monitor = counting_monitor;
};

enum class way { complete, fail, cancel, request, abandon, drop };
inline constexpr way all_ways[] = {way::complete, way::fail, way::cancel, way::request, way::abandon, way::drop};
inline constexpr char const* way_names[] = {"complete", "fail", "cancel", "request_cancel", "abandon", "drop"};

/// When the thing under test is registered.
enum class moment {
  pending,   ///< before the end
  queued,    ///< after it, before the executor ran anything
  settled,   ///< after the observers, while a pin holds the cleanups back
  released,  ///< after everything
};
inline constexpr moment all_moments[] = {moment::pending, moment::queued, moment::settled, moment::released};
inline constexpr char const* moment_names[] = {"pending", "queued", "settled", "released"};

inline settle::ending::kind_t kind_of(way w) {
  return w == way::complete ? settle::ending::value : w == way::fail ? settle::ending::failure : settle::ending::cancelled;
}
inline settle::cause cause_of(way w) {
  return w == way::cancel    ? settle::cause::overload
         : w == way::request ? settle::cause::deadline
         : w == way::abandon ? settle::cause::abandoned
                             : settle::cause::dropped;
}
inline bool is_cancelled(way w) { return kind_of(w) == settle::ending::cancelled; }

template <class V>
V some_value() {
  if constexpr (!std::is_void_v<V>) return V(42);
}

/// An operation with both its ends.
template <class P>
class subject {
 public:
  using executor_type = typename P::executor_type;
  settle::resolver<P> r;
  settle::handle<P> h;
  settle::basic_operation<typename P::terminal> op;

  explicit subject(executor_type ex = executor_type()) : r(std::move(ex)), h(r.get_handle()), op(r.op()) {}

  /// Ends it, and lets the producer go: nothing but pins, children and posted work keep it from being released.
  void end(way how) { EXPECT_TRUE(try_to_end(how)); }

  /// The same in a race: false when somebody was first.
  bool try_to_end(way how) {
    bool won = true;
    if (how == way::complete) {
      if constexpr (std::is_void_v<typename P::value_type>) won = r.complete();
      else won = r.complete(some_value<typename P::value_type>());
    }
    if (how == way::fail) won = r.fail(P::make_error(settle::errc::closed));
    if (how == way::cancel) won = op.cancel(settle::cause::overload);
    if (how == way::request) won = op.request_cancel(settle::cause::deadline);
    if (how == way::drop) drop(h);
    drop(r);
    EXPECT_TRUE(op.is_settled());
    return won;
  }

  template <class End>
  static void drop(End& e) {
    End gone(std::move(e));
  }
};

/// Runs at once, on the thread that settles.
struct at_once {
  using executor = settle::inline_executor;
  static constexpr bool queued = false;
  executor get_executor() { return {}; }
  void run() {}
};
/// Queued, and run by the test.
struct in_a_loop {
  using executor = manual_loop::executor;
  static constexpr bool queued = true;
  manual_loop loop;
  executor get_executor() { return loop.get_executor(); }
  void run() { loop.run(); }
};

/// f(place) with each kind of executor; `place.run()` lets user code run.
template <class F>
void on_each_executor(F f) {
  {
    SCOPED_TRACE("inline executor");
    at_once place;
    f(place);
  }
  SCOPED_TRACE("queue executor");
  in_a_loop place;
  f(place);
  place.run();
}

template <class F>
void in_each_way(F f) {
  for (way w : all_ways) {
    SCOPED_TRACE(way_names[static_cast<int>(w)]);
    f(w);
  }
}

struct situation {
  way how;
  moment when;
};

/// f(place, situation) for each executor, way and moment.
template <class F>
void in_every_situation(F f) {
  on_each_executor([&](auto& place) {
    in_each_way([&](way how) {
      for (moment when : all_moments) {
        SCOPED_TRACE(moment_names[static_cast<int>(when)]);
        f(place, situation{how, when});
      }
    });
  });
}

/// Ends the subject as the situation says, and calls `wire` at its moment. Afterwards everything is released.
template <class Place, class P, class F>
void play(Place& place, situation at, subject<P>& s, F wire) {
  if (at.when == moment::pending) {
    wire();
    s.end(at.how);
    place.run();
  } else {
    settle::pin hold = at.when == moment::released ? settle::pin() : s.op.pin();
    s.end(at.how);
    if (at.when != moment::queued) place.run();
    EXPECT_EQ(s.op.is_released(), at.when == moment::released);
    wire();
    place.run();
    hold.reset();
    place.run();
  }
  EXPECT_TRUE(s.op.is_released());
}

using trail = std::vector<std::string>;

}  // namespace test

#endif
