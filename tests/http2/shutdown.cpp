// SPDX-License-Identifier: BSL-1.0
// Ways a server can end, and what it refuses to begin.
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"

namespace {

using namespace std::chrono_literals;

auto keeps_waiting() {
  return [](http2::request& q, http2::responder r) {
    auto nap = settle::sleep(q.get_executor(), 1h);
    nap.on_done([r = std::move(r)](auto const&) {});
    return nap;
  };
}

TEST(A39_stop_with_everything_pending, twenty_times) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> shut_down{0};
    running_server s(few(64), [&](http2::request& q, http2::responder r) {
      q.op().on_done([&](settle::ending how) {
        if (how.kind == settle::ending::cancelled && how.cancel.why == settle::cause::shutdown) ++shut_down;
      });
      if (q.path() == "/stream") {
        std::move(r).stream(200).on_done([](auto&& out) {
          auto body = std::make_shared<http2::stream_body>(std::move(out).value());
          body->write(std::string(1000000, 'x')).on_done([body](auto&&) {});
        });
        return handle_of<void>();
      }
      return keeps_waiting()(q, std::move(r));
    });
    std::vector<std::unique_ptr<client>> clients;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(std::make_unique<client>(s.port()));
      for (int k = 0; k < 4; ++k) clients.back()->get("/");
      clients.back()->get("/stream");
      clients.back()->post_open("/", "begin");
      ASSERT_TRUE(clients.back()->seen());
    }
    s.web().stop();
    s.web().stop();
    for (auto& c : clients) EXPECT_TRUE(c->closed_by_server());
    EXPECT_TRUE(s.idle());
    EXPECT_EQ(s.count().cancelled, 24u) << s.count().completed << " completed, " << s.count().failed << " failed";
    EXPECT_EQ(shut_down, 20);  // the uploads never reached a handler
  }
}

TEST(server, stops_from_inside_a_handler) {
  std::optional<http2::server*> self;
  running_server s(few(8), [&](http2::request& q, http2::responder r) {
    if (q.path() == "/stop") (*self)->stop();
    return keeps_waiting()(q, std::move(r));
  });
  self = &s.web();
  client other(s.port());
  other.get("/");
  ASSERT_TRUE(other.seen());
  client c(s.port());
  c.get("/");
  c.get("/stop");
  c.get("/");
  EXPECT_TRUE(c.closed_by_server());
  EXPECT_TRUE(other.closed_by_server());
  EXPECT_TRUE(s.idle());
}

TEST(server, ends_when_its_operation_is_cancelled) {
  running_server s(few(8), keeps_waiting());
  client c(s.port());
  c.get("/");
  ASSERT_TRUE(c.seen());
  EXPECT_TRUE(s.web().op().cancel());
  EXPECT_TRUE(c.closed_by_server());
  EXPECT_TRUE(eventually([&] { return s.web().op().is_released(); }));
}

TEST(server, lives_under_an_operation) {
  asio::io_context io(1);
  settle::resolver_of<void> parent;
  bool served_first = false;
  parent.own(0, [&](int) noexcept { served_first = true; });
  http2::server web(parent.op(), io.get_executor(), few(8), keeps_waiting());
  auto const port = web.listen("127.0.0.1", 0);
  std::thread runs([&] { io.run(); });
  client c(port);
  c.get("/");
  ASSERT_TRUE(c.seen());
  auto const op = parent.op();
  EXPECT_TRUE(parent.complete());  // whatever ends the parent ends the server
  EXPECT_TRUE(c.closed_by_server());
  runs.join();
  EXPECT_TRUE(op.is_released());
  EXPECT_TRUE(served_first);
  EXPECT_EQ(web.arenas().in_use(), 0u);
}

TEST(server, stop_accepting_leaves_connections_alone) {
  running_server s(few(8), [](http2::request&) { return http2::response(200, "still here"); });
  client c(s.port());
  EXPECT_EQ(c.fetch("/").status, 200);
  s.web().stop_accepting();
  EXPECT_EQ(c.fetch("/").body, "still here");
  EXPECT_THROW(client(s.port()), std::runtime_error);
}

TEST(server, waits_for_a_producer_elsewhere) {
  std::optional<http2::responder> elsewhere;
  auto s = std::make_unique<running_server>(few(2), [&](http2::request&, http2::responder r) {
    elsewhere.emplace(std::move(r));
    return handle_of<void>();
  });
  client c(s->port());
  c.get("/");
  ASSERT_TRUE(c.seen());
  s->web().stop();
  EXPECT_TRUE(c.closed_by_server());
  EXPECT_EQ(s->arenas_out(), 1u);  // somebody may still read the request
  std::thread lets_go([&] { elsewhere.reset(); });
  s.reset();  // returns only when everything came home
  lets_go.join();
}

TEST(server, may_be_made_and_never_run) {
  asio::io_context io(1);
  {
    http2::server web(io.get_executor(), few(2), keeps_waiting());
    web.listen("127.0.0.1", 0);
  }
  {
    http2::server web(io.get_executor(), few(2), keeps_waiting());
    http2::server moved = std::move(web);
    EXPECT_FALSE(moved.op().is_settled());
  }
}

TEST(server, ends_after_its_loop_was_stopped) {
  asio::io_context io(1);
  std::optional<http2::server> web(std::in_place, io.get_executor(), few(8), keeps_waiting());
  auto const port = web->listen("127.0.0.1", 0);
  std::thread runs([&] { io.run(); });
  client c(port);
  c.get("/");
  ASSERT_TRUE(c.seen());
  io.stop();
  runs.join();
  auto const op = web->op();
  web.reset();
  EXPECT_TRUE(op.is_settled());
}

TEST(server, refuses_what_cannot_be) {
  asio::io_context io(1);
  EXPECT_THROW(http2::server(io.get_executor(), few(70000), keeps_waiting()), std::invalid_argument);
  EXPECT_THROW(http2::server(io.get_executor(), few(0), keeps_waiting()), std::invalid_argument);
  EXPECT_THROW(http2::server(io.get_executor(), few(4, 100), keeps_waiting()), std::invalid_argument);
  http2::server one(io.get_executor(), few(2), keeps_waiting());
  auto const port = one.listen("127.0.0.1", 0);
  http2::server two(io.get_executor(), few(2), keeps_waiting());
  EXPECT_THROW(two.listen("127.0.0.1", port), std::system_error);
  EXPECT_THROW(two.listen("nowhere", 0), std::system_error);
}

}  // namespace
