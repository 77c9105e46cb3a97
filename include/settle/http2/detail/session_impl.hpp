// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_SESSION_IMPL_HPP
#define SETTLE_HTTP2_DETAIL_SESSION_IMPL_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "session.hpp"

namespace settle::inline v0::http2::detail {

inline stream::~stream() {
  if (owner != nullptr && !closed) owner->forget(*this);
}

inline bool session::open() noexcept {
  nghttp2_session* raw = nullptr;
  if (nghttp2_session_server_new3(&raw, service_->callbacks.get(), this, service_->option.get(), session_memory::functions()) != 0)
    return false;
  session_.reset(raw);
  born_ = last_frame_ = service_->now;
  auto const entry = [](int id, std::size_t v) {
    return nghttp2_settings_entry{id, static_cast<std::uint32_t>(std::min<std::size_t>(v, 0x7fffffff))};
  };
  std::array const settings{entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, service_->limits.max_streams),
                            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, service_->limits.header_bytes),
                            entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1)};
  return nghttp2_submit_settings(raw, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0;
}

inline bool session::feed(std::span<std::uint8_t const> in) noexcept {
  while (!in.empty() && !doomed_) {
    std::ptrdiff_t const n = mem_recv(session_.get(), in);
    if (n <= 0) return false;
    in = in.subspan(static_cast<std::size_t>(n));
  }
  return nghttp2_session_get_outbound_queue_size(session_.get()) <= service_->limits.outbound_frames;
}

inline bool session::fill(std::vector<std::uint8_t>& out, std::size_t enough) noexcept {
  while (out.size() < enough) {
    std::uint8_t const* piece = nullptr;
    std::ptrdiff_t const n = mem_send(session_.get(), &piece);
    if (n < 0) return false;
    if (n == 0) break;
    out.insert(out.end(), piece, piece + n);  // within its capacity: `enough` leaves room for a frame
    produced_ += static_cast<std::uint64_t>(n);
  }
  return true;
}

inline void session::written(std::size_t bytes) noexcept {
  written_ += bytes;
  while (!unwritten_.empty() && unwritten_.front().end_offset <= written_) {
    settle::pin const last = std::move(unwritten_.pop_front()->self);
  }
}

inline void session::terminate(std::uint32_t code) noexcept {
  ours_ = true;
  nghttp2_session_terminate_session(session_.get(), code);
}

inline void session::spend_reset() noexcept {
  if (++resets_ <= service_->limits.reset_burst || doomed_) return;
  doomed_ = true;
  nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
}

inline bool session::stalled(stream const& s, std::chrono::steady_clock::time_point now) noexcept {
  auto const still = now - s.progress;
  if (!s.head_open && !s.whole && !s.started) return still > s.home.limits.idle;
  return s.head_sent && !s.end_sent && (s.out.size() != 0 || s.out.finished()) && still > s.home.limits.write_stall;
}

inline bool session::expired() noexcept {
  auto const now = service_->now;
  options const& o = service_->limits;
  if ((!greeted_ && now - born_ > o.header) || (head_open_ && now - head_since_ > o.header)) return true;
  streams_.for_each([now](stream& s) {
    if (!s.closed && !s.resetting && stalled(s, now)) reset(s, NGHTTP2_CANCEL, cause::deadline);
  });
  end_unread(now);
  if (streams_.empty() && now - last_frame_ > o.idle) terminate(NGHTTP2_NO_ERROR);
  return false;
}

inline bool session::accept_stream(std::int32_t id) noexcept try {
  service& home = *service_;
  if (home.stopped || parent_.is_settled()) return false;
  arena_lease lease = home.arenas.try_acquire();
  void* const at = lease ? lease->try_allocate(sizeof(stream), alignof(stream)) : nullptr;
  if (at == nullptr) return false;
  stream_ptr made(::new (at) stream(home, *this, id, std::move(lease)));
  home.request_taken();
  stream& s = *made;
  // Everything that can be done before somebody else knows of the operation: then it costs no atomic operation and no block.
  auto result = resolver<request_policy>::with_done([&s](outcome<void>&& how) { settled(s, how.how()); }, home.executor);
  result.own(std::move(made));  // last of all cleanups: the record ends, its arena goes back to the pool
  settle::detail::state_access::adopt_newborn(parent_, result);
  s.req.op_ = result.op();
  s.self = s.req.op_.pin();
  s.result.emplace(std::move(result));
  streams_.push_back(s);
  nghttp2_session_set_stream_user_data(session_.get(), id, &s);
  reading_ = &s;
  tally::add(home.counts.requests);
  s.counted = true;
  return true;
} catch (...) {
  return false;
}

