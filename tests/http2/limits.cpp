// SPDX-License-Identifier: BSL-1.0
// Clients that send nonsense, too much, too fast, or nothing: that connection or stream only, and everything is given back.
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"

namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

http2::response ok(http2::request&) { return {200, "fine"}; }

std::string const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"s;

TEST(malformed_input, ends_that_connection_only) {
  running_server s(few(8), &ok);
  client good(s.port());
  EXPECT_EQ(good.fetch("/").status, 200);
  std::vector<std::pair<std::string, bool>> const wrong{
      {"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", false},
      {std::string(1000, '\xff'), false},
      {"PRI * HTTP/2.0\r\n\r\nSM", true},                                       // a preface that ends early
      {preface + "\0\0\x10\1\4\0\0\0\1\x82"s, true},                            // a frame that ends early
      {preface + "\xff\xff\xff\0\0\0\0\0\1"s, false},                           // larger than any frame may be
      {preface + "\0\0\4\0\0\0\0\0\0abcd"s, false},                             // DATA on stream 0
      {preface + "\0\0\1\1\5\0\0\0\2\x82"s, false},                             // a client's stream is odd
      {preface + "\0\0\1\1\5\0\0\0\1\xff"s, false},                             // no HPACK
      {preface + "\0\0\1\x9\4\0\0\0\1\x82"s, false},                            // CONTINUATION of nothing
      {preface + "\0\0\1\1\1\0\0\0\1\x82"s + "\0\0\0\6\0\0\0\0\0"s, false},     // PING inside of a header block
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x8\6\0\0\0\0\0abcdefgh"s, false},  // no SETTINGS first
  };
  for (auto const& [bytes, half_close] : wrong) {
    EXPECT_TRUE(server_hangs_up_on(s.port(), bytes, half_close)) << testing::PrintToString(bytes);
    EXPECT_EQ(good.fetch("/").status, 200);
  }
  good.drop_by_fin();
  EXPECT_TRUE(s.idle());
  EXPECT_TRUE(eventually([&] { return s.count().connections == 0; }));
}

TEST(malformed_input, every_prefix_of_a_request) {
  running_server s(few(8), &ok);
  std::string const request = preface + "\0\0\x0d\1\5\0\0\0\1\x82\x86\x84\x01\x09localhost"s;
  for (std::size_t n = 0; n < request.size(); ++n) EXPECT_TRUE(server_hangs_up_on(s.port(), request.substr(0, n), true)) << n;
  EXPECT_TRUE(s.idle());
}

// Valid requests with bytes changed at random: whatever comes of it comes of that connection only.
TEST(malformed_input, three_hundred_mutations) {
  running_server s(few(8), &ok);
  std::string request = preface + "\0\0\0\4\1\0\0\0\0"s;
  for (char const id : {'\1', '\3', '\5'}) {
    request += "\0\0\x0d\1\4\0\0\0"s + id + "\x83\x86\x84\x01\x09localhost"s;  // POST / without END_STREAM
    request += "\0\0\4\0\1\0\0\0"s + id + "body"s;
  }
  std::mt19937 random(20240229);
  auto const below = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  for (int round = 0; round < 300; ++round) {
    std::string wrong = request;
    for (std::size_t changes = 1 + below(4); changes-- > 0;) wrong[24 + below(wrong.size() - 24)] = static_cast<char>(random());
    EXPECT_TRUE(server_hangs_up_on(s.port(), wrong, true)) << testing::PrintToString(wrong);
  }
  client good(s.port());
  EXPECT_EQ(good.fetch("/").status, 200);
  good.drop_by_fin();
  EXPECT_TRUE(s.idle());
}

