// SPDX-License-Identifier: BSL-1.0
// expect: deleted
#include <settle/settle.hpp>

#include <utility>

settle::operation refer(settle::handle_of<int> h) {
#ifdef SETTLE_REJECT
  return settle::operation(std::move(h));  // would drop the owner
#else
  return std::move(h).detach();
#endif
}
