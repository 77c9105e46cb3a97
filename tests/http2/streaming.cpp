// SPDX-License-Identifier: BSL-1.0
// Bodies that are written piece by piece, and clients that read slowly or not at all.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client.hpp"
#include "running_server.hpp"

namespace {

std::string pattern(std::size_t n) {
  std::string s(n, '\0');
  for (std::size_t i = 0; i < n; ++i) s[i] = static_cast<char>(i % 251);
  return s;
}

/// Writes `text` in pieces, each when there was room for it.
struct writer : std::enable_shared_from_this<writer> {
  writer(http2::request& q, std::string t, std::size_t n) : text(std::move(t)), piece(n), done(q.op(), q.get_executor()) {}

  handle_of<void> start(http2::responder r) {
    auto h = done.get_handle();
    std::move(r).stream(200).on_done([me = shared_from_this()](auto&& out) {
      if (!out) return;
      me->body.emplace(std::move(out).value());
      me->next();
    });
    return h;
  }
  void next() {
    if (at == text.size()) {
      std::move(*body).finish().on_done([me = shared_from_this()](auto&& how) {
        if (how) me->done.complete();
      });
      return;
    }
    std::string_view const part = std::string_view(text).substr(at, piece);
    at += part.size();
    body->write(part).on_done([me = shared_from_this()](auto&& how) {
      if (how) me->next();
    });
  }

  std::string text;
  std::size_t piece, at = 0;
  std::optional<http2::stream_body> body;
  settle::resolver_of<void, settle::error, http2::any_executor> done;
};

auto write_in_pieces(std::string text, std::size_t piece) {
  return [text = std::move(text), piece](http2::request& q, http2::responder r) {
    return std::make_shared<writer>(q, text, piece)->start(std::move(r));
  };
}

TEST(stream_body, pieces_arrive_in_order) {
  for (std::size_t const piece : {1u, 1000u, 65536u, 1000000u}) {
    auto const text = pattern(piece == 1 ? 3000 : 1000000);
    running_server s(few(4), write_in_pieces(text, piece));
    client c(s.port());
    auto const& a = c.fetch("/");
    EXPECT_TRUE(a.body == text) << piece;
    EXPECT_EQ(a.heads, 1);
    EXPECT_EQ(a.code, 0u);
    EXPECT_TRUE(s.idle());
    EXPECT_EQ(s.count().completed, 1u);
  }
}

TEST(stream_body, trailers_follow_the_last_byte) {
  running_server s(few(4), [](http2::request&, http2::responder r) {
    std::move(r).stream(200).on_done([](auto&& out) {
      http2::stream_body body = std::move(out).value();
      body.write("text").detach();
      std::move(body).finish({{"x-sum", "42"}}).detach();
    });
    return handle_of<void>();
  });
  client c(s.port());
  auto const& a = c.fetch("/");
  EXPECT_EQ(a.body, "text");
  EXPECT_EQ(a.trailers, (client::headers{{"x-sum", "42"}}));
  EXPECT_EQ(a.code, 0u);
}

TEST(stream_body, head_requests_have_no_body) {
  running_server s(few(4), write_in_pieces("never seen", 4));
  client c(s.port());
  auto const& a = c.wait(c.head("/"));
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, "");
  EXPECT_EQ(a.code, 0u);
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().completed, 1u);
}

TEST(stream_body, dropped_unfinished_is_a_reset) {
  running_server s(few(4), [](http2::request&, http2::responder r) {
    std::move(r).stream(200).on_done([](auto&& out) { std::move(out).value().write("half").detach(); });
    return handle_of<void>();
  });
  client c(s.port());
  EXPECT_EQ(c.fetch("/").code, static_cast<std::uint32_t>(NGHTTP2_INTERNAL_ERROR));
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().failed, 1u);
}

TEST(stream_body, abort_says_its_code_and_is_the_end) {
  std::atomic<int> closed = 0;
  auto const count = [&closed](auto&& how) { closed += how.has_error() && how.error() == settle::error(settle::errc::closed) ? 1 : 0; };
  running_server s(few(4), [&](http2::request&, http2::responder r) {
    std::move(r).stream(200).on_done([&](auto&& out) {
      http2::stream_body body = std::move(out).value();
      body.abort(NGHTTP2_CANCEL);
      body.write("more").on_done(count);
      std::move(body).finish().on_done(count);
    });
    return handle_of<void>();
  });
  client c(s.port());
  EXPECT_EQ(c.fetch("/").code, static_cast<std::uint32_t>(NGHTTP2_CANCEL));
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(closed, 2);
}

