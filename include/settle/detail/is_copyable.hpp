// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_IS_COPYABLE_HPP
#define SETTLE_DETAIL_IS_COPYABLE_HPP

#include <concepts>
#include <type_traits>

namespace settle::inline v0::detail {

/// Containers say that they can be copied whatever is in them: that is asked. (What is in some is one of themselves: a JSON value.)
template <class T>
struct can_be_copied : std::is_copy_constructible<T> {};
template <class T>
  requires(!std::same_as<T, typename T::value_type>) && requires { typename T::allocator_type; }
struct can_be_copied<T> : std::bool_constant<std::is_copy_constructible_v<T> && can_be_copied<typename T::value_type>::value> {};
template <class T>
inline constexpr bool is_copyable = can_be_copied<T>::value;

}  // namespace settle::inline v0::detail

#endif
