// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COROUTINE_HPP
#define SETTLE_COROUTINE_HPP

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include "coroutine/join_awaiter.hpp"
#include "coroutine/promise.hpp"
#include "coroutine/watch_awaiter.hpp"
#include "detail/is_closure.hpp"
#include "handle.hpp"

// A coroutine may return handle<P>. Given an executor or an operation first (an object it is a member of not counted) it
// is hot: it starts at once, there, under that operation. Given none it is cold: it starts when it gets an owner (co_await,
// adopt, on_done, detach, wait) and inherits executor and parent from it.
namespace settle::inline v0::detail {

struct starts_cold {
  using executor = inherited_executor;
};
template <class Ex, std::size_t I>
struct starts_on_executor {
  using executor = Ex;
  static constexpr std::size_t index = I;
};
template <std::size_t I>
struct starts_under_operation {
  using executor = inherited_executor;
  static constexpr std::size_t index = I;
};

template <class A>
inline constexpr bool is_operation = false;
template <class C>
inline constexpr bool is_operation<basic_operation<C>> = true;

template <class A, std::size_t I>
consteval auto start_by() {
  using bare = std::remove_cvref_t<A>;
  // NOLINTNEXTLINE(bugprone-branch-clone): two reasons for the same answer
  if constexpr (is_closure<bare>()) return starts_cold{};  // perhaps of the lambda whose body this is
  else if constexpr (is_operation<bare>) return starts_under_operation<I>{};
  else if constexpr (std::copy_constructible<bare> && executor<bare>) return starts_on_executor<bare, I>{};
  else return starts_cold{};
}

/// The first argument decides; the second does when the first is an object.
template <class... A>
consteval auto start_of() {
  if constexpr (sizeof...(A) == 0) {
    return starts_cold{};
  } else {
    using all = std::tuple<A...>;
    using first = decltype(start_by<std::tuple_element_t<0, all>, 0>());
    if constexpr (!std::same_as<first, starts_cold> || sizeof...(A) == 1 ||
                  !std::is_class_v<std::remove_cvref_t<std::tuple_element_t<0, all>>>)
      return first{};
    else return start_by<std::tuple_element_t<1, all>, 1>();
  }
}

template <class P, class Start>
class promise_start : public promise_base<P, typename Start::executor> {
  using base = promise_base<P, typename Start::executor>;

 public:
  using C = typename P::terminal;
  using state_type = typename base::state_type;

  static constexpr bool hot = !std::same_as<Start, starts_cold>;

  promise_start() noexcept
    requires(!hot)
  {
    state_type::be_born(this->self().address(), {});
  }
  /// Sees the coroutine's arguments.
  template <class... A>
    requires(hot && sizeof...(A) != 0)
  explicit promise_start(A&... arguments) noexcept {
    // clang hands no closure to the promise: then the argument stands where the closure would.
    constexpr bool in_front = !std::same_as<decltype(start_by<std::tuple_element_t<0, std::tuple<A...>>, 0>()), starts_cold>;
    auto& first = std::get<in_front ? 0 : Start::index>(std::tie(arguments...));
    if constexpr (std::same_as<typename Start::executor, inherited_executor>) {
      go_under(state_type::be_born(this->self().address(), {}), first);
    } else {
      state_type::be_born(this->self().address(), first);
    }
  }

  static void* operator new(std::size_t n) noexcept { return state_type::allocate_frame(n); }
  static void operator delete(void* frame) noexcept { state_type::frame_gone(frame); }

  handle<P> get_return_object() noexcept { return state_access::own<P>(this->state()); }

  struct begin {
    static constexpr bool await_ready() noexcept { return false; }
    static void await_suspend(std::coroutine_handle<> h) noexcept {
      state_type& s = state_type::in_front_of(h.address());
      s.coro.next = &promise_start::start;
      if constexpr (hot) {
        give_turn<C>(s);
      } else {
        s.word.store(s.word.load(std::memory_order_relaxed) | word::cold, std::memory_order_relaxed);
      }
    }
    static constexpr void await_resume() noexcept {}
  };
  static begin initial_suspend() noexcept { return {}; }

 private:
  static void go_under(state_type& s, basic_operation<C> const& parent) noexcept {
    state_base<C>* const p = state_access::get(parent);
    if (p == nullptr) return;
    s.table->inherit(s, *p);
    s.coro.parent.tie(*p, s, link<C>::embedded);
    registry<C>::tie(*p, s, s.coro.parent);
  }
  static void start(state_base<C>& st) {
    auto& s = static_cast<state_type&>(st);
    if (s.is(word::settled | word::requested)) base::end_cancelled(s, cancellation{});
    else std::coroutine_handle<>::from_address(s.frame()).resume();
  }
};

template <class P, class Start>
class promise final : public promise_start<P, Start> {
 public:
  using promise_start<P, Start>::promise_start;

  /// What building the value throws is the operation's failure.
  template <class V = typename P::value_type>
  void return_value(V&& v) {
    std::construct_at(outcome_access::value(this->state().result), std::forward<V>(v));
    this->succeeded();
  }
};

template <class P, class Start>
  requires(std::is_void_v<typename P::value_type>)
class promise<P, Start> final : public promise_start<P, Start> {
 public:
  using promise_start<P, Start>::promise_start;

  void return_void() noexcept {
    std::construct_at(outcome_access::value(this->state().result));
    this->succeeded();
  }
};

}  // namespace settle::inline v0::detail

template <class P, class... A>
struct std::coroutine_traits<settle::handle<P>, A...> {
  using promise_type = settle::detail::promise<P, decltype(settle::detail::start_of<A...>())>;
};

#endif
