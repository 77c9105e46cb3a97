// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_OWN_TRAP_HPP
#define SETTLE_DETAIL_OWN_TRAP_HPP

#include <type_traits>

#include "../fwd.hpp"
#include "state.hpp"
#include "state_access.hpp"

namespace settle::inline v0::detail {

/// What waits for an operation's end must not be kept by the operation until then. Only what is given as such is seen.
/// True: it was misuse, and is reported.
template <class C, class R>
bool trap_own_end(state_base<C>& s, R const& r) noexcept {
  if constexpr (std::is_same_v<R, basic_pin<C>>) {
    if (state_access::get(r.op()) != &s) return false;
    s.report(nullptr, monitor_event::misuse, "a pin is given to the operation it pins: its cleanups would wait for themselves");
    return true;
  } else if constexpr (std::is_base_of_v<basic_operation<C>, R> && !std::is_copy_constructible_v<R>) {
    if (state_access::get(static_cast<basic_operation<C> const&>(r)) != &s) return false;
    s.report(nullptr, monitor_event::misuse, "a handle is given to the operation it owns: dropping it could ask nobody any more");
    return true;
  } else {
    return false;
  }
}

}  // namespace settle::inline v0::detail

#endif
