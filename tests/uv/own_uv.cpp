// SPDX-License-Identifier: BSL-1.0
// Handles of libuv's as resources of an operation: closed by their own closer, on the loop, and freed in the close callback only.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "place.hpp"
#include "situations.hpp"

namespace {

using namespace std::chrono_literals;
using namespace test;
using executor = settle::uv::loop_executor;
using on_uv = counted<int, executor>;
using settle::uv::own_uv;

template <class T>
concept may_own = requires(T& t, executor const& ex) { own_uv(t, ex, uv_tcp_init); };
static_assert(may_own<settle::resolver<on_uv>> && may_own<settle::pin>);
static_assert(!may_own<settle::operation> && !may_own<settle::handle_of<int>>, "a reference would not stay good");

uv_handle_t* base(auto& h) { return reinterpret_cast<uv_handle_t*>(&h); }
std::size_t handles_on(uv_loop_t& l) {
  std::size_t n = 0;
  uv_walk(&l, [](uv_handle_t*, void* at) { ++*static_cast<std::size_t*>(at); }, &n);
  return n;
}

TEST(own_uv, every_kind_is_closed_however_its_operation_ends_and_then_it_is_released) {
  uv_place place;
  std::size_t const before = handles_on(place.raw);
  in_each_way([&](way how) {
    subject<on_uv> s(place.get_executor());
    auto const ex = place.get_executor();
    trail log;
    s.op.on_cleanup([&] { log.push_back("what was registered before"); });
    uv_tcp_t& tcp = own_uv(s.r, ex, uv_tcp_init);
    uv_pipe_t& pipe = own_uv(s.r, ex, uv_pipe_init, 0);
    uv_timer_t& timer = own_uv(s.r, ex, uv_timer_init);
    uv_async_t& async = own_uv(s.r, ex, uv_async_init, [](uv_async_t*) {});
    EXPECT_EQ(handles_on(place.raw), before + 4);
    EXPECT_EQ(tcp.type, UV_TCP);
    EXPECT_EQ(pipe.type, UV_NAMED_PIPE);
    uv_timer_start(&timer, [](uv_timer_t*) { FAIL() << "it was stopped"; }, 3'600'000, 0);
    s.op.on_cleanup([&] {
      log.push_back("what was registered after");
      EXPECT_FALSE(uv_is_closing(base(async)));
    });
    s.op.on_released([&] {
      log.push_back("released");
      EXPECT_EQ(handles_on(place.raw), before) << "not before the close callbacks";
    });
    s.end(how);
    place.run();
    EXPECT_EQ(log, (trail{"what was registered after", "what was registered before", "released"}));
    EXPECT_TRUE(s.op.is_released());
  });
  recording_sink::take();
}

TEST(own_uv, what_waits_in_it_is_told_before_it_goes) {
  uv_place place;
  struct context {
    trail log;
  } c;
  uv_connect_t request;
  request.data = &c;
  subject<on_uv> s(place.get_executor());
  uv_tcp_t& tcp = own_uv(s.r, place.get_executor(), uv_tcp_init);
  tcp.data = &c;
  sockaddr_in nowhere{};
  ASSERT_EQ(uv_ip4_addr("127.0.0.1", 1, &nowhere), 0);
  uv_tcp_connect(&request, &tcp, reinterpret_cast<sockaddr*>(&nowhere), [](uv_connect_t* r, int status) {
    EXPECT_EQ(status, UV_ECANCELED);
    EXPECT_EQ(r->handle->data, r->data) << "data is the user's";
    static_cast<context*>(r->data)->log.push_back("cancelled");
  });
  s.op.on_released([&] { c.log.push_back("released"); });
  s.end(way::cancel);
  place.run();
  EXPECT_EQ(c.log, (trail{"cancelled", "released"}));
}

/// An echo over loopback: everything that is open belongs to one operation.
struct echo {
  settle::resolver<on_uv> done;
  uv_tcp_t& server;
  uv_tcp_t& client;
  uv_tcp_t* peer = nullptr;
  uv_connect_t connecting{};
  uv_write_t asking{};
  uv_write_t answering{};
  char in[16] = {};
  std::string got;

