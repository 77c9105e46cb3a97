// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_ASIO_HPP
#define SETTLE_ASIO_ASIO_HPP

// Everything of the Asio adapter.
#include "async_wait.hpp"
#include "executor.hpp"
#include "sleep.hpp"
#include "timers.hpp"
#include "use_handle.hpp"

#endif
