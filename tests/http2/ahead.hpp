// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_HTTP2_AHEAD_HPP
#define SETTLE_TESTS_HTTP2_AHEAD_HPP

// All that the test files of this folder include, for when several are compiled as one (tests/support/ahead.hpp says why).

#include <settle/http2/http2.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <future>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "client.hpp"
#include "running_server.hpp"

#endif
