// SPDX-License-Identifier: BSL-1.0
// A49: services that are started again and again have somebody who ends them.
// expect: no matching (function for call to|constructor for initialization of) .*supervisor
#include <settle/settle.hpp>

#include <chrono>

void serve(settle::operation const& parent) {
  using namespace std::chrono_literals;
#ifdef SETTLE_REJECT
  settle::supervisor services(settle::restart::one_for_one, 3, 5s);
#else
  settle::supervisor services(parent, settle::restart::one_for_one, 3, 5s);
#endif
  services.add("feed", [] {});
}
