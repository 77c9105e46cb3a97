// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_MADE_HPP
#define SETTLE_COMBINE_DETAIL_MADE_HPP

#include <cstdint>
#include <exception>
#include <functional>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

#include "../failed.hpp"
#include "../ready.hpp"
#include "calls.hpp"
#include "step.hpp"

namespace settle::inline v0::detail {

/// What a function of the user's returns, as an operation. What is none gets this error type and terminal.
template <class R, class OwnE = error, class OwnC = cas_terminal>
struct made {
  using T = typename flat<R>::T;
  using E = OwnE;
  using C = OwnC;
};
template <class R, class OwnE, class OwnC>
  requires(input_of<R>::is_input)
struct made<R, OwnE, OwnC> {
  using T = typename input_of<R>::T;
  using E = typename input_of<R>::E;
  using C = typename input_of<R>::C;
};
template <class M>
using handle_of_made = handle_of<typename M::T, typename M::E, typename M::C>;
template <class R>
using made_handle = handle_of_made<made<R>>;

/// The first of them that is an operation, whose kind the others' are then.
template <class... R>
struct made_like : made<void> {};
template <class R, class... More>
struct made_like<R, More...> : std::conditional_t<input_of<R>::is_input, made<R>, made_like<More...>> {};

/// The same as make_operation; throws what f throws.
template <class M, class F, class... A>
auto call_to_make(F& f, A&&... args) {
  using R = std::invoke_result_t<F&, A...>;
  if constexpr (!input_of<R>::is_input && std::is_void_v<R>) {
    std::invoke(f, std::forward<A>(args)...);
    return ready<typename M::E, typename M::C>();
  } else if constexpr (!input_of<R>::is_input) {
    return ready<R, typename M::E, typename M::C>(std::invoke(f, std::forward<A>(args)...));
  } else if constexpr (input_of<R>::adopted) {
    return never_empty(std::invoke(f, std::forward<A>(args)...));
  } else {
    using W = std::remove_cvref_t<R>;
    using P = result_policy<typename M::T, typename M::E, typename M::C>;
    W w = never_empty(std::invoke(f, std::forward<A>(args)...));
    auto home = home_at<typename M::C>(w);
    return begin_step<P, via_step<P, W>>(std::move(home), std::source_location::current(), std::move(w), std::monostate());
  }
}

/// Calls f, and makes an operation of whatever comes of it: a handle as it is, a watcher's outcome passed on, a value that is
/// ready, a throw that has failed. Throws std::bad_alloc when there is no memory for that. `Like` as in `made`.
template <class Like = made<void>, class F, class... A>
auto make_operation(F& f, A&&... args) {
  using M = made<std::invoke_result_t<F&, A...>, typename Like::E, typename Like::C>;
  using H = handle_of_made<M>;
  H made_one;
  std::exception_ptr thrown;
  guarded([&] { made_one = H(call_to_make<M>(f, std::forward<A>(args)...)); }, keep_thrown{thrown});
  if (!made_one)  // one of another language is caught, and nothing to hold
    made_one = failed<typename M::T, typename M::E, typename M::C>(error_from<plain<typename M::T, typename M::E>>(std::move(thrown)));
  return made_one;
}

/// One operation after the other in the same place. `next` has its turn on the result's executor when one is released and
/// through. Always adopted.
template <class C>
struct successive : input<C> {
  struct place : link<C> {
    successive* self = nullptr;
  };
  struct turn : hook<C> {
    successive* self = nullptr;
  };

  turn next;
  place stand;
  typename C::sync::template atomic<std::uint8_t> parts{0};

  template <class H>
  void begin(H&& h, state_base<C>& under, hook_type<C> const& feed, hook_type<C> const& when_through) noexcept {
    this->take(std::forward<H>(h));
    ::new (static_cast<void*>(&stand)) place;
    stand.self = this;
    parts.store(2, std::memory_order_relaxed);
    next.kind = hook_kind::released;
    next.owner = &under;
    next.type = &when_through;
    next.self = this;
    next.holds = true;
    under.add_hold();  // until next has had its turn
    connect<C>(*this, under, feed, stand, when_released);
  }
  /// Nothing of the operation's outcome is needed any more.
  void through() noexcept {
    {
      basic_operation<C> const last = std::move(this->from);
      this->finish();
    }
    part();
  }

 private:
  void part() noexcept {
    if (parts.fetch_sub(1, std::memory_order_acq_rel) == 1) engine<C>::post(next);
  }
  /// Never discarded: the result holds until `next` has had its turn.
  static void released(hook<C>& up_end, hook_action action) {
    auto& l = static_cast<place&>(link<C>::of_upper(up_end));
    state_base<C>& p = *l.parent();
    state_base<C>& c = *l.child();
    l.untie();
    link<C>::drop(c, action);
    l.self->part();
    engine<C>::leave(p);
  }
  static constexpr hook_type<C> when_released{&released, 0, 0};
};

}  // namespace settle::inline v0::detail

#endif
