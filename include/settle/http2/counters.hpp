// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_COUNTERS_HPP
#define SETTLE_HTTP2_COUNTERS_HPP

#include <cstddef>
#include <cstdint>

namespace settle::inline v0::http2 {

/// What a server has counted. Each number is exact; together they are of one instant when nothing is in hand, or when read
/// on the server's executor. requests == completed + failed + cancelled + those still pending.
struct counters {
  std::uint64_t requests = 0;   ///< requests that got an arena
  std::uint64_t completed = 0;  ///< answered, and the handler ended well
  std::uint64_t failed = 0;     ///< the handler threw, failed, or dropped its duty to answer
  std::uint64_t cancelled = 0;  ///< the client went away or reset the stream, a limit in time passed, the server stopped
  std::uint64_t refused = 0;    ///< no arena was free: REFUSED_STREAM, not among `requests`
  std::size_t live = 0;         ///< requests not released yet
  std::size_t connections = 0;  ///< open ones
};

}  // namespace settle::inline v0::http2

#endif
