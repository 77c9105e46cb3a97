// SPDX-License-Identifier: BSL-1.0
// The control: the default terminal shows what the check looks for.
#include "use.hpp"

struct policy : settle::default_policy {
  using value_type = int;
};

void look_here() { live<policy>(); }
