// SPDX-License-Identifier: BSL-1.0
// Loaded in front of a server (LD_PRELOAD): how often its main thread asked for memory is said when it ends. Built together with
// tests/support/allocations.cpp, which counts.
#include "allocations.hpp"

#include <cstdio>

namespace {

struct last_words {
  last_words() = default;
  last_words(last_words&&) = delete;
  ~last_words() { std::fprintf(stderr, "allocations %llu\n", static_cast<unsigned long long>(test::allocations_of_this_thread())); }
};

last_words const said_at_the_end;

}  // namespace
