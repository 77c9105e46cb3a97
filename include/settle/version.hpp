// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_VERSION_HPP
#define SETTLE_VERSION_HPP

// The only place that states the version; CMake, Conan and the port read it from here.
#define SETTLE_VERSION_MAJOR 0
#define SETTLE_VERSION_MINOR 1
#define SETTLE_VERSION_PATCH 0
#define SETTLE_VERSION_STRING "0.1.0"

#endif
