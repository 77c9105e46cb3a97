// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_NOEXCEPT_AHEAD_HPP
#define SETTLE_TESTS_NOEXCEPT_AHEAD_HPP

// All that the test files of this folder include, for when several are compiled as one (tests/support/ahead.hpp says why).

#include <gtest/gtest.h>
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "situations.hpp"
#include "timer_places.hpp"

#endif
