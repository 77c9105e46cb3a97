// SPDX-License-Identifier: BSL-1.0
// An HTTP/2 server whose every request owns an arena, on the loopback interface:
//
//   GET /hello        12 bytes
//   GET /bytes/N      N bytes, byte i is i % 251; streamed, N up to 64 MiB
//   GET /slow?ms=N    answers after a pending sleep
//   POST /echo        the body back; over the arena's limit: 413
//   GET /fail         the handler throws: 500
//   GET /census       what is alive and what was counted, as JSON
//
// Ends on SIGINT and SIGTERM with one line; exit status 0 when everything was given back, 1 when not, 2 for bad usage.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>

#include <settle/asio/sleep.hpp>
#include <settle/http2/http2.hpp>

namespace {

namespace http2 = settle::http2;
using settle::handle_of;

constexpr std::size_t most_bytes = 64u << 20;

struct flags {
  std::uint16_t port = 0;
  std::size_t arenas = 10240;
  std::size_t arena_bytes = 4096;
};

template <class N>
std::optional<N> number(std::string_view text) {
  N n{};
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

template <class N>
void set(N& to, std::string_view name, std::string_view value) {
  auto const n = number<N>(value);
  if (!n)
    throw std::invalid_argument(std::string(name) + " wants a number up to " + std::to_string(std::numeric_limits<N>::max()) + ", not '" +
                                std::string(value) + "'");
  to = *n;
}

flags parse(int argc, char** argv) {
  flags f;
  for (int i = 1; i < argc; i += 2) {
    std::string_view const name = argv[i];
    if (name != "--port" && name != "--arenas" && name != "--arena-bytes")
      throw std::invalid_argument("unknown flag '" + std::string(name) + "'; there are --port N, --arenas N and --arena-bytes N");
    if (i + 1 == argc) throw std::invalid_argument(std::string(name) + " wants a number");
    if (name == "--port") set(f.port, name, argv[i + 1]);
    if (name == "--arenas") set(f.arenas, name, argv[i + 1]);
    if (name == "--arena-bytes") set(f.arena_bytes, name, argv[i + 1]);
  }
  return f;
}

/// Nothing to wait for: the request ends when the answer has left.
handle_of<void> answer(http2::responder reply, http2::response r) {
  std::move(reply).send(std::move(r)).detach();
  return {};
}

/// Writes the pattern whenever there is room. Lives as long as somebody waits for something of it.
class pattern : public std::enable_shared_from_this<pattern> {
 public:
  pattern(http2::request& q, std::size_t n) : left_(n), done_(q.op(), q.get_executor()) {}

  handle_of<void> start(http2::responder reply) {
    handle_of<void> h = done_.get_handle();
    auto head = http2::response(200).header("content-length", std::to_string(left_)).header("content-type", "application/octet-stream");
    std::move(reply).stream(std::move(head)).on_done([me = shared_from_this()](auto&& out) {
      if (!out) return;  // the client is gone, and so is the request
      me->out_.emplace(std::move(out).value());
      me->next();
    });
    return h;
  }

 private:
  static constexpr std::size_t period = 251;
  static constexpr std::size_t piece = 32768;

  static std::string_view text(std::size_t offset, std::size_t n) {
    static std::string const all = [] {
      std::string s(period + piece, '\0');
      for (std::size_t i = 0; i < s.size(); ++i) s[i] = static_cast<char>(i % period);
      return s;
    }();
    return std::string_view(all).substr(offset % period, n);
  }

  void next() {
    auto const again = [me = shared_from_this()](auto const& how) {
      if (how) me->next();
    };
    auto const over = [me = shared_from_this()](auto const& how) {
      if (how) me->done_.complete();
    };
    if (left_ == 0) return std::move(*out_).finish().on_done(over);
    std::size_t const n = std::min(left_, piece);
    std::string_view const bytes = text(sent_, n);
    left_ -= n;
    sent_ += n;
    out_->write(bytes).on_done(again);
  }

  std::size_t left_, sent_ = 0;
  std::optional<http2::stream_body> out_;
  settle::resolver_of<void, settle::error, http2::any_executor> done_;
};

handle_of<void> slow(http2::request& q, http2::responder reply, std::string_view query) {
  auto const ms = query.starts_with("ms=") ? number<std::uint32_t>(query.substr(3)) : std::nullopt;
  if (!ms) return answer(std::move(reply), {400, "slow wants ?ms=N\n"});
  handle_of<void> nap = settle::sleep(q.get_executor(), std::chrono::milliseconds(*ms));
  nap.on_done([reply = std::move(reply)](auto const& how) mutable {
    if (how) std::move(reply).send({200, "awake\n"}).detach();
  });
  return nap;  // a child of the request: when the client goes, the timer goes
}

std::string census(http2::server const& web) {
  auto const n = web.statistics();
  auto const a = web.arenas().snapshot();
  std::string out = "{";
  auto const put = [&](char const* name, std::uint64_t value) {
    if (out.size() > 1) out += ", ";
    out += '"' + std::string(name) + "\": " + std::to_string(value);
  };
  put("handles_live", n.live);
  put("arenas_out", a.in_use);
  put("arenas_peak", a.peak);
  put("arenas_total", a.capacity);
  put("acquires", a.acquires);
  put("releases", a.releases);
  put("requests_total", n.requests);
  put("completed", n.completed);
  put("failed", n.failed);
  put("cancelled", n.cancelled);
  put("refused", n.refused);
  return out + "}\n";
}

handle_of<void> route(http2::server const& web, http2::request& q, http2::responder reply) {
  std::string_view const target = q.path();
  std::string_view const path = target.substr(0, target.find('?'));
  std::string_view const query = path.size() < target.size() ? target.substr(path.size() + 1) : std::string_view();
  if (path == "/echo") {
    if (q.method() != "POST") return answer(std::move(reply), http2::response(405).header("allow", "POST"));
    auto const body = q.body();
    return answer(std::move(reply), {200, std::string(reinterpret_cast<char const*>(body.data()), body.size())});
  }
  if (q.method() != "GET" && q.method() != "HEAD") return answer(std::move(reply), http2::response(405).header("allow", "GET, HEAD"));
  if (path == "/hello") return answer(std::move(reply), {200, "hello world\n"});
  if (path == "/slow") return slow(q, std::move(reply), query);
  if (path == "/fail") throw std::runtime_error("this route always fails");
  if (path == "/census") return answer(std::move(reply), http2::response(200, census(web)).header("content-type", "application/json"));
  if (path.starts_with("/bytes/")) {
    auto const n = number<std::size_t>(path.substr(7));
    if (n && *n <= most_bytes) return std::make_shared<pattern>(q, *n)->start(std::move(reply));
    return answer(std::move(reply), {n ? 413 : 400, "bytes wants a number up to 67108864\n"});
  }
  return answer(std::move(reply), {404, "not found\n"});
}

/// Ends the server at the first signal; whatever then keeps it alive has a second and a half.
class ending {
 public:
  ending(asio::io_context& io, http2::server& web) : signals_(io, SIGINT, SIGTERM), limit_(io) {
    signals_.async_wait([this, &io, &web](asio::error_code ec, int) {
      if (ec) return;
      limit_.expires_after(std::chrono::milliseconds(1500));
      limit_.async_wait([&io](asio::error_code late) {
        if (!late) io.stop();
      });
      web.op().on_released([this] { limit_.cancel(); });
      web.stop();
    });
  }

 private:
  asio::signal_set signals_;
  asio::steady_timer limit_;
};

int serve(flags const& f) {
  asio::io_context io(1);
  http2::options o;
  o.arenas = f.arenas;
  o.arena_bytes = f.arena_bytes;
  http2::server* self = nullptr;
  http2::server web(io.get_executor(), o, [&self](http2::request& q, http2::responder r) { return route(*self, q, std::move(r)); });
  self = &web;
  std::uint16_t port = f.port;
  try {
    port = web.listen("127.0.0.1", f.port);
  } catch (std::system_error const& e) {
    throw std::runtime_error("cannot listen on 127.0.0.1:" + std::to_string(f.port) + ": " + e.code().message());
  }
  ending const until_signal(io, web);
  std::printf("listening on 127.0.0.1:%u\n", static_cast<unsigned>(port));
  std::fflush(stdout);
  io.run();

  auto const n = web.statistics();
  auto const a = web.arenas().snapshot();
  bool const balanced = n.live == 0 && a.in_use == 0 && n.requests == n.completed + n.failed + n.cancelled;
  std::printf("%s: %llu requests, %llu completed, %llu failed, %llu cancelled, %zu still alive, %zu arenas out\n",
              balanced ? "balanced" : "NOT balanced", static_cast<unsigned long long>(n.requests),
              static_cast<unsigned long long>(n.completed), static_cast<unsigned long long>(n.failed),
              static_cast<unsigned long long>(n.cancelled), n.live, a.in_use);
  return balanced ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return serve(parse(argc, argv));
  } catch (std::bad_alloc const&) {
    std::fputs("demo_server: there is not enough memory for that many arenas of that size\n", stderr);
  } catch (std::exception const& e) {
    std::fprintf(stderr, "demo_server: %s\n", e.what());
  }
  return 2;
}
