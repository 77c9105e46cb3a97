// SPDX-License-Identifier: BSL-1.0
// G2: whoever sees "settled" sees the whole outcome.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "situations.hpp"

namespace {

using namespace test;

TEST(G02_whole, observers_of_every_kind_see_the_outcome) {
  in_every_situation([](auto& place, situation at) {
    using policy = counted<wide, typename std::decay_t<decltype(place)>::executor>;
    subject<policy> s(place.get_executor());
    settle::watcher<policy> w = s.h.watch();
    int looked = 0;
    play(place, at, s, [&] {
      w.on_done([&](settle::outcome<wide> const& out) {
        ++looked;
        EXPECT_EQ(out.how().kind, kind_of(at.how));
        if (out) {
          EXPECT_TRUE(out.value().whole());
        }
        if (out.has_error()) {
          EXPECT_EQ(out.error().code(), settle::errc::closed);
        }
      });
      s.op.on_done([&](settle::ending e) {
        ++looked;
        EXPECT_EQ(e.kind, kind_of(at.how));
        if (is_cancelled(at.how)) {
          EXPECT_EQ(e.cancel.why, cause_of(at.how));
        }
      });
      s.op.on_cleanup([&] {
        ++looked;
        EXPECT_NE(w.peek(), nullptr);
      });
      s.op.on_released([&](settle::ending e) {
        ++looked;
        EXPECT_EQ(e.kind, kind_of(at.how));
      });
    });
    EXPECT_EQ(looked, 4);
  });
}

// A03: somebody polls while another thread settles.
template <class Settle>
void poll_while(Settle end) {
  crew threads(2);
  for (int round = 1; round != 2000; ++round) {
    using policy = counted<wide>;
    subject<policy> s;
    settle::watcher<policy> w = s.h.watch();
    threads.run([&](unsigned i) {
      if (i == 0) {
        end(s, static_cast<std::uint64_t>(round));
        return;
      }
      while (!w.is_settled()) std::this_thread::yield();
      auto const* out = w.peek();
      ASSERT_NE(out, nullptr) << "settled was visible before the outcome";
      if (out->has_value()) {
        EXPECT_TRUE(out->value().whole());
        EXPECT_EQ(out->value().parts[0], static_cast<std::uint64_t>(round));
      } else if (out->has_error()) {
        EXPECT_EQ(out->error().code(), settle::errc::closed);
      } else {
        EXPECT_EQ(out->cancel().why, settle::cause::disconnect);
        EXPECT_NE(out->cancel().where.line(), 0U);
      }
    });
  }
}

TEST(G02_whole, a_poller_that_sees_settled_sees_the_value) {
  poll_while([](auto& s, std::uint64_t n) { EXPECT_TRUE(s.r.complete(wide(n))); });
}
TEST(G02_whole, a_poller_that_sees_settled_sees_the_error) {
  poll_while([](auto& s, std::uint64_t) { EXPECT_TRUE(s.r.fail(settle::errc::closed)); });
}
TEST(G02_whole, a_poller_that_sees_settled_sees_the_cause) {
  poll_while([](auto& s, std::uint64_t) { EXPECT_TRUE(s.op.cancel(settle::cause::disconnect)); });
}

TEST(G02_whole, a_value_whose_move_may_throw_is_whole_too) {
  crew threads(2);
  struct slow : wide {
    explicit slow(std::uint64_t v) : wide(v) {}
    slow(slow&& o) noexcept(false) : wide(o) {}
  };
  for (int round = 1; round != 1000; ++round) {
    using policy = counted<slow>;
    subject<policy> s;
    settle::watcher<policy> w = s.h.watch();
    threads.run([&](unsigned i) {
      if (i == 0) {
        EXPECT_TRUE(s.r.complete(slow(static_cast<std::uint64_t>(round))));
        return;
      }
      while (w.peek() == nullptr) std::this_thread::yield();
      EXPECT_TRUE(w.peek()->value().whole());
    });
  }
}

TEST(G02_whole, peek_is_null_while_pending_and_stays_afterwards) {
  subject<counted<std::string>> s;
  settle::watcher<counted<std::string>> w = s.h.watch();
  EXPECT_EQ(w.peek(), nullptr);
  EXPECT_FALSE(w.is_settled());
  ASSERT_TRUE(s.r.complete(std::string("kept")));
  settle::outcome<std::string> const* const first = w.peek();
  ASSERT_NE(first, nullptr);
  s.op.cancel();
  EXPECT_EQ(w.peek(), first);
  EXPECT_EQ(first->value(), "kept");
}

// What a monitor hears is so when it hears it.
struct looking_monitor {
  static inline int settled = 0;
  static void on_event(settle::monitor_event const& e) noexcept {
    counting_monitor::on_event(e);
    if (e.what != settle::monitor_event::settled) return;
    ++settled;
    EXPECT_TRUE(e.look(e.id).settled);
  }
};
struct looked_at : counted<int> {
  using monitor = looking_monitor;
};
TEST(G02_whole, a_monitor_that_hears_of_settled_finds_it_so) {
  in_each_way([](way how) {
    looking_monitor::settled = 0;
    subject<looked_at> s;
    s.end(how);
    EXPECT_EQ(looking_monitor::settled, 1);
  });
}

}  // namespace
