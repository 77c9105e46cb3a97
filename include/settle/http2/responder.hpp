// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_RESPONDER_HPP
#define SETTLE_HTTP2_RESPONDER_HPP

#include <optional>
#include <utility>

#include "../handle.hpp"
#include "detail/session_parts.hpp"
#include "response.hpp"
#include "stream_body.hpp"

namespace settle::inline v0::http2 {

namespace detail {
template <class H>
class handler;
}

/// The duty to answer one request, once. Move-only; whoever holds it pins the request.
///
/// Ownership: moving it hands the duty on. Dropped, it answers 500, or 503 when the request was asked to cancel; when the
/// client is gone nothing is left to be answered. Exactly one response head leaves for each request, whatever happens.
/// Cancellation: the handles it returns are cancelled with the request's cause when the client goes away, and fail with
/// errc::closed when the request was answered otherwise meanwhile.
/// Threads: from any thread; outside of the server's executor the answer is posted to it. Throws std::bad_alloc.
///
/// ```cpp
/// settle::handle_of<void> later(settle::http2::request& q, settle::http2::responder r) {
///   auto nap = settle::sleep(q.get_executor(), std::chrono::milliseconds(10));
///   nap.on_done([r = std::move(r)](auto const& how) mutable {
///     if (how) std::move(r).send({200, "awake"}).detach();
///   });
///   return nap;  // the request's child from here on: cancelled with it
/// }
/// ```
class responder {
 public:
  /// The source is empty afterwards.
  responder(responder&& o) noexcept : pin_(std::move(o.pin_)), stream_(std::exchange(o.stream_, nullptr)) {}
  /// What it held before is dropped, as by the destructor.
  responder& operator=(responder&& o) noexcept {
    responder taken(std::move(o));
    std::swap(pin_, taken.pin_);
    std::swap(stream_, taken.stream_);
    return *this;
  }
  ~responder() {
    if (stream_ == nullptr) return;
    try {
      stream_->home.executor.run([keep = std::move(pin_), s = stream_] { detail::session::duty_dropped(*s); });
    } catch (...) {  // no memory to say so: the limits in time end the stream
    }
  }

  /// Answers. Settles when the last byte was handed to the socket's output.
  handle_of<void> send(response r) && {
    detail::void_resolver done(stream_->home.executor);
    handle_of<void> h = done.get_handle();
    hand_over([r = std::move(r), done = std::move(done)](settle::pin, detail::stream& s) mutable {
      if (detail::session::answer(s, std::move(r), detail::session::body_kind::whole)) s.sent.emplace(std::move(done));
      else refuse(s, done);
    });
    return h;
  }

  /// Sends the head; the body follows piece by piece. Settles with the body as soon as the head is on its way.
  handle_of<stream_body> stream(response head) && {
    using body_resolver = resolver_of<stream_body, error, detail::loop_executor>;
    body_resolver done(stream_->home.executor);
    handle_of<stream_body> h = done.get_handle();
    hand_over([r = std::move(head), done = std::move(done)](settle::pin keep, detail::stream& s) mutable {
      if (detail::session::answer(s, std::move(r), detail::session::body_kind::streamed)) done.complete(stream_body(std::move(keep), s));
      else refuse(s, done);
    });
    return h;
  }

 private:
  template <class H>
  friend class detail::handler;
  responder(settle::pin keep, detail::stream& s) noexcept : pin_(std::move(keep)), stream_(&s) {}

  template <class F>
  void hand_over(F f) {
    detail::stream& s = *stream_;
    s.home.executor.run([keep = pin_.op().pin(), &s, f = std::move(f)]() mutable { f(std::move(keep), s); });
    stream_ = nullptr;
    pin_.reset();
  }

  template <class R>
  static void refuse(detail::stream& s, R& done) noexcept {
    if (s.owner == nullptr || s.closed) done.op().cancel(s.gone_why);
    else done.fail(error(errc::closed));
  }

  settle::pin pin_;
  detail::stream* stream_;
};

}  // namespace settle::inline v0::http2

#endif
