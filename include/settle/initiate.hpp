// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_INITIATE_HPP
#define SETTLE_INITIATE_HPP

#include <exception>
#include <source_location>
#include <utility>

#include "detail/exceptions.hpp"
#include "detail/state_access.hpp"
#include "detail/thrown.hpp"
#include "handle.hpp"
#include "resolver.hpp"

namespace settle::inline v0 {

namespace detail {

/// While the function runs that was given the resolver: one that is dropped meanwhile leaves its duty to this.
template <class P>
class initiation {
  using state = state_base<typename P::terminal>;

 public:
  explicit initiation(resolver<P>& r, handle<P> const& h) noexcept : mine_(r), state_(*state_access::get(h)) {
    state_.unlock(state_.lock() | word::initiating);
  }

  /// The function has returned, or thrown.
  void end(std::exception_ptr thrown) noexcept {
    std::uint32_t const w = state_.lock();
    state_.unlock(w & ~(word::initiating | word::forsaken));
    if ((w & word::forsaken) != 0) mine_ = state_access::produce<P>(static_cast<cell<P>*>(&state_));
    if (!thrown) return;
    if (mine_) end_thrown(mine_, std::move(thrown));
    else state_.report(std::move(thrown), monitor_event::callback_threw);  // somebody else may be settling it
  }

 private:
  resolver<P>& mine_;
  state& state_;
};

}  // namespace detail

/// Makes an operation by calling `f(resolver_of<T, E, Ex>)` here and now: the door for callback APIs, as JavaScript's
/// `new Promise(f)`. The resolver is f's to move into whatever will settle it; the handle is returned.
///
/// What f throws is the failure of the operation, provided that f let the resolver go unsettled (its parameter died, or it
/// never took it); operation_cancelled cancels it instead. If f settled it first, or moved the resolver to where it still
/// lives, only its holder may write the outcome: the operation is as it was, and what f threw goes to the error sink.
/// A resolver that f let go without having thrown: abandoned, as anywhere.
///
/// Settles when the resolver does; observers and cleanups run on `ex`, f on the calling thread. One allocation; throws
/// std::bad_alloc, f not having been called. Any thread.
///
/// ```cpp
/// settle::handle_of<int> h = settle::initiate<int>(loop, [&](auto r) { c_read(fd, on_read, std::move(r).into_raw()); });
/// ```
template <class T, class E = error, class C = cas_terminal, class Ex, class F>
handle_of<T, E, C> initiate(Ex ex, F f, std::source_location at = std::source_location::current()) {
  using policy = plain<T, E, Ex, C>;
  resolver<policy> r(std::move(ex), at);
  handle<policy> h = r.get_handle();
  detail::initiation<policy> duty(r, h);
  std::exception_ptr thrown;
  detail::guarded([&] { std::move(f)(std::move(r)); }, detail::keep_thrown{thrown});
  duty.end(std::move(thrown));
  return h;
}

}  // namespace settle::inline v0

#endif
