// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_EXAMPLES_CURL_WEB_HPP
#define SETTLE_EXAMPLES_CURL_WEB_HPP

#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/address_v4.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>

/// A small web server on loopback, for the example to talk to: Asio and nothing else.
class web {
 public:
  explicit web(asio::io_context& io) : in_(io, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)) { accept(); }

  std::string url(char const* path) const { return "http://127.0.0.1:" + std::to_string(in_.local_endpoint().port()) + path; }
  /// Ends: no more connections, and those there are close.
  void stop() {
    in_.close();
    for (auto& weak : open_) {
      if (auto c = weak.lock()) c->socket.close();
    }
  }

 private:
  struct connection {
    asio::ip::tcp::socket socket;
    std::string text;
    explicit connection(asio::ip::tcp::socket s) : socket(std::move(s)) {}
  };

  void accept() {
    in_.async_accept([this](asio::error_code e, asio::ip::tcp::socket s) {
      if (e) return;
      auto c = std::make_shared<connection>(std::move(s));
      open_.push_back(c);
      asio::async_read_until(c->socket, asio::dynamic_buffer(c->text), "\r\n\r\n", [c](asio::error_code bad, std::size_t) {
        if (!bad) answer(c);
      });
      accept();
    });
  }

  static void answer(std::shared_ptr<connection> const& c) {
    bool const endless = c->text.starts_with("GET /endless ");
    bool const known = endless || c->text.starts_with("GET /greeting ");
    c->text = known ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 404 Not Found\r\n";
    c->text += endless ? "Content-Length: 1000000\r\n\r\nand so on"
               : known ? "Content-Length: 5\r\n\r\nhello"
                       : "Content-Length: 0\r\n\r\n";
    asio::async_write(c->socket, asio::buffer(c->text), [c](asio::error_code, std::size_t) { linger(c); });
  }
  // Open until the client closes it.
  static void linger(std::shared_ptr<connection> const& c) {
    c->text.resize(1);
    c->socket.async_read_some(asio::buffer(c->text), [c](asio::error_code, std::size_t) {});
  }

  asio::ip::tcp::acceptor in_;
  std::list<std::weak_ptr<connection>> open_;
};

#endif
