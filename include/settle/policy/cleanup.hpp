// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_CLEANUP_HPP
#define SETTLE_POLICY_CLEANUP_HPP

#include <concepts>
#include <cstddef>

namespace settle::inline v0 {

/// Where cleanups live: the first N small ones inside the operation's state, the rest allocated. A small one holds at
/// most a pointer's worth of closure: a unique_ptr, a captured reference.
template <std::size_t N>
struct lifo_cleanup {
  static constexpr std::size_t inline_slots = N;            ///< how many the state holds
  static constexpr std::size_t slot_bytes = sizeof(void*);  ///< how large a closure one takes
  static constexpr bool may_allocate = true;                ///< the rest comes from the policy's allocator
};

/// Room for N cleanups of up to Bytes each in the state, and nothing else: never allocates. Full is an error that the
/// registering call reports; the resource is given back there and then.
template <std::size_t N, std::size_t Bytes = 2 * sizeof(void*)>
struct fixed_cleanup {
  static constexpr std::size_t inline_slots = N;    ///< how many the state holds
  static constexpr std::size_t slot_bytes = Bytes;  ///< how large a closure one takes
  static constexpr bool may_allocate = false;       ///< what finds no slot is refused
};

/// The default: two small ones in the state.
struct lifo_cleanup_2 : lifo_cleanup<2> {};

/// A place for cleanups: how many the state itself holds (at most 255), of how many bytes, and whether more are allocated.
template <class C>
concept cleanup_storage = requires {
  { C::inline_slots + C::slot_bytes } -> std::convertible_to<std::size_t>;
  { C::may_allocate } -> std::convertible_to<bool>;
  requires(C::inline_slots <= 255);
};

}  // namespace settle::inline v0

#endif
