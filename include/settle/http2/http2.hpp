// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_HTTP2_HPP
#define SETTLE_HTTP2_HTTP2_HPP

// Everything of the HTTP/2 adapter. Needs nghttp2, Asio and Boost.Lockfree.
#include "counters.hpp"
#include "options.hpp"
#include "request.hpp"
#include "responder.hpp"
#include "response.hpp"
#include "server.hpp"
#include "stream_body.hpp"

#endif
