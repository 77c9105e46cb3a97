// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_REPORT_THROWN_HPP
#define SETTLE_DETAIL_REPORT_THROWN_HPP

#include <exception>
#include <utility>

#include "../policy/monitor.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// What `guarded` hands to the error sink: one for all closures.
template <class C>
struct report_thrown {
  state_base<C>& on;
  monitor_event::what_t what;
  void operator()(std::exception_ptr p) const noexcept { on.report(std::move(p), what); }
};

}  // namespace settle::inline v0::detail

#endif
