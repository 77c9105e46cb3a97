// SPDX-License-Identifier: BSL-1.0
// The single-thread terminal: no atomic instruction.
#include "use.hpp"

struct policy : settle::default_policy {
  using value_type = int;
  using terminal = settle::unsynchronized_terminal;
};

void look_here() { live<policy>(); }