TEST(too_large, body_is_413) {
  running_server s(few(4), &ok);
  client c(s.port());
  std::string const large(20000, 'x');
  EXPECT_EQ(c.wait(c.post("/", large, {{"content-length", "20000"}})).status, 413);
  EXPECT_EQ(c.wait(c.post("/", large)).status, 413);
  auto const id = c.post_open("/", large);  // never ends: answered all the same, and told to stop
  EXPECT_EQ(c.wait(id).status, 413);
  EXPECT_EQ(c.answers[id].code, static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
  EXPECT_EQ(c.fetch("/").status, 200);
  EXPECT_TRUE(s.idle());
}

TEST(too_large, header_list_is_431) {
  auto o = few(4, 8192);
  o.header_fields = 20;
  running_server s(o, &ok);
  client c(s.port());
  EXPECT_EQ(c.wait(c.get("/", {{"x-large", std::string(9000, 'x')}})).status, 431);
  EXPECT_EQ(c.wait(c.get("/", client::headers(21, {"x-many", "1"}))).status, 431);
  EXPECT_EQ(c.wait(c.get("/", client::headers(21, {"cookie", "a=1"}))).status, 431);  // crumbs count (RFC 9113 8.2.3)
  EXPECT_EQ(c.wait(c.get("/", client::headers(20, {"x-many", "1"}))).status, 200);
  auto const id = c.get("/", client::headers(2000, {"x-many", "1"}));  // far beyond
  EXPECT_EQ(c.wait(id).code, static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_EQ(c.fetch("/").status, 200);  // the compression state is in step
  EXPECT_TRUE(s.idle());
}

TEST(A34_pool_exhaustion, refuses_and_recovers) {
  std::vector<settle::resolver_of<http2::response>> pending;
  running_server s(few(2), [&](http2::request& q) {
    pending.emplace_back(q.op());
    return pending.back().get_handle();
  });
  client c(s.port());
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(c.get("/"));
  for (int i = 2; i < 5; ++i) EXPECT_EQ(c.wait(ids[static_cast<std::size_t>(i)]).code, static_cast<std::uint32_t>(NGHTTP2_REFUSED_STREAM));
  EXPECT_EQ(s.count().refused, 3u);
  EXPECT_EQ(s.arenas_out(), 2u);
  auto const answer_all = [&] {
    return s.on_loop([&] {
      for (auto& r : pending) r.complete(http2::response(200, "served"));
      pending.clear();
      return 0;
    });
  };
  answer_all();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(c.wait(ids[static_cast<std::size_t>(i)]).body, "served");
  EXPECT_TRUE(s.idle());
  auto const again = c.get("/");
  ASSERT_TRUE(c.seen());
  answer_all();
  EXPECT_EQ(c.wait(again).body, "served");
}

TEST(time_limit, silent_and_half_started_connections) {
  auto o = few(4);
  o.header = 50ms;
  running_server s(o, &ok);
  EXPECT_TRUE(server_hangs_up_on(s.port(), "", false));
  EXPECT_TRUE(server_hangs_up_on(s.port(), preface.substr(0, 10), false));
  EXPECT_TRUE(server_hangs_up_on(s.port(), preface + "\0\0\1\1\1\0\0\0\1\x82"s, false));  // a header block that does not end
  EXPECT_TRUE(s.idle());
}

TEST(time_limit, idle_connections_are_told_and_closed) {
  auto o = few(4);
  o.idle = 50ms;
  running_server s(o, &ok);
  client c(s.port());
  EXPECT_EQ(c.fetch("/").status, 200);
  EXPECT_TRUE(c.closed_by_server());
  EXPECT_EQ(c.goaway, NGHTTP2_NO_ERROR);
}

TEST(time_limit, upload_that_stalls) {
  auto o = few(4);
  o.idle = 50ms;
  running_server s(o, &ok);
  client c(s.port());
  EXPECT_EQ(c.wait(c.post_open("/", "begin")).code, static_cast<std::uint32_t>(NGHTTP2_CANCEL));
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().cancelled, 1u);
}

TEST(time_limit, client_that_never_opens_its_window) {
  auto o = few(4);
  o.write_stall = 50ms;
  std::atomic<settle::cause> why{settle::cause::requested};
  running_server s(o, [&](http2::request& q) {
    q.op().on_done([&](settle::ending how) { why = how.cancel.why; });
    return http2::response(200, "never seen");
  });
  client c(s.port(), {.window = 0, .reads = true});
  EXPECT_EQ(c.wait(c.get("/")).code, static_cast<std::uint32_t>(NGHTTP2_CANCEL));
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(why, settle::cause::deadline);
}

TEST(time_limit, client_that_never_reads_its_socket) {
  auto o = few(4);
  o.write_stall = 50ms;
  running_server s(o, [](http2::request&) { return http2::response(200, std::string(32 << 20, 'x')); });
  client c(s.port(), {.window = 1 << 30, .reads = true});
  c.get("/");
  c.flush();
  c.send_raw("\0\0\4\10\0\0\0\0\0\77\0\0\0"s);  // WINDOW_UPDATE of the connection by nearly a GiB
  EXPECT_TRUE(eventually([&] { return s.count().cancelled == 1; }));
  EXPECT_TRUE(s.idle());
}

TEST(flood, of_resets_ends_the_connection) {
  running_server s(few(300), [](http2::request& q, http2::responder r) {
    auto nap = settle::sleep(q.get_executor(), 1h);
    nap.on_done([r = std::move(r)](auto const&) {});
    return nap;
  });
  client c(s.port());
  EXPECT_FALSE([&] {
    for (int i = 0; i < 10000; ++i) {
      auto const id = c.get("/");
      c.flush();
      c.reset(id);
      if (!c.seen()) return false;
    }
    return true;
  }());
  EXPECT_GT(c.goaway, 0);
  EXPECT_TRUE(s.idle());
  EXPECT_LE(s.count().requests, 1100u);
}

// The client makes the server reset its own streams: a window that overflows (RFC 9113 6.9.1).
TEST(flood, of_resets_that_the_server_has_to_send) {
  running_server s(few(300), [](http2::request& q, http2::responder r) {
    auto nap = settle::sleep(q.get_executor(), 1h);
    nap.on_done([r = std::move(r)](auto const&) {});
    return nap;
  });
  client c(s.port());
  int rounds = 0;
  for (; rounds < 1000; ++rounds) {
    auto const id = c.get("/");
    c.flush();
    std::string update("\0\0\4\10\0\0\0\0\0\x7f\xff\xff\xff", 13);
    for (int k = 0; k < 4; ++k) update[static_cast<std::size_t>(5 + k)] = static_cast<char>(id >> (24 - 8 * k));
    c.send_raw(update);
    if (!c.seen()) break;
  }
  EXPECT_LE(rounds, 250);
  EXPECT_TRUE(s.idle());
}

TEST(flood, of_pings_that_nobody_waits_for) {
  running_server s(few(4), &ok);
  std::string pings = preface;
  for (int i = 0; i < 20000; ++i) pings += "\0\0\10\6\0\0\0\0\0abcdefgh"s;
  EXPECT_TRUE(server_hangs_up_on(s.port(), pings, false));
}

}  // namespace
