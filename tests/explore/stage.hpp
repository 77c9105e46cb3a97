// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_EXPLORE_STAGE_HPP
#define SETTLE_TESTS_EXPLORE_STAGE_HPP

#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "generated/books.hpp"

// What scenes of several operations are made of, and how far each is explored. Plain objects are written where the contract
// orders what writes them: where it does not, the explorer reports a race.
namespace explore {

template <class T, class Ex = settle::inline_executor>
using producer = settle::resolver_of<T, settle::error, Ex, C>;
template <class T>
using handle = settle::handle_of<T, settle::error, C>;
template <class T>
using watcher = settle::watcher_of<T, settle::error, C>;

// A sanitizer looks at what one execution does; a hundred of them are enough for that.
#if defined(SETTLE_WEAVE_ASAN) || defined(SETTLE_WEAVE_TSAN)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif

// Two threads every day, three where there is time for it (SETTLE_TEST_THOROUGH). Either is exhausted, as three acts are: within one
// preemption and one old value, with weak memory; within as many preemptions as SETTLE_PREEMPTIONS says, for whoever has more time. What
// is small goes without a bound.
#if defined(SETTLE_TEST_THOROUGH)
inline constexpr unsigned most_threads = 3;
#else
inline constexpr unsigned most_threads = 2;
#endif

inline unsigned most_preemptions() {
  char const* const said = std::getenv("SETTLE_PREEMPTIONS");  // NOLINT(concurrency-mt-unsafe): nobody writes the environment
  return said == nullptr ? 1 : static_cast<unsigned>(std::strtoul(said, nullptr, 10));
}

/// Explores the scenes of one test, and says what was exhausted.
class exploration {
 public:
  exploration(unsigned number, bool bounded, unsigned preemptions = most_preemptions()) : threads(number), bounded_(bounded) {
    if (bounded) {
      how_.preemptions = preemptions;
      how_.old_values = 1;
    }
    if (sanitized) how_.max_executions = 100;
  }
  exploration(exploration&&) = delete;
  ~exploration() {
    unsigned const most = how_.preemptions.value_or(0);
    std::string const bound = std::to_string(most) + (most == 1 ? " preemption" : " preemptions");
    std::string const what = sanitized  ? "100 executions each"
                             : bounded_ ? "exhausted within " + bound + " and 1 old value"
                                        : "exhausted without a bound";
    std::printf("%u threads, %s: %u scenes, %llu executions\n", threads, what.c_str(), scenes_,
                static_cast<unsigned long long>(executions_));
    EXPECT_NE(scenes_, 0U);
  }

  /// How many the scene is to have.
  unsigned const threads;

  template <class Scene>
  void operator()(std::string const& name, Scene scene) {
    if (testing::Test::HasFailure()) return;
    auto const r = weave::explore(scene, how_);
    ++scenes_;
    executions_ += r.executions + r.redundant;
    EXPECT_TRUE(r.clean && (r.exhausted || sanitized)) << name << ": " << r.text();
  }

 private:
  bool bounded_;
  weave::options how_;
  unsigned scenes_ = 0;
  std::uint64_t executions_ = 0;
};

/// f(exploration&) with two threads, and with three where there is time.
template <class F>
void with_two_and_three(F f, bool bounded = true) {
  for (unsigned threads = 2; threads <= most_threads; ++threads) {
    exploration all(threads, bounded);
    f(all);
  }
}

enum class end_t : unsigned char { value, failure, cancelled };
inline char name_of(end_t e) { return "vfc"[static_cast<int>(e)]; }

/// A value whose reading is a step, which must come after the making of it. Passing it on runs something of the user's.
struct cargo {
  weave::plain<int> number = 0;

  explicit cargo(int n) : number(n) {}
};

/// An operation as others see it: its two ends, and that it was released.
template <class T, class Ex = settle::inline_executor>
struct source {
  producer<T, Ex> r;
  handle<T> h = r.get_handle();
  operation op = r.op();
  weave::plain<int> cleaned = 0;

  explicit source(Ex ex = Ex()) : r(std::move(ex)) {
    op.on_cleanup([this] { cleaned = cleaned + 1; });
  }
  /// On the thread that produces it. False: something else has ended it before.
  bool end_as(end_t how, int n) {
    producer<T, Ex> mine(std::move(r));
    return how == end_t::value ? mine.complete(T(n)) : how == end_t::failure ? mine.fail(settle::errc::closed) : mine.cancel();
  }
  /// Its producer does nothing by itself: it stops when it is asked to.
  void stops_when_asked() {
    op.on_cancel([this] {
      producer<T, Ex> mine(std::move(r));
      mine.cancel();
    });
  }
};

}  // namespace explore

#endif
