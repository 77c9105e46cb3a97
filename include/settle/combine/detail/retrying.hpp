// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_RETRYING_HPP
#define SETTLE_COMBINE_DETAIL_RETRYING_HPP

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "../backoff.hpp"
#include "alarm.hpp"
#include "made.hpp"

namespace settle::inline v0::detail {

/// Attempts, one after the other in one place, and the pauses between them.
template <class P, class F>
class retrying {
 public:
  using C = typename P::terminal;
  using cell_type = result_cell<P, retrying>;
  using T = typename P::value_type;
  using E = typename P::error_type;
  using stored = typename cell_type::stored;
  using H = handle_of<T, E, C>;

  retrying(H&& first, F&& f, backoff b) : first_(std::move(first)), f_(std::in_place, std::move(f)), backoff_(b) {}

  void wire(cell_type& c) noexcept {
    result_ = &c;
    no_timer_ = alarm_.prepare(c);
    asked_.kind = hook_kind::stop;
    asked_.owner = &c;
    asked_.type = &asked_type;
    registry<C>::add_stop(c, asked_);  // asked before: the first attempt hears of it
    begin(c, std::move(first_));
  }
  void close(cell_type& c) noexcept {
    alarm_.give_room_back(c);
    f_.reset();
  }

 private:
  static cell_type& cell_of(hook<C>& h) noexcept { return static_cast<cell_type&>(*static_cast<input<C>&>(h).result); }
  static void run(hook<C>& h, hook_action action) {
    cell_type& c = cell_of(h);
    retrying& self = c.body;
    if (action == hook_action::feed ? self.told(c) : self.heard(c)) self.attempt_.through();
  }
  static void run_next(hook<C>& h, hook_action) {
    auto& c = static_cast<cell_type&>(*h.owner);
    if (c.body.again_) c.body.pause(c);
  }
  static void run_asked(hook<C>& h, hook_action action) {
    auto& c = static_cast<cell_type&>(*h.owner);
    if (action == hook_action::invoke) c.body.event(c, asked);
  }
  static constexpr hook_type<C> attempt_type{&run, 0, 0};
  static constexpr hook_type<C> next_type{&run_next, 0, 0};
  static constexpr hook_type<C> asked_type{&run_asked, 0, 0};

  void begin(cell_type& c, H&& h) noexcept {
    ++begun_;
    again_ = false;
    attempt_.begin(std::move(h), c, attempt_type, next_type);
  }

  /// Structural. True: nothing is left to do where the attempt's user code runs.
  bool told(cell_type& c) noexcept {
    state_base<C>& s = attempt_.state();
    s.seen.store(true, std::memory_order_relaxed);
    if (s.is(word::cancelled)) {
      c.keep(s);
      c.end_cancelled(s.head().cancelled_by());
      return true;
    }
    if constexpr (is_quiet_value<T>) {
      if (!s.is(word::failure) && attempt_.is_free()) {
        c.keep(s);
        c.yield([&](void* at) { ::new (at) stored(*outcome_access::value(static_cast<typed_state<T, E, C>&>(s).result)); });
        return true;
      }
    }
    attempt_.queue();
    return false;
  }
  bool heard(cell_type& c) noexcept {
    input_outcome<T, E, C> o(attempt_);
    if (!o.look().has_error()) {
      c.keep(attempt_.state());
      o.with_value([&](auto&& v) { c.yield([&](void* at) { ::new (at) stored(std::forward<decltype(v)>(v)); }); });
    } else if (tries_again(c, o.look().error())) {
      again_ = true;
    } else {
      c.keep(attempt_.state());
      c.fail(o.error());
    }
    return true;
  }
  bool tries_again(cell_type& c, E const& e) noexcept {
    if (begun_ >= backoff_.attempts() || c.is(word::requested | word::settled)) return false;
    bool yes = false;
    guarded([&] { yes = asks_for_more(e); }, [&](std::exception_ptr p) { c.report(std::move(p), monitor_event::callback_threw); });
    return yes;
  }
  bool asks_for_more(E const& e) const {
    if constexpr (std::is_convertible_v<E const&, error>) return backoff_.retries(e);
    else return true;
  }

  /// On the executor: the attempt before is released.
  void pause(cell_type& c) noexcept {
    std::chrono::nanoseconds const d = backoff_.pause(begun_);
    events_.store(0, std::memory_order_relaxed);
    if (d <= std::chrono::nanoseconds::zero()) return launch(c);
    if (no_timer_ != errc{}) return c.fail(P::make_error(no_timer_));
    if (!alarm_.start(c, later(alarm_.now(), d), timer_done::to<&retrying::over>(*this))) return c.fail(P::make_error(errc::no_memory));
    event(c, started);
    std::uint32_t const w = c.lock();  // who asked before it was started did not stop it
    c.unlock(w);
    if ((w & (word::requested | word::settled)) != 0) event(c, asked);
  }
  void over(timer_end how) noexcept {
    cell_type& c = *result_;
    event(c, how == timer_end::fired ? fired : how == timer_end::lost ? asked : ended);
    engine<C>::leave(c);
  }

  enum : std::uint8_t { started = 1, fired = 2, asked = 4, ended = 8 };
  static bool is_due(unsigned e) noexcept { return (e & started) != 0 && (e & (fired | asked)) != 0; }

  /// The pause is over by whatever comes first once the timer stands.
  void event(cell_type& c, std::uint8_t e) noexcept {
    unsigned const before = events_.fetch_or(e, std::memory_order_acq_rel);
    unsigned const now = before | e;
    if (is_due(before) || !is_due(now)) return;
    if ((now & asked) == 0) {
      c.template post<&launch_next>();
    } else {
      if ((now & (fired | ended)) == 0) c.template post<&stop>();
      c.end_cancelled(c.is(word::requested) ? c.head().cancelled_by() : cancellation(cause::abandoned, c.created));
    }
  }
  static void stop(cell_type& c) { c.body.alarm_.stop(); }
  static void launch_next(cell_type& c) { c.body.launch(c); }

  void launch(cell_type& c) noexcept {
    if (c.is(word::requested | word::settled)) return c.end_cancelled(c.head().cancelled_by());
    std::optional<H> h;
    guarded([&] { h.emplace(make_operation(*f_, begun_)); }, [&](std::exception_ptr p) { c.fail(error_from<P>(std::move(p))); });
    if (h) begin(c, std::move(*h));
  }

  H first_;
  successive<C> attempt_;
  alarm<C> alarm_;
  hook<C> asked_;
  std::optional<F> f_;
  backoff backoff_;
  cell_type* result_ = nullptr;
  errc no_timer_{};
  unsigned begun_ = 0;
  bool again_ = false;
  typename C::sync::template atomic<std::uint8_t> events_{0};
};

}  // namespace settle::inline v0::detail

#endif
