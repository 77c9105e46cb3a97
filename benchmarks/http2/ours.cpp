// SPDX-License-Identifier: BSL-1.0
// The HTTP/2 adapter as people use it, on one thread: bench_http2_ours <port>. Ends with SIGTERM. Without a port it names its compiler.
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>

#include <settle/http2/http2.hpp>

#include "bodies.hpp"

namespace {

namespace http2 = settle::http2;

/// What a handler has at hand: the large body is shared by all that are sent.
class pages {
 public:
  http2::response operator()(http2::request& q) const {
    if (q.path() == "/tiny") return http2::response(200, std::string(bench::tiny_body)).header("content-type", bench::content_type);
    if (q.path() == "/large") return http2::response(200).header("content-type", bench::content_type).body(large_);
    return {404};
  }

 private:
  http2::shared_bytes large_ = std::make_shared<std::vector<std::byte>>(bench::large_bytes);
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::puts(__VERSION__), 2;
  asio::io_context io(1);
  http2::options o;
  o.arenas = 10240;  // a hundred connections with a hundred streams each
  o.arena_bytes = 4096;
  http2::server web(io.get_executor(), o, pages());
  web.listen("127.0.0.1", bench::port(argv[1]));
  asio::signal_set signals(io, SIGTERM);
  signals.async_wait([&web](asio::error_code, int) { web.stop(); });
  io.run();
  return 0;
}