inline int session::keep_header(stream& s, std::string_view name, std::string_view value) noexcept {
  if (!s.head_open) return 0;  // trailers: nobody reads them
  options const& o = service_->limits;
  s.head_bytes += name.size() + value.size() + 32;
  s.head_fields += name.starts_with(':') ? 0 : 1;
  if (s.refusal == 0 && s.head_bytes <= o.header_bytes && s.head_fields <= o.header_fields && s.req.store(name, value)) {
    if (name == "content-length") std::from_chars(value.data(), value.data() + value.size(), s.declared);
    return 0;
  }
  s.refusal = 431;
  if (s.head_bytes <= 8 * o.header_bytes && s.head_fields <= 8 * o.header_fields) return 0;
  // Far beyond: the rest is decoded, as the compression state asks, and nobody is called for it.
  s.resetting = true;
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, s.id, NGHTTP2_ENHANCE_YOUR_CALM);
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

inline void session::arrived(stream& s, bool end) noexcept {
  if (std::exchange(s.head_open, false) && s.refusal == 0 && s.declared != 0 && !s.req.reserve(s.declared)) s.refusal = 413;
  s.whole = s.whole || end;
  s.progress = service_->now;
  if (s.whole || s.refusal != 0) note(s);
}

inline void session::sent_end(stream& s) noexcept {
  s.end_sent = true;
  if (resets_ != 0) --resets_;
  note(s);
  if (s.whole || nghttp2_session_get_stream_remote_close(session_.get(), s.id) != 0) return;
  try {
    unread_.emplace_back(s.id, service_->now);
  } catch (...) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, s.id, NGHTTP2_NO_ERROR);
  }
}

/// An answer before the request has ended: the rest of it is not wanted (RFC 9113 8.1). But many a client takes the reset for
/// a failure while it still sends, so it gets a moment to finish; what it sends is thrown away.
inline void session::end_unread(std::chrono::steady_clock::time_point now) noexcept {
  std::erase_if(unread_, [&](auto const& u) {
    bool const over = nghttp2_session_get_stream_remote_close(session_.get(), u.first) != 0;
    if (!over && now - u.second < std::chrono::seconds(1)) return false;
    if (!over) nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, u.first, NGHTTP2_NO_ERROR);
    return true;
  });
}

inline void session::run_events() {
  while (stream* const s = events_.pop_front()) {
    bool const borrowed = static_cast<bool>(s->self);
    settle::pin keep = borrowed ? std::move(s->self) : s->req.op_.pin();
    if (!keep) continue;
    process(*s, keep);
    if (keep && borrowed && !s->let_go) s->self = std::move(keep);
  }
}

inline void session::process(stream& s, settle::pin& keep) {
  if (s.closed && !s.end_sent) return gone(s, s.gone_why);
  if (!s.started && (s.whole || s.refusal != 0)) start(s);
  if (s.waiting && s.out.size() < s.home.limits.stream_buffer) {
    void_resolver room = std::move(*s.waiting);
    s.waiting.reset();
    room.complete();
  }
  if (s.end_sent && !s.ended) note_end(s, keep);
}

inline void session::start(stream& s) {
  s.started = true;
  if (s.refusal == 0) return s.home.handler->call(s);
  s.handler_done = true;
  answer(s, response(s.refusal), body_kind::whole);
}

inline void session::note_end(stream& s, settle::pin& keep) {
  s.ended = true;
  if (s.sent) {
    void_resolver done = std::move(*s.sent);
    s.sent.reset();
    done.complete();
  }
  if (written_ >= produced_) {
    s.let_go = true;
    return try_finish(s, &keep);
  }
  s.end_offset = produced_;
  unwritten_.push_back(s);
  try_finish(s, nullptr);
}

inline void session::gone(stream& s, cause why) noexcept {
  settle::pin const last = std::move(s.self);
  s.let_go = true;
  s.closed = true;
  s.handler_done = true;
  if (s.result) {  // first, so that whoever waits for the request is cancelled with it, not abandoned by what it waited for
    resolver<request_policy> result = std::move(*s.result);
    s.result.reset();
    if (s.failure) result.fail(*s.failure);
    else result.op().cancel(why);
  }
  cancel_waiters(s, why);
}

inline void session::end_all(cause why) noexcept {
  reading_ = nullptr;
  while (stream* const s = streams_.pop_front()) {
    s->owner = nullptr;  // also for one whose cleanups are on their way already: it must not look for us
    static_cast<list_hook<by_event>*>(s)->unlink();
    static_cast<list_hook<by_output>*>(s)->unlink();
    if (settle::pin const keep = s->req.op_.pin()) gone(*s, why);
  }
}

}  // namespace settle::inline v0::http2::detail

#endif
