// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_MODEL_SETTINGS_HPP
#define SETTLE_TESTS_MODEL_SETTINGS_HPP

#include <settle/settle.hpp>

#include <chrono>
#include <cstddef>
#include <utility>

#include "loop_with_timers.hpp"
#include "situations.hpp"

// Policies and places in which the acts are played.
namespace model {

/// The everyday policy: no monitor, so that the library takes its short cuts.
struct short_cuts : settle::default_policy {
  using value_type = int;
  using allocator_type = test::counting_allocator<std::byte>;
  using error_sink = test::recording_sink;
};
/// All that can be told apart is: a queue, values with a destructor, a monitor.
struct long_way : test::counted<test::tracked, test::loop_with_timers::executor> {};
/// The same with values that can be copied, and so watched by combinators.
struct copied : test::tracked {
  using test::tracked::tracked;
  copied(copied&&) = default;
  copied(copied const& o) noexcept : tracked(o.value) {}
  copied& operator=(copied&&) = default;
};
struct watched_way : test::counted<copied, test::loop_with_timers::executor> {};

inline constexpr std::chrono::milliseconds a_while(10);

/// Runs at once. Its executor has no timers; they are a service beside it.
struct at_once {
  static constexpr bool queued = false;
  test::loop_with_timers clock;
  test::loop_with_timers::service service{clock};

  settle::inline_executor get_executor() const noexcept { return {}; }
  void run() { clock.run_all(); }
  void rest() {
    if (clock.made() != 0) run();
  }
  void pass_time() {
    if (clock.made() != 0) clock.advance(a_while);
  }
  template <class H>
  auto within(H&& h) {
    return settle::within(std::forward<H>(h), a_while, service);
  }
  settle::backoff attempts() const noexcept { return settle::backoff::none(2); }
};
/// Queued, and run by the acts; its executor has timers.
struct in_a_loop {
  static constexpr bool queued = true;
  test::loop_with_timers loop;

  test::loop_with_timers::executor get_executor() noexcept { return loop.get_executor(); }
  void run() { loop.run_all(); }
  void rest() {}
  void pass_time() {
    run();
    if (loop.made() != 0) loop.advance(a_while);
  }
  template <class H>
  auto within(H&& h) {
    return settle::within(std::forward<H>(h), a_while);
  }
  settle::backoff attempts() const noexcept { return settle::backoff::constant(a_while, 2); }
};

}  // namespace model

#endif
