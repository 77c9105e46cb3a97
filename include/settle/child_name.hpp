// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_CHILD_NAME_HPP
#define SETTLE_CHILD_NAME_HPP

#include <string>

#include "context_slot.hpp"

namespace settle::inline v0 {

/// The name that a supervisor's `add` was given: every life of that child has it, and so has all that is below one (until it
/// is released). A shutdown's report says it of those that survived. It is set right after the child has begun.
///
/// ```cpp
/// use(settle::child_name.of(op).value_or("no child of a supervisor"));
/// ```
inline constexpr context_slot<std::string> child_name;

}  // namespace settle::inline v0

#endif
