// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_SLEEP_HPP
#define SETTLE_ASIO_SLEEP_HPP

// settle::sleep on Asio's executors: the core's, over their timers.
#include "../time/sleep.hpp"
#include "executor.hpp"
#include "timers.hpp"

#endif
