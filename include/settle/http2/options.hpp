// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_OPTIONS_HPP
#define SETTLE_HTTP2_OPTIONS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace settle::inline v0::http2 {

/// The limits of a server. Every one bounds what a peer can make it hold or do; the defaults suit a service behind a
/// load balancer. Values are read once, by the server's constructor.
struct options {
  /// How many requests may be in hand at once, each with an arena of its own; one more is refused (REFUSED_STREAM, RFC 9113 8.7:
  /// safe to retry). At most 65,535.
  std::size_t arenas = 1024;
  /// How large each arena is: headers, bookkeeping, body and whatever the handler allocates there. At least 2048.
  std::size_t arena_bytes = 65536;
  /// SETTINGS_MAX_CONCURRENT_STREAMS (RFC 9113 5.1.2).
  std::size_t max_streams = 100;

  /// Deadline of the preface and of each header block; also how often a peer must get that far.
  std::chrono::milliseconds header = std::chrono::seconds(10);
  /// A connection without streams ends after this long without a frame; a request body stalls for at most this long.
  std::chrono::milliseconds idle = std::chrono::seconds(60);
  /// How long a response may wait for the peer to read or to open a window before it is given up.
  std::chrono::milliseconds write_stall = std::chrono::seconds(30);

  /// Header lists over this many bytes are answered 431, counted as SETTINGS_MAX_HEADER_LIST_SIZE counts them:
  /// name + value + 32 for each field (RFC 9113 6.5.2). The arena is a limit as well.
  std::size_t header_bytes = 16384;
  /// Header lists with more fields than this are answered 431, cookie crumbs included (RFC 9113 8.2.3).
  std::size_t header_fields = 100;
  /// How much of a streamed response waits for the peer's window; a `write` beyond it does not settle until there is room.
  std::size_t stream_buffer = 65536;

  /// SETTINGS entries in one frame, CONTINUATION frames of one header block, queued acknowledgements (RFC 9113 10.5).
  std::size_t max_settings = 32;
  std::size_t max_continuations = 4;    ///< CONTINUATION frames of one header block
  std::size_t max_outbound_acks = 100;  ///< queued acknowledgements of SETTINGS and PING
  /// Frames that may wait to be sent on one connection; more, and it is closed: the peer asks and does not read.
  std::size_t outbound_frames = 1000;
  /// How many streams may be reset by the peer, or because of what the peer did, beyond those that ended well.
  std::size_t reset_burst = 200;
  std::size_t reset_rate = 10;  ///< resets a second that are forgiven, where the nghttp2 at hand can count them
};

}  // namespace settle::inline v0::http2

#endif
