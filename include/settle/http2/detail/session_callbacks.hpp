// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_SESSION_CALLBACKS_HPP
#define SETTLE_HTTP2_DETAIL_SESSION_CALLBACKS_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <charconv>
#include <cstdint>
#include <string_view>

#include "session.hpp"

namespace settle::inline v0::http2::detail {

/// What nghttp2 calls. Each notes what happened and returns; none runs user code, enters nghttp2 again (queueing frames is
/// allowed) or throws.
struct callbacks {
  static session& self(void* user) noexcept { return *static_cast<session*>(user); }
  static bool is_request(nghttp2_frame const* f) noexcept {
    return f->hd.type == NGHTTP2_HEADERS && f->headers.cat == NGHTTP2_HCAT_REQUEST;
  }
  static bool ends(nghttp2_frame const* f) noexcept {
    return (f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA) && (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  }

  static int on_begin_frame(nghttp2_session*, nghttp2_frame_hd const* hd, void* user) noexcept {
    session& me = self(user);
    me.last_frame_ = me.service_->now;
    if (hd->type == NGHTTP2_CONTINUATION) return 0;
    me.head_open_ = hd->type == NGHTTP2_HEADERS;
    me.head_since_ = me.last_frame_;
    return 0;
  }

  /// The request takes its arena here, or is refused: one RST_STREAM and no header callback (RFC 9113 8.7).
  static int on_begin_headers(nghttp2_session* ng, nghttp2_frame const* f, void* user) noexcept {
    session& me = self(user);
    if (!is_request(f) || me.accept_stream(f->hd.stream_id)) return 0;
    tally::add(me.service_->counts.refused);
    nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, f->hd.stream_id, NGHTTP2_REFUSED_STREAM);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_header(nghttp2_session*, nghttp2_frame const* f, std::uint8_t const* name, std::size_t name_size, std::uint8_t const* value,
                       std::size_t value_size, std::uint8_t, void* user) noexcept {
    session& me = self(user);
    stream* const s = me.find_reading(f->hd.stream_id);
    if (s == nullptr) return 0;
    return me.keep_header(*s, {reinterpret_cast<char const*>(name), name_size}, {reinterpret_cast<char const*>(value), value_size});
  }

  static int on_frame_recv(nghttp2_session*, nghttp2_frame const* f, void* user) noexcept {
    session& me = self(user);
    if (f->hd.type == NGHTTP2_HEADERS) me.head_open_ = false;
    if (f->hd.type == NGHTTP2_SETTINGS && (f->hd.flags & NGHTTP2_FLAG_ACK) == 0) me.greeted_ = true;
    if (f->hd.type == NGHTTP2_RST_STREAM) me.spend_reset();
    if (!is_request(f) && !ends(f)) return 0;
    if (stream* const s = me.find_reading(f->hd.stream_id)) me.arrived(*s, ends(f));
    return 0;
  }

  static int on_data_chunk(nghttp2_session*, std::uint8_t, std::int32_t id, std::uint8_t const* data, std::size_t size,
                           void* user) noexcept {
    session& me = self(user);
    stream* const s = me.find(id);
    if (s == nullptr || s->refusal != 0) return 0;  // the rest of a body nobody wants; nghttp2 reopens the window by itself
    s->progress = me.service_->now;
    if (s->req.append({data, size})) return 0;
    s->refusal = 413;
    me.note(*s);
    return 0;
  }

  static int on_frame_send(nghttp2_session*, nghttp2_frame const* f, void* user) noexcept {
    session& me = self(user);
    if (f->hd.type == NGHTTP2_GOAWAY && !me.ours_) me.doomed_ = true;
    if (!ends(f) && f->hd.type != NGHTTP2_RST_STREAM) return 0;
    stream* const s = me.find(f->hd.stream_id);
    if (s == nullptr) return 0;
    if (ends(f)) me.sent_end(*s);
    if (f->hd.type == NGHTTP2_RST_STREAM && f->rst_stream.error_code != NGHTTP2_NO_ERROR && !s->resetting) me.spend_reset();
    return 0;
  }

  /// Never looks at names and values: they may belong to an arena that is gone.
  static int on_frame_not_send(nghttp2_session* ng, nghttp2_frame const* f, int why, void* user) noexcept {
    if (f->hd.type != NGHTTP2_HEADERS || why == NGHTTP2_ERR_STREAM_CLOSED || why == NGHTTP2_ERR_STREAM_CLOSING) return 0;
    if (self(user).find(f->hd.stream_id) != nullptr)
      nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, f->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
    return 0;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) noexcept {
    session& me = self(user);
    if (stream* const s = me.find(id)) {
      if (me.reading_ == s) me.reading_ = nullptr;
      s->closed = true;
      me.note(*s);
    }
    return 0;
  }
};

inline bool session::prepare(service& s) noexcept {
  nghttp2_session_callbacks* c = nullptr;
  nghttp2_option* o = nullptr;
  if (nghttp2_session_callbacks_new(&c) != 0) return false;
  s.callbacks.reset(c);
  if (nghttp2_option_new(&o) != 0) return false;
  s.option.reset(o);
  nghttp2_session_callbacks_set_on_begin_frame_callback(c, &callbacks::on_begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(c, &callbacks::on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(c, &callbacks::on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(c, &callbacks::on_frame_recv);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, &callbacks::on_data_chunk);
  nghttp2_session_callbacks_set_on_frame_send_callback(c, &callbacks::on_frame_send);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(c, &callbacks::on_frame_not_send);
  nghttp2_session_callbacks_set_on_stream_close_callback(c, &callbacks::on_stream_close);
  nghttp2_option_set_no_closed_streams(o, 1);
  nghttp2_option_set_max_settings(o, s.limits.max_settings);
  nghttp2_option_set_max_outbound_ack(o, s.limits.max_outbound_acks);
  limit_continuations(o, s.limits.max_continuations);
  limit_resets(o, s.limits.reset_burst, s.limits.reset_rate);
  return true;
}

}  // namespace settle::inline v0::http2::detail

#endif
