// SPDX-License-Identifier: BSL-1.0
// done_callback and cancel_callback: hooks with storage of their own (G17), whose memory may go at any time.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "situations.hpp"

namespace {

using namespace test;

template <class Place>
using policy_of = counted<int, typename std::decay_t<Place>::executor>;

TEST(G06_never_late, a_done_callback_runs_once_whenever_it_is_made) {
  in_every_situation([](auto& place, situation at) {
    subject<policy_of<decltype(place)>> s(place.get_executor());
    int ran = 0;
    auto told = [&](settle::ending e) {
      ++ran;
      EXPECT_EQ(e.kind, kind_of(at.how));
    };
    std::optional<settle::done_callback<decltype(told)>> callback;
    play(place, at, s, [&] { callback.emplace(s.op, told); });
    EXPECT_EQ(ran, 1);
  });
}

TEST(G06_never_late, a_cancel_callback_runs_once_when_there_is_a_cancellation) {
  in_every_situation([](auto& place, situation at) {
    subject<policy_of<decltype(place)>> s(place.get_executor());
    int ran = 0;
    auto told = [&](settle::cancellation const& c) {
      ++ran;
      EXPECT_EQ(c.why, cause_of(at.how));
    };
    std::optional<settle::cancel_callback<decltype(told)>> callback;
    play(place, at, s, [&] { callback.emplace(s.op, told); });
    EXPECT_EQ(ran, is_cancelled(at.how) ? 1 : 0);
  });
}

TEST(G17_withdrawal, a_callback_that_goes_before_the_end_never_runs_and_leaves_nothing) {
  on_each_executor([](auto& place) {
    in_each_way([&](way how) {
      subject<policy_of<decltype(place)>> s(place.get_executor());
      long const blocks = ledger::blocks;
      long const made = ledger::made;
      int ran = 0;
      {
        settle::done_callback first(s.op, [&] { ++ran; });
        settle::cancel_callback second(s.h, [&] { ++ran; });
        settle::done_callback third(s.h, [&] { ++ran; });
      }
      EXPECT_EQ(ledger::made, made) << "it carries its storage";
      EXPECT_EQ(ledger::blocks, blocks);
      s.end(how);
      place.run();
      EXPECT_EQ(ran, 0);
      EXPECT_TRUE(s.op.is_released());
    });
  });
}

// Settled or asked, and queued on an executor of this very thread: it goes without waiting, and never runs.
TEST(G17_withdrawal, a_callback_whose_turn_has_not_come_goes_without_waiting) {
  in_each_way([](way how) {
    for (moment when : {moment::pending, moment::queued, moment::settled, moment::released}) {
      SCOPED_TRACE(moment_names[static_cast<int>(when)]);
      manual_loop loop;
      subject<counted<int, manual_loop::executor>> s(loop.get_executor());
      settle::pin hold = s.op.pin();
      int ran = 0;
      int others = 0;
      std::optional<settle::done_callback<std::function<void()>>> done;
      std::optional<settle::cancel_callback<std::function<void()>>> cancelled;
      auto const make = [&] {
        done.emplace(s.op, [&] { ++ran; });
        cancelled.emplace(s.op, [&] { ++ran; });
      };
      s.op.on_done([&] { ++others; });
      if (when == moment::pending) make();
      s.op.on_done([&] { ++others; });
      s.end(how);
      if (when == moment::settled) loop.run();
      if (when == moment::released) {
        hold.reset();
        loop.run();
      }
      if (when != moment::pending) make();
      done.reset();
      cancelled.reset();
      loop.run();
      hold.reset();
      loop.run();
      EXPECT_EQ(ran, 0);
      EXPECT_EQ(others, 2);
      EXPECT_TRUE(s.op.is_released());
    }
  });
}

TEST(G17_withdrawal, callbacks_may_go_inside_themselves_and_inside_each_other) {
  using callback = settle::done_callback<std::function<void()>>;
  on_each_executor([](auto& place) {
    subject<policy_of<decltype(place)>> s(place.get_executor());
    trail log;
    std::unique_ptr<callback> own;
    std::unique_ptr<callback> next;
    std::unique_ptr<callback> late;
    s.op.on_done([&] { log.push_back("zeroth"); });
    own = std::make_unique<callback>(s.op, [&] {
      log.push_back("first");
      next.reset();
      auto& seen = log;  // the closure dies with the next line
      auto& after = late;
      auto const op = s.op;
      own.reset();
      seen.push_back("still first");
      after = std::make_unique<callback>(op, [&after, &seen] {
        auto& there = seen;
        after.reset();
        there.push_back("late");
      });
    });
    next = std::make_unique<callback>(s.op, [&] { log.push_back("second"); });
    s.op.on_done([&] { log.push_back("third"); });
    s.end(way::complete);
    place.run();
    EXPECT_EQ(log, (trail{"zeroth", "first", "still first", "third", "late"}));
    EXPECT_EQ(late, nullptr);
  });
}

// Nothing is read or written where it was.
TEST(G17_withdrawal, a_callback_that_goes_inside_itself_leaves_its_memory_alone) {
  using done = settle::done_callback<std::function<void()>>;
  using cancel = settle::cancel_callback<std::function<void()>>;
  constexpr std::byte gone{0xdd};
  auto const in_its_own_place = [&]<class Callback>(std::in_place_type_t<Callback>, auto& place) {
    subject<policy_of<decltype(place)>> s(place.get_executor());
    alignas(Callback) std::array<std::byte, sizeof(Callback)> storage;
    int ran = 0;
    struct self {
      std::array<std::byte, sizeof(Callback)>& storage;
      int& ran;
      void operator()() const {
        auto& bytes = storage;
        ++ran;
        std::destroy_at(std::launder(reinterpret_cast<Callback*>(bytes.data())));
        bytes.fill(std::byte{0xdd});
      }
    };
    ::new (static_cast<void*>(storage.data())) Callback(s.op, self{storage, ran});
    s.op.request_cancel();
    place.run();
    s.op.cancel();
    s.drop(s.r);
    place.run();
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(std::ranges::count(storage, gone), static_cast<std::ptrdiff_t>(sizeof(Callback)));
    EXPECT_TRUE(s.op.is_released());
  };
  on_each_executor([&](auto& place) {
    in_its_own_place(std::in_place_type<done>, place);
    in_its_own_place(std::in_place_type<cancel>, place);
  });
}

TEST(G17_withdrawal, a_callback_that_has_run_may_go_on_any_thread) {
  subject<counted<int>> s;
  int ran = 0;
  std::optional<settle::done_callback<std::function<void()>>> callback;
  callback.emplace(s.op, [&] { ++ran; });
  s.end(way::complete);
  std::thread([&] { callback.reset(); }).join();
  EXPECT_EQ(ran, 1);
}

TEST(G14_last_reference, a_done_callback_looks_at_a_failure_and_a_cancel_callback_does_not) {
  {
    subject<counted<int>> s;
    settle::done_callback callback(s.op, [] {});
    s.end(way::fail);
  }
  EXPECT_EQ(recording_sink::count(settle::monitor_event::unseen_failure), 0U);
  {
    subject<counted<int>> s;
    settle::cancel_callback callback(s.op, [] {});
    s.op.request_cancel();
    s.end(way::fail);
  }
  EXPECT_EQ(recording_sink::count(settle::monitor_event::unseen_failure), 1U);
}

TEST(G17_withdrawal, a_callback_that_runs_elsewhere_is_waited_for) {
  for (bool cancel : {false, true}) {
    subject<counted<int>> s;
    std::atomic<int> stage = 0;
    auto const body = [&] {
      stage = 1;
      stage.notify_all();
      while (stage != 2) std::this_thread::yield();
      for (int i = 0; i != 1000; ++i) std::this_thread::yield();  // time for the other to return too early
      stage = 3;
    };
    std::optional<settle::done_callback<std::function<void()>>> done;
    std::optional<settle::cancel_callback<std::function<void()>>> cancelled;
    if (cancel) cancelled.emplace(s.op, body);
    else done.emplace(s.op, body);
    std::thread runner([&] { s.op.request_cancel(), s.op.cancel(); });
    stage.wait(0);
    stage = 2;
    done.reset();
    cancelled.reset();
    EXPECT_EQ(stage, 3);
    runner.join();
  }
}

template <class Notify>
struct ordered : counted<int> {
  using notify = Notify;
};

template <class P>
trail told_in_order() {
  using callback = settle::done_callback<std::function<void()>>;
  using on_cancel = settle::cancel_callback<std::function<void()>>;
  subject<P> s;
  trail log;
  auto const say = [&](std::string what) { return [&log, what] { log.push_back(what); }; };
  s.op.on_done(say("done 1"));
  on_cancel a(s.op, say("cancel 1"));
  callback b(s.op, say("done 2"));
  s.op.on_cancel(say("cancel 2"));
  auto gone = std::make_unique<callback>(s.op, say("gone"));
  on_cancel c(s.op, say("cancel 3"));
  s.op.on_done(say("done 3"));
  s.op.on_cleanup(say("cleanup"));
  gone.reset();
  s.op.cancel();
  s.drop(s.r);
  return log;
}

TEST(G04_order, callbacks_stand_in_line_with_the_other_observers) {
  EXPECT_EQ(told_in_order<counted<int>>(), (trail{"done 1", "done 2", "done 3", "cancel 1", "cancel 2", "cancel 3", "cleanup"}));
  using enum settle::notice;
  EXPECT_EQ((told_in_order<ordered<settle::notify_order<cancel, consumer, done, cleanup>>>()),
            (trail{"cancel 1", "cancel 2", "cancel 3", "done 1", "done 2", "done 3", "cleanup"}));
}

// A request: the cancel observers in registration order, whatever they are; nothing but them; each once.
TEST(G08_loud_cancel, a_request_tells_callbacks_and_observers_in_order) {
  on_each_executor([](auto& place) {
    for (way how : {way::complete, way::fail, way::cancel}) {
      for (bool at_once : {false, true}) {  // the request's user code runs before the end, or waits in the executor
        SCOPED_TRACE(way_names[static_cast<int>(how)]);
        subject<policy_of<decltype(place)>> s(place.get_executor());
        trail log;
        auto const say = [&](std::string what) { return [&log, what] { log.push_back(what); }; };
        s.op.on_done(say("done"));
        s.op.on_cancel(say("cancel 1"));
        settle::cancel_callback second(s.op, say("cancel 2"));
        settle::registration third = s.op.on_cancel(say("cancel 3"));
        settle::registration taken = s.op.on_cancel(say("never"));
        std::optional<settle::cancel_callback<std::function<void()>>> gone(std::in_place, s.op, std::function<void()>(say("never either")));
        settle::done_callback last(s.op, say("done 2"));
        if constexpr (std::decay_t<decltype(place)>::queued) {
          s.op.request_cancel();
          EXPECT_TRUE(taken.withdraw());
          gone.reset();
        } else {
          EXPECT_TRUE(taken.withdraw());
          gone.reset();
          s.op.request_cancel();
        }
        if (at_once) place.run();
        s.end(how);
        place.run();
        EXPECT_EQ(log, (trail{"cancel 1", "cancel 2", "cancel 3", "done", "done 2"}));
        EXPECT_FALSE(third.withdraw());
        EXPECT_TRUE(s.op.is_released());
      }
    }
  });
}

// Each of them may settle it, and the others of the request are told before those of the end.
TEST(G08_loud_cancel, an_observer_of_a_request_may_settle_the_operation) {
  on_each_executor([](auto& place) {
    for (int who = 0; who != 3; ++who) {
      SCOPED_TRACE(who);
      subject<policy_of<decltype(place)>> s(place.get_executor());
      trail log;
      auto const say = [&](int i) {
        return [&, i] {
          log.push_back("cancel " + std::to_string(i));
          if (i == who) {
            EXPECT_TRUE(s.r.complete(1));
          }
        };
      };
      settle::cancel_callback first(s.op, say(0));
      s.op.on_cancel(say(1));
      settle::cancel_callback third(s.op, say(2));
      s.op.on_done([&](settle::ending e) { log.push_back(e.kind == settle::ending::value ? "done" : "done with something else"); });
      s.op.request_cancel();
      place.run();
      EXPECT_EQ(log, (trail{"cancel 0", "cancel 1", "cancel 2", "done"}));
      EXPECT_TRUE(s.op.is_settled());
      EXPECT_TRUE(s.op.is_released());
    }
  });
}

// Forced from a std::stop_callback, while the request is on its way to them: in order all the same, and each once.
TEST(G08_loud_cancel, force_between_two_that_a_request_tells_keeps_their_order) {
  on_each_executor([](auto& place) {
    subject<policy_of<decltype(place)>> s(place.get_executor());
    trail log;
    auto const say = [&](std::string what) { return [&log, what] { log.push_back(what); }; };
    settle::cancel_callback first(s.op, say("cancel 1"));
    std::stop_callback const force(s.op.stop_token(), [&] { s.op.cancel(settle::cause::shutdown); });
    settle::cancel_callback second(s.op, say("cancel 2"));
    s.op.on_cancel(say("cancel 3"));
    settle::cancel_callback fourth(s.op, say("cancel 4"));
    s.op.request_cancel();
    place.run();
    EXPECT_EQ(log, (trail{"cancel 1", "cancel 2", "cancel 3", "cancel 4"}));
    EXPECT_FALSE(s.r.complete(1));
    place.run();
    EXPECT_TRUE(s.op.is_released());
  });
}

// The request's errand waits in the executor; force must reach the children all the same, now, and in any depth.
TEST(G09_flat, force_goes_down_a_chain_whose_requests_wait_in_the_executor) {
  using P = counted<void, manual_loop::executor>;
  manual_loop loop;
  constexpr int depth = 30'000;
  struct link {
    subject<P> s;
    settle::cancel_callback<std::function<void()>> callback;
    link(manual_loop& l, int& told) : s(l.get_executor()), callback(s.op, [&told] { ++told; }) {}
  };
  int told = 0;
  std::vector<std::unique_ptr<link>> chain;
  for (int i = 0; i != depth; ++i) {
    chain.push_back(std::make_unique<link>(loop, told));
    if (i != 0) chain[static_cast<std::size_t>(i) - 1]->s.op.adopt(chain.back()->s.op);
  }
  chain.front()->s.op.request_cancel();
  EXPECT_FALSE(chain.back()->s.op.is_settled());
  EXPECT_EQ(told, 0);
  chain.front()->s.op.cancel();
  EXPECT_TRUE(chain.back()->s.op.is_settled()) << "the structural part does not wait for the executor";
  EXPECT_EQ(told, 0);
  for (auto& l : chain) l->s.drop(l->s.r);
  loop.run();
  EXPECT_EQ(told, depth);
  EXPECT_TRUE(chain.front()->s.op.is_released());
}

TEST(G08_loud_cancel, force_after_a_request_that_waits_reaches_late_children) {
  manual_loop loop;
  subject<counted<int, manual_loop::executor>> s(loop.get_executor());
  subject<counted<int>> child;
  subject<counted<int>> later;
  int told = 0;
  settle::cancel_callback callback(s.op, [&] { ++told; });
  s.op.adopt(child.op);
  s.op.request_cancel(settle::cause::deadline);
  EXPECT_TRUE(child.op.cancel_requested());
  EXPECT_FALSE(child.op.is_settled());
  s.op.cancel();
  EXPECT_TRUE(child.op.is_settled());
  s.op.adopt(later.op);
  EXPECT_TRUE(later.op.is_settled());
  loop.run();
  EXPECT_EQ(told, 1);
  child.drop(child.r);
  later.drop(later.r);
  s.drop(s.r);
  loop.run();
  EXPECT_TRUE(s.op.is_released());
}

TEST(G13_executor_loss, callbacks_are_told_by_whoever_throws_their_work_away) {
  for (auto mood : {manual_loop::keeps, manual_loop::throws, manual_loop::drops}) {
    for (bool request : {false, true}) {
      manual_loop loop;
      loop.mood(mood);
      subject<counted<int, manual_loop::executor>> s(loop.get_executor());
      trail log;
      settle::cancel_callback cancelled(s.op, [&] { log.push_back("cancel"); });
      settle::done_callback done(s.op, [&] { log.push_back("done"); });
      if (request) {
        s.op.request_cancel();
        if (mood == manual_loop::keeps) loop.drop_all();
        EXPECT_TRUE(s.op.is_settled()) << "its executor is gone";
      } else {
        s.op.cancel();
        if (mood == manual_loop::keeps) loop.drop_all();
      }
      EXPECT_EQ(log, request ? (trail{"cancel", "done"}) : (trail{"done", "cancel"}));
      s.drop(s.r);
      EXPECT_TRUE(s.op.is_released());
      EXPECT_EQ(recording_sink::take().size(), 1U);
    }
  }
}

TEST(G10_nofail, what_a_callback_throws_goes_to_the_sink) {
  on_each_executor([](auto& place) {
    subject<policy_of<decltype(place)>> s(place.get_executor());
    int others = 0;
    settle::done_callback throwing(s.op, [] { throw std::runtime_error("of a callback"); });
    settle::done_callback after(s.op, [&] { ++others; });
    s.end(way::complete);
    place.run();
    EXPECT_EQ(others, 1);
    auto const reports = recording_sink::take();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].what, settle::monitor_event::callback_threw);
    EXPECT_EQ(reports[0].said, "of a callback");
  });
}

