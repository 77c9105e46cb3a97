// SPDX-License-Identifier: BSL-1.0
// Every scene with one fault at each place in turn, until a run has none: memory, user code that throws, executors that lose work.
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <cstdint>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "scenes.hpp"

namespace {

using namespace sweep;

#if defined(SETTLE_TEST_HEAP_RUNS_DRY)
using no_memory = no_heap_after;  // malloc itself, so the C++ library's as well
#else
using no_memory = dry_after;  // what the policy's allocator gives: a sanitizer has malloc
#endif

constexpr long too_many = 500;  // faults in one scene: it does not end

std::int64_t live_before = 0;

void begin() {
  trouble::begin(0, false);
  tally_sink::heard = {};
  settle::trim();
  live_before = live_allocations_of_this_thread();
}
long heard(settle::monitor_event::what_t what) { return tally_sink::heard[what]; }

/// After a run: each operation ended once, nothing is left, every hook as promised.
void expect_in_order(book const& hooks) {
  settle::trim();
  EXPECT_EQ(live_allocations_of_this_thread(), live_before) << "memory of anybody's is still out";
  hooks.check();
  expect_balanced();
  EXPECT_EQ(touchy::alive, 0);
  EXPECT_EQ(heard(settle::monitor_event::misuse), 0);
}

/// Plays once. What a scene throws it has told its caller.
template <class Place>
void play(Place& place, scene<Place> const& s, book& hooks) {
  world<Place> w{place, hooks};
  try {
    s.play(w);
  } catch (std::bad_alloc const&) {
  } catch (std::runtime_error const&) {
  }
}

/// What combinators' results report goes to the default sink, which says it: not for whoever reads what tests say.
class quiet_stderr {
 public:
  quiet_stderr() { testing::internal::CaptureStderr(); }
  quiet_stderr(quiet_stderr&&) = delete;
  ~quiet_stderr() { testing::internal::GetCapturedStderr(); }
};

enum class fault { refuses, drops, runs_twice, dies_with_its_queue };
constexpr fault all_faults[] = {fault::refuses, fault::drops, fault::runs_twice, fault::dies_with_its_queue};
constexpr char const* fault_names[] = {"refuses", "drops", "runs twice", "dies with its queue"};

/// A queue that goes wrong at the nth submission.
struct broken_loop {
  fault how = fault::refuses;
  long at = 0;  // counted from 1; 0: never
  bool for_good = false;
  long submissions = 0;
  manual_loop loop;

  struct executor {
    broken_loop* owner;
    template <class F>
    void execute(F f) const {
      owner->take(std::move(f));
    }
    bool running_in_this_thread() const noexcept { return owner->loop.is_here(); }
    bool operator==(executor const&) const = default;
  };

  executor get_executor() noexcept { return {this}; }
  void run() { loop.run(); }
  bool went_wrong() const noexcept { return submissions >= at; }

