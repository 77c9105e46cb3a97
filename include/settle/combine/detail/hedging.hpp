// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_HEDGING_HPP
#define SETTLE_COMBINE_DETAIL_HEDGING_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../detail/walker.hpp"
#include "alarm.hpp"
#include "made.hpp"
#include "rows_behind.hpp"

namespace settle::inline v0::detail {

/// One item after the other, until there is a value. What there is to do on the executor (begin the next, time it, stop the
/// timer) is one turn, posted when it is wanted and not on its way.
template <class P, class Items, class F>
class hedging {
 public:
  using C = typename P::terminal;
  using cell_type = result_cell<P, hedging>;
  using Item = typename Items::value_type;
  using H = made_handle<std::invoke_result_t<F&, Item>>;
  using T = typename P::value_type;
  using E = typename P::error_type;

  using time_point = std::chrono::steady_clock::time_point;
  using rows_type = rows_behind<Item, input<C>, std::byte>;

  static typename rows_type::counts room(std::size_t items, std::optional<H> const& first, std::chrono::nanoseconds) noexcept {
    return {std::is_same_v<Items, row<Item>> ? items : 0, items, first ? alarm<C>::room_at_home(*state_access::get(*first)) : 0};
  }
  hedging(rows_type&& r, Items&& items, std::optional<H>&& first, F&& f, std::chrono::nanoseconds delay)
      : rows_(std::move(r)),
        first_(std::move(first)),
        items_(std::move(items)),
        f_(std::in_place, std::move(f)),
        delay_(delay),
        missing_(items_.size()) {
    places().add_until(items_.size());
  }

  void wire(cell_type& c) noexcept {
    if (!first_) return c.fail(P::make_error(errc::no_inputs));
    result_ = &c;
    row<std::byte>& room = rows_.template get<2>();
    has_timers_ = alarm_.prepare(c, room.begin(), room.room()) == errc{};
    wanted_.store(1, std::memory_order_relaxed);
    more_.store(1, std::memory_order_relaxed);
    turn(c);
  }
  void close(cell_type& c) noexcept {
    alarm_.give_room_back(c);
    for (input<C>& in : places()) in.from = {};
    f_.reset();
    items_.clear();
    first_.reset();
  }
  rows_type& rows() noexcept { return rows_; }

 private:
  static constexpr std::size_t none = ~std::size_t{0};
  enum class timer_said : std::uint8_t { nothing, now, no_more };

  static cell_type& cell_of(hook<C>& h) noexcept { return static_cast<cell_type&>(*static_cast<input<C>&>(h).result); }
  static void run(hook<C>& h, hook_action action) {
    cell_type& c = cell_of(h);
    auto& in = static_cast<input<C>&>(h);
    if (action == hook_action::feed) {
      c.body.told(c, in);
    } else {
      c.body.heard(c, in);
      in.finish();
    }
  }
  static constexpr hook_type<C> place_type{&run, 0, 0};

  row<input<C>>& places() noexcept { return rows_.template get<1>(); }

  void want(cell_type& c) noexcept {
    if (wanted_.fetch_add(1, std::memory_order_acq_rel) == 0) c.template post<&turn>();
  }
  static void turn(cell_type& c) {
    hedging& self = c.body;
    for (std::size_t n = 1; n != 0;) {
      self.work(c);
      std::size_t const before = self.wanted_.fetch_sub(n, std::memory_order_acq_rel);
      n = before - n;
    }
  }
  /// On the executor, one thread at a time.
  void work(cell_type& c) noexcept {
    timer_said const said = said_.exchange(timer_said::nothing, std::memory_order_acq_rel);
    if (said != timer_said::nothing) runs_ = false;
    // The time to begin the next may have moved on since the timer was started.
    std::size_t due = said == timer_said::now && alarm_.now() >= time_point(due_) ? 1 : 0;
    due += more_.exchange(0, std::memory_order_acq_rel);
    for (std::size_t i = 0; i != due; ++i) begin_next(c);
    bool const over = winner_.load(std::memory_order_acquire) != none;
    if (over && runs_ && !stopped_) {
      stopped_ = true;
      alarm_.stop();
    }
    if (over || next_ == items_.size() || c.is(word::requested | word::settled) || !has_timers_) return;
    if (!runs_) runs_ = alarm_.start(c, due_, timer_done::to<&hedging::over>(*this));
  }
  void begin_next(cell_type& c) noexcept {
    if (next_ == items_.size() || winner_.load(std::memory_order_acquire) != none) return;
    if (c.is(word::requested | word::settled)) {
      if (active_.load(std::memory_order_acquire) != 0) return;
      decide(items_.size());  // nobody is left who might have
      return c.end_cancelled(c.head().cancelled_by());
    }
    std::size_t const i = next_;
    next_ = i + 1;
    if (has_timers_) due_ = later(alarm_.now(), delay_);
    std::optional<H> h = i == 0 ? std::move(first_) : std::optional<H>();
    if (i != 0)
      guarded([&] { h.emplace(make_operation(*f_, std::move(items_[i]))); }, [&](std::exception_ptr p) { fail_by(c, std::move(p)); });
    if (!h) return;
    active_.fetch_add(1, std::memory_order_acq_rel);
    input<C>& in = places()[i];
    in.take(std::move(*h));
    connect<C>(in, c, place_type);
    begun_.store(i + 1, std::memory_order_seq_cst);
    std::size_t const winner = winner_.load(std::memory_order_seq_cst);
    if (winner == none || winner == i) return;
    let_off(in, cause::sibling);
    walker<C>::pump(frame<C>::here());
  }
  void fail_by(cell_type& c, std::exception_ptr p) noexcept {
    if (decide(items_.size())) c.fail(error_from<P>(std::move(p)));
  }
  /// On a thread of the timers', beside the turns.
  void over(timer_end how) noexcept {
    cell_type& c = *result_;
    said_.store(how == timer_end::fired ? timer_said::now : timer_said::no_more, std::memory_order_release);
    if (how != timer_end::lost) want(c);
    engine<C>::leave(c);
  }

