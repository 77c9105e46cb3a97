// SPDX-License-Identifier: BSL-1.0
// Clients that go away in the middle of things. Every fixture checks at its end that everything was given back.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"

namespace {

auto sleeps_for_an_hour() {
  return [](http2::request& q, http2::responder r) {
    auto nap = settle::sleep(q.get_executor(), std::chrono::hours(1));
    nap.on_done([r = std::move(r)](auto const& how) mutable {
      if (how) std::move(r).send(200).detach();
    });
    return nap;
  };
}

class A30_disconnect_pending : public testing::TestWithParam<bool> {};

void drop(client& c, bool by_reset) { by_reset ? c.drop_by_rst() : c.drop_by_fin(); }

TEST_P(A30_disconnect_pending, cancels_by_force_and_gives_back) {
  std::atomic<int> cancelled{0}, released{0};
  std::atomic<settle::cause> why{settle::cause::requested};
  running_server s(few(4), [&](http2::request& q, http2::responder r) {
    q.op().on_done([&](settle::ending how) {
      if (how.kind == settle::ending::cancelled) ++cancelled;
      why = how.cancel.why;
    });
    q.op().on_released([&] { ++released; });
    return sleeps_for_an_hour()(q, std::move(r));
  });
  client c(s.port());
  c.get("/");
  ASSERT_TRUE(c.seen());
  EXPECT_EQ(s.arenas_out(), 1u);
  drop(c, GetParam());
  EXPECT_TRUE(s.idle());
  EXPECT_TRUE(eventually([&] { return released == 1; }));
  EXPECT_EQ(cancelled, 1);
  EXPECT_EQ(why, settle::cause::disconnect);
  EXPECT_EQ(s.count().cancelled, 1u);
}

TEST_P(A30_disconnect_pending, late_producer_finds_nobody) {
  std::optional<settle::resolver_of<http2::response>> late;
  std::atomic<bool> told{false};
  running_server s(few(1), [&](http2::request& q) {
    late.emplace(q.op());
    late->on_cancel([&] { told = true; });
    return late->get_handle();
  });
  {
    client c(s.port());
    c.get("/");
    ASSERT_TRUE(c.seen());
    drop(c, GetParam());
  }
  EXPECT_TRUE(eventually([&] { return told.load(); }));
  EXPECT_EQ(s.arenas_out(), 1u);  // the producer has not noticed yet: nothing is pulled from under it
  auto const taken = s.on_loop([&] { return std::exchange(late, std::nullopt)->complete(http2::response(200, "too late")); });
  EXPECT_FALSE(taken);
  EXPECT_TRUE(s.idle());
  client again(s.port());  // the only arena serves the next connection, who gets its own answer
  auto const id = again.get("/");
  ASSERT_TRUE(again.seen());
  s.on_loop([&] { return std::exchange(late, std::nullopt)->complete(http2::response(200, "in time")); });
  EXPECT_EQ(again.wait(id).body, "in time");
}

TEST_P(A30_disconnect_pending, a_hundred_streams) {
  running_server s(few(100), sleeps_for_an_hour());
  client c(s.port());
  for (int i = 0; i < 100; ++i) c.get("/");
  ASSERT_TRUE(c.seen());
  EXPECT_EQ(s.arenas_out(), 100u);
  drop(c, GetParam());
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().cancelled, 100u);
}

TEST_P(A30_disconnect_pending, while_a_body_is_streamed) {
  std::optional<http2::stream_body> body;
  std::atomic<bool> told{false};
  running_server s(few(2), [&](http2::request&, http2::responder r) {
    std::move(r).stream(200).on_done([&](auto&& out) {
      body.emplace(std::move(out).value());
      body->write(std::string(200000, 'x')).on_done([&](auto&& how) {
        told = how.is_cancelled() && how.cancel().why == settle::cause::disconnect;
      });
    });
    return handle_of<void>();
  });
  client c(s.port(), {.window = 1000, .reads = false});
  auto const id = c.get("/");
  ASSERT_TRUE(c.until([&] { return c.answers[id].body.size() == 1000; }));
  drop(c, GetParam());
  EXPECT_TRUE(eventually([&] { return told.load(); }));
  std::atomic<bool> refused{false};
  body->write("more").on_done([&](auto&& how) { refused = how.is_cancelled(); });
  EXPECT_TRUE(eventually([&] { return refused.load(); }));
  body.reset();
  EXPECT_TRUE(s.idle());
}

