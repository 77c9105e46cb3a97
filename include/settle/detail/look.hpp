// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_LOOK_HPP
#define SETTLE_DETAIL_LOOK_HPP

#include <optional>

#include "../policy/sync.hpp"

namespace settle::inline v0::detail {

/// An explorer's: what is a loop, or two steps of which the first may save the second, is one there.
template <class A>
inline constexpr bool is_explored = requires(A& a) { a.lock_bit(1u, std::memory_order_acquire); };

/// What `f` makes of the value, of which the caller sees no more: values that give the same are one to an explorer.
template <class A, class F>
[[gnu::always_inline]] inline auto look(A const& a, std::memory_order o, F f) noexcept {
  if constexpr (is_explored<A>) return a.look(f, o);
  else return f(a.load(o));
}
/// The loop around a compare-and-swap. False when `next` makes nothing of a value: that is `seen` then. An explorer's caller sees of it
/// what `sees` makes of it. `adds`: so much, which is all that `next` does.
template <class A, class T, class F, class G>
[[gnu::always_inline]] inline bool update(A& a, T& seen, F next, G sees, std::memory_order success, std::memory_order failure,
                                          [[maybe_unused]] T adds = 0) noexcept {
  if constexpr (is_explored<A>) {
    return a.update(seen, next, sees, success, failure, adds);
  } else {
    seen = a.load(failure);
    for (;;) {
      std::optional<T> const to = next(seen);
      if (!to) return false;
      if (a.compare_exchange_weak(seen, *to, success, failure)) return true;
    }
  }
}
/// All of the value; an explorer's caller sees of it what `sees` makes of it.
template <class A, class F>
[[gnu::always_inline]] inline auto load(A const& a, std::memory_order o, F sees) noexcept {
  if constexpr (is_explored<A>) return a.look(sees, o);
  else return a.load(o);
}
/// Takes `n` away, and yields what `sees` makes of what was there. An explorer's stays as it is when that is all: nobody is left to see.
template <class A, class T, class F>
[[gnu::always_inline]] inline auto take_away(A& a, T n, F sees, std::memory_order o) noexcept {
  if constexpr (is_explored<A>) {
    auto const rest = [n](T v) { return v == n ? std::nullopt : std::optional<T>(v - n); };
    decltype(sees(n)) seen{};
    a.update(seen, rest, sees, o, o == std::memory_order_acq_rel ? std::memory_order_acquire : std::memory_order_relaxed, T{0} - n);
    return seen;
  } else {
    return sees(a.fetch_sub(n, o));
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
