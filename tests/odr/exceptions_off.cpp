// SPDX-License-Identifier: BSL-1.0
// Compiled without exceptions and linked first: where the linker keeps one copy of an inline function, it is the one from here.
#include "exceptions.hpp"

int without_exceptions(settle::error const& e) { return use_everything(e); }
