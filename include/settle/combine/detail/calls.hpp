// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_CALLS_HPP
#define SETTLE_COMBINE_DETAIL_CALLS_HPP

#include <concepts>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <utility>

#include "../../outcome.hpp"
#include "input.hpp"

namespace settle::inline v0::detail {

/// What a function of the user's yields: a value, or what a handle or watcher yields that it returns.
template <class R>
struct flat {
  static constexpr bool is_input = false;
  static constexpr bool adopted = true;
  using T = std::decay_t<R>;
  template <class E>
  using error = E;
};
template <class R>
  requires(input_of<R>::is_input)
struct flat<R> {
  static constexpr bool is_input = true;
  static constexpr bool adopted = input_of<R>::adopted;
  using T = typename input_of<R>::T;
  template <class>
  using error = typename input_of<R>::E;
};

/// `f(v)`, or `f()` when that is all it takes.
template <class F, class V>
decltype(auto) call_with(F& f, V&& v) {
  if constexpr (std::invocable<F&, V&&>) return std::invoke(f, std::forward<V>(v));
  else return std::invoke(f);
}

enum class step_kind : std::uint8_t { then, or_else, finally, via };

/// What a function is given: `then` the value, `or_else` the error, `finally` how it ended.
template <step_kind K, class T, class E>
struct step_argument {
  using type = lift<T>;
};
template <class T, class E>
struct step_argument<step_kind::or_else, T, E> {
  using type = E const&;
};
template <class T, class E>
struct step_argument<step_kind::finally, T, E> {
  using type = ending;
};

template <step_kind K, class F, class T, class E>
struct step_types {
  using returned = decltype(call_with(std::declval<F&>(), std::declval<typename step_argument<K, T, E>::type>()));
  using result = flat<returned>;
  using result_error = typename result::template error<E>;
  using value = std::conditional_t<K == step_kind::then, typename result::T, T>;
  using error = typename std::conditional_t<K == step_kind::or_else, std::type_identity<result_error>, error_of_all<E, result_error>>::type;
};
template <class F, class T, class E>
struct step_types<step_kind::via, F, T, E> {
  using result = flat<void>;
  using value = T;
  using error = E;
};

}  // namespace settle::inline v0::detail

#endif
