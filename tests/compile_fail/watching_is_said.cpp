// SPDX-License-Identifier: BSL-1.0
// expect: no matching|could not convert|no viable|cannot convert|cannot bind|conversion
#include <settle/settle.hpp>

#include <utility>

#ifdef SETTLE_REJECT
settle::watcher_of<int> see(settle::handle_of<int>& h) { return h; }  // would give up the owner by name
#else
settle::watcher_of<int> see(settle::handle_of<int>& h) { return h.watch(); }
#endif
