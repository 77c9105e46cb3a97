// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_AHEAD_HPP
#define SETTLE_TESTS_AHEAD_HPP

// All that the test files of the core include, read before the first of them when several are compiled as one
// (SETTLE_TEST_TOGETHER): each then stands in a namespace of its own, where nothing must be included for the first time.

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <forward_list>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <new>
#include <optional>
#include <random>
#include <ranges>
#include <ratio>
#include <set>
#include <source_location>
#include <span>
#include <sstream>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "../../include/settle/testing/quiescent.hpp"  // no part of the single header, and needs nothing of it
#include "allocations.hpp"
#include "books.hpp"
#include "executors.hpp"
#include "hooks.hpp"
#include "loop_with_timers.hpp"
#include "meanwhile.hpp"
#include "scale.hpp"
#include "situations.hpp"
#include "stack.hpp"
#include "values.hpp"

#endif