  explicit echo(uv_place& p)
      : done(p.get_executor()),
        server(own_uv(done, p.get_executor(), uv_tcp_init)),
        client(own_uv(done, p.get_executor(), uv_tcp_init)),
        place(p) {
    server.data = client.data = connecting.data = asking.data = answering.data = this;
    sockaddr_in at{};
    uv_ip4_addr("127.0.0.1", 0, &at);
    EXPECT_EQ(uv_tcp_bind(&server, reinterpret_cast<sockaddr*>(&at), 0), 0);
    EXPECT_EQ(uv_listen(reinterpret_cast<uv_stream_t*>(&server), 1, &accepted), 0);
    int size = sizeof(at);
    EXPECT_EQ(uv_tcp_getsockname(&server, reinterpret_cast<sockaddr*>(&at), &size), 0);
    EXPECT_EQ(uv_tcp_connect(&connecting, &client, reinterpret_cast<sockaddr*>(&at), &connected), 0);
  }

  static echo& of(auto* h) { return *static_cast<echo*>(h->data); }
  template <class H>
  void read(H& h) {
    uv_read_start(
        reinterpret_cast<uv_stream_t*>(&h), [](uv_handle_t* r, std::size_t, uv_buf_t* b) { *b = uv_buf_init(of(r).in, sizeof(of(r).in)); },
        [](uv_stream_t* r, ssize_t n, uv_buf_t const*) {
          if (n > 0) of(r).received(r, static_cast<std::size_t>(n));
        });
  }
  void send(uv_write_t& w, auto& h, std::string const& text) {
    auto b = uv_buf_init(const_cast<char*>(text.data()), static_cast<unsigned>(text.size()));
    uv_write(&w, reinterpret_cast<uv_stream_t*>(&h), &b, 1, [](uv_write_t*, int) {});
  }
  static void accepted(uv_stream_t* s, int) {
    echo& self = of(s);
    if (!self.done) return;  // its turn to be closed comes
    self.peer = &own_uv(self.done, self.place.get_executor(), uv_tcp_init);
    self.peer->data = &self;
    EXPECT_EQ(uv_accept(s, reinterpret_cast<uv_stream_t*>(self.peer)), 0);
    self.read(*self.peer);
  }
  static void connected(uv_connect_t* r, int status) {
    if (status < 0) return;
    static std::string const question = "ping";
    of(r).send(of(r).asking, of(r).client, question);
    of(r).read(of(r).client);
  }
  void received(uv_stream_t* s, std::size_t n) {
    got.assign(in, n);
    if (s == reinterpret_cast<uv_stream_t*>(&client)) done.complete(static_cast<int>(n));  // from its own callback
    else send(answering, *peer, got);
  }

