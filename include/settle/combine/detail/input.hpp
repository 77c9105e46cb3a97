// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_INPUT_HPP
#define SETTLE_COMBINE_DETAIL_INPUT_HPP

#include <concepts>
#include <cstdint>
#include <new>
#include <system_error>
#include <type_traits>
#include <utility>

#include "../../detail/cell.hpp"
#include "../../detail/engine.hpp"
#include "../../detail/link.hpp"
#include "../../detail/lost_value.hpp"
#include "../../detail/ownership.hpp"
#include "../../detail/registry.hpp"
#include "../../detail/state_access.hpp"
#include "../../handle.hpp"
#include "../../watcher.hpp"

namespace settle::inline v0::detail {

/// What a combinator may be given: a handle, which it adopts, or a watcher, which it watches.
template <class H>
struct input_traits {
  static constexpr bool is_input = false;
};
template <class P>
struct input_traits<handle<P>> {
  static constexpr bool is_input = true;
  static constexpr bool adopted = true;
  using policy = P;
  using T = typename P::value_type;
  using E = typename P::error_type;
  using C = typename P::terminal;
};
template <class P>
struct input_traits<watcher<P>> : input_traits<handle<P>> {
  static constexpr bool adopted = false;
};
template <class H>
using input_of = input_traits<std::remove_cvref_t<H>>;

/// A value that moves without running anything of the user's: the outcome goes on in one step with settling.
template <class T>
inline constexpr bool is_quiet_value =
    std::is_void_v<T> || (std::is_trivially_copyable_v<lift<T>> && std::is_trivially_destructible_v<lift<T>>);
template <class E>
inline constexpr bool is_quiet_error = std::same_as<E, error> || std::same_as<E, std::error_code> || std::is_trivially_copyable_v<E>;

/// One sentence for each way an input can be wrong.
template <class H>
consteval bool check_input() {
  static_assert(input_of<H>::is_input, "settle: a combinator takes handles, which it adopts, and watchers (see docs/combinators.md)");
  if constexpr (input_of<H>::is_input) {
    static_assert(!input_of<H>::adopted || !std::is_lvalue_reference_v<H>,
                  "settle: a combinator takes a handle over: say `std::move(h)`, or `h.watch()` to leave it where it is "
                  "(see docs/combinators.md)");
    static_assert(input_of<H>::adopted || is_copyable<lift<typename input_of<H>::T>>,
                  "settle: a combinator gets a copy of what a watcher reads, and this value cannot be copied: give it the handle "
                  "(see docs/combinators.md)");
  }
  return true;
}

template <class... E>
struct common_error;
template <class E>
struct common_error<E> {
  static constexpr bool known = true;
  using type = E;
};
template <class A, class B, class... More>
struct common_error<A, B, More...> {
  static constexpr bool same = std::same_as<A, B>;
  static constexpr bool up = !same && std::is_class_v<A> && std::is_class_v<B> && std::is_convertible_v<A, B>;
  static constexpr bool down = !same && std::is_class_v<A> && std::is_class_v<B> && std::is_convertible_v<B, A>;
  using next = common_error<std::conditional_t<up, B, A>, More...>;
  static constexpr bool known = (same || up != down) && next::known;
  using type = typename next::type;
};

/// The error type of a result: that of its inputs, or the one that all the others convert to, as std::error_code to settle::error.
template <class... E>
struct error_of_all {
  static_assert(common_error<E...>::known,
                "settle: the inputs of a combinator have different error types: map them to one, "
                "`std::move(h) | settle::or_else(f)` with f returning a handle of that error type (see docs/combinators.md)");
  using type = typename common_error<E...>::type;
};

/// One input of a combinator: fed in the structural part when its operation settles, and run where its user code does if
/// the combinator wants something of it there.
template <class C>
struct input : hook<C> {
  template <class V>
  using plain = typename C::sync::template plain<V>;

  link<C> edge;  // an adopted one's place under the result
  basic_operation<C> from;
  state_base<C>* result = nullptr;
  bool adopted = false;
  plain<bool> holds = false;   // the result, by itself
  plain<bool> again = false;   // was fed, and is the one that decides
  plain<bool> absent = false;  // taken back because the result was asked to cancel

  input() noexcept = default;
  input(input&&) = delete;

  state_base<C>& state() noexcept { return *this->owner; }
  /// How it ended, as a word says it.
  std::uint32_t ending() noexcept { return absent ? std::uint32_t{word::cancelled} : state().word.load(std::memory_order_acquire); }

  template <class H>
  void take(H&& h) noexcept {
    adopted = input_of<H>::adopted;
    if constexpr (input_of<H>::adopted) from = static_cast<basic_operation<C>&&>(h);
    else from = static_cast<basic_operation<C> const&>(h);
  }

  /// Nobody waits for its value to be lost, so that it may be copied and left.
  bool is_free() noexcept { return !state().is(word::taker); }

