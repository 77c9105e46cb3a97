// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_RACE_HPP
#define SETTLE_COMBINE_RACE_HPP

#include <ranges>
#include <source_location>
#include <utility>

#include "detail/shapes.hpp"
#include "failed.hpp"

namespace settle::inline v0 {

/// The first that settles, however it ends: a std::variant by position (void: std::monostate), `index()` says who won. The
/// others are asked to cancel; the result settles at once, and is released when they are. No inputs: errc::no_inputs.
///
/// Handles are adopted: asked to cancel with the result (and, cause sibling, when it is decided without them), released
/// before it. Watchers are watched, and let go when the result settles. What counts is the structural step in which an
/// input settles; among those that have settled before, the order of the arguments. User code runs where the first input's
/// does; the combinator is cold when that is.
///
/// Errors: the winner's. A loser settles with what really happened, and its value dies where it lives. Throws
/// std::bad_alloc. Cost: one block; no allocation once wired.
///
/// ```cpp
/// auto first = settle::race(stop_signal.watch(), next_request());
/// ```
template <detail::combined A, detail::combined B>
auto race(A&& a, B&& b, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::race>(at, std::forward<A>(a), std::forward<B>(b));
}
template <detail::combined A>
auto race(A&& a, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::race>(at, std::forward<A>(a));
}
template <detail::combined A, detail::combined B, detail::combined D>
auto race(A&& a, B&& b, D&& d, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::race>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d));
}
template <detail::combined A, detail::combined B, detail::combined D, detail::combined E>
auto race(A&& a, B&& b, D&& d, E&& e, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::race>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d), std::forward<E>(e));
}
template <detail::combined A, detail::combined B, detail::combined D, detail::combined E, detail::combined F>
auto race(A&& a, B&& b, D&& d, E&& e, F&& f, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::race>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d), std::forward<E>(e),
                                                  std::forward<F>(f));
}
template <detail::combined A, detail::combined B, detail::combined D, detail::combined E, detail::combined F, detail::combined G>
auto race(A&& a, B&& b, D&& d, E&& e, F&& f, G&& g, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::race>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d), std::forward<E>(e),
                                                  std::forward<F>(f), std::forward<G>(g));
}
template <detail::combined A, detail::combined B, detail::combined D, detail::combined E, detail::combined F, detail::combined G,
          detail::combined I>
auto race(A&& a, B&& b, D&& d, E&& e, F&& f, G&& g, I&& i, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::race>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d), std::forward<E>(e),
                                                  std::forward<F>(f), std::forward<G>(g), std::forward<I>(i));
}
template <detail::combined A, detail::combined B, detail::combined D, detail::combined E, detail::combined F, detail::combined G,
          detail::combined I, detail::combined J>
auto race(A&& a, B&& b, D&& d, E&& e, F&& f, G&& g, I&& i, J&& j, std::source_location at = std::source_location::current()) {
  return detail::combine_pack<detail::rule::race>(at, std::forward<A>(a), std::forward<B>(b), std::forward<D>(d), std::forward<E>(e),
                                                  std::forward<F>(f), std::forward<G>(g), std::forward<I>(i), std::forward<J>(j));
}
/// The same of none, as where a pack is empty: it has failed with errc::no_inputs.
template <class C = cas_terminal>
handle_of<void, error, C> race(std::source_location at = std::source_location::current()) {
  return failed<void, error, C>(errc::no_inputs, at);
}
/// The same of any number. (Of more than eight the creation site is that of the first: nothing may follow a pack.)
template <detail::combined H, detail::combined... More>
  requires(sizeof...(More) > 7)
auto race(H&& first, More&&... more) {
  std::source_location const at = detail::site_of(first);
  return detail::combine_pack<detail::rule::race>(at, std::forward<H>(first), std::forward<More>(more)...);
}

/// The same of a range of handles (moved in) or watchers. The position and the value of the winner, as a pair. A block
/// besides until they are wired, unless they are given away in a std::vector.
template <std::ranges::input_range R>
auto race(R&& inputs, std::source_location at = std::source_location::current()) {
  return detail::combine_range<detail::rule::race>(at, std::forward<R>(inputs));
}

}  // namespace settle::inline v0

#endif
