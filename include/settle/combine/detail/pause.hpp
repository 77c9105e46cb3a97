// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_PAUSE_HPP
#define SETTLE_COMBINE_DETAIL_PAUSE_HPP

#include <chrono>
#include <cstdint>

#include "alarm.hpp"
#include "result.hpp"

namespace settle::inline v0::detail {

/// The pauses of a result that goes on by itself, one at a time. Each is over when its timer fires, and then `Body::go_on`
/// runs on the result's executor; or when somebody asks for the end, and then the result ends cancelled. Whichever is first.
template <class P, class Body>
class pause : hook<typename P::terminal> {
 public:
  using C = typename P::terminal;
  using cell_type = result_cell<P, Body>;
  using time_point = std::chrono::steady_clock::time_point;

  /// When the result is wired.
  void prepare(cell_type& c) noexcept {
    result_ = &c;
    no_timer_ = alarm_.prepare(c);
    this->kind = hook_kind::stop;
    this->owner = &c;
    this->type = &asked_type;
    registry<C>::add_stop(c, *this);
  }
  void close(cell_type& c) noexcept { alarm_.give_room_back(c); }

  /// False: there are no timers, and the result has failed.
  bool is_possible() noexcept {
    if (no_timer_ == errc{}) return true;
    result_->fail(P::make_error(no_timer_));
    return false;
  }
  time_point now() const noexcept { return alarm_.now(); }

  /// The one before is over.
  void start(time_point when) noexcept {
    cell_type& c = *result_;
    events_.store(0, std::memory_order_relaxed);
    if (!alarm_.start(c, when, timer_done::to<&pause::over>(*this))) return c.fail(P::make_error(errc::no_memory));
    event(started);
    std::uint32_t const w = c.lock();  // who asked before it was started did not stop it
    c.unlock(w);
    if ((w & (word::requested | word::settled)) != 0) event(asked);
  }

 private:
  static void run_asked(hook<C>& h, hook_action action) {
    if (action == hook_action::invoke) static_cast<pause&>(h).event(asked);
  }
  static constexpr hook_type<C> asked_type{&run_asked, 0, 0};

  void over(timer_end how) noexcept {
    cell_type& c = *result_;
    event(how == timer_end::fired ? fired : how == timer_end::lost ? asked : ended);
    engine<C>::leave(c);
  }

  enum : std::uint8_t { started = 1, fired = 2, asked = 4, ended = 8 };
  static bool is_due(unsigned e) noexcept { return (e & started) != 0 && (e & (fired | asked)) != 0; }

  void event(std::uint8_t e) noexcept {
    cell_type& c = *result_;
    unsigned const before = events_.fetch_or(e, std::memory_order_acq_rel);
    unsigned const now = before | e;
    if (is_due(before) || !is_due(now)) return;
    if ((now & asked) == 0) {
      c.template post<&go_on>();
    } else {
      if ((now & (fired | ended)) == 0) c.template post<&stop>();
      c.end_cancelled(c.is(word::requested) ? c.head().cancelled_by() : cancellation(cause::abandoned, c.created));
    }
  }
  static void go_on(cell_type& c) { c.body.go_on(c); }
  static void stop(cell_type& c) { c.body.pauses().alarm_.stop(); }

  alarm<C> alarm_;
  cell_type* result_ = nullptr;
  errc no_timer_{};
  typename C::sync::template atomic<std::uint8_t> events_{0};
};

}  // namespace settle::inline v0::detail

#endif
