// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_CHILD_NAME_HPP
#define SETTLE_CHILD_NAME_HPP

#include <string>
#include <string_view>

#include "context_slot.hpp"
#include "detail/lineage.hpp"
#include "detail/naming.hpp"

namespace settle::inline v0 {

/// The name that a supervisor's `add` was given: every life of that child has it, and so has all that is below one (until it
/// is released). A shutdown's report says it of those that survived, a census of what it lists, an error sink of what it is
/// told. It is set right after the child has begun.
///
/// ```cpp
/// use(settle::child_name.of(op).value_or("no child of a supervisor"));
/// ```
inline constexpr context_slot<std::string> child_name;

namespace detail {

/// What is compiled for the names where a supervisor gives them.
template <class C>
struct child_naming {
  /// From here on error sinks are told, and monitors of what becomes a child.
  static void give(basic_operation<C> const& op, std::string const& name) {
    naming<C>::finder.store(&find, std::memory_order_release);
    child_name.set(op, name);
  }

 private:
  static void find(state_base<C>& s, void* at, typename naming<C>::use_name use) noexcept {
    bool found = false;
    auto const look = [&](state_base<C>& one) {
      std::string const* const name = found ? nullptr : child_name.find(one);
      if (name == nullptr) return;
      found = true;
      use(at, *name);
    };
    look(s);
    if (!found) lineage<C>().each(s, look);
    if (!found) use(at, std::string_view());
  }
};

}  // namespace detail
}  // namespace settle::inline v0

#endif
