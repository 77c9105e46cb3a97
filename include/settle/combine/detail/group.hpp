// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_GROUP_HPP
#define SETTLE_COMBINE_DETAIL_GROUP_HPP

#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../detail/ownership.hpp"
#include "../../detail/walker.hpp"
#include "input.hpp"
#include "result.hpp"
#include "slot.hpp"
#include "wiring.hpp"

namespace settle::inline v0::detail {

/// Several inputs and a rule. `Shape` has the slots, and makes the value out of them.
///
/// An input is counted, and may decide, in the structural step in which it settles. What is decided takes effect once all
/// inputs are wired (`gate`): losers are asked to stop, and the winner's outcome goes on; at once when nothing of the
/// user's runs for it, else in the user code of that input. `all` and `all_settled` collect values in the slots as they
/// come, and make the result of them on its executor.
template <class P, class Shape>
class group {
 public:
  using C = typename P::terminal;
  using E = typename P::error_type;
  using cell_type = result_cell<P, group>;
  using state = state_base<C>;
  static constexpr rule how = Shape::how;
  static constexpr bool collects = how == rule::all || how == rule::all_settled;

  template <class... A>
  explicit group(A&&... args) : shape_(std::forward<A>(args)...), missing_(shape_.size()), to_come_(1 + shape_.loud()) {}

  void wire(cell_type& c) noexcept {
    shape_.each([&](auto& s) { connect<C>(s, c, type_of(s)); });
    wired(c);
  }
  void wire_alone(cell_type& c) noexcept {
    shape_.each([&](auto& s) { wiring<C>::prepare(c, s, type_of(s)); });
    shape_.each([](input<C>& in) { wiring<C>::publish(in); });
    wired(c);
  }
  void close(cell_type&) noexcept {
    shape_.each([](auto& s) {
      if (s.left) ownership<C>::disown(s.state());
    });
    shape_.clear();
  }
  auto& rows() noexcept
    requires requires(Shape& s) { s.rows(); }
  {
    return shape_.rows();
  }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  template <class Slot>
  static hook_type<C> const& type_of(Slot&) noexcept {
    static constexpr hook_type<C> type{&run<Slot>, 0, 0};
    return type;
  }
  void wired(cell_type& c) noexcept {
    if constexpr (Shape::watches) {
      asked_.kind = hook_kind::stop;
      asked_.owner = &c;
      asked_.type = &asked_type;
      if (!registry<C>::add_stop(c, asked_)) asked();
    }
    if (shape_.size() == 0) decided_.store(0, std::memory_order_relaxed);
    if (shape_.size() == 0) arrive(c);
    arrive(c);
  }

  template <class Slot>
  static void run(hook<C>& h, hook_action action) {
    auto& s = static_cast<Slot&>(static_cast<input<C>&>(h));
    auto& c = static_cast<cell_type&>(*s.result);
    if (action != hook_action::feed) {
      c.body.heard(c, s);
      s.finish();
    } else if (s.again) {
      c.body.deliver(c, s);
    } else {
      c.body.told(c, s);
    }
  }
  static void run_asked(hook<C>& h, hook_action action) {
    auto& c = static_cast<cell_type&>(*h.owner);
    if (action == hook_action::invoke) c.body.asked();
  }
  static constexpr hook_type<C> asked_type{&run_asked, 0, 0};

  /// Watched operations go on; to the result they are as good as cancelled.
  void asked() noexcept {
    shape_.each([](input<C>& in) { withdraw(in); });
  }
  static void withdraw(input<C>& in) noexcept {
    if (in.adopted || !registry<C>::withdraw_input(in.state(), in)) return;
    in.absent = true;
    in.type->run(in, hook_action::feed);
  }

  bool decide(std::uint32_t i) noexcept {
    std::uint32_t undecided = none;
    return decided_.compare_exchange_strong(undecided, i, std::memory_order_acq_rel, std::memory_order_relaxed);
  }
  bool is_last() noexcept { return missing_.fetch_sub(1, std::memory_order_acq_rel) == 1; }
  void arrive(cell_type& c) noexcept {
    if (gate_.fetch_sub(1, std::memory_order_acq_rel) == 1) conclude(c);
  }