TEST(G11_no_leak_at_the_door, a_late_callback_without_memory_says_so) {
  manual_loop loop;
  subject<counted<int, manual_loop::executor>> s(loop.get_executor());
  auto keep = s.op.pin();
  int ran = 0;
  s.end(way::cancel);
  loop.run();
  {
    dry_after const none(0);
    auto const register_late = [&] { settle::done_callback late(s.op, [&] { ++ran; }); };
    auto const register_cancel = [&] { settle::cancel_callback late(s.op, [&] { ++ran; }); };
    EXPECT_THROW(register_late(), std::bad_alloc);
    EXPECT_THROW(register_cancel(), std::bad_alloc);
  }
  keep.reset();
  loop.run();
  EXPECT_EQ(ran, 0);
}

// The operation ends while its memory is asked for: the stand-in finds that there is nothing to tell any more.
std::function<void()> when_allocating;

template <class T>
struct meddling_allocator : counting_allocator<T> {
  using value_type = T;
  meddling_allocator() noexcept = default;
  template <class U>
  meddling_allocator(meddling_allocator<U> const&) noexcept {}
  T* allocate(std::size_t n) const {
    if (auto const f = std::exchange(when_allocating, nullptr)) f();
    return counting_allocator<T>::allocate(n);
  }
};
struct meddled_with : counted<int> {
  using allocator_type = meddling_allocator<std::byte>;
};

