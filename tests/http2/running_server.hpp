// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_HTTP2_RUNNING_SERVER_HPP
#define SETTLE_TESTS_HTTP2_RUNNING_SERVER_HPP

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <settle/asio/sleep.hpp>
#include <settle/http2/http2.hpp>
#include <thread>
#include <utility>

namespace http2 = settle::http2;
using settle::handle_of;

/// Waits until `done()`; false after ten seconds.
template <class F>
bool eventually(F done, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  auto const end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// A server on an io_context of its own thread. Its destructor stops it, waits until nothing is left to run, and checks
/// that everything was given back.
class running_server {
 public:
  template <class H>
  running_server(http2::options const& o, H handler) : io_(1), web_(io_.get_executor(), o, std::move(handler)) {
    port_ = web_.listen("127.0.0.1", 0);
    thread_ = std::thread([this] { io_.run(); });
  }
  running_server(running_server const&) = delete;
  running_server& operator=(running_server const&) = delete;
  ~running_server() {
    web_.stop();
    thread_.join();  // run() returns by itself: nothing keeps it busy
    EXPECT_TRUE(web_.op().is_released());
    EXPECT_TRUE(balanced());
  }

  std::uint16_t port() const { return port_; }
  http2::server& web() { return web_; }
  asio::io_context& io() { return io_; }
  http2::counters count() const { return web_.statistics(); }
  std::size_t arenas_out() const { return web_.arenas().in_use(); }

  /// Nothing is in hand, and everything that was is accounted for.
  bool balanced() const {
    auto const n = count();
    auto const a = web_.arenas().snapshot();
    return n.live == 0 && a.in_use == 0 && a.acquires == a.releases && n.requests == n.completed + n.failed + n.cancelled;
  }
  bool idle() const {
    return eventually([&] { return balanced(); });
  }

  /// Runs f on the server's thread and returns what it returns.
  template <class F>
  auto on_loop(F f) {
    auto const task = std::make_shared<std::packaged_task<decltype(f())()>>(std::move(f));
    auto result = task->get_future();
    asio::post(io_, [task] { (*task)(); });
    return result.get();
  }

 private:
  asio::io_context io_;
  http2::server web_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// Few arenas, so that every one that is lost is missed.
inline http2::options few(std::size_t arenas, std::size_t bytes = 4096) {
  http2::options o;
  o.arenas = arenas;
  o.arena_bytes = bytes;
  return o;
}

#endif
