// SPDX-License-Identifier: BSL-1.0
// A policy that names what it does not want: exactly the code of one that says nothing (many_threads.cpp).
#include "use.hpp"

struct policy : settle::default_policy {
  using value_type = int;
  using monitor = settle::no_monitor;
  using error_sink = settle::terminate_sink;
};

void look_here() { live<policy>(); }
