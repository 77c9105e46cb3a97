// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TIME_DETAIL_TICKING_HPP
#define SETTLE_TIME_DETAIL_TICKING_HPP

#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "../../combine/detail/calls.hpp"
#include "../../combine/detail/pause.hpp"
#include "../../detail/thrown.hpp"
#include "beat.hpp"

namespace settle::inline v0::detail {

/// What interval::each takes.
template <class F>
consteval bool check_ticking() {
  constexpr bool callable = std::invocable<F&> || std::invocable<F&, std::uint64_t>;
  static_assert(callable, "settle: interval::each takes `f()` or `f(std::uint64_t tick)` (see docs/guide/time.md)");
  if constexpr (callable)
    static_assert(std::is_void_v<decltype(call_with(std::declval<F&>(), std::uint64_t{}))>,
                  "settle: the function of interval::each returns nothing; what takes time waits for `next()` in a coroutine "
                  "(see docs/guide/time.md)");
  return callable;
}

/// One call for each tick, until somebody ends it or a call throws.
template <class P, class F>
class ticking {
 public:
  using cell_type = result_cell<P, ticking>;

  ticking(beat b, F&& f) : beat_(b), f_(std::in_place, std::move(f)) {}

  void wire(cell_type& c) noexcept {
    pause_.prepare(c);
    if (pause_.is_possible()) wait();
  }
  void close(cell_type& c) noexcept {
    pause_.close(c);
    f_.reset();
  }

  pause<P, ticking>& pauses() noexcept { return pause_; }
  void go_on(cell_type& c) noexcept {
    if (is_asked(c)) return c.end_cancelled(c.head().cancelled_by());
    std::exception_ptr thrown;
    // NOLINTNEXTLINE(readability-redundant-casting): a copy
    guarded([&] { call_with(*f_, std::uint64_t{number_}); }, keep_thrown{thrown});
    if (thrown) end(c, std::move(thrown));
    else if (is_asked(c)) c.end_cancelled(c.head().cancelled_by());
    else wait();
  }

 private:
  static bool is_asked(cell_type& c) noexcept { return c.is(word::requested | word::settled); }
  static void end(cell_type& c, std::exception_ptr thrown) noexcept {
    if (std::optional<cancellation> const why = cancellation_in(thrown)) c.end_cancelled(*why);
    else c.fail(error_from<P>(std::move(thrown)));
  }

  void wait() noexcept {
    tick const next = beat_.after(pause_.now());
    number_ = next.number;
    pause_.start(next.when);
  }

  beat beat_;
  std::uint64_t number_ = 0;
  std::optional<F> f_;
  pause<P, ticking> pause_;
};

}  // namespace settle::inline v0::detail

#endif