  bool decide(std::size_t i) noexcept {
    std::size_t undecided = none;
    return winner_.compare_exchange_strong(undecided, i, std::memory_order_seq_cst, std::memory_order_acquire);
  }

  /// Structural.
  void told(cell_type& c, input<C>& in) noexcept {
    state_base<C>& s = in.state();
    s.seen.store(true, std::memory_order_relaxed);
    bool const is_value = !s.is(word::failure | word::cancelled);
    auto const i = static_cast<std::size_t>(&in - places().begin());
    bool const last = !is_value && missing_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    if ((is_value || last) && decide(i)) return win(c, in, i);
    in.lose();
    bool const idle = active_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    if (is_value || (winner_.load(std::memory_order_acquire) != none && !idle)) return;
    more_.fetch_add(1, std::memory_order_acq_rel);
    want(c);
  }
  void win(cell_type& c, input<C>& in, std::size_t i) noexcept {
    for (std::size_t n = begun_.load(std::memory_order_seq_cst); n-- != 0;)
      if (n != i) let_off(places()[n], cause::sibling);
    want(c);  // the timer is to be stopped
    deliver(c, in);
    walker<C>::pump(frame<C>::here());
  }
  void deliver(cell_type& c, input<C>& in) noexcept {
    state_base<C>& s = in.state();
    auto& o = static_cast<typed_state<T, E, C>&>(s).result;
    bool const is_value = !s.is(word::failure | word::cancelled);
    if (s.is(word::cancelled) && c.is(word::requested)) {
      c.keep(s);
      c.end_cancelled(c.head().cancelled_by());
    } else if (is_value ? is_quiet_value<T> && in.is_free() : is_quiet_error<E>) {
      c.keep(s);
      if constexpr (is_quiet_error<E>) {
        if (!is_value) c.fail(o.has_error() ? E(std::as_const(o).error()) : error_of(o.cancel()));
      }
      if constexpr (is_quiet_value<T>) {
        if (is_value) c.yield_quietly(*outcome_access::value(o));
      }
    } else {
      return in.queue();
    }
    in.finish();
  }
  void heard(cell_type& c, input<C>& in) noexcept {
    input_outcome<T, E, C> o(in);
    c.keep(in.state());
    if (o.look().has_error()) c.fail(o.error());
    else if (o.look().is_cancelled()) c.fail(error_of(o.look().cancel()));
    else c.yield_value_of(o);
  }
  /// A cancelled one counts as failed, unless the result itself was asked to cancel.
  static E error_of(cancellation const& why) noexcept { return policy_traits<P>::make_error(why); }

  template <class V>
  using atomic = typename C::sync::template atomic<V>;
  template <class V>
  using plain = typename C::sync::template plain<V>;

  rows_type rows_;
  std::optional<H> first_;
  Items items_;
  std::optional<F> f_;
  alarm<C> alarm_;
  std::chrono::nanoseconds delay_;
  cell_type* result_ = nullptr;
  bool has_timers_ = false;
  // Of the turns alone.
  plain<time_point> due_{};
  plain<std::size_t> next_ = 0;
  plain<bool> runs_ = false;
  plain<bool> stopped_ = false;
  atomic<timer_said> said_{timer_said::nothing};
  atomic<std::size_t> begun_{0};
  atomic<std::size_t> active_{0};
  atomic<std::size_t> missing_;
  atomic<std::size_t> wanted_{0};  // turns asked for
  atomic<std::size_t> more_{0};    // items to begin
  atomic<std::size_t> winner_{none};
};

}  // namespace settle::inline v0::detail

#endif
