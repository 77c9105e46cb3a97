// SPDX-License-Identifier: BSL-1.0
// expect: no matching|could not convert|no viable|cannot convert|conversion
#include <settle/settle.hpp>

#include <utility>

struct fetch : settle::default_policy {
  using value_type = int;
};

#ifdef SETTLE_REJECT
settle::watcher_of<long> see(settle::watcher<fetch> w) { return w; }
#else
settle::watcher_of<int> see(settle::watcher<fetch> w) { return w; }
#endif