  /// Nothing of it is needed any more. What it kept of the result goes back: that may be gone afterwards.
  void finish() noexcept {
    if (std::exchange(holds, false)) engine<C>::leave(*result);
  }
  /// Told too late: the value is nobody's.
  void lose() noexcept {
    if (adopted) ownership<C>::disown(state());
    finish();
  }
  /// Has the hook run where the operation's user code does; `finish` is called when it has. An operation that was told while it
  /// was wired may be released by now, and its link gone that held the result.
  void queue() noexcept {
    state_base<C>& s = state();
    this->kind = adopted ? hook_kind::consumer : hook_kind::done;
    if (frame<C>::here().fed == &s) {
      s.observers(ring<C>::push_back(s.observers(), this));
    } else {
      if (!std::exchange(holds, true)) result->add_hold();
      registry<C>::add_observer(s, *this);
    }
  }
};

/// An empty handle reads as failed.
template <class H>
std::remove_cvref_t<H> never_empty(H&& h) {
  using P = typename input_of<H>::policy;
  if (h) return std::forward<H>(h);
  resolver_of<typename P::value_type, typename P::error_type, inline_executor, typename P::terminal> r;
  auto failed = r.get_handle();
  r.fail(plain<typename P::value_type, typename P::error_type, inline_executor, typename P::terminal>::make_error(errc::no_memory));
  if constexpr (input_of<H>::adopted) return handle<P>(std::move(failed));
  else return watcher<P>(watcher_of<typename P::value_type, typename P::error_type, typename P::terminal>(std::move(failed)));
}

/// An input whose operation has settled before it was told: it is fed here and now.
template <class C>
void feed_at_once(input<C>& in) noexcept {
  state_base<C>& s = in.state();
  bool const pinned = s.try_hold(true);  // so that the link goes on holding the result
  if (in.adopted && !pinned) {
    in.result->add_hold();
    in.holds = true;
  }
  in.type->run(in, hook_action::feed);
  if (pinned) engine<C>::leave(s);
}

/// Adopts or watches, and starts what waits for an owner. Settled already, it is fed here and now.
template <class C>
void connect(input<C>& in, state_base<C>& result, hook_type<C> const& feed, link<C>& edge, hook_type<C> const& when_released) noexcept {
  state_base<C>& s = *state_access::get(in.from);
  in.kind = hook_kind::input;
  in.type = &feed;
  in.owner = &s;
  in.result = &result;
  if (in.adopted) {
    edge.tie(result, s, when_released);
    registry<C>::tie(result, s, edge);
    engine<C>::warm(s, &result);
  } else {
    result.add_hold();
    in.holds = true;
  }
  if (!registry<C>::add_input(s, in)) feed_at_once(in);
}
template <class C>
void connect(input<C>& in, state_base<C>& result, hook_type<C> const& feed) noexcept {
  connect<C>(in, result, feed, in.edge, link<C>::embedded);
}

/// A loser is asked to stop, and nobody takes its value any more. What it was watched for is over.
template <class C>
void let_off(input<C>& in, cause why) noexcept {
  state_base<C>& s = in.state();
  bool const stood =
      in.adopted ? engine<C>::let_off(s, in, cancellation(why, in.result->created), frame<C>::here()) : registry<C>::withdraw_input(s, in);
  if (!stood) return;  // fed, or being fed: it sees to itself
  if (in.adopted) ownership<C>::disown(s);
  in.finish();
}

/// The outcome of an input, where its user code runs: moved when it was adopted, unless somebody reads it beside us.
template <class T, class E, class C>
class input_outcome {
 public:
  using outcome_type = outcome<T, E>;
  using stored = lift<T>;

  explicit input_outcome(input<C>& in) noexcept : in_(in), outcome_(static_cast<typed_state<T, E, C>&>(in.state()).result) {}
  input_outcome(input_outcome&&) = delete;
  /// What is left is nobody's.
  ~input_outcome() {
    if (!in_.adopted || left_) return;
    if (!moves()) {
      if (taken_ && !gathered_) lost_taker<C>::forget(in_.state());  // a copy was delivered
      ownership<C>::disown(in_.state());
    } else if (outcome_.has_value() && !taken_) {
      lose_value(in_.state());
    } else {
      outcome_access::clear(outcome_);
    }
  }

  outcome_type const& look() const noexcept { return outcome_; }
  /// Somebody waits for its loss.
  bool may_be_missed() const noexcept { return in_.adopted && outcome_.has_value() && in_.state().is(word::taker); }
  /// The same, and it is to be had by us alone.
  bool is_awaited() const noexcept { return may_be_missed() && moves(); }
  /// It stays there, still ours, for whoever takes or disowns it later.
  void leave() noexcept { left_ = true; }
  /// A copy is only gathered, or was not wanted any more: whether the value is lost is seen later.
  void gather() noexcept { gathered_ = true; }

  /// Calls f(stored&&), or f(stored const&).
  template <class F>
  decltype(auto) with_value(F f) {
    stored& v = *outcome_access::value(outcome_);
    if constexpr (is_copyable<stored>) {
      if (!moves()) {
        stored copy(std::as_const(v));
        taken_ = true;
        return f(std::move(copy));
      }
    }
    taken_ = true;
    return f(std::move(v));
  }
  E error() const noexcept {
    if constexpr (std::is_copy_constructible_v<E>) return outcome_.error();
    else return std::move(outcome_).error();
  }

 private:
  bool moves() const noexcept { return in_.adopted && (!is_copyable<stored> || !in_.state().is(word::watched)); }

  input<C>& in_;
  outcome_type& outcome_;
  bool taken_ = false;
  bool left_ = false;
  bool gathered_ = false;
};

}  // namespace settle::inline v0::detail

#endif
