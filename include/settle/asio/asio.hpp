// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_ASIO_HPP
#define SETTLE_ASIO_ASIO_HPP

// Everything of the Asio adapter.
#include "executor.hpp"
#include "sleep.hpp"
#include "timers.hpp"

#endif