TEST(G06_never_late, a_callback_that_comes_late_for_a_request_and_finds_a_value) {
  subject<meddled_with> s;
  int ran = 0;
  s.op.request_cancel();
  when_allocating = [&] { s.r.complete(1); };
  settle::cancel_callback late(s.op, [&] { ++ran; });
  EXPECT_TRUE(s.op.is_released());
  EXPECT_EQ(ran, 0);
}

TEST(callbacks, of_an_empty_operation_never_run) {
  int ran = 0;
  {
    settle::done_callback done(settle::operation(), [&] { ++ran; });
    settle::cancel_callback cancelled(settle::operation(), [&] { ++ran; });
  }
  EXPECT_EQ(ran, 0);
}

TEST(callbacks, keep_no_cleanup_back_and_may_outlive_everything) {
  std::optional<settle::done_callback<std::function<void()>>> callback;
  int ran = 0;
  {
    subject<counted<int>> s;
    callback.emplace(s.op, [&] { ++ran; });
    s.end(way::fail);
    EXPECT_TRUE(s.op.is_released());
  }
  EXPECT_EQ(ran, 1);
  callback.reset();
}

TEST(callbacks, of_one_thread_do_the_same_without_atomics) {
  struct single : counted<int> {
    using terminal = settle::unsynchronized_terminal;
  };
  in_each_way([](way how) {
    subject<single> s;
    trail log;
    using op_callback = settle::done_callback<std::function<void()>, settle::unsynchronized_terminal>;
    std::unique_ptr<op_callback> own;
    own = std::make_unique<op_callback>(s.op, [&] {
      log.push_back("own");
      own.reset();
    });
    settle::done_callback done(s.op, [&] { log.push_back("done"); });
    settle::cancel_callback cancelled(s.op, [&] { log.push_back("cancel"); });
    s.end(how);
    EXPECT_EQ(log.size(), is_cancelled(how) ? 3U : 2U);
    EXPECT_TRUE(s.op.is_released());
  });
}

