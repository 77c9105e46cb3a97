// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_PIPE_HPP
#define SETTLE_COMBINE_DETAIL_PIPE_HPP

#include <utility>

#include "input.hpp"

namespace settle::inline v0 {

namespace detail {

/// What stands on the right of `|`: a combinator that waits for its input.
template <class Apply>
class pipe {
 public:
  explicit pipe(Apply f) : apply_(std::move(f)) {}

  template <class H>
  auto operator()(H&& h) && {
    return std::move(apply_)(std::forward<H>(h));
  }

 private:
  Apply apply_;
};

}  // namespace detail

/// `std::move(h) | settle::then(f)`: the same as `settle::then(std::move(h), f)`, and so with every pipe. In a coroutine say
/// `co_await settle::then(std::move(h), f)`: `co_await a | b` is `(co_await a) | b`.
template <class H, class Apply>
  requires(detail::input_of<H>::is_input)
auto operator|(H&& h, detail::pipe<Apply> p) {
  static_assert(detail::check_input<H>());
  return std::move(p)(std::forward<H>(h));
}

}  // namespace settle::inline v0

#endif
