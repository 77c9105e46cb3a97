// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_HOOKS_HPP
#define SETTLE_TESTS_HOOKS_HPP

#include <settle/settle.hpp>

#include <cstddef>

namespace test {

/// How many hooks stand on an operation, links of the tree included. For one that nobody else is at.
template <class C>
std::size_t hooks_on(settle::basic_operation<C> const& op) {
  auto const size = [](settle::detail::hook<C> const* first) {
    std::size_t n = 0;
    for (auto const* h = first; h != nullptr; h = h->following() == first ? nullptr : h->following()) ++n;
    return n;
  };
  auto const& s = *settle::detail::state_access::get(op);
  return size(s.observers()) + size(s.lasting.load());
}

}  // namespace test

#endif