TEST_P(A30_disconnect_pending, in_the_middle_of_an_upload) {
  running_server s(few(2), [](http2::request&) { return 200; });
  client c(s.port());
  c.post_open("/", std::string(1000, 'x'));
  ASSERT_TRUE(c.seen());
  EXPECT_EQ(s.arenas_out(), 1u);
  drop(c, GetParam());
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().cancelled, 1u);
}

TEST_P(A30_disconnect_pending, ten_thousand_times) {
  running_server s(few(16), sleeps_for_an_hour());
  auto const before = s.web().arenas().snapshot();
  for (int i = 0; i < 10000; ++i) {
    client c(s.port());
    c.get("/");
    ASSERT_TRUE(c.seen());
    drop(c, GetParam());
  }
  EXPECT_TRUE(s.idle());
  EXPECT_TRUE(s.web().arenas().balanced_since(before));
  EXPECT_EQ(s.count().cancelled, 10000u);
  EXPECT_EQ(s.count().refused, 0u);
}

INSTANTIATE_TEST_SUITE_P(by, A30_disconnect_pending, testing::Bool(), [](auto const& how) { return how.param ? "rst" : "fin"; });

TEST(stream_reset, cancels_one_request_only) {
  std::atomic<settle::cause> why{settle::cause::requested};
  running_server s(few(4), [&](http2::request& q, http2::responder r) {
    if (q.path() == "/now") {
      std::move(r).send(200).detach();
      return handle_of<void>();
    }
    q.op().on_done([&](settle::ending how) { why = how.cancel.why; });
    return sleeps_for_an_hour()(q, std::move(r));
  });
  client c(s.port());
  auto const id = c.get("/");
  ASSERT_TRUE(c.seen());
  c.reset(id);
  EXPECT_EQ(c.fetch("/now").status, 200);
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(why, settle::cause::disconnect);
  EXPECT_EQ(s.count().cancelled, 1u);
}

// HEADERS and RST_STREAM in one packet, and a response that is queued when the reset comes: the response is never looked at.
TEST(stream_reset, with_a_response_queued) {
  running_server s(few(8),
                   [](http2::request&) { return http2::response(200, std::string(100000, 'x')).header("x-long", std::string(2000, 'y')); });
  for (int i = 0; i < 50; ++i) {
    client c(s.port(), {.window = 10, .reads = false});
    auto const id = c.get("/");
    if (i % 2 == 1) {
      EXPECT_TRUE(c.until([&] { return c.answers[id].body.size() == 10; }));
    } else {
      c.flush();
    }
    c.reset(id);
    EXPECT_TRUE(c.seen());
  }
  EXPECT_TRUE(s.idle());
}

// A producer on another thread and the client's reset meet at every possible instant: one of them decides.
TEST(stream_reset, races_with_an_answer_from_elsewhere) {
  std::vector<std::thread> producers;  // joined when no handler can run any more
  {
    running_server s(few(8), [&](http2::request& q, http2::responder r) {
      settle::resolver_of<void> done(q.op());
      auto h = done.get_handle();
      producers.emplace_back([r = std::move(r), done = std::move(done)]() mutable {
        std::move(r).send(http2::response(200, "done")).detach();
        done.complete();
      });
      return h;
    });
    for (int i = 0; i < 500; ++i) {
      client c(s.port());
      auto const id = c.get("/");
      c.flush();
      if (i % 3 == 0) c.seen();
      c.reset(id);
      if (i % 2 == 0) c.flush();
      if (i % 5 == 0) c.drop_by_rst();
    }
    EXPECT_TRUE(s.idle());
  }
  for (auto& p : producers) p.join();
}

}  // namespace
