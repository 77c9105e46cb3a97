// SPDX-License-Identifier: BSL-1.0
// What a handler may return, and what the client gets for it.
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "allocations.hpp"
#include "client.hpp"
#include "running_server.hpp"

namespace {

using response_resolver = settle::resolver_of<http2::response>;

handle_of<http2::response> settled(http2::response r) {
  response_resolver done;
  auto h = done.get_handle();
  done.complete(std::move(r));
  return h;
}

TEST(handler, answers_now) {
  running_server s(few(4), [](http2::request& q) {
    return http2::response(200, std::string(q.method()) + ' ' + std::string(q.path()) + ' ' + std::string(q.authority()))
        .header("Content-Type", "text/plain")
        .header("x-echo", std::string(q.header("x-some").value_or("none")));
  });
  client c(s.port());
  auto const& a = c.wait(c.get("/a?b=c", {{"x-some", "thing"}}));
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, "GET /a?b=c localhost");
  EXPECT_EQ(a.fields, (client::headers{{"content-type", "text/plain"}, {"x-echo", "thing"}, {"content-length", "20"}}));
  EXPECT_EQ(a.heads, 1);
  EXPECT_EQ(a.code, 0u);
  EXPECT_TRUE(s.idle());
}

TEST(handler, asks_the_system_for_no_memory_once_warm) {
  std::vector<std::uint64_t> made;
  made.reserve(100);
  running_server s(few(4), [&made](http2::request&) {
    made.push_back(test::allocations_of_this_thread());
    return http2::response(200, "hello");
  });
  client c(s.port());
  for (int i = 0; i != 100; ++i) EXPECT_EQ(c.fetch("/").status, 200);
  EXPECT_TRUE(s.idle());
  EXPECT_LE(made[99] - made[49], test::sanitized ? 50u * 20 : 0u);  // a sanitizer recycles nothing
}

TEST(handler, a_status_alone_is_an_answer) {
  running_server s(few(4), [](http2::request&) { return 204; });
  client c(s.port());
  auto const& a = c.fetch("/");
  EXPECT_EQ(a.status, 204);
  EXPECT_TRUE(a.fields.empty());
}

TEST(handler, head_has_a_length_and_no_body) {
  running_server s(few(4), [](http2::request&) { return http2::response(200, "twelve bytes"); });
  client c(s.port());
  auto const& a = c.wait(c.head("/"));
  EXPECT_EQ(a.fields, (client::headers{{"content-length", "12"}}));
  EXPECT_EQ(a.body, "");
  EXPECT_EQ(a.code, 0u);
}

TEST(handler, shared_bodies_are_not_copied) {
  auto const text = std::make_shared<std::vector<std::byte> const>(100000, std::byte('x'));
  running_server s(few(4), [text](http2::request&) { return http2::response(200).body(text); });
  client c(s.port());
  EXPECT_EQ(c.fetch("/").body, std::string(100000, 'x'));
  EXPECT_TRUE(s.idle());
  EXPECT_TRUE(eventually([&] { return text.use_count() == 2; }));  // ours and the handler's
}

TEST(handler, a_throw_is_500) {
  running_server s(few(4), [](http2::request& q) -> http2::response {
    if (q.path() == "/fail") throw std::runtime_error("no");
    return 200;
  });
  client c(s.port());
  EXPECT_EQ(c.fetch("/fail").status, 500);
  EXPECT_EQ(c.fetch("/").status, 200);
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().failed, 1u);
  EXPECT_EQ(s.count().completed, 1u);
}

TEST(handler, what_http2_cannot_say_is_500) {
  running_server s(few(4), [](http2::request& q) {
    if (q.path() == "/value") return http2::response(200).header("x-bad", "a\r\nb");
    if (q.path() == "/name") return http2::response(200).header("x bad", "a");
    if (q.path() == "/pseudo") return http2::response(200).header(":status", "404");
    if (q.path() == "/large") return http2::response(200).header("x-large", std::string(60000, 'x'));
    return http2::response(99);
  });
  client c(s.port());
  for (auto const* path : {"/value", "/name", "/pseudo", "/large", "/status"}) EXPECT_EQ(c.fetch(path).status, 500) << path;
  EXPECT_TRUE(s.idle());
}