 private:
  template <class F>
  void take(F f) {
    ++submissions;
    bool const now = at != 0 && (submissions == at || (for_good && submissions > at));
    if (!now) return loop.get_executor().execute(std::move(f));
    if (how == fault::refuses) throw std::runtime_error("refused");
    if (how == fault::drops) return;
    if (how == fault::runs_twice)
      return loop.get_executor().execute([g = std::move(f)]() mutable {
        g();
        g();
      });
    loop.get_executor().execute(std::move(f));
    loop.drop_all();
  }
};

/// f(place, scene) for each scene there.
template <class Place, class F>
void in_every_scene(Place& place, F f) {
  for (auto const& s : scenes<Place>) {
    SCOPED_TRACE(s.name);
    book once;  // what is made once for the whole program is there afterwards
    play(place, s, once);
    place.run();
    f(place, s);
  }
}
/// The same at once and queued.
template <class F>
void in_every_scene(F f) {
  quiet_stderr const quiet;
  {
    SCOPED_TRACE("inline executor");
    at_once place;
    in_every_scene(place, f);
  }
  SCOPED_TRACE("queue executor");
  broken_loop place;  // which is not
  in_every_scene(place, f);
}

TEST(sweep_nothing, without_a_fault_every_scene_is_in_order) {
  in_every_scene([](auto& place, auto const& s) {
    begin();
    book hooks;
    world<std::decay_t<decltype(place)>> w{place, hooks};
    s.play(w);
    place.run();
    expect_in_order(hooks);
    EXPECT_EQ(heard(settle::monitor_event::callback_threw) + heard(settle::monitor_event::cleanup_threw), 0);
    EXPECT_EQ(heard(settle::monitor_event::executor_lost), 0);
  });
}

TEST(sweep_nothing, from_claimed_to_released_nothing_is_allocated) {
  at_once place;
  for (auto const& s : scenes<at_once>) {
    SCOPED_TRACE(s.name);
    begin();
    book hooks;
    world<at_once> w{place, hooks, true};
    s.play(w);
    EXPECT_EQ(w.allocated, 0U);
  }
}

TEST(sweep_memory, the_nth_allocation_fails) {
  long failures = 0;
  for (bool const once : {true, false}) {
    SCOPED_TRACE(once ? "once" : "for good");
    in_every_scene([&](auto& place, auto const& s) {
      bool failed = true;
      for (long n = 0; failed && !HasFailure(); ++n) {
        SCOPED_TRACE(n);
        ASSERT_LT(n, too_many);
        begin();
        book hooks;
        {
          no_memory const dry(n, once);
          play(place, s, hooks);
          place.run();
          failed = dry.failures() != 0;
        }
        place.run();
        expect_in_order(hooks);
        failures += failed ? 1 : 0;
      }
    });
  }
  EXPECT_GT(failures, 100);
  std::printf("%ld runs in which memory ran out\n", failures);
}

TEST(sweep_throws, the_kth_call_of_user_code_throws) {
  long throws = 0;
  for (bool const for_good : {false, true}) {
    SCOPED_TRACE(for_good ? "for good" : "once");
    in_every_scene([&](auto& place, auto const& s) {
      for (long k = 1;; ++k) {
        SCOPED_TRACE(k);
        ASSERT_LT(k, too_many);
        begin();
        trouble::begin(k, for_good);
        book hooks;
        play(place, s, hooks);
        place.run();
        trouble::at = 0;
        expect_in_order(hooks);
        if (trouble::thrown == 0 || testing::Test::HasFailure()) return;
        ++throws;
      }
    });
  }
  EXPECT_GT(throws, 100);
  std::printf("%ld runs in which user code threw\n", throws);
}

TEST(sweep_executors, the_nth_submission_goes_wrong) {
  quiet_stderr const quiet;
  long faults = 0;
  for (fault const how : all_faults)
    for (bool const for_good : {false, true})
      for (auto const& s : scenes<broken_loop>) {
        SCOPED_TRACE(std::string(s.name) + ": " + fault_names[static_cast<int>(how)] + (for_good ? " for good" : " once"));
        for (long n = 0;; ++n) {  // the first time nothing goes wrong: what is made once for the whole program is there afterwards
          SCOPED_TRACE(n);
          ASSERT_LT(n, too_many);
          broken_loop place;
          begin();
          book hooks;
          place.how = how;
          place.at = n;
          place.for_good = for_good;
          play(place, s, hooks);
          place.run();
          if (n == 0) continue;
          expect_in_order(hooks);
          if (!place.went_wrong() || HasFailure()) break;
          ++faults;
          EXPECT_EQ(heard(settle::monitor_event::executor_lost) != 0, how != fault::runs_twice) << "it is told, and work runs once";
        }
      }
  EXPECT_GT(faults, 50);
  std::printf("%ld runs in which an executor lost work\n", faults);
}

}  // namespace
