// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_LIMIT_HPP
#define SETTLE_COMBINE_DETAIL_LIMIT_HPP

#include <chrono>
#include <cstdint>
#include <utility>

#include "../../detail/walker.hpp"
#include "../../errc.hpp"
#include "alarm.hpp"
#include "input.hpp"
#include "result.hpp"

namespace settle::inline v0::detail {

/// One input against the clock. Whoever comes first decides; it takes effect once both are wired.
template <class P, class H, class Alarm>
class limit {
 public:
  using C = typename P::terminal;
  using cell_type = result_cell<P, limit>;
  using T = typename P::value_type;
  using E = typename P::error_type;
  using time_point = std::chrono::steady_clock::time_point;

  template <class... A>
  limit(H&& in, std::chrono::nanoseconds d, A&... timers) noexcept : alarm_(timers...), after_(d) {
    source_.take(std::move(in));
  }
  template <class... A>
  limit(H&& in, time_point when, A&... timers) noexcept : alarm_(timers...), when_(when) {
    source_.take(std::move(in));
  }

  void wire(cell_type& c) noexcept {
    result_ = &c;
    errc const problem = alarm_.prepare(c);
    if (problem == errc{} || when_ != time_point::max()) set_time(c, problem);
    connect<C>(source_, c, source_type);
    if (!source_.adopted) listen(c);
    if (winner_.load(std::memory_order_acquire) == nobody) start(c, problem);
    arrive(c);
  }
  void close(cell_type& c) noexcept {
    alarm_.give_room_back(c);
    source_.from = {};
  }

 private:
  enum who : std::uint8_t { nobody, source, time };

  static cell_type& cell_of(hook<C>& h) noexcept { return static_cast<cell_type&>(*static_cast<input<C>&>(h).result); }
  static void run_source(hook<C>& h, hook_action action) {
    cell_type& c = cell_of(h);
    limit& self = c.body;
    if (action == hook_action::feed) {
      self.told(c);
    } else {
      self.heard(c);
      self.source_.finish();
    }
  }
  static void run_asked(hook<C>& h, hook_action action) {
    auto& c = static_cast<cell_type&>(*h.owner);
    if (action == hook_action::invoke) c.body.asked();
  }
  static void run_stop(cell_type& c) { c.body.alarm_.stop(); }
  static constexpr hook_type<C> source_type{&run_source, 0, 0};
  static constexpr hook_type<C> asked_type{&run_asked, 0, 0};

  void set_time(cell_type& c, errc problem) noexcept {
    if (problem == errc{} && when_ == time_point::max() && after_ != std::chrono::nanoseconds::max()) when_ = later(alarm_.now(), after_);
    if (when_ != time_point::max()) state_access::ref<C>(static_cast<state_base<C>&>(c)).tighten(when_);
  }
  void listen(cell_type& c) noexcept {
    asked_.kind = hook_kind::stop;
    asked_.owner = &c;
    asked_.type = &asked_type;
    if (!registry<C>::add_stop(c, asked_)) asked();
  }
  void asked() noexcept {
    if (!registry<C>::withdraw_input(source_.state(), source_)) return;
    source_.absent = true;
    run_source(source_, hook_action::feed);
  }

  /// The time that is over already is not waited for, one that never comes neither.
  void start(cell_type& c, errc problem) noexcept {
    if (problem == errc{} && when_ == time_point::max()) return;
    if (problem == errc{} && alarm_.now() < when_) {
      runs_ = true;
      if (alarm_.start(c, when_, timer_done::to<&limit::over>(*this))) return;
      runs_ = false;
      problem_ = errc::no_memory;
    } else if (problem != errc{}) {
      if (c.is(word::requested | word::settled)) return;  // the source hears of that, and ends
      problem_ = problem;
    }
    if (decide(time)) arrive(c);
  }
  void over(timer_end how) noexcept {
    cell_type& c = *result_;
    if (how == timer_end::fired && decide(time)) arrive(c);
    engine<C>::leave(c);
  }

  bool decide(who w) noexcept {
    who undecided = nobody;
    return winner_.compare_exchange_strong(undecided, w, std::memory_order_acq_rel, std::memory_order_acquire);
  }
  void arrive(cell_type& c) noexcept {
    if (gate_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (winner_.load(std::memory_order_acquire) == time) time_is_over(c);
    else deliver(c);
    walker<C>::pump(frame<C>::here());
  }
  void time_is_over(cell_type& c) noexcept {
    let_off(source_, problem_ == errc::timed_out ? cause::deadline : cause::dropped);
    c.fail(P::make_error(problem_));
  }

  /// Structural: the source has settled.
  void told(cell_type& c) noexcept {
    if (!source_.absent) source_.state().seen.store(true, std::memory_order_relaxed);
    decide(source) ? arrive(c) : source_.lose();
  }
  /// At once, when nothing of the user's runs; the timer is stopped where that may be done.
  void deliver(cell_type& c) noexcept {
    if (source_.absent) {
      if (runs_) c.template post<&run_stop>();
      c.end_cancelled(c.head().cancelled_by());
      source_.finish();
      return;
    }
    state_base<C>& s = source_.state();
    std::uint32_t const w = s.word.load(std::memory_order_acquire);
    auto& o = static_cast<typed_state<T, E, C>&>(s).result;
    delivered_ = true;
    if ((w & word::cancelled) != 0) {
      c.keep(s);
      if (runs_) source_.queue();
      c.end_cancelled(o.cancel());
    } else if ((w & word::failure) != 0 && is_quiet_error<E>) {
      c.keep(s);
      if (runs_) source_.queue();
      if constexpr (is_quiet_error<E>) c.fail(E(std::as_const(o).error()));
    } else if ((w & word::failure) == 0 && is_quiet_value<T> && source_.is_free()) {
      c.keep(s);
      if (runs_) source_.queue();
      if constexpr (is_quiet_value<T>) c.yield_quietly(*outcome_access::value(o));
    } else {
      delivered_ = false;
      return source_.queue();
    }
    if (!runs_) source_.finish();
  }

  void heard(cell_type& c) noexcept {
    if (runs_) alarm_.stop();
    if (delivered_) return;
    input_outcome<T, E, C> o(source_);
    c.keep(source_.state());
    if (o.look().has_error()) c.fail(o.error());
    else c.yield_value_of(o);
  }

  using sync = typename C::sync;
  template <class V>
  using plain = typename sync::template plain<V>;

  input<C> source_;
  hook<C> asked_;
  Alarm alarm_;
  cell_type* result_ = nullptr;
  std::chrono::nanoseconds after_ = std::chrono::nanoseconds::max();
  time_point when_ = time_point::max();
  plain<errc> problem_ = errc::timed_out;
  plain<bool> runs_ = false;  // the timer was started
  plain<bool> delivered_ = false;
  typename sync::template atomic<who> winner_{nobody};
  typename sync::template atomic<std::uint8_t> gate_{2};
};

}  // namespace settle::inline v0::detail

#endif
