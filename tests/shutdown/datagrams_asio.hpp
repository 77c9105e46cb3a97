// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SHUTDOWN_DATAGRAMS_ASIO_HPP
#define SETTLE_TESTS_SHUTDOWN_DATAGRAMS_ASIO_HPP

#include <asio/ip/udp.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "net_asio.hpp"

namespace test {

/// A socket for datagrams of loopback on Asio; `datagrams_uv.hpp` has the same on libuv.
class asio_datagrams {
  using udp = asio::ip::udp;

 public:
  explicit asio_datagrams(asio_net& n) : core_(std::make_unique<core>(n.get_executor())) {}
  std::uint16_t port() const { return core_->socket.local_endpoint().port(); }
  settle::handle_of<datagram> receive() { return receive_on(core_->socket.get_executor(), core_->socket); }
  settle::handle_of<void> send(std::string text, std::uint16_t to) {
    return send_on(core_->socket.get_executor(), core_->socket, std::move(text), to);
  }

 private:
  struct core : link_count {
    udp::socket socket;
    explicit core(asio_net::executor ex) : socket(ex, udp::endpoint(asio::ip::address_v4::loopback(), 0)) {}
  };
  static settle::handle_of<datagram> receive_on(asio::any_io_executor, udp::socket& s) {
    read_buffer in;
    udp::endpoint from;
    std::size_t const n = co_await s.async_receive_from(asio::buffer(in.bytes), from, settle::use_handle);
    co_return datagram{std::string(in.bytes.data(), n), from.port()};
  }
  static settle::handle_of<void> send_on(asio::any_io_executor, udp::socket& s, std::string text, std::uint16_t to) {
    udp::endpoint const where(asio::ip::address_v4::loopback(), to);
    co_await s.async_send_to(asio::buffer(text), where, settle::use_handle);
  }

  std::unique_ptr<core> core_;
};

}  // namespace test

#endif
