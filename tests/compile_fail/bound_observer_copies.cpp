// SPDX-License-Identifier: BSL-1.0
// expect: settle: an observer bound to another operation gets a copy of the outcome
#include <settle/settle.hpp>

#include <utility>

struct move_only {
  move_only() = default;
  move_only(move_only&&) noexcept {}
};
#ifdef SETTLE_REJECT
using value = move_only;
#else
using value = int;
#endif

void watch(settle::handle_of<value> const& h, settle::operation const& op) {
  h.on_done(settle::bound_to(op), [](settle::outcome<value> const&) {});
}