TEST(stream_body, written_from_another_thread) {
  std::optional<http2::stream_body> body;
  running_server s(few(4), [&body](http2::request&, http2::responder r) {
    std::move(r).stream(200).on_done([&body](auto&& out) { body.emplace(std::move(out).value()); });
    return handle_of<void>();
  });
  client c(s.port());
  auto const id = c.get("/");
  ASSERT_TRUE(c.seen());
  std::thread([b = std::move(*body)]() mutable {
    for (int i = 0; i < 100; ++i) {
      std::atomic<bool> room{false};
      b.write("0123456789").on_done([&room](auto&& how) { room = how.has_value(); });
      EXPECT_TRUE(eventually([&] { return room.load(); }));
    }
    std::move(b).finish().detach();
  }).join();
  EXPECT_EQ(c.wait(id).body.size(), 1000u);
  EXPECT_TRUE(s.idle());
}

TEST(stream_body, a_writer_is_told_when_there_is_room) {
  std::optional<http2::stream_body> body;
  auto options = few(4);
  options.stream_buffer = 1000;
  running_server s(options, [&body](http2::request&, http2::responder r) {
    std::move(r).stream(200).on_done([&body](auto&& out) { body.emplace(std::move(out).value()); });
    return handle_of<void>();
  });
  client c(s.port(), {.window = 100, .reads = false});
  auto const id = c.get("/");
  ASSERT_TRUE(c.until([&] { return c.answers[id].heads == 1; }));
  std::atomic<int> first{0}, second{0}, third{0};
  auto const note = [](std::atomic<int>& to) {
    return [&to](auto&& how) { to = how ? 1 : how.has_error() && how.error().code() == std::errc::no_buffer_space ? 2 : 3; };
  };
  s.on_loop([&] {
    body->write(std::string(500, 'a')).on_done(note(first));    // fits
    body->write(std::string(2000, 'b')).on_done(note(second));  // beyond: waits
    body->write("c").on_done(note(third));                      // nobody waited for the one before: refused
    return 0;
  });
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 0);
  EXPECT_EQ(third, 2);
  std::size_t given = 0;
  ASSERT_TRUE(c.until([&] {
    auto const got = c.answers[id].body.size();
    if (got > given) c.consume(id, got - std::exchange(given, got));
    return second == 1;
  }));
  s.on_loop([&] {
    std::move(*body).finish().detach();
    return 0;
  });
  EXPECT_TRUE(c.until([&] {
    auto const got = c.answers[id].body.size();
    if (got > given) c.consume(id, got - std::exchange(given, got));
    return c.answers[id].closed;
  }));
  EXPECT_EQ(c.answers[id].body, std::string(500, 'a') + std::string(2000, 'b'));
}

// A megabyte through a window of a thousand bytes, while the other arenas serve others; the large response keeps its arena
// until its last byte is gone.
TEST(A32_slow_large_response, intact_through_a_small_window) {
  auto const text = pattern(1 << 20);
  std::atomic<int> released{0};
  running_server s(few(3), [&](http2::request& q) {
    q.op().on_released([&] { ++released; });
    settle::resolver_of<http2::response> r(q.op());
    auto h = r.get_handle();
    auto nap = settle::sleep(q.get_executor(), std::chrono::milliseconds(1));
    r.op().adopt(nap);
    bool const large = q.path() == "/large";
    std::move(nap).on_done([&text, large, r = std::move(r)](auto&& how) mutable {
      if (how) r.complete(large ? http2::response(200, text) : http2::response(200, "small"));
    });
    return h;
  });
  client slow(s.port(), {.window = 1000, .reads = false});
  auto const id = slow.get("/large");
  std::size_t given = 0;
  auto const read_until = [&](std::size_t n) {
    return slow.until([&] {
      auto const got = slow.answers[id].body.size();
      if (got > given) slow.consume(id, got - std::exchange(given, got));
      return got >= n;
    });
  };
  ASSERT_TRUE(read_until(300000));
  client other(s.port());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(other.fetch("/").body, "small");
  EXPECT_TRUE(eventually([&] { return s.arenas_out() == 1; }));
  EXPECT_EQ(released, 20);
  ASSERT_TRUE(read_until(text.size()));
  ASSERT_TRUE(slow.until([&] { return slow.answers[id].closed; }));
  EXPECT_TRUE(slow.answers[id].body == text);
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(released, 21);
}

// The client does not read its socket at all: bytes wait in the kernel and in the connection, and the arena with them.
TEST(A32_slow_large_response, arena_waits_for_the_socket) {
  auto const text = pattern(8 << 20);
  running_server s(few(2), [&](http2::request&) { return http2::response(200, text); });
  client c(s.port(), {.window = 1 << 30, .reads = true});
  auto const id = c.get("/");
  c.flush();
  c.send_raw(std::string("\0\0\4\10\0\0\0\0\0\77\0\0\0", 13));  // WINDOW_UPDATE of the connection by nearly a GiB
  EXPECT_TRUE(eventually([&] { return s.arenas_out() == 1; }));
  EXPECT_TRUE(c.until([&] { return c.answers[id].body.size() > 100000; }));
  EXPECT_EQ(s.arenas_out(), 1u);
  EXPECT_TRUE(c.wait(id).body == text);
  EXPECT_TRUE(s.idle());
}

}  // namespace
