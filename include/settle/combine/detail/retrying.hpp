// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_RETRYING_HPP
#define SETTLE_COMBINE_DETAIL_RETRYING_HPP

#include <chrono>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../detail/report_thrown.hpp"
#include "../backoff.hpp"
#include "made.hpp"
#include "pause.hpp"

namespace settle::inline v0::detail {

/// Attempts, one after the other in one place, and the pauses between them.
template <class P, class F>
class retrying {
 public:
  using C = typename P::terminal;
  using cell_type = result_cell<P, retrying>;
  using T = typename P::value_type;
  using E = typename P::error_type;
  using H = handle_of<T, E, C>;

  retrying(H&& first, F&& f, backoff b) : first_(std::move(first)), f_(std::in_place, std::move(f)), backoff_(b) {}

  void wire(cell_type& c) noexcept {
    pause_.prepare(c);  // asked before: the first attempt hears of it
    begin(c, std::move(first_));
  }
  void close(cell_type& c) noexcept {
    pause_.close(c);
    f_.reset();
  }

  pause<P, retrying>& pauses() noexcept { return pause_; }
  /// After a pause, or without one.
  void go_on(cell_type& c) noexcept {
    if (c.is(word::requested | word::settled)) return c.end_cancelled(c.head().cancelled_by());
    std::optional<H> h;
    unsigned const before = begun_;
    guarded([&] { h.emplace(make_operation(*f_, before)); }, typename cell_type::failing{c});
    if (h) begin(c, std::move(*h));
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
    if (c.body.again_) c.body.wait(c);
  }
  static constexpr hook_type<C> attempt_type{&run, 0, 0};
  static constexpr hook_type<C> next_type{&run_next, 0, 0};

  void begin(cell_type& c, H&& h) noexcept {
    begun_ = begun_ + 1;
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
        c.yield_quietly(*outcome_access::value(static_cast<typed_state<T, E, C>&>(s).result));
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
      c.yield_value_of(o);
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
    guarded([&] { yes = asks_for_more(e); }, report_thrown<C>{c, monitor_event::callback_threw});
    return yes;
  }
  bool asks_for_more(E const& e) const {
    if constexpr (std::is_convertible_v<E const&, error>) return backoff_.retries(e);
    else return true;
  }

  /// On the executor: the attempt before is released.
  void wait(cell_type& c) noexcept {
    std::chrono::nanoseconds const d = backoff_.pause(begun_);
    if (d <= std::chrono::nanoseconds::zero()) go_on(c);
    else if (pause_.is_possible()) pause_.start(later(pause_.now(), d));
  }

  template <class V>
  using plain = typename C::sync::template plain<V>;

  H first_;
  successive<C> attempt_;
  pause<P, retrying> pause_;
  std::optional<F> f_;
  backoff backoff_;
  plain<unsigned> begun_ = 0;
  plain<bool> again_ = false;
};

}  // namespace settle::inline v0::detail

#endif
