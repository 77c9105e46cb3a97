// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_LOOK_HPP
#define SETTLE_DETAIL_LOOK_HPP

#include <optional>

#include "../policy/sync.hpp"

namespace settle::inline v0::detail {

/// What `f` makes of the value, of which the caller sees no more: values that give the same are one to an explorer.
template <class A, class F>
[[gnu::always_inline]] inline auto look(A const& a, std::memory_order o, F f) noexcept {
  if constexpr (requires { a.look(f, o); }) return a.look(f, o);
  else return f(a.load(o));
}
/// The loop around a compare-and-swap: false when `next` makes nothing of the value that was `seen` last.
template <class A, class T, class F>
[[gnu::always_inline]] inline bool update(A& a, T& seen, F next, std::memory_order success, std::memory_order failure) noexcept {
  if constexpr (requires { a.update(seen, next, success, failure); }) {
    return a.update(seen, next, success, failure);
  } else {
    seen = a.load(failure);
    for (;;) {
      std::optional<T> const to = next(seen);
      if (!to) return false;
      if (a.compare_exchange_weak(seen, *to, success, failure)) return true;
    }
  }
}
/// Of the value, these bits.
template <class A, class T>
[[gnu::always_inline]] inline T bits_of(A const& a, T bits, std::memory_order o) noexcept {
  return look(a, o, [bits](auto v) { return static_cast<T>(v & bits); });
}
/// Any of the bits.
template <class A, class T>
[[gnu::always_inline]] inline bool has(A const& a, T bits, std::memory_order o) noexcept {
  return look(a, o, [bits](auto v) { return (v & bits) != 0; });
}
template <class A, class T>
[[gnu::always_inline]] inline bool equals(A const& a, T value, std::memory_order o) noexcept {
  return look(a, o, [value](auto v) { return v == value; });
}

}  // namespace settle::inline v0::detail

#endif
