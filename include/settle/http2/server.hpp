// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_SERVER_HPP
#define SETTLE_HTTP2_SERVER_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "../operation.hpp"
#include "counters.hpp"
#include "detail/handler.hpp"
#include "detail/server_core.hpp"
#include "options.hpp"
#include "request.hpp"
#include "responder.hpp"
#include "response.hpp"
#include "stream_body.hpp"

namespace settle::inline v0::http2 {

/// An HTTP/2 server on an Asio executor: cleartext with prior knowledge (RFC 9113 3.3), on nghttp2.
///
/// The executor must not run two things at once: an io_context that one thread runs, or a strand. Everything of the server,
/// handlers and the user code of requests included, runs there. For more cores, one io_context and one server each.
///
/// The handler takes one of three forms:
///
/// | form | answers |
/// |---|---|
/// | `(request&) -> response` | with what it returns |
/// | `(request&) -> handle_of<response>` | when that has a value; 500 when it fails, 503 when it is cancelled |
/// | `(request&, responder) -> handle_of<void>` | through the responder; the request ends with the handle |
///
/// What it returns becomes a child of the request's operation. It is called when the request has arrived whole, never inside
/// nghttp2. An exception answers 500. Each request owns an arena of the server's pool from its first header byte to its
/// release; when none is free the stream is refused (REFUSED_STREAM), which a client may repeat safely.
///
/// Ownership: owns its sockets, connections and arenas. op() is the parent of all of it; released when every request is.
/// Cancellation: op().cancel(), stop() and the destructor cancel every request by force (cause shutdown) and close every
/// connection. Threads: `stop`, `stop_accepting`, `op`, `statistics` and `arenas` from any thread. Construct, listen and destroy where
/// the executor runs, or while nothing runs it; the executor's context must outlive the server and whatever pins its requests.
/// Throws: the constructor std::invalid_argument for impossible options, std::bad_alloc; `listen` asio::system_error.
///
/// ```cpp
/// asio::io_context io;
/// settle::http2::server web(io.get_executor(), {}, [](settle::http2::request& q) {
///   return settle::http2::response(200, "hello, " + std::string(q.path()));
/// });
/// web.listen("127.0.0.1", 8080);
/// io.run();
/// ```
class server {
 public:
  /// Serves on `ex`, under no operation. Nothing is accepted before `listen`.
  template <class Ex, class H>
    requires(!std::is_base_of_v<operation, std::remove_cvref_t<Ex>>)
  server(Ex ex, options const& o, H handler) {
    make_core(operation(), detail::loop_executor(std::move(ex)), o, std::move(handler));
  }

  /// The same under `parent`: cancelled with it, released before its cleanups.
  template <class Ex, class H>
  server(operation const& parent, Ex ex, options const& o, H handler) {
    make_core(parent, detail::loop_executor(std::move(ex)), o, std::move(handler));
  }

  /// A moved-from server serves nothing; only destroying it and assigning to it is left.
  server(server&&) noexcept = default;
  /// Stops what it served before, as the destructor does.
  server& operator=(server&& o) noexcept {
    if (core_) core_->stop(cause::shutdown);
    core_ = std::move(o.core_);
    return *this;
  }
  ~server() {
    if (core_) core_->stop(cause::shutdown);
  }

  /// Starts to accept on a numeric address; port 0 takes a free one. Returns the port. May be called several times.
  std::uint16_t listen(std::string_view address, std::uint16_t port) { return core_->listen(address, port); }

  /// Closes the listening sockets; connections go on.
  void stop_accepting() noexcept {
    run([core = core_] { core->stop_accepting(); });
  }

  /// Ends everything by force: requests are cancelled (cause shutdown), connections closed. op().on_released tells when all
  /// was given back. Idempotent; may be called from a handler or a signal's completion.
  void stop() noexcept {
    run([core = core_] { core->stop(cause::shutdown); });
  }

  /// The server as an operation: pending while it serves.
  operation op() const noexcept { return core_->root(); }

  /// What was counted so far.
  counters statistics() const noexcept { return core_->counts.snapshot(); }

  /// The pool the requests' arenas come from.
  arena_pool const& arenas() const noexcept { return core_->arenas; }

 private:
  template <class H>
  void make_core(operation const& parent, detail::loop_executor const& loop, options const& o, H handler) {
    constexpr std::size_t least = 2048;
    if (o.arena_bytes < least)
      throw std::invalid_argument("settle: an HTTP/2 request needs an arena of at least 2048 bytes, not " + std::to_string(o.arena_bytes));
    core_ = std::make_shared<detail::server_core>(loop, o, parent);
    core_->handler = std::make_unique<detail::handler<H>>(std::move(handler));
    core_->start();
  }

  template <class F>
  void run(F f) noexcept {
    if (!core_) return;
    try {
      core_->executor.run(std::move(f));
    } catch (...) {  // no memory to post it; the destructor does the same
    }
  }

  std::shared_ptr<detail::server_core> core_;
};

}  // namespace settle::inline v0::http2

#endif
