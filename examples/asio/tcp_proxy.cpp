// SPDX-License-Identifier: BSL-1.0
// A TCP proxy: two directions, half-close. Its clients and what stands behind it live in the same program.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;
using settle::handle_of, settle::use_handle, settle::within;

handle_of<void> pump(tcp::socket& from, tcp::socket& to) {  // one direction
  std::array<char, 16384> buf;                              // a local: legal only because co_await joins
  for (;;) {
    auto n = co_await within(from.async_read_some(asio::buffer(buf), use_handle), 60s).as_outcome();
    if (n.has_error() && n.error() == asio::error::eof) break;                 // their half is closed; ours is not
    co_await asio::async_write(to, asio::buffer(buf, n.value()), use_handle);  // value() throws what is no eof
  }
  to.shutdown(tcp::socket::shutdown_send);  // pass the half-close on
}

handle_of<void> session(tcp::socket client, tcp::endpoint upstream) {
  tcp::socket server(client.get_executor());
  auto connected = co_await within(server.async_connect(upstream, use_handle), 3s).as_outcome();
  if (!connected) {
    std::puts("proxy: nobody is there");
    co_return;
  }
  // One fails: the other is cancelled and joined, and only then do the two sockets they refer to go out of scope.
  co_await settle::all(pump(client, server), pump(server, client));
}

handle_of<void> proxy(asio::any_io_executor ex, tcp::acceptor& in, tcp::endpoint upstream) {  // given an executor: hot
  auto accept_all = [&](settle::scope& sessions) -> handle_of<void> {  // named: a temporary closure in a co_await is what g++ 12 breaks
    for (;;) {
      auto s = co_await in.async_accept(use_handle).as_outcome();
      if (s.has_error() && s.error() == asio::error::no_descriptors) {
        co_await settle::sleep(ex, 100ms);
        continue;
      }
      if (!s) co_return;  // closed
      sessions.spawn([c = std::move(s).value(), upstream]() mutable { return session(std::move(c), upstream); });
    }
  };
  co_await settle::with_scope(accept_all, settle::on_failure::keep_going);  // every session is joined, on every path
  std::puts("proxy: every session is over");
}

// Answers when it has heard everything: without the half-close it would wait for ever.
handle_of<void> shouting_server(asio::any_io_executor, tcp::acceptor& in) {
  tcp::socket s = co_await in.async_accept(use_handle);
  std::string heard;
  auto const end = co_await asio::async_read(s, asio::dynamic_buffer(heard), use_handle).as_outcome();
  if (!end.has_error() || end.error() != asio::error::eof) co_return;
  for (char& c : heard) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  co_await asio::async_write(s, asio::buffer(heard), use_handle);
}

handle_of<std::string> ask(asio::any_io_executor ex, tcp::endpoint where, std::string text) {
  tcp::socket s(ex);
  co_await s.async_connect(where, use_handle);
  co_await asio::async_write(s, asio::buffer(text), use_handle);
  s.shutdown(tcp::socket::shutdown_send);
  std::string answer;
  auto const end = co_await asio::async_read(s, asio::dynamic_buffer(answer), use_handle).as_outcome();
  if (end.has_error() && end.error() == asio::error::eof) co_return answer;
  co_return std::string();
}

handle_of<void> clients(asio::any_io_executor ex, tcp::acceptor& proxied, tcp::acceptor& upstream) {
  tcp::endpoint const where = proxied.local_endpoint();
  std::string const heard = co_await ask(ex, where, "is anybody there?");
  std::printf("client: %s\n", heard.c_str());
  upstream.close();
  auto const nothing = co_await ask(ex, where, "and now?").as_outcome();
  std::printf("client: %s\n", nothing && !nothing.value().empty() ? nothing.value().c_str() : "(closed)");
  proxied.close();
}

}  // namespace

int main() {
  asio::io_context io;
  tcp::endpoint const anywhere(asio::ip::address_v4::loopback(), 0);
  tcp::acceptor upstream(io, anywhere);
  tcp::acceptor in(io, anywhere);
  auto server = shouting_server(io.get_executor(), upstream);
  auto between = proxy(io.get_executor(), in, upstream.local_endpoint());
  auto asking = clients(io.get_executor(), in, upstream);
  io.run();
  std::printf("released: %d\n", server.is_released() && between.is_released() && asking.is_released());
}