  /// Structural: an input has settled.
  template <class Slot>
  void told(cell_type& c, Slot& s) noexcept {
    if (!s.absent) s.state().seen.store(true, std::memory_order_relaxed);
    bool const is_value = (s.ending() & (word::failure | word::cancelled)) == 0;
    if constexpr (how == rule::all_settled) collect(c, s);
    else if constexpr (how == rule::all) is_value ? collect(c, s) : settle_by(c, s, s.index, true);
    else if constexpr (how == rule::any) settle_by(c, s, s.index, is_value || is_last());
    else settle_by(c, s, s.index, true);
  }
  void settle_by(cell_type& c, input<C>& in, std::uint32_t i, bool decides) noexcept {
    if (decides && decide(i)) arrive(c);
    else in.lose();
  }
  /// One more of all. What it yielded goes to its slot, here or where its user code runs.
  template <class Slot>
  void collect(cell_type& c, Slot& s) noexcept {
    bool const here = s.absent || (Slot::is_quiet && s.is_free());
    if (Slot::is_quiet && !here) to_come_.fetch_add(1, std::memory_order_relaxed);
    if (here) keep_quietly(c, s);
    else s.queue();
    if (is_last()) {
      decide(shape_.size());  // nothing else can have: all are here
      if (!s.absent) c.keep(s.state());
      arrive(c);
    }
    if constexpr (!Slot::is_quiet) {
      if (here && came()) c.template post<&make>();
    }
    if (here) s.finish();
  }
  template <class Slot>
  static void keep_quietly(cell_type& c, Slot& s) noexcept {
    using T = typename Slot::T;
    if constexpr (how == rule::all_settled) {
      if (s.absent) s.value.emplace(c.head().cancelled_by());
      else if constexpr (Slot::is_quiet) s.value.emplace(static_cast<typed_state<T, typename Slot::E, C>&>(s.state()).result);
    } else if constexpr (Slot::is_quiet) {
      s.value.emplace(*outcome_access::value(static_cast<typed_state<T, typename Slot::E, C>&>(s.state()).result));
    }
  }
  bool came() noexcept { return to_come_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

  /// Decided, and all wired. The result may be gone afterwards.
  void conclude(cell_type& c) noexcept {
    std::uint32_t const winner = decided_.load(std::memory_order_acquire);
    input<C>* first = nullptr;
    shape_.each([&](auto& s) { part_with(s, s.index, winner, first); });
    if (first != nullptr) {
      basic_operation<C> const until_told = first->from;
      if (first->adopted) first->from = basic_operation<C>();
      first->again = true;
      first->type->run(*first, hook_action::feed);
    } else if (came()) {
      if (shape_.loud() == 0) make(c);
      else c.template post<&make>();
    }
    walker<C>::pump(frame<C>::here());
  }

  /// The winner is needed yet, the others are not.
  void part_with(input<C>& in, std::uint32_t i, std::uint32_t winner, input<C>*& first) noexcept {
    if (i == winner) {
      first = &in;
      return;
    }
    if (winner != shape_.size()) let_off(in, cause::sibling);
    if (!in.adopted) return;  // what is watched may yet be asked for
    if (collects && !in.is_free()) may_be_missed_ = true;
    else in.from = basic_operation<C>();
  }

  /// Structural: this input decided. Its outcome is the result's.
  template <class Slot>
  void deliver(cell_type& c, Slot& s) noexcept {
    std::uint32_t const w = s.ending();
    bool const is_value = (w & (word::failure | word::cancelled)) == 0;
    if (s.absent) {
      c.end_cancelled(c.head().cancelled_by());
    } else if ((w & word::cancelled) != 0 && !counts_as_failed(c)) {
      c.keep(s.state());
      c.end_cancelled(how == rule::any ? c.head().cancelled_by() : s.state().head().cancelled_by());
    } else if (is_value ? is_quiet_value<typename Slot::T> && s.is_free() : passes_quietly<Slot>) {
      c.keep(s.state());
      pass_on(c, s);
    } else {
      s.queue();
      return;
    }
    s.finish();
  }
  /// As a cancelled input of `any` does, unless the result itself was asked to cancel.
  static bool counts_as_failed(cell_type& c) noexcept { return how == rule::any && !c.is(word::requested); }
  static E error_of(cancellation const& why) noexcept { return policy_traits<P>::make_error(why); }
  /// An input that has no value, without running anything of the user's.
  template <class Slot>
  static constexpr bool passes_quietly = is_quiet_error<typename Slot::E> && (how != rule::any || is_quiet_error<E>);
  template <class Slot>
  static void pass_on(cell_type& c, Slot& s) noexcept {
    using T = typename Slot::T;
    using SlotE = typename Slot::E;
    outcome<T, SlotE> const& o = static_cast<typed_state<T, SlotE, C>&>(s.state()).result;
    if (!o.has_value()) {
      if constexpr (passes_quietly<Slot> && how != rule::all_settled) c.fail(o.has_error() ? E(o.error()) : error_of(o.cancel()));
    } else if constexpr (!collects && is_quiet_value<T>) {
      c.yield([&](void* at) { Shape::construct(at, s, lift<T>(*outcome_access::value(const_cast<outcome<T, SlotE>&>(o)))); });
    }
  }

  /// In the user code of an input: its outcome moves on.
  template <class Slot>
  void heard(cell_type& c, Slot& s) noexcept {
    input_outcome<typename Slot::T, typename Slot::E, C> o(s);
    std::uint32_t const winner = decided_.load(std::memory_order_acquire);
    if (winner == s.index) {
      c.keep(s.state());
      if constexpr (how != rule::all_settled) hand_over(c, s, o);
    } else if (collects && (winner == none || winner == shape_.size())) {
      s.left = o.is_awaited();
      if (s.left) o.leave();
      else guarded([&] { fill(s, o); }, [&](std::exception_ptr p) { fail_later(std::move(p)); });
      if (!came()) return;
      c.keep(s.state());
      c.template post<&make>();
    }
  }
  template <class Slot, class O>
  static void hand_over(cell_type& c, Slot& s, O& o) noexcept {
    if (o.look().has_error()) c.fail(E(o.error()));
    else if (o.look().is_cancelled()) c.fail(error_of(o.look().cancel()));
    else if constexpr (!collects) c.yield_value_of(o, [&](void* at, auto&& v) { Shape::construct(at, s, std::forward<decltype(v)>(v)); });
  }
  template <class Slot, class O>
  static void fill(Slot& s, O& o) {
    using T = typename Slot::T;
    o.gather();
    if constexpr (how == rule::all) {
      o.with_value([&](auto&& v) { s.value.emplace(std::forward<decltype(v)>(v)); });
    } else if constexpr (how == rule::all_settled) {
      if (o.look().has_error()) s.value.emplace(o.error());
      else if (o.look().is_cancelled()) s.value.emplace(o.look().cancel());
      else if constexpr (std::is_void_v<T>) s.value.emplace(std::in_place, std::monostate());
      else o.with_value([&](auto&& v) { s.value.emplace(std::in_place, std::forward<decltype(v)>(v)); });
    }
  }
  void take_what_was_left() noexcept {
    shape_.each([&]<class Slot>(Slot& s) {
      if (!std::exchange(s.left, false)) return;
      input_outcome<typename Slot::T, typename Slot::E, C> o(s);
      guarded([&] { fill(s, o); }, [&](std::exception_ptr p) { fail_later(std::move(p)); });
    });
  }
  /// Moving a value threw.
  void fail_later(std::exception_ptr p) noexcept {
    if (!threw_.exchange(true, std::memory_order_acq_rel)) problem_.emplace(error_from<P>(std::move(p)));
  }

  /// On the result's executor (or nothing of the user's runs): all is there.
  static void make(cell_type& c) {
    group& self = c.body;
    if constexpr (!collects) {
      c.fail(P::make_error(errc::no_inputs));
    } else {
      if (self.may_be_missed_) return self.make_for_certain(c);
      if (self.problem_) return c.fail(std::move(*self.problem_));
      c.yield([&](void* at) { self.shape_.construct_all(at); });
    }
  }
  /// Somebody waits for the loss of a value. (Who comes here holds the result: it is looked at again.)
  void make_for_certain(cell_type& c) noexcept {
    if (!c.claim()) return;
    take_what_was_left();
    if (problem_) return c.publish_failure(std::move(*problem_));
    if (c.publish([&](void* at) { shape_.construct_all(at); })) none_is_missed();
  }
  /// All values were delivered: those that were copied are not lost any more.
  void none_is_missed() noexcept {
    shape_.each([](input<C>& in) { is_not_missed(in); });
  }
  static void is_not_missed(input<C>& in) noexcept {
    if (in.adopted && in.from) lost_taker<C>::forget_from_here(in.state());
  }

  template <class T>
  using atomic = typename C::sync::template atomic<T>;

  struct no_stop {};

  Shape shape_;
  [[no_unique_address]] std::conditional_t<Shape::watches, hook<C>, no_stop> asked_;  // only what is watched is let go of
  atomic<std::uint32_t> decided_{none};
  atomic<std::uint32_t> missing_;  // not yet settled
  atomic<std::uint32_t> to_come_;  // outcomes not yet in their slots, and the decision
  atomic<std::uint32_t> gate_{2};  // wiring, and the decision
  atomic<bool> threw_{false};
  typename C::sync::template plain<bool> may_be_missed_ = false;  // somebody waits for the loss of a value
  std::optional<E> problem_;
};

}  // namespace settle::inline v0::detail

#endif
