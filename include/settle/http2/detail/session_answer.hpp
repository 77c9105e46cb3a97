// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_SESSION_ANSWER_HPP
#define SETTLE_HTTP2_DETAIL_SESSION_ANSWER_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "session.hpp"

namespace settle::inline v0::http2::detail {

/// How nghttp2 gets at the bytes of a response.
struct body_reader {
  static std::ptrdiff_t read(nghttp2_session* ng, std::uint8_t* to, std::size_t room, std::uint32_t* flags, void* body) noexcept {
    stream& s = *static_cast<stream*>(body);
    std::size_t const n = s.out.take(to, room);
    if (n != 0) s.progress = s.home.now;
    if (s.waiting && s.out.size() <= s.home.limits.stream_buffer / 2) s.owner->note(s);
    if (s.out.exhausted()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!s.out.trailers().empty() && submit_trailers(ng, s)) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    } else if (n == 0) {
      s.deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<std::ptrdiff_t>(n);
  }

  static nghttp2_nv pair(std::string_view name, std::string_view value, std::uint8_t flags = NGHTTP2_NV_FLAG_NONE) noexcept {
    auto const bytes = [](std::string_view v) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(v.data())); };
    return {bytes(name), bytes(value), name.size(), value.size(), flags};
  }

  static bool well_formed(std::string_view name, std::string_view value) noexcept {
    auto const bytes = [](std::string_view v) { return reinterpret_cast<std::uint8_t const*>(v.data()); };
    return !name.starts_with(':') && nghttp2_check_header_name(bytes(name), name.size()) != 0 &&
           nghttp2_check_header_value(bytes(value), value.size()) != 0;
  }

 private:
  static bool submit_trailers(nghttp2_session* ng, stream& s) noexcept {
    auto& head = s.home.head;
    head.clear();
    for (auto const& [name, value] : s.out.trailers()) head.push_back(pair(name, value));
    return nghttp2_submit_trailer(ng, s.id, head.data(), head.size()) == 0;
  }
};

/// The header block of one response; the text it points to lives in it or in the response.
class response_head {
 public:
  /// Most that one block may hold; nghttp2 refuses to send more than 64 KiB.
  static constexpr std::size_t most_bytes = 32768;

  /// False: there is something in r that HTTP/2 cannot say.
  bool build(std::vector<nghttp2_nv>& to, response const& r, bool with_length) {
    to.clear();
    if (r.status() < 200 || r.status() > 599) return false;
    std::to_chars(status_.data(), status_.data() + status_.size(), r.status());
    to.push_back(body_reader::pair(":status", {status_.data(), status_.size()}, NGHTTP2_NV_FLAG_NO_COPY_NAME));
    std::size_t bytes = 0;
    for (auto const& [name, value] : r.headers()) {
      if (!body_reader::well_formed(name, value)) return false;
      with_length = with_length && name != "content-length";
      bytes += name.size() + value.size() + 32;
      to.push_back(body_reader::pair(name, value));
    }
    if (bytes > most_bytes) return false;
    if (with_length) {
      auto const end = std::to_chars(length_.data(), length_.data() + length_.size(), r.body().size()).ptr;
      to.push_back(body_reader::pair("content-length", {length_.data(), static_cast<std::size_t>(end - length_.data())},
                                     NGHTTP2_NV_FLAG_NO_COPY_NAME));
    }
    return true;
  }

 private:
  std::array<char, 3> status_{};
  std::array<char, 20> length_{};
};

inline bool session::answer(stream& s, response&& r, body_kind kind) noexcept try {
  if (!s.answerable()) return false;
  session& me = *s.owner;
  bool const bodiless = r.status() == 204 || r.status() == 304;
  response_head block;
  if (!block.build(s.home.head, r, kind == body_kind::whole && !bodiless)) {
    r = response(500);
    kind = body_kind::whole;
    s.failure = error(std::make_error_code(std::errc::invalid_argument));
    block.build(s.home.head, r, true);
  }
  s.discard = bodiless || s.req.method() == "HEAD";
  bool const empty = s.discard || (kind == body_kind::whole && r.body().empty());
  s.progress = s.home.now;
  s.head_sent = true;
  if (submit_response<body_reader>(me.session_.get(), s.id, s.home.head, empty ? nullptr : &s) != 0)
    reset(s, NGHTTP2_INTERNAL_ERROR, cause::disconnect);
  if (kind == body_kind::whole) s.out.set(std::move(r));
  me.wake();
  return true;
} catch (...) {
  s.failure = error(std::current_exception());
  reset(s, NGHTTP2_INTERNAL_ERROR, cause::disconnect);
  return false;
}

inline void session::resume(stream& s) noexcept {
  if (s.owner == nullptr || s.closed) return;
  s.progress = s.home.now;
  if (std::exchange(s.deferred, false)) nghttp2_session_resume_data(s.owner->session_.get(), s.id);
  s.owner->wake();
}

inline void session::reset(stream& s, std::uint32_t code, cause why) noexcept {
  if (s.owner == nullptr || s.closed || s.end_sent || std::exchange(s.resetting, true)) return;
  s.gone_why = why;
  nghttp2_submit_rst_stream(s.owner->session_.get(), NGHTTP2_FLAG_NONE, s.id, code);
  s.owner->wake();
}

inline void session::handler_ended(stream& s, std::optional<error> failure, int status) noexcept {
  s.handler_done = true;
  if (failure) {
    s.failure = std::move(failure);
    if (s.answerable()) answer(s, response(status), body_kind::whole);
    else if (!s.out.finished()) reset(s, NGHTTP2_INTERNAL_ERROR, cause::abandoned);
  }
  try_finish(s, nullptr);
}

inline void session::duty_dropped(stream& s) noexcept {
  if (!s.answerable()) return;
  s.failure = error(std::make_error_code(std::errc::operation_canceled));
  answer(s, response(s.req.op().cancel_requested() ? 503 : 500), body_kind::whole);
}

/// The request's outcome is known, whoever decided it.
inline void session::settled(stream& s, ending how) noexcept {
  if (!s.counted) return;  // there was no memory for it to come into being
  tally& counts = s.home.counts;
  tally::add(how.kind == ending::value ? counts.completed : how.kind == ending::failure ? counts.failed : counts.cancelled);
  s.handler_done = true;
  if (how.kind != ending::cancelled) return;
  s.result.reset();  // cancelled by name: nobody will answer any more, so we do
  if (s.answerable()) answer(s, response(503), body_kind::whole);
  else if (!s.out.finished()) reset(s, NGHTTP2_CANCEL, how.cancel.why);
  cancel_waiters(s, how.cancel.why);
}

/// `last`: let go of as soon as the result holds the request instead, so that settling it ends it, too.
inline void session::try_finish(stream& s, settle::pin* last) noexcept {
  if (!s.handler_done || !s.ended || !s.result) return;
  resolver<request_policy> result = std::move(*s.result);
  s.result.reset();
  std::optional<error> const failure = std::move(s.failure);
  if (last != nullptr) last->reset();
  if (failure) result.fail(*failure);
  else result.complete();
}

inline void session::cancel_waiters(stream& s, cause why) noexcept {
  for (std::optional<void_resolver>* const w : {&s.waiting, &s.sent}) {
    if (!*w) continue;
    void_resolver last = std::move(**w);
    w->reset();
    last.op().cancel(why);
  }
}

}  // namespace settle::inline v0::http2::detail

#endif
