// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_READY_HPP
#define SETTLE_COMBINE_READY_HPP

#include <source_location>
#include <type_traits>
#include <utility>

#include "../resolver.hpp"

namespace settle::inline v0 {

/// An operation that has yielded `v` already, with the inline executor. One allocation; throws std::bad_alloc, and what
/// moving the value throws.
///
/// ```cpp
/// if (auto hit = cache.find(key)) return settle::ready(*hit);
/// return fetch(key);
/// ```
template <class T, class E = error, class C = cas_terminal>
handle_of<std::decay_t<T>, E, C> ready(T&& v, std::source_location at = std::source_location::current()) {
  resolver_of<std::decay_t<T>, E, inline_executor, C> r(at);
  handle_of<std::decay_t<T>, E, C> h = r.get_handle();
  r.complete(std::decay_t<T>(std::forward<T>(v)));
  return h;
}
template <class E = error, class C = cas_terminal>
handle_of<void, E, C> ready(std::source_location at = std::source_location::current()) {
  resolver_of<void, E, inline_executor, C> r(at);
  handle_of<void, E, C> h = r.get_handle();
  r.complete();
  return h;
}

}  // namespace settle::inline v0

#endif
