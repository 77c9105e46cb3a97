// SPDX-License-Identifier: BSL-1.0
// The parts that need no socket.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/post.hpp>

#include <settle/http2/http2.hpp>

#include "allocations.hpp"

namespace {

namespace http2 = settle::http2;
namespace detail = settle::http2::detail;

TEST(response, names_are_lower_case_and_bodies_one_or_the_other) {
  auto r = http2::response(201, "text").header("X-First", "A").header("x-second", "B");
  EXPECT_EQ(r.status(), 201);
  EXPECT_EQ(r.body(), "text");
  EXPECT_EQ(r.headers(), (http2::response::header_list{{"x-first", "A"}, {"x-second", "B"}}));
  http2::response moved = std::move(r);
  EXPECT_EQ(moved.body(), "text");
  moved.body(std::make_shared<std::vector<std::byte> const>(3, std::byte('z')));
  EXPECT_EQ(moved.body(), "zzz");
}

struct left;
struct right;
struct element : detail::list_hook<left>, detail::list_hook<right> {
  explicit element(int n) : number(n) {}
  int number;
};

template <class List>
std::vector<int> numbers(List& l) {
  std::vector<int> out;
  l.for_each([&](element& e) { out.push_back(e.number); });
  return out;
}

TEST(intrusive_list, elements_may_go_at_any_time) {
  detail::intrusive_list<element, left> a;
  detail::intrusive_list<element, right> b;
  element one(1), three(3);
  {
    element two(2);
    for (auto* e : {&one, &two, &three}) a.push_back(*e), b.push_back(*e);
    EXPECT_EQ(numbers(a), (std::vector{1, 2, 3}));
  }
  EXPECT_EQ(numbers(a), (std::vector{1, 3}));
  b.push_back(one);  // moves
  EXPECT_EQ(numbers(b), (std::vector{3, 1}));
  a.for_each([](element& e) { static_cast<detail::list_hook<left>&>(e).unlink(); });
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(a.pop_front(), nullptr);
  EXPECT_EQ(b.pop_front(), &three);
}

std::string take(detail::body_buffer& b, std::size_t room) {
  std::string s(room, '\0');
  s.resize(b.take(reinterpret_cast<std::uint8_t*>(s.data()), room));
  return s;
}

TEST(body_buffer, pieces_come_out_as_they_went_in) {
  detail::body_buffer b;
  EXPECT_FALSE(b.exhausted());
  b.push("hello ");
  EXPECT_EQ(take(b, 4), "hell");
  b.push("world");
  EXPECT_EQ(b.size(), 7u);
  EXPECT_EQ(take(b, 3), "o w");
  b.push("!");
  b.finish({});
  EXPECT_FALSE(b.exhausted());
  EXPECT_EQ(take(b, 100), "orld!");
  EXPECT_TRUE(b.exhausted());
}

TEST(body_buffer, whole_responses_are_moved_in) {
  detail::body_buffer b;
  b.set(http2::response(200, "short"));  // in the string itself: the view must follow the move
  EXPECT_EQ(take(b, 2), "sh");
  EXPECT_EQ(take(b, 100), "ort");
  EXPECT_TRUE(b.exhausted());
}

TEST(body_buffer, stays_small_however_long_it_lives) {
  detail::body_buffer b;
  std::string const piece(1000, 'x');
  for (int i = 0; i < 100000; ++i) {  // never empty, never more than two pieces
    b.push(std::string(piece));
    if (i > 0) {
      EXPECT_EQ(take(b, 1000).size(), 1000u);
    }
    ASSERT_LE(b.size(), 2000u);
  }
}

struct fake_read {
  static std::ptrdiff_t read(nghttp2_session*, std::uint8_t*, std::size_t, std::uint32_t*, void*) noexcept { return 0; }
};

TEST(nghttp2_compat, a_provider_is_whatever_type_is_asked_for) {
  int body = 0;
  detail::body_provider<fake_read> some(&body), none(nullptr);
  nghttp2_data_provider const* const p = some;
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(p->source.ptr, &body);
  EXPECT_NE(p->read_callback, nullptr);
  nghttp2_data_provider const* const q = none;
  EXPECT_EQ(q, nullptr);
}

TEST(nghttp2_compat, a_session_has_its_memory_as_malloc_would_give_it) {
  nghttp2_mem const& m = *detail::session_memory::functions();
  std::string const text(100, 'x');
  auto* p = static_cast<char*>(m.malloc(text.size(), nullptr));
  text.copy(p, text.size());
  p = static_cast<char*>(m.realloc(p, 20000, nullptr));
  EXPECT_EQ(std::string(p, text.size()), text);
  p = static_cast<char*>(m.realloc(p, 10, nullptr));
  EXPECT_EQ(std::string(p, 10), text.substr(0, 10));
  m.free(p, nullptr);
  p = static_cast<char*>(m.calloc(20, 5, nullptr));
  EXPECT_EQ(std::string(p, 100), std::string(100, '\0'));
  m.free(p, nullptr);
  m.free(m.realloc(nullptr, 8, nullptr), nullptr);
  m.free(nullptr, nullptr);
  std::size_t const most = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(m.malloc(most, nullptr), nullptr);
  EXPECT_EQ(m.calloc(most / 2, 4, nullptr), nullptr);
}

#if defined(SETTLE_TEST_NEW_RUNS_DRY)

struct lone_service final : detail::service {
  using service::service;
  ~lone_service() override = default;
  void idle() noexcept override {}
};
struct lone_session final : detail::session {
  using session::session;
  ~lone_session() = default;
  void wake() noexcept override {}

