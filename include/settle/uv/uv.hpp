// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_UV_UV_HPP
#define SETTLE_UV_UV_HPP

// Everything of the libuv adapter.
#include "error_code.hpp"
#include "loop.hpp"
#include "loop_executor.hpp"
#include "own_uv.hpp"

#endif