TEST(handler, bodies_come_whole) {
  running_server s(few(4, 65536), [](http2::request& q) {
    auto const b = q.body();
    return http2::response(200, std::string(reinterpret_cast<char const*>(b.data()), b.size()));
  });
  client c(s.port());
  std::string large;
  for (int i = 0; i < 60000; ++i) large += static_cast<char>('a' + i % 26);
  EXPECT_EQ(c.wait(c.post("/", "there and back")).body, "there and back");
  EXPECT_EQ(c.wait(c.post("/", "")).body, "");
  EXPECT_TRUE(c.wait(c.post("/", large, {{"content-length", "60000"}})).body == large);
  EXPECT_TRUE(c.wait(c.post("/", large.substr(0, 20000))).body == large.substr(0, 20000));  // grows by doubling
  EXPECT_TRUE(s.idle());
}

TEST(handler, requests_may_arrive_byte_by_byte) {
  running_server s(few(4), [](http2::request& q) { return http2::response(200, std::to_string(q.body().size())); });
  for (std::size_t const cut : {1u, 7u, 23u}) {
    client c(s.port(), {.cut = cut});
    EXPECT_EQ(c.wait(c.post("/", "there and back", {{"x-some", "thing"}})).body, "14");
  }
}

TEST(handler, the_arena_is_the_handlers_to_use) {
  running_server s(few(2), [](http2::request& q) {
    std::pmr::string text(1000, 'y', &q.arena());
    if (q.path() == "/much") text.append(1 << 20, 'y');  // bad_alloc: bounded
    return http2::response(200, std::string(text));
  });
  client c(s.port());
  EXPECT_EQ(c.fetch("/").body.size(), 1000u);
  EXPECT_EQ(c.fetch("/much").status, 500);
  EXPECT_TRUE(s.idle());
}

// One more request than there are arenas, one after another: an arena that a settled handle kept is missed at once.
template <class H>
void more_requests_than_arenas(H handler, int status) {
  running_server s(few(3), std::move(handler));
  client c(s.port());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(c.fetch("/").status, status);
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().refused, 0u);
}

TEST(A29_already_settled_handler, response) {
  more_requests_than_arenas([](http2::request&) { return 200; }, 200);
}
TEST(A29_already_settled_handler, handle_with_value) {
  more_requests_than_arenas([](http2::request&) { return settled(200); }, 200);
}
TEST(A29_already_settled_handler, handle_failed) {
  more_requests_than_arenas(
      [](http2::request&) {
        response_resolver r;
        auto h = r.get_handle();
        r.fail(settle::errc::timed_out);
        return h;
      },
      500);
}
TEST(A29_already_settled_handler, handle_cancelled) {
  more_requests_than_arenas(
      [](http2::request&) {
        response_resolver r;
        auto h = r.get_handle();
        r.cancel();
        return h;
      },
      503);
}
TEST(A29_already_settled_handler, responder_sends_at_once) {
  more_requests_than_arenas([](http2::request&, http2::responder r) { return std::move(r).send(200); }, 200);
}
TEST(A29_already_settled_handler, nothing_to_wait_for) {
  more_requests_than_arenas(
      [](http2::request&, http2::responder r) {
        std::move(r).send(200).detach();
        return handle_of<void>();
      },
      200);
}

TEST(handler, answers_later) {
  running_server s(few(100), [](http2::request& q) {
    response_resolver r(q.op());
    auto h = r.get_handle();
    auto nap = settle::sleep(q.get_executor(), std::chrono::milliseconds(1));
    r.op().adopt(nap);
    std::move(nap).on_done([r = std::move(r)](auto&& how) mutable {
      if (how) r.complete(http2::response(200, "awake"));
    });
    return h;
  });
  client c(s.port());
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(c.get("/"));
  for (auto const id : ids) EXPECT_EQ(c.wait(id).body, "awake");
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().completed, 50u);
}

TEST(handler, answers_from_another_thread) {
  std::optional<response_resolver> late;
  running_server s(few(4), [&late](http2::request& q) {
    late.emplace(q.op());
    return late->get_handle();
  });
  client c(s.port());
  auto const id = c.get("/");
  ASSERT_TRUE(c.seen());
  std::thread([r = std::move(*late)]() mutable { r.complete(http2::response(200, "from afar")); }).join();
  EXPECT_EQ(c.wait(id).body, "from afar");
}

