// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_ALL_HPP
#define SETTLE_COMBINE_ALL_HPP

#include <ranges>
#include <source_location>
#include <tuple>
#include <utility>

#include "detail/shapes.hpp"
#include "ready.hpp"

namespace settle::inline v0 {

/// All values, in order: a std::tuple (void: std::monostate). The first failure or cancellation is the result's, at once; the
/// others are asked to cancel. No inputs: an empty list.
///
/// Handles are adopted: asked to cancel with the result (and, cause sibling, when it is decided without them), released
/// before it. Watchers are watched, and let go when the result settles. What counts is the structural step in which an
/// input settles; among those that have settled before, the order of the arguments. User code runs where the first input's
/// does; the combinator is cold when that is.
///
/// Errors: those of the inputs, which must have one error type (or one that the others convert to). Throws std::bad_alloc.
/// Cost: one block; no allocation once wired. A value waits in its slot for the others, and dies there if they fail; one with an
/// `on_lost` waits where it is, and goes to that.
///
/// ```cpp
/// settle::all(fetch(a), fetch(b)).on_done([](auto&& both) { if (both) use(std::get<0>(both.value())); });
/// ```
template <detail::combined A, detail::combined B>
auto all(A&& a, B&& b, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::all>(at, std::forward<A>(a), std::forward<B>(b));
}
template <detail::combined A>
auto all(A&& a, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::all>(at, std::forward<A>(a));
}
template <detail::combined A, detail::combined B, detail::combined D>
auto all(A&& a, B&& b, D&& d, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::all>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d));
}
template <detail::combined A, detail::combined B, detail::combined D, detail::combined E>
auto all(A&& a, B&& b, D&& d, E&& e, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::all>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d), std::forward<E>(e));
}
template <detail::combined A, detail::combined B, detail::combined D, detail::combined E, detail::combined F>
auto all(A&& a, B&& b, D&& d, E&& e, F&& f, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::all>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d), std::forward<E>(e),
                                                 std::forward<F>(f));
}
template <detail::combined A, detail::combined B, detail::combined D, detail::combined E, detail::combined F, detail::combined G>
auto all(A&& a, B&& b, D&& d, E&& e, F&& f, G&& g, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::all>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d), std::forward<E>(e),
                                                 std::forward<F>(f), std::forward<G>(g));
}
template <detail::combined A, detail::combined B, detail::combined D, detail::combined E, detail::combined F, detail::combined G,
          detail::combined I>
auto all(A&& a, B&& b, D&& d, E&& e, F&& f, G&& g, I&& i, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::all>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d), std::forward<E>(e),
                                                 std::forward<F>(f), std::forward<G>(g), std::forward<I>(i));
}
template <detail::combined A, detail::combined B, detail::combined D, detail::combined E, detail::combined F, detail::combined G,
          detail::combined I, detail::combined J>
auto all(A&& a, B&& b, D&& d, E&& e, F&& f, G&& g, I&& i, J&& j, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::all>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d), std::forward<E>(e),
                                                 std::forward<F>(f), std::forward<G>(g), std::forward<I>(i), std::forward<J>(j));
}
/// The same of none, as where a pack is empty: it has yielded nothing.
template <class E = error, class C = cas_terminal>
handle_of<std::tuple<>, E, C> all(std::source_location at = std::source_location::current()) {
  return ready<std::tuple<>, E, C>(std::tuple<>(), at);
}
/// The same of any number. (Of more than eight the creation site is that of the first: nothing may follow a pack.)
template <detail::combined H, detail::combined... More>
  requires(sizeof...(More) > 7)
auto all(H&& first, More&&... more) {
  std::source_location const at = detail::site_of(first);
  return detail::combine_pack<detail::rule::all>(at, std::forward<H>(first), std::forward<More>(more)...);
}

/// The same of a range of handles (moved in) or watchers. A std::vector of the values, a block besides; another until
/// they are wired, unless the inputs are given away in a std::vector.
template <std::ranges::input_range R>
auto all(R&& inputs, std::source_location at = std::source_location::current()) {
  return detail::combine_range<detail::rule::all>(at, std::forward<R>(inputs));
}

}  // namespace settle::inline v0

#endif
