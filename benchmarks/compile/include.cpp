// SPDX-License-Identifier: BSL-1.0
// What including the core costs who uses nothing of it.
#include <settle/settle.hpp>
