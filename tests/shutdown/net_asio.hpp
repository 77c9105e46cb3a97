// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SHUTDOWN_NET_ASIO_HPP
#define SETTLE_TESTS_SHUTDOWN_NET_ASIO_HPP

#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/write.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "net.hpp"

namespace test {

/// Sockets of loopback on Asio: what the swarm needs of a network. `net_uv.hpp` has the same on libuv.
class asio_net {
  using tcp = asio::ip::tcp;

 public:
  using executor = asio::io_context::executor_type;

  /// A connection; its destructor closes it.
  class link {
   public:
    explicit link(tcp::socket s) : core_(std::make_unique<core>(std::move(s))) {}
    /// What comes next; fails when the other side has closed.
    settle::handle_of<std::string> read() { return read_from(core_->ex, core_->socket); }
    settle::handle_of<void> write(std::string text) { return write_to(core_->ex, core_->socket, std::move(text)); }
    void close() {
      asio::error_code ignored;
      core_->socket.close(ignored);
    }

   private:
    struct core : link_count {
      tcp::socket socket;
      asio::any_io_executor ex;
      explicit core(tcp::socket s) : socket(std::move(s)), ex(socket.get_executor()) {}
    };
    static settle::handle_of<std::string> read_from(asio::any_io_executor, tcp::socket& s) {
      read_buffer in;
      std::size_t const n = co_await s.async_read_some(asio::buffer(in.bytes), settle::use_handle);
      co_return std::string(in.bytes.data(), n);
    }
    static settle::handle_of<void> write_to(asio::any_io_executor, tcp::socket& s, std::string text) {
      co_await asio::async_write(s, asio::buffer(text), settle::use_handle);
    }

    std::unique_ptr<core> core_;
  };

  class listener {
   public:
    explicit listener(asio_net& n) : in_(n.io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
    std::uint16_t port() const { return in_.local_endpoint().port(); }
    settle::handle_of<link> accept() { return accept_on(in_.get_executor(), in_); }

   private:
    static settle::handle_of<link> accept_on(asio::any_io_executor, tcp::acceptor& in) {
      tcp::socket s = co_await in.async_accept(settle::use_handle);
      co_return link(std::move(s));
    }
    tcp::acceptor in_;
  };

  executor get_executor() { return io_.get_executor(); }
  settle::handle_of<link> dial(std::uint16_t port) { return dial_on(io_.get_executor(), port); }
  /// Until nothing is left to do.
  void run() {
    io_.restart();
    io_.run();
  }
  /// Something happens, if there is anything left that can.
  void step() {
    io_.restart();
    io_.run_one();
  }

 private:
  static settle::handle_of<link> dial_on(asio::any_io_executor ex, std::uint16_t port) {
    tcp::socket s(ex);
    tcp::endpoint const where(asio::ip::address_v4::loopback(), port);
    co_await s.async_connect(where, settle::use_handle);
    co_return link(std::move(s));
  }

  asio::io_context io_;
};

}  // namespace test

#endif
