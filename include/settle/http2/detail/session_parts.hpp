// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_SESSION_PARTS_HPP
#define SETTLE_HTTP2_DETAIL_SESSION_PARTS_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

// The session with the definitions of its members, in the order a connection goes through them.
#include "session.hpp"
#include "session_answer.hpp"
#include "session_callbacks.hpp"
#include "session_impl.hpp"

#endif