  bool take(std::string_view bytes) { return feed({reinterpret_cast<std::uint8_t const*>(bytes.data()), bytes.size()}); }
  void say(std::vector<std::uint8_t>& out) {
    out.clear();
    if (fill(out, 1000)) written(out.size());
    run_events();
  }
};

/// One request comes in, with memory for `n` blocks of settle's and nghttp2's. True: that was enough.
bool request_with_memory_for(int n, asio::io_context& io) {
  using namespace std::string_view_literals;
  detail::loop_executor const loop(io.get_executor());
  auto const home = std::make_shared<lone_service>(loop, http2::options());
  auto const handler = [](http2::request&) { return http2::response(200, "hello").header("x-some", "thing"); };
  home->handler = std::make_unique<detail::handler<decltype(+handler)>>(handler);
  EXPECT_TRUE(detail::session::prepare(*home));
  settle::resolver<detail::server_policy> parent(loop);
  lone_session s(home, parent.op());
  EXPECT_TRUE(s.open());
  EXPECT_TRUE(s.take("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"sv));
  std::vector<std::uint8_t> out;
  out.reserve(20000);
  s.say(out);
  settle::trim();  // what the thread keeps would do
  bool const fine = [&] {
    test::no_memory_after const dry(n);
    return s.take("\0\0\16\1\5\0\0\0\1\x82\x86\x84\x41\x09localhost"sv);
  }();
  if (fine) s.run_events();
  if (fine) s.say(out);
  s.end_all(settle::cause::disconnect);
  auto const c = home->counts.snapshot();
  EXPECT_EQ(c.requests, c.completed + c.cancelled) << n;
  EXPECT_EQ(c.live, 0u) << n;
  EXPECT_EQ(home->arenas.in_use(), 0u) << n;
  auto const all = parent.op();
  parent.complete();
  EXPECT_TRUE(all.is_released()) << n;
  return c.completed == 1;
}

TEST(session, gives_everything_back_when_there_is_no_memory_for_a_request) {
  asio::io_context io(1);
  asio::post(io, [&io] {
    int n = 0;
    while (n != 20 && !request_with_memory_for(n, io)) ++n;
    EXPECT_GE(n, 3);  // nghttp2's stream, the operation, its place under the connection's
    EXPECT_LT(n, 20);
  });
  io.run();
}

#endif

// What is no handler is refused in one sentence; what is one is recognised.
struct returns_nothing {
  void operator()(http2::request&) const;
};
static_assert(!detail::answers_now<returns_nothing> && !detail::answers_later<returns_nothing> && !detail::takes_duty<returns_nothing>);
static_assert(detail::answers_now<int (*)(http2::request&)>);
static_assert(detail::answers_now<http2::response (*)(http2::request const&)>);
static_assert(detail::answers_later<settle::handle_of<http2::response> (*)(http2::request&)>);
static_assert(detail::takes_duty<settle::handle_of<void> (*)(http2::request&, http2::responder)>);
static_assert(!std::is_copy_constructible_v<http2::responder> && !std::is_copy_constructible_v<http2::stream_body>);

}  // namespace
