// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_ASIO_AHEAD_HPP
#define SETTLE_TESTS_ASIO_AHEAD_HPP

// All that the test files of this folder include, for when several are compiled as one (tests/support/ahead.hpp says why).

// First, as in the files: what Asio asks of the C++ library, whether it has aligned_alloc for one, hangs on what came before.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_allocator.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <asio/write.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

// What comes and goes with the release of Asio.
#if __has_include(<asio/deferred.hpp>)
#include <asio/deferred.hpp>
#else
#include <asio/experimental/deferred.hpp>
#endif

#include "allocations.hpp"
#include "probe.hpp"
#include "situations.hpp"

#endif
