// SPDX-License-Identifier: BSL-1.0
// then, or_else, finally, via: what they call, with what, where; what passes by; what they return.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "situations.hpp"

namespace {

using namespace test;
using settle::errc;
using settle::handle_of;

struct text : std::string {
  using std::string::string;
  text(std::string s) : std::string(std::move(s)) {}
  explicit text(int) : std::string("in") {}
};

template <class Place>
using source_in = subject<counted<text, typename Place::executor>>;

/// What a step's function does.
enum class does { value, nothing_throws, done_handle, pending_handle, failed_handle, cancelled_handle, watcher };
constexpr does all_does[] = {does::value,         does::nothing_throws,   does::done_handle, does::pending_handle,
                             does::failed_handle, does::cancelled_handle, does::watcher};

struct inner {
  settle::resolver_of<std::string> r;
  std::optional<settle::watcher_of<std::string>> seen;

  handle_of<std::string> start(does what) {
    handle_of<std::string> h = r.get_handle();
    if (what == does::done_handle) r.complete("inner");
    if (what == does::failed_handle) r.fail(errc::closed);
    if (what == does::cancelled_handle) r.op().cancel(settle::cause::overload);
    if (what != does::pending_handle) settle::resolver_of<std::string> gone(std::move(r));
    return h;
  }
  void end(does what) {
    if (what == does::pending_handle) r.complete("inner");
  }
};

/// f(place, settled before wiring, what the function does)
template <class F>
void in_the_matrix(F f) {
  on_each_executor([&](auto& place) {
    for (bool early : {false, true})
      for (does what : all_does) {
        SCOPED_TRACE("early " + std::to_string(early) + ", does " + std::to_string(static_cast<int>(what)));
        f(place, early, what);
      }
  });
}

template <class O>
void expect_of(O const& o, does what) {
  if (what == does::nothing_throws || what == does::failed_handle) {
    EXPECT_TRUE(o.has_error());
  } else if (what == does::cancelled_handle) {
    EXPECT_EQ(o.cancel().why, settle::cause::overload);
  } else {
    EXPECT_EQ(o.value(), what == does::value ? "got in" : "inner");
  }
}

TEST(A18_then, every_mixture_gives_the_same_on_the_executor_of_the_source) {
  in_the_matrix([](auto& place, bool early, does what) {
    source_in<std::decay_t<decltype(place)>> s(place.get_executor());
    inner in;
    int calls = 0;
    auto called = [&] {
      ++calls;
      if constexpr (std::decay_t<decltype(place)>::queued) {
        EXPECT_TRUE(place.loop.is_here());
      }
    };
    if (early) s.r.complete("in");
    handle_of<std::string> result;
    if (what == does::value) {
      result = settle::then(std::move(s.h), [&](std::string v) { return called(), "got " + v; });
    } else if (what == does::watcher) {
      result = settle::then(std::move(s.h), [&](std::string const&) { return called(), in.start(does::done_handle).share(); });
    } else if (what == does::nothing_throws) {
      result = settle::then(std::move(s.h), [&](std::string const&) -> std::string { called(), throw std::runtime_error("thrown"); });
    } else {
      result = settle::then(std::move(s.h), [&](std::string const&) { return called(), in.start(what); });
    }
    place.run();
    if (!early) s.r.complete("in");
    place.run();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(result.is_settled(), what != does::pending_handle);
    in.end(what);
    place.run();
    EXPECT_TRUE(result.is_released());
    expect_of(std::move(result).wait(), what);
  });
}

TEST(A18_then, an_error_and_a_cancellation_pass_by_the_function_which_dies_where_it_would_have_run) {
  on_each_executor([](auto& place) {
    for (bool early : {false, true})
      for (way how : {way::fail, way::cancel, way::request, way::abandon}) {
        SCOPED_TRACE(way_names[static_cast<int>(how)]);
        source_in<std::decay_t<decltype(place)>> s(place.get_executor());
        bool dead = false;
        bool here = true;
        auto token = std::shared_ptr<int>(new int(1), [&](int* p) {
          delete p;
          dead = true;
          if constexpr (std::decay_t<decltype(place)>::queued) here = place.loop.is_here();
        });
        if (early) s.end(how);
        auto result = settle::then(std::move(s.h), [t = std::move(token)](std::string const&) { ADD_FAILURE(); });
        if (!early) s.end(how);
        EXPECT_TRUE(result.is_settled()) << "at once, whatever the executor is doing";
        place.run();
        EXPECT_TRUE(dead);
        EXPECT_TRUE(here);
        EXPECT_TRUE(result.is_released());
        auto o = std::move(result).wait();
        EXPECT_EQ(o.has_error(), how == way::fail);
        if (how != way::fail) {
          EXPECT_EQ(o.cancel().why, cause_of(how));
        }
      }
  });
}

TEST(A19_or_else, every_mixture_and_only_an_error_is_caught) {
  in_the_matrix([](auto& place, bool early, does what) {
    source_in<std::decay_t<decltype(place)>> s(place.get_executor());
    inner in;
    int calls = 0;
    if (early) s.r.fail(errc::closed);
    handle_of<text> result;
    if (what == does::value) {
      result = settle::or_else(std::move(s.h),
                               [&](settle::error const& e) { return ++calls, std::string(e.code() == errc::closed ? "got in" : ""); });
    } else if (what == does::watcher) {
      result = settle::or_else(std::move(s.h), [&] { return ++calls, in.start(does::done_handle).share(); });
    } else if (what == does::nothing_throws) {
      result = settle::or_else(std::move(s.h), [&]() -> std::string { ++calls, throw std::runtime_error("thrown"); });
    } else {
      result = settle::or_else(std::move(s.h), [&] { return ++calls, in.start(what); });
    }
    if (!early) s.r.fail(errc::closed);
    place.run();
    EXPECT_EQ(calls, 1);
    in.end(what);
    place.run();
    EXPECT_TRUE(result.is_released());
    expect_of(std::move(result).wait(), what);
  });
  on_each_executor([](auto& place) {
    for (way how : {way::complete, way::cancel}) {
      subject<counted<int, typename std::decay_t<decltype(place)>::executor>> s(place.get_executor());
      auto result = settle::or_else(std::move(s.h), [](settle::error const&) { return ADD_FAILURE(), 0; });
      s.end(how);
      place.run();
      auto o = std::move(result).wait();
      EXPECT_EQ(o.has_value(), how == way::complete);
      EXPECT_EQ(o.is_cancelled(), how == way::cancel);
    }
  });
}

TEST(A19_or_else, maps_one_error_type_to_another) {
  settle::resolver_of<int, std::error_code> r;
  auto h = settle::or_else(r.get_handle(), [](std::error_code e) { return settle::failed<int>(e); });
  static_assert(std::is_same_v<decltype(h), handle_of<int>>);
  r.fail(std::make_error_code(std::errc::broken_pipe));
  EXPECT_EQ(std::move(h).wait().error().code(), std::errc::broken_pipe);
}

TEST(A20_finally, runs_once_and_keeps_the_outcome) {
  on_each_executor([](auto& place) {
    for (bool early : {false, true})
      for (way how : {way::complete, way::fail, way::cancel, way::request, way::abandon})
        for (does what : {does::value, does::pending_handle, does::done_handle, does::failed_handle, does::nothing_throws}) {
          SCOPED_TRACE(std::string(way_names[static_cast<int>(how)]) + ", does " + std::to_string(static_cast<int>(what)));
          source_in<std::decay_t<decltype(place)>> s(place.get_executor());
          inner in;
          int calls = 0;
          if (early) s.end(how);
          auto called = [&](settle::ending e) {
            ++calls;
            EXPECT_EQ(e.kind, kind_of(how));
          };
          handle_of<text> result;
          if (what == does::value) result = settle::finally(std::move(s.h), [&](settle::ending e) { called(e); });
          else if (what == does::nothing_throws)
            result = settle::finally(std::move(s.h), [&](settle::ending e) { called(e), throw std::runtime_error("thrown"); });
          else result = settle::finally(std::move(s.h), [&](settle::ending e) { return called(e), in.start(what); });
          if (!early) s.end(how);
          place.run();
          EXPECT_EQ(calls, 1);
          EXPECT_EQ(result.is_settled(), what != does::pending_handle);
          if (what == does::pending_handle) {
            result.request_cancel();
            EXPECT_FALSE(in.r.op().cancel_requested()) << "shielded";
          }
          in.end(what);
          place.run();
          EXPECT_TRUE(result.is_released());
          auto o = std::move(result).wait();
          bool const problem = what == does::failed_handle || what == does::nothing_throws;
          EXPECT_EQ(o.has_error(), problem || how == way::fail);
          if (!problem && how == way::complete) {
            EXPECT_EQ(o.value(), "in");
          }
        }
  });
}

TEST(A20_finally, runs_once_when_the_result_is_cancelled_by_force) {
  on_each_executor([](auto& place) {
    source_in<std::decay_t<decltype(place)>> s(place.get_executor());
    int calls = 0;
    auto result = settle::finally(std::move(s.h), [&](settle::ending e) {
      ++calls;
      EXPECT_EQ(e.kind, settle::ending::cancelled);
    });
    result.cancel();
    {
      auto gone = std::move(s.r);
    }
    place.run();
    EXPECT_EQ(calls, 1);
    EXPECT_TRUE(result.is_released());
  });
}

TEST(A20_finally, of_a_watcher_runs_once_when_the_result_is_asked_to_cancel) {
  subject<counted<int>> s;
  auto w = s.h.watch();
  int calls = 0;
  auto result = settle::finally(w, [&] { ++calls; });
  result.request_cancel(settle::cause::overload);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(std::move(result).wait().cancel().why, settle::cause::overload);
  EXPECT_FALSE(s.op.cancel_requested());
  s.r.complete(1);
  EXPECT_EQ(calls, 1);
}

TEST(then, returning_the_result_itself_is_a_cycle) {
  settle::resolver_of<int> r;
  handle_of<int> h;
  settle::watcher_of<int> w;
  h = settle::then(r.get_handle(), [&](int) { return std::move(h); });
  settle::operation const op = h;
  w = h.watch();
  r.complete(1);
  EXPECT_TRUE(op.is_released());
  ASSERT_TRUE(w.peek() != nullptr && w.peek()->has_error());
  EXPECT_EQ(w.peek()->error().code(), errc::cycle);

  settle::resolver_of<int> q;
  settle::watcher_of<int> self;
  auto k = settle::then(q.get_handle(), [&](int) { return self; });
  self = k.watch();
  q.complete(1);
  EXPECT_EQ(std::move(k).wait().error().code(), errc::cycle);

  settle::resolver_of<int> p;  // what hangs on the result is one too
  handle_of<int> above;
  auto below = settle::then(p.get_handle(), [&](int) { return std::move(above); });
  settle::operation const low = below;
  above = settle::then(std::move(below), [](int v) { return v; });
  p.complete(1);
  EXPECT_TRUE(low.is_released());
}

TEST(then, cancelling_the_result_asks_the_source_and_what_was_returned) {
  subject<counted<int>> s;
  subject<counted<int>> t;
  auto result = settle::then(std::move(s.h), [&](int) { return std::move(t.h); });
  result.request_cancel();
  EXPECT_TRUE(s.op.cancel_requested());
  s.r.complete(1);  // it finishes all the same
  EXPECT_TRUE(t.op.cancel_requested()) << "asked when it is adopted";
  t.r.cancel();
  EXPECT_TRUE(std::move(result).wait().is_cancelled());
}

TEST(then, a_forced_result_loses_the_value_where_the_source_lives) {
  in_a_loop place;
  tracked::alive = 0;
  subject<counted<tracked, in_a_loop::executor>> s(place.get_executor());
  auto result = settle::then(std::move(s.h), [](tracked) { ADD_FAILURE(); });
  s.r.complete(tracked(1));
  EXPECT_TRUE(result.cancel());
  EXPECT_EQ(tracked::alive, 1);
  place.run();
  EXPECT_EQ(tracked::alive, 0);
  EXPECT_TRUE(result.is_released());
}

#if defined(__cpp_exceptions)
TEST(then, a_value_whose_move_throws_fails_the_result) {
  for (int at : {1, 2}) {
    settle::resolver_of<fragile> r;
    auto h = settle::via(r.get_handle(), settle::inline_executor());
    {
      fragile f(1);
      fragile::throw_at = 0;
      r.op().on_done([at] { fragile::throw_at = at == 1 ? 1 : 0; });
      r.complete(std::move(f));
    }
    fragile::throw_at = 0;
    auto w = std::move(h).share();
    EXPECT_EQ(w.peek()->has_error(), at == 1);
  }
  EXPECT_EQ(fragile::alive, 0);
}
#endif

TEST(via, what_follows_runs_there_and_what_was_before_stays) {
  manual_loop jobs;
  manual_loop home;
  settle::resolver_of<std::string, settle::error, manual_loop::executor> r(jobs.get_executor());
  trail log;
  auto at = [&](char const* what) {
    log.push_back(std::string(what) + (jobs.is_here() ? " jobs" : home.is_here() ? " home" : " nowhere"));
  };
  r.on_cleanup([&] { at("cleanup"); });
  auto h = settle::via(r.get_handle(), home.get_executor()) | settle::then([&](std::string v) { return at("then"), v + "!"; });
  std::move(h).on_done([&](settle::outcome<std::string>&& o) {
    at("done");
    EXPECT_EQ(o.value(), "v!");
  });
  r.complete("v");
  while (jobs.run() + home.run() != 0) {
  }
  EXPECT_EQ(log, (trail{"then home", "done home", "cleanup jobs"}));
}

// A value that points into what its operation owns.
TEST(A60_borrowed_view, is_alive_until_the_dependents_observers_have_run) {
  for (bool other : {false, true}) {
    manual_loop a;
    manual_loop b;
    settle::resolver_of<std::string*, settle::error, manual_loop::executor> r(a.get_executor());
    auto& arena = r.own(std::make_unique<std::string>("in the arena"));
    bool freed = false;
    r.on_cleanup([&] { freed = true; });
    std::string read;
    auto moved = settle::via(r.get_handle(), other ? b.get_executor() : a.get_executor());
    auto h = std::move(moved) | settle::then([](std::string* p) { return p; });
    h.on_done([&](settle::outcome<std::string*> const& o) {
      read = *o.value();
      EXPECT_FALSE(freed);
    });
    r.complete(arena.get());
    a.run();
    if (other) {
      EXPECT_FALSE(freed);
    }
    while (a.run() + b.run() != 0) {
    }
    EXPECT_EQ(read, "in the arena");
    EXPECT_TRUE(freed);
    EXPECT_TRUE(h.is_released());
  }
}

// The same of a `then` on the operation's own executor, which runs inside the settling call, or is posted.
template <class Value, bool Dispatch>
struct on_its_loop : counted<Value, manual_loop::executor> {
  static constexpr bool dispatch = Dispatch;
};
template <bool Dispatch>
void a_then_reads_what_is_borrowed() {
  manual_loop loop;
  settle::resolver<on_its_loop<std::string*, Dispatch>> r(loop.get_executor());
  auto& arena = r.own(std::make_unique<std::string>("in the arena"));
  trail log;
  r.on_cleanup([&] { log.push_back("freed"); });
  auto h = settle::then(r.get_handle(), [&](std::string* p) { return log.push_back("then " + *p), p; });
  h.on_done([&](settle::outcome<std::string*> const& o) { log.push_back("observed " + *o.value()); });
  std::move(h).on_done([&](settle::outcome<std::string*>&& o) { log.push_back("taken " + *o.value()); });
  loop.inside([&] {
    r.complete(arena.get());
    EXPECT_EQ(log.empty(), !Dispatch);
  });
  loop.run();
  EXPECT_EQ(log, (trail{"then in the arena", "observed in the arena", "taken in the arena", "freed"}));
}
TEST(A60_borrowed_view, is_read_in_a_then_on_the_same_executor_at_once_and_posted) {
  a_then_reads_what_is_borrowed<true>();
  a_then_reads_what_is_borrowed<false>();
}

}  // namespace
