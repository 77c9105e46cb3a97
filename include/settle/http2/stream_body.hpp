// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_STREAM_BODY_HPP
#define SETTLE_HTTP2_STREAM_BODY_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../combine/failed.hpp"
#include "../handle.hpp"
#include "detail/session_parts.hpp"
#include "request.hpp"

namespace settle::inline v0::http2 {

class responder;

/// The body of a response that is written piece by piece, with the client's flow control as backpressure (RFC 9113 5.2).
///
/// Ownership: move-only; it pins the request, so what the request lent stays. Dropped before `finish`, it resets the stream
/// (RST_STREAM INTERNAL_ERROR): a client never takes half a body for a whole one.
/// Cancellation: when the client goes away, op() is cancelled, what `write` and `finish` returned is cancelled with the
/// same cause, and later calls return handles that are cancelled already.
/// Errors: errc::closed from `write` and `finish` of one that is finished, aborted or moved from.
/// Threads: from any thread, one at a time; calls from outside the server's executor are posted to it, in order.
/// Cost: one copy of the bytes. Throws std::bad_alloc.
///
/// ```cpp
/// void hello(settle::http2::responder reply) {
///   std::move(reply).stream(settle::http2::response(200)).on_done([](auto&& out) {
///     if (!out) return;
///     auto body = std::make_shared<settle::http2::stream_body>(std::move(out).value());
///     body->write("first, ").on_done([body](auto&& room) {
///       if (room) std::move(*body).finish().detach();
///     });
///   });
/// }
/// ```
class stream_body {
 public:
  /// The source is empty afterwards.
  stream_body(stream_body&& o) noexcept : pin_(std::move(o.pin_)), stream_(std::exchange(o.stream_, nullptr)) {}
  /// What it held before is dropped, as by the destructor.
  stream_body& operator=(stream_body&& o) noexcept {
    stream_body taken(std::move(o));
    std::swap(pin_, taken.pin_);
    std::swap(stream_, taken.stream_);
    return *this;
  }
  ~stream_body() { abort(NGHTTP2_INTERNAL_ERROR); }

  /// Copies `piece` and sends it when the client lets us. Settles when there is room for more, so that a writer that waits
  /// for it never has more than options::stream_buffer and one piece in memory; a call before the last one has settled
  /// fails with std::errc::no_buffer_space and sends nothing.
  handle_of<void> write(std::string_view piece) {
    return later(
        [text = std::string(piece)](detail::stream& s, detail::void_resolver done) mutable { push(s, std::move(text), std::move(done)); });
  }

  /// The body is complete: END_STREAM, with the trailers when there are any (RFC 9113 8.1). Settles when the last byte was
  /// handed to the socket's output.
  handle_of<void> finish(std::vector<field> trailers = {}) && {
    detail::body_buffer::trailer_list copies;
    for (field const& f : trailers)
      if (detail::body_reader::well_formed(f.name, f.value)) copies.emplace_back(f.name, f.value);
    auto h = later([copies = std::move(copies)](detail::stream& s, detail::void_resolver done) mutable {
      end(s, std::move(copies), std::move(done));
    });
    stream_ = nullptr;
    pin_.reset();
    return h;
  }

  /// Gives the stream up: RST_STREAM with this code (RFC 9113 7). The request counts as failed.
  void abort(std::uint32_t code) noexcept {
    if (stream_ == nullptr) return;
    detail::stream& s = *std::exchange(stream_, nullptr);
    try {
      s.home.executor.run([keep = std::move(pin_), &s, code] { give_up(s, code); });
    } catch (...) {  // no memory to say so: the limits in time end the stream
    }
  }

  /// The request this answers.
  operation op() const noexcept { return pin_.op(); }

 private:
  friend class responder;
  stream_body(settle::pin keep, detail::stream& s) noexcept : pin_(std::move(keep)), stream_(&s) {}

  /// Runs f(stream, resolver) on the executor; what it returns is the resolver's handle.
  template <class F>
  handle_of<void> later(F f) {
    if (stream_ == nullptr) return failed<void>(errc::closed);
    detail::stream& s = *stream_;
    detail::void_resolver done(s.home.executor);
    handle_of<void> h = done.get_handle();
    auto keep = pin_.op().pin();
    s.home.executor.run([keep = std::move(keep), &s, done = std::move(done), f = std::move(f)]() mutable { f(s, std::move(done)); });
    return h;
  }

  static bool open(detail::stream& s, detail::void_resolver& done) noexcept {
    if (s.owner != nullptr && !s.closed && !s.resetting) return true;
    done.op().cancel(s.gone_why);
    return false;
  }

  static void push(detail::stream& s, std::string text, detail::void_resolver done) {
    if (!open(s, done)) return;
    if (s.waiting) {
      done.fail(error(std::make_error_code(std::errc::no_buffer_space)));
      return;
    }
    if (!s.discard && !text.empty()) {
      s.out.push(std::move(text));
      detail::session::resume(s);
    }
    if (s.out.size() < s.home.limits.stream_buffer) done.complete();
    else s.waiting.emplace(std::move(done));
  }

  static void end(detail::stream& s, detail::body_buffer::trailer_list trailers, detail::void_resolver done) {
    if (s.end_sent) {  // HEAD and its like: the head was the end
      done.complete();
      return;
    }
    if (!open(s, done)) return;
    s.sent.emplace(std::move(done));
    s.out.finish(std::move(trailers));
    detail::session::resume(s);
  }

  static void give_up(detail::stream& s, std::uint32_t code) noexcept {
    if (s.out.finished() || s.end_sent || s.closed) return;
    if (!s.failure) s.failure = error(std::make_error_code(std::errc::operation_canceled));
    detail::session::reset(s, code, cause::abandoned);
  }

  settle::pin pin_;
  detail::stream* stream_;
};

}  // namespace settle::inline v0::http2

#endif