// The owner goes while the operation ends, on other threads: it ran before, or it never runs, and nobody touches it
// afterwards (the sanitizers look).
template <class Place>
void race(Place& place, int rounds) {
  crew threads(3);
  for (int round = 0; round != rounds; ++round) {
    subject<policy_of<Place>> s(place.get_executor());
    auto const ran = std::make_shared<std::atomic<int>>(0);
    struct owner {
      settle::done_callback<std::function<void()>> done;
      settle::cancel_callback<std::function<void()>> cancelled;
      settle::cancel_callback<std::function<void()>> second;
      owner(settle::operation const& op, std::function<void()> const& f) : done(op, f), cancelled(op, f), second(op, f) {}
    };
    auto alive = std::make_shared<std::atomic<bool>>(true);
    auto o = std::make_unique<owner>(s.op, [ran, alive] {
      EXPECT_TRUE(*alive);
      ++*ran;
    });
    s.op.on_done([] {});
    threads.run([&](unsigned i) {
      if (i == 0) {
        o.reset();
        *alive = false;
      } else if (i == 1) {
        s.op.request_cancel();
      } else {
        s.op.cancel();
        s.drop(s.r);
      }
    });
    place.run();
    EXPECT_LE(*ran, 3);
  }
}

TEST(G17_withdrawal, owners_that_go_while_the_operation_ends) {
  on_each_executor([](auto& place) { race(place, 1000); });
  struct on_threads {
    using executor = thread_pool::executor;
    thread_pool threads{2};
    executor get_executor() { return threads.get_executor(); }
    void run() { threads.wait_idle(); }
  } place;
  race(place, 1000);
}

// Late registration, and going again, against the operation's end.
TEST(G17_withdrawal, owners_that_come_and_go_while_the_operation_ends) {
  crew threads(2);
  for (int round = 0; round != 1000; ++round) {
    subject<counted<int>> s;
    std::atomic<int> ran = 0;
    threads.run([&](unsigned i) {
      if (i == 0) {
        settle::done_callback done(s.op, [&] { ++ran; });
        settle::cancel_callback cancelled(s.op, [&] { ++ran; });
      } else {
        s.op.request_cancel();
        s.r.complete(1);
      }
    });
    EXPECT_LE(ran, 2);
  }
}

}  // namespace