// What a coroutine returns for which there was no memory.
TEST(handler, an_empty_handle_is_500) {
  running_server s(few(2), [](http2::request&) { return handle_of<http2::response>(); });
  client c(s.port());
  EXPECT_EQ(c.fetch("/").status, 500);
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().failed, 1u);
}

TEST(A33_response_once, dropped_duty_is_500) {
  running_server s(few(2), [](http2::request&, http2::responder) { return handle_of<void>(); });
  client c(s.port());
  auto const& a = c.fetch("/");
  EXPECT_EQ(a.status, 500);
  EXPECT_EQ(a.heads, 1);
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().failed, 1u);
}

TEST(A33_response_once, pending_handler_cancelled_is_503) {
  std::optional<response_resolver> never;
  running_server s(few(2), [&never](http2::request& q) {
    never.emplace();
    auto h = never->get_handle();
    q.op().on_done([&never] { never.reset(); });
    return h;
  });
  client c(s.port());
  auto const id = c.get("/");
  ASSERT_TRUE(c.seen());
  s.on_loop([&] { return never->op().cancel(settle::cause::overload); });
  EXPECT_EQ(c.wait(id).status, 503);
}

TEST(A33_response_once, request_cancelled_by_name_is_503) {
  settle::operation op;
  running_server s(few(2), [&op](http2::request& q, http2::responder r) {
    op = q.op();
    auto nap = settle::sleep(q.get_executor(), std::chrono::hours(1));
    nap.on_done([r = std::move(r)](auto const&) {});
    return nap;
  });
  client c(s.port());
  auto const id = c.get("/");
  ASSERT_TRUE(c.seen());
  EXPECT_TRUE(op.cancel());  // from here: not the server's thread
  EXPECT_EQ(c.wait(id).status, 503);
  EXPECT_EQ(c.answers[id].heads, 1);
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().cancelled, 1u);
}

TEST(A33_response_once, answered_and_failed) {
  running_server s(few(2), [](http2::request&, http2::responder r) {
    std::move(r).send(http2::response(200, "fine")).detach();
    settle::resolver_of<void> done;
    auto h = done.get_handle();
    done.fail(settle::errc::timed_out);
    return h;
  });
  client c(s.port());
  auto const& a = c.fetch("/");
  EXPECT_EQ(a.heads, 1);
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, "fine");
  EXPECT_TRUE(s.idle());
  EXPECT_EQ(s.count().failed, 1u);
}

TEST(A33_response_once, failed_first_then_answered) {
  std::optional<http2::responder> late;
  std::optional<bool> refused;
  running_server s(few(2), [&](http2::request&, http2::responder r) -> handle_of<void> {
    late.emplace(std::move(r));
    throw std::runtime_error("after the responder was kept");
  });
  client c(s.port());
  auto const& a = c.fetch("/");
  EXPECT_EQ(a.status, 500);
  s.on_loop([&] {
    std::move(*late).send(200).on_done([&](auto&& how) { refused = !how.has_value(); });
    late.reset();
    return 0;
  });
  EXPECT_EQ(refused, true);
  EXPECT_EQ(a.heads, 1);
}

TEST(A33_response_once, streamed_and_failed) {
  std::optional<http2::stream_body> body;
  running_server s(few(2), [&](http2::request&, http2::responder r) {
    std::move(r).stream(200).on_done([&](auto&& out) {
      body.emplace(std::move(out).value());
      body->write("half").detach();
    });
    settle::resolver_of<void> done;
    auto h = done.get_handle();
    done.fail(settle::errc::timed_out);
    return h;
  });
  client c(s.port());
  auto const& a = c.fetch("/");
  EXPECT_EQ(a.code, static_cast<std::uint32_t>(NGHTTP2_INTERNAL_ERROR));  // never a silent end
  EXPECT_LE(a.heads, 1);
  s.on_loop([&] {
    body.reset();
    return 0;
  });
  EXPECT_TRUE(s.idle());
}

}  // namespace
