// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_HPP
#define SETTLE_TESTING_WEAVE_HPP

// The interleaving explorer: `weave::explore(test)`, for tests whose threads share what is made of `weave::sync`.
// Write `namespace weave = settle::testing::weave;`.

#include "weave/atomic.hpp"
#include "weave/executor.hpp"
#include "weave/explore.hpp"
#include "weave/options.hpp"
#include "weave/plain.hpp"
#include "weave/policy.hpp"
#include "weave/sync.hpp"
#include "weave/world.hpp"

#endif
