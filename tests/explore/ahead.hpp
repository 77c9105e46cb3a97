// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_EXPLORE_AHEAD_HPP
#define SETTLE_TESTS_EXPLORE_AHEAD_HPP

// All that the scenes include, read before the first of them when several are compiled as one.

#include <settle/coroutine.hpp>
#include <settle/detail/context.hpp>
#include <settle/link_stop_token.hpp>
#include <settle/policy/static_pool.hpp>
#include <settle/scope/bell.hpp>
#include <settle/testing/weave.hpp>

#include <source_location>
#include <stop_token>

#include "../support/ahead.hpp"
#include "clockwork.hpp"
#include "generated/acts.hpp"
#include "stage.hpp"
#include "timed_stage.hpp"

#endif
