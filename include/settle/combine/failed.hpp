// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_FAILED_HPP
#define SETTLE_COMBINE_FAILED_HPP

#include <concepts>
#include <source_location>
#include <utility>

#include "../resolver.hpp"

namespace settle::inline v0 {

/// An operation that has failed already, with the inline executor. One allocation; throws std::bad_alloc.
///
/// ```cpp
/// if (closed) return settle::failed<page>(settle::errc::closed);
/// return fetch(url);
/// ```
template <class T = void, class E = error, class C = cas_terminal>
handle_of<T, E, C> failed(std::type_identity_t<E> e, std::source_location at = std::source_location::current()) {
  resolver_of<T, E, inline_executor, C> r(at);
  handle_of<T, E, C> h = r.get_handle();
  r.fail(std::move(e));
  return h;
}

}  // namespace settle::inline v0

#endif
