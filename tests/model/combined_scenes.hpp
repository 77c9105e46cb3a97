// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_COMBINED_SCENES_HPP
#define SETTLE_TESTS_MODEL_COMBINED_SCENES_HPP

#include <settle/settle.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "situations.hpp"
#include "sweep_world.hpp"

// What combinators do, for the fault sweeps.
namespace sweep {

/// all, race and any of operations that are adopted, a step after each.
template <class Place>
void combined(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s[6] = {subject<P>(w.get_executor()), subject<P>(w.get_executor()), subject<P>(w.get_executor()),
                     subject<P>(w.get_executor()), subject<P>(w.get_executor()), subject<P>(w.get_executor())};
  for (auto& x : s) w.cleanup(x.op);
  auto both = settle::then(settle::all(std::move(s[0].h), std::move(s[1].h)), [](auto&&...) {
    trouble::user_call();
    return 1;
  });
  auto first = settle::then(settle::race(std::move(s[2].h), std::move(s[3].h)), [](auto&&...) {
    trouble::user_call();
    return 2;
  });
  auto good = settle::any(std::move(s[4].h), std::move(s[5].h));
  w.done_quietly(both);
  w.done_quietly(first);
  w.done_quietly(good);
  w.ending([&] {
    for (auto& x : s) x.r.complete(4);
  });
}

/// What a result only watches, asked to cancel or not; on another executor.
template <class Place>
void watched(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s[5] = {subject<P>(w.get_executor()), subject<P>(w.get_executor()), subject<P>(w.get_executor()), subject<P>(w.get_executor()),
                     subject<P>(w.get_executor())};
  for (auto& x : s) w.cleanup(x.op);
  auto outcomes = settle::all_settled(s[0].h.watch(), std::move(s[1].h));
  auto first = settle::race(s[2].h.watch(), std::move(s[3].h));
  auto last = settle::finally(s[0].h.watch(), [](settle::ending) { trouble::user_call(); });
  auto elsewhere = settle::via(s[2].h.watch(), settle::inline_executor());
  w.done_quietly(outcomes);
  w.done_quietly(first);
  w.done_quietly(last);
  w.done_quietly(elsewhere);
  s[4].op.on_done([one = settle::operation(first), other = settle::operation(last)] {
    one.request_cancel();
    other.request_cancel();
  });
  w.ending([&] {
    s[4].r.complete(5);
    w.place.run();
    for (auto& x : s)
      if (x.r) x.r.complete(5);
  });
}

/// Two handles, given to a combinator by the function that it calls.
template <class P>
struct two {
  std::array<settle::handle<P>, 2> handles;
  settle::handle<P> operator()(std::size_t n) {
    trouble::user_call();
    return std::move(handles[n]);
  }
};

/// Combinators that call for their inputs: the first one fails, or yields what the second is for. (What they make takes memory.)
template <class Place>
void one_after_the_other(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  subject<P> s[8] = {subject<P>(w.get_executor()), subject<P>(w.get_executor()), subject<P>(w.get_executor()),
                     subject<P>(w.get_executor()), subject<P>(w.get_executor()), subject<P>(w.get_executor()),
                     subject<P>(w.get_executor()), subject<P>(w.get_executor())};
  for (auto& x : s) w.cleanup(x.op);
  auto use = [h = std::move(s[1].h)](int&) mutable {
    trouble::user_call();
    return std::move(h);
  };
  auto give = [h = std::move(s[0].h)]() mutable { return std::move(h); };
  auto held = settle::bracket(std::move(give), std::move(use), [](int) { trouble::user_call(); });
  auto tried = settle::retry(settle::backoff::none(2), two<P>{{std::move(s[2].h), std::move(s[3].h)}});
  std::array<std::size_t, 2> const items{0, 1};
  auto hedged = settle::hedge(std::chrono::hours(1), items, two<P>{{std::move(s[4].h), std::move(s[5].h)}});
  auto mapped = settle::map_concurrent(items, 1, two<P>{{std::move(s[6].h), std::move(s[7].h)}});
  w.done_quietly(held);
  w.done_quietly(tried);
  w.done_quietly(hedged);
  w.done_quietly(mapped);
  for (std::size_t const i : {0U, 1U, 6U, 7U}) s[i].r.complete(6);
  for (std::size_t const i : {2U, 4U}) s[i].r.fail(settle::errc::closed);
  for (std::size_t const i : {3U, 5U}) s[i].r.complete(7);
}

/// Timers beside the executor. What waits for one lets go before they do.
template <class Place>
struct timed_place {
  Place& place;
  settle::timer_wheel wheel{};

  explicit timed_place(Place& p) : place(p) {}
  timed_place(timed_place&&) = delete;
  ~timed_place() { place.run(); }
};

/// One input comes in time, one too late, one is watched and its result is asked to cancel. The results need nothing of the
/// executor: what that loses is the inputs'.
template <class Place>
void in_time(world<Place>& w) {
  using P = swept<int, typename Place::executor>;
  timed_place<Place> timed(w.place);
  subject<P> s[3] = {subject<P>(w.get_executor()), subject<P>(w.get_executor()), subject<P>(w.get_executor())};
  for (auto& x : s) w.cleanup(x.op);
  auto early = settle::within(settle::via(std::move(s[0].h), settle::inline_executor()), std::chrono::hours(1), timed.wheel);
  auto late = settle::within(settle::via(std::move(s[1].h), settle::inline_executor()), std::chrono::hours(-1), timed.wheel);
  auto anywhere = settle::via(std::move(s[2].h), settle::inline_executor());
  auto asked = settle::within(anywhere.watch(), std::chrono::hours(1), timed.wheel);
  w.done_quietly(early);
  w.done_quietly(late);
  w.done_quietly(asked);
  asked.request_cancel();
  w.ending([&] {
    for (auto& x : s) x.r.complete(8);
  });
}

}  // namespace sweep

#endif
