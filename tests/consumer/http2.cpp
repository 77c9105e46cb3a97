// SPDX-License-Identifier: BSL-1.0
#include <asio/io_context.hpp>
#include <settle/http2/http2.hpp>

int main() {
  asio::io_context io;
  settle::http2::server server(io.get_executor(), {}, [](settle::http2::request&) { return settle::http2::response(200, "hello"); });
  bool const listens = server.listen("127.0.0.1", 0) != 0;
  server.stop_accepting();
  io.poll();
  return listens ? 0 : 1;
}
