// SPDX-License-Identifier: BSL-1.0
// Retry with backoff around resolve and connect; the next address when one is slow or refuses.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;
using settle::handle_of, settle::use_handle, settle::within;

// RFC 8305, section 4: the families take turns, the first one found begins.
std::vector<tcp::endpoint> interleave_families(tcp::resolver::results_type const& found) {
  std::vector<tcp::endpoint> first;
  std::vector<tcp::endpoint> second;
  for (auto const& entry : found) {
    bool const begins = first.empty() || first.front().protocol() == entry.endpoint().protocol();
    (begins ? first : second).push_back(entry.endpoint());
  }
  std::vector<tcp::endpoint> turns;
  for (std::size_t i = 0; i < first.size() || i < second.size(); ++i) {
    if (i < first.size()) turns.push_back(first[i]);
    if (i < second.size()) turns.push_back(second[i]);
  }
  return turns;
}

handle_of<tcp::socket> connect_one(asio::any_io_executor ex, tcp::endpoint ep) {
  tcp::socket s(ex);
  co_await s.async_connect(ep, use_handle);
  co_return s;  // loses the race: the value is destroyed, the socket closed
}

handle_of<tcp::socket> dial(asio::any_io_executor ex, std::string host, std::string port) {
  tcp::resolver dns(ex);  // theirs; settle::resolver is something else
  auto found = co_await within(dns.async_resolve(host, port, use_handle), 2s);
  auto endpoints = interleave_families(found);
  auto one = [&ex](tcp::endpoint ep) { return connect_one(ex, ep); };  // named, not written into the co_await: g++ 12
  co_return co_await settle::hedge(250ms, endpoints, one);             // the next after 250 ms or at a failure; the first value wins
}

handle_of<tcp::socket> dial_stubbornly(asio::any_io_executor ex, std::string host, std::string port) {
  auto again = settle::backoff::exponential(1ms, 5s, 6).when([](settle::error const& e) { return e != asio::error::host_not_found; });
  return within(settle::retry(again, [=](unsigned) { return dial(ex, host, port); }), 30s);
}

void report(settle::outcome<tcp::socket>&& out) {
  out.visit([](tcp::socket const&) { std::puts("connected"); }, [](settle::error const& e) { std::puts(e.code().message().c_str()); },
            [](settle::cancellation const&) { std::puts("cancelled"); });
}

// Begins to listen some time after the first attempt was refused.
handle_of<void> late_server(asio::any_io_executor ex, tcp::endpoint where) {
  co_await settle::sleep(ex, 20ms);
  tcp::acceptor in(ex, where);
  std::puts("server: late, but here");
  co_await in.async_accept(use_handle);
}

}  // namespace

int main() {
  asio::io_context io;
  tcp::endpoint const where = [&io] {  // a port that nobody listens on, for now
    return tcp::acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)).local_endpoint();
  }();
  auto server = late_server(io.get_executor(), where);
  dial_stubbornly(io.get_executor(), "127.0.0.1", std::to_string(where.port())).on_done(report);  // on the rvalue: takes, and detaches
  io.run();
}
