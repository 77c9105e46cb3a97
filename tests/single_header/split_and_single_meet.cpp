// SPDX-License-Identifier: BSL-1.0
#include <settle/lockfree/arena_pool.hpp>

#include "settle_http2.hpp"

#include <settle/asio/sleep.hpp>
#include <settle/http2/http2.hpp>
#include <settle/settle.hpp>

#include "meet.hpp"

int seen_by_both(settle::handle_of<int> const& h) { return h.watch().peek()->value(); }