  uv_place& place;
};

TEST(own_uv, a_connection_that_ends_in_its_own_callback_is_closed_whole) {
  uv_place place;
  echo e(place);
  auto h = e.done.get_handle();
  place.run();
  ASSERT_TRUE(h.is_released());
  EXPECT_EQ(e.got, "ping");
  EXPECT_EQ(std::move(h).wait().value(), 4);
}

TEST(own_uv, a_connection_that_is_dropped_half_way_is_closed_whole) {
  for (int turns = 0; turns != 6; ++turns) {
    uv_place place;
    echo e(place);
    settle::operation const op = e.done.op();
    for (int i = 0; i != turns; ++i) place.loop->run(UV_RUN_NOWAIT);
    op.cancel();
    subject<on_uv>::drop(e.done);
    place.run();
    EXPECT_TRUE(op.is_released());
  }
}

TEST(own_uv, a_timer_that_ends_its_operation_in_its_own_callback) {
  uv_place place;
  subject<on_uv> s(place.get_executor());
  uv_timer_t& timer = own_uv(s.r, place.get_executor(), uv_timer_init);
  timer.data = &s;
  int ticks = 0;
  s.op.on_done([&] { ++ticks; });
  uv_timer_start(
      &timer,
      [](uv_timer_t* t) {
        auto& its = *static_cast<subject<on_uv>*>(t->data);
        its.end(way::complete);
        EXPECT_TRUE(uv_is_closing(base(*t)));
        EXPECT_FALSE(its.op.is_released());
        its.op.cancel();
      },
      1, 1);
  place.run();
  EXPECT_EQ(ticks, 1);
  EXPECT_TRUE(s.op.is_released());
}

TEST(own_uv, given_by_way_of_a_pin_and_let_go_on_another_thread_it_is_closed_on_the_loop) {
  uv_place place;
  settle::resolver<counted<int>> r;  // whose user code runs on whichever thread ends it
  settle::operation const op = r.op();
  std::size_t const before = handles_on(place.raw);
  {
    settle::pin keep = op.pin();
    own_uv(keep, place.get_executor(), uv_pipe_init, 0);
    op.on_cleanup([] {});
  }
  uv_async_t alive;  // until it is told, which any thread may do
  uv_async_init(&place.raw, &alive, [](uv_async_t* h) { uv_close(base(*h), nullptr); });
  op.on_released([&] { uv_async_send(&alive); });
  std::thread other([&] { r.complete(1); });
  place.run();
  other.join();
  EXPECT_EQ(handles_on(place.raw), before);
  EXPECT_TRUE(op.is_released());
}

TEST(own_uv, what_libuv_refuses_is_an_exception_and_leaves_nothing) {
  uv_place place;
  std::size_t const before = handles_on(place.raw);
  subject<on_uv> s(place.get_executor());
  try {
    own_uv(s.r, place.get_executor(), uv_poll_init, -1);
    FAIL() << "no such descriptor";
  } catch (std::system_error const& e) {
    EXPECT_EQ(e.code(), std::errc::bad_file_descriptor);
  }
  uv_process_options_t nothing{};
  char file[] = "/nowhere/to/be/found";
  char* args[] = {file, nullptr};
  nothing.file = file;
  nothing.args = args;
  EXPECT_THROW(own_uv(s.r, place.get_executor(), uv_spawn, &nothing), std::system_error) << "a handle that is on its loop all the same";
  s.end(way::complete);
  place.run();
  EXPECT_TRUE(s.op.is_released());
  EXPECT_EQ(handles_on(place.raw), before);
}

TEST(own_uv, closing_allocates_nothing) {
  uv_place place;
  place.run();
  subject<on_uv> s(place.get_executor());
  own_uv(s.r, place.get_executor(), uv_tcp_init);
  allocation_count const count;
  s.end(way::complete);
  place.run();
  EXPECT_EQ(count.now(), 0U);
  EXPECT_TRUE(s.op.is_released());
}

TEST(own_uv, the_loop_goes_with_everything_pending) {
  std::vector<settle::operation> all;
  {
    uv_place place;
    std::vector<std::unique_ptr<subject<on_uv>>> subjects;
    testing::internal::CaptureStderr();
    for (int i = 0; i != 50; ++i) {
      subjects.push_back(std::make_unique<subject<on_uv>>(place.get_executor()));
      auto& s = *subjects.back();
      own_uv(s.r, place.get_executor(), uv_timer_init);
      own_uv(s.r, place.get_executor(), uv_tcp_init);
      s.op.adopt(settle::sleep(place.get_executor(), 1h));
      all.push_back(s.op);
      if (i % 2 == 0) s.end(all_ways[i / 2 % 6]);
    }
    place.loop.reset();
    subjects.clear();  // those that were not queued
  }
  EXPECT_NE(testing::internal::GetCapturedStderr().find("executor lost"), std::string::npos);
  for (auto const& op : all) EXPECT_TRUE(op.is_released());
  recording_sink::take();
}

TEST(own_uv, a_hundred_times_over_leaves_nothing) {
  uv_place place;
  std::size_t const before = handles_on(place.raw);
  for (int i = 0; i != 100; ++i) {
    subject<on_uv> s(place.get_executor());
    own_uv(s.r, place.get_executor(), uv_timer_init);
    auto nap = settle::sleep(place.get_executor(), 1h);
    if (i % 2 == 0) place.loop->run(UV_RUN_NOWAIT);
    nap.request_cancel();
    nap.cancel();
    s.end(all_ways[i % 6]);
    place.run();
    EXPECT_TRUE(s.op.is_released() && nap.is_released());
    EXPECT_EQ(handles_on(place.raw), before);
  }
  recording_sink::take();
}

}  // namespace
