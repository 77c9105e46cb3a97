// SPDX-License-Identifier: BSL-1.0
// G5: cleanups run once, one at a time, last registered first, whatever they do.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "situations.hpp"

namespace {

using namespace test;

/// A cleanup that writes down when it runs and when it is destroyed.
struct scribe {
  trail* log;
  std::string name;
  bool throws = false;

  scribe(trail& l, int n, bool t = false) : log(&l), name(std::to_string(n)), throws(t) {}
  scribe(scribe&& o) noexcept : log(std::exchange(o.log, nullptr)), name(std::move(o.name)), throws(o.throws) {}
  ~scribe() {
    if (log != nullptr) log->push_back("destroyed " + name);
  }
  void operator()() const {
    log->push_back("run " + name);
    if (throws) throw std::runtime_error("cleanup " + name);
  }
};

trail backwards(int n) {
  trail t;
  for (int i = n; i != 0; --i) t.insert(t.end(), {"run " + std::to_string(i), "destroyed " + std::to_string(i)});
  return t;
}

TEST(G05_LIFO, last_registered_first_and_destroyed_right_after) {
  in_every_situation([](auto& place, situation at) {
    if (at.when == moment::released) return;
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (int n = 1; n <= 5; ++n) {
      subject<policy> s(place.get_executor());
      trail log;
      play(place, at, s, [&] {
        for (int i = 1; i <= n; ++i) {
          EXPECT_TRUE(s.op.on_cleanup(scribe(log, i)));
        }
      });
      EXPECT_EQ(log, backwards(n));
    }
  });
}

TEST(G05_LIFO, a_throw_stops_nothing) {
  in_every_situation([](auto& place, situation at) {
    if (at.when == moment::released) return;
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    for (int thrower = 1; thrower <= 4; ++thrower) {
      subject<policy> s(place.get_executor());
      trail log;
      play(place, at, s, [&] {
        for (int i = 1; i <= 4; ++i) s.op.on_cleanup(scribe(log, i, i == thrower));
      });
      EXPECT_EQ(log, backwards(4));
      EXPECT_EQ(recording_sink::count(settle::monitor_event::cleanup_threw), 1U);
      for (auto const& r : recording_sink::take()) {
        if (r.what == settle::monitor_event::cleanup_threw) {
          EXPECT_EQ(r.said, "cleanup " + std::to_string(thrower));
        }
      }
    }
  });
}

// From all ends, before and after others can see the operation: small ones in the state, others outside, one order.
TEST(G05_LIFO, whoever_registers) {
  in_each_way([](way how) {
    trail log;
    settle::resolver<counted<int>> r;
    settle::operation outside;
    {
      r.on_cleanup([&log] { log.push_back("1"); });
      r.own(std::make_unique<scribe>(log, 2));
      settle::handle<counted<int>> h = r.get_handle();
      h.on_cleanup([&log] { log.push_back("3"); });
      settle::operation const op = r.op();
      op.own(scribe(log, 4));
      settle::pin p = op.pin();
      p.own(scribe(log, 5));
      p.on_cleanup([&log](settle::ending) { log.push_back("6"); });
      r.on_cleanup([&log] { log.push_back("7"); });
      std::move(h).detach();
      outside = op;
    }
    r.on_cleanup([&log] { log.push_back("8"); });
    outside = {};
    r.on_cleanup([&log] { log.push_back("9"); });
    if (how == way::complete) r.complete(1);
    else if (how == way::fail) r.fail(settle::errc::closed);
    else if (how == way::cancel) r.op().cancel();
    else if (how == way::request) r.cancel();
    settle::resolver<counted<int>> gone(std::move(r));
    subject<counted<int>>::drop(gone);
    EXPECT_EQ(log, (trail{"9", "8", "7", "6", "destroyed 5", "destroyed 4", "3", "destroyed 2", "1"}));
  });
}

TEST(G05_LIFO, cleanups_are_told_how_it_ended) {
  in_each_way([](way how) {
    subject<counted<int>> s;
    int told = 0;
    for (int i = 0; i != 3; ++i) {
      s.op.on_cleanup([&](settle::ending e) {
        ++told;
        EXPECT_EQ(e.kind, kind_of(how));
        if (is_cancelled(how)) {
          EXPECT_EQ(e.cancel.why, cause_of(how));
        }
      });
    }
    s.end(how);
    EXPECT_EQ(told, 3);
  });
}

TEST(G05_LIFO, typed_closers_get_the_resource) {
  in_each_way([](way how) {
    settle::resolver<counted<int>> r;
    std::vector<int> closed;
    int& first = r.own(11, [&](int fd) noexcept { closed.push_back(fd); });
    settle::operation const op = r.op();
    EXPECT_TRUE(op.own(22, [&](int fd) noexcept { closed.push_back(fd); }));
    settle::pin p = op.pin();
    int& third = p.own(33, [&](int fd) noexcept { closed.push_back(fd); });
    p.reset();
    first += 100;
    third += 100;
    if (how == way::complete) r.complete(1);
    subject<counted<int>>::drop(r);
    EXPECT_EQ(closed, (std::vector<int>{133, 22, 111}));
  });
}

// One at a time, also when one of them registers, pins in vain, cancels, and drops the last reference (A07).
TEST(G05_LIFO, cleanups_never_overlap) {
  on_each_executor([](auto& place) {
    using policy = counted<int, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    subject<policy> other(place.get_executor());
    trail log;
    bool inside = false;
    auto const enter = [&](char const* name) {
      EXPECT_FALSE(inside);
      inside = true;
      log.push_back(name);
    };
    s.op.on_cleanup([&] {
      enter("1");
      inside = false;
    });
    s.op.on_cleanup([&] {
      enter("2");
      EXPECT_FALSE(s.op.pin());
      other.op.cancel();
      s.op.on_cleanup([&] {
        enter("nested 1");
        inside = false;
      });
      s.op.on_cleanup([&] {
        enter("nested 2");
        s.op = {};
        inside = false;
      });
      inside = false;
    });
    other.op.on_done([&] { log.push_back("other"); });
    s.end(way::complete);
    subject<policy>::drop(s.h);
    place.run();
    EXPECT_EQ(log, (trail{"2", "nested 2", "nested 1", "1", "other"}));
  });
}

/// A cleanup whose move may throw, and does not.
struct loud_cleanup {
  int* ran;
  explicit loud_cleanup(int* r) : ran(r) {}
  loud_cleanup(loud_cleanup&& o) noexcept(false) : ran(o.ran) {}
  ~loud_cleanup() {}
  void operator()() { ++*ran; }
};

TEST(G05_lifo, a_cleanup_whose_move_might_throw_fits_the_state_all_the_same) {
  int ran = 0;
  settle::resolver_of<int> r;
  EXPECT_TRUE(r.on_cleanup(loud_cleanup(&ran)));
  r.complete(1);
  EXPECT_EQ(ran, 1);
}

}  // namespace
