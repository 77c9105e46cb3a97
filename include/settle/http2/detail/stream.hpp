// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_STREAM_HPP
#define SETTLE_HTTP2_DETAIL_STREAM_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "../../pin.hpp"
#include "../../policy/default_policy.hpp"
#include "../../resolver.hpp"
#include "body_buffer.hpp"
#include "intrusive_list.hpp"
#include "service.hpp"

namespace settle::inline v0::http2::detail {

class session;

/// The policy of a request's operation. An observer or cleanup that throws is logged: one request never ends the server.
struct request_policy : default_policy {
  using value_type = void;
  using executor_type = loop_executor;
  using error_sink = log_sink;
};

/// For servers and connections: that their loop was stopped, or never ran, before they ended is nothing to report.
struct server_sink {
  static void report(std::exception_ptr p, monitor_event const& e) noexcept {
    if (e.what != monitor_event::executor_lost) log_sink::report(std::move(p), e);
  }
};
struct server_policy : request_policy {
  using error_sink = server_sink;
};

using void_resolver = resolver_of<void, error, loop_executor>;

struct by_session;
struct by_event;
struct by_output;

/// One request and its response: lives in the request's arena, destroyed by the cleanup that gives the arena back.
/// Whoever refers to one from outside of its session holds a pin, so that it is never a recycled one; `owner` is null once
/// the stream is gone. Touched on the server's executor only.
struct stream : list_hook<by_session>, list_hook<by_event>, list_hook<by_output> {
  stream(service& s, session& o, std::int32_t number, arena_lease lease) noexcept
      : home(s), owner(&o), id(number), progress(s.now), memory(std::move(lease)), req(*memory, s.executor.any()) {}
  ~stream();

  /// Gives the arena back; the record was in it.
  struct disposer {
    void operator()(stream* s) const noexcept {
      service& its = s->home;
      arena_lease lease = std::move(s->memory);
      s->~stream();
      lease.release();
      its.request_given_back();
    }
  };

  bool answerable() const noexcept { return owner != nullptr && !closed && !head_sent; }

  service& home;
  session* owner;
  std::int32_t const id;
  std::chrono::steady_clock::time_point progress;  // when something last moved, for the limits in time
  arena_lease memory;
  request req;
  std::optional<resolver<request_policy>> result;
  settle::pin self;  // until the last byte is written, or the stream is gone; borrowed while its events are run

  // What arrives.
  std::size_t head_bytes = 0, head_fields = 0;
  std::uint64_t declared = 0;  // content-length
  int refusal = 0;             // 413 or 431
  bool head_open = true;       // the header block has not ended
  bool whole = false;          // END_STREAM arrived
  bool started = false;        // the handler was called, or will not be

  // What is answered.
  bool handler_done = false;
  bool head_sent = false;
  bool deferred = false;   // nghttp2 waits to be told that there is more
  bool discard = false;    // HEAD, 204, 304: what is written goes nowhere
  bool end_sent = false;   // END_STREAM left nghttp2
  bool ended = false;      // and was noted
  bool resetting = false;  // RST_STREAM of ours is on its way
  bool closed = false;     // nghttp2 forgot it
  bool counted = false;    // among the requests of the server
  bool let_go = false;     // `self` is over
  std::uint64_t end_offset = 0;
  body_buffer out;
  std::optional<void_resolver> sent, waiting;
  std::optional<error> failure;
  cause gone_why = cause::disconnect;
};

using stream_ptr = std::unique_ptr<stream, stream::disposer>;

}  // namespace settle::inline v0::http2::detail

#endif
