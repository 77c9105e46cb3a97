// SPDX-License-Identifier: BSL-1.0
// The control: a monitor shows, in the code of the policy that chose it.
#include "use.hpp"

extern void recorded(settle::monitor_event const& e) noexcept;

struct recorder {
  static void on_event(settle::monitor_event const& e) noexcept { recorded(e); }
};

struct policy : settle::default_policy {
  using value_type = int;
  using monitor = recorder;
};

void look_here() { live<policy>(); }
