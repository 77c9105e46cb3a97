// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_TIMER_SERVICE_HPP
#define SETTLE_POLICY_TIMER_SERVICE_HPP

#include <chrono>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace settle::inline v0 {

/// How a started timer ended.
enum class timer_end : std::uint8_t {
  fired,    ///< its time has come
  stopped,  ///< stop() came first, and the service has let go of it
  lost,     ///< its service or executor is gone: this is whichever thread destroyed it
};

/// What a timer calls when it ends: a function and its context, two pointers. Never throws.
///
/// ```cpp
/// struct nap {
///   void over(settle::timer_end how) noexcept;
///   settle::timer_done done() noexcept { return settle::timer_done::to<&nap::over>(*this); }
/// };
/// ```
class timer_done {
 public:
  /// What is called.
  using function = void (*)(void* context, timer_end how) noexcept;

  constexpr timer_done() noexcept = default;
  /// Calls `call(context, how)`.
  constexpr timer_done(function call, void* context) noexcept : call_(call), context_(context) {}

  /// Calls `(self.*Member)(how)`; keeps a reference.
  template <auto Member, class T>
  static constexpr timer_done to(T& self) noexcept {
    return {[](void* at, timer_end how) noexcept { (static_cast<T*>(at)->*Member)(how); }, &self};
  }

  /// There is something to call.
  constexpr explicit operator bool() const noexcept { return call_ != nullptr; }
  /// Calls it. Precondition: not empty.
  void operator()(timer_end how) const noexcept { call_(context_, how); }

 private:
  function call_ = nullptr;
  void* context_ = nullptr;
};

/// Where deadlines come from. A timer is an object inside the operation that waits, in its state or in a block it owns;
/// the service (or a reference to it) is what `executor_traits<Ex>::timers(ex)` yields.
///
/// | expression | what it does |
/// |---|---|
/// | `typename S::timer` | a timer; neither copied nor moved |
/// | `S::timer t(s)`, `noexcept` | makes one that is not started; allocates nothing |
/// | `s.now()`, `noexcept`, a `std::chrono::steady_clock::time_point` | the clock that `start` is measured by; virtual in a simulation |
/// | `t.start(when, done)`, `noexcept`, a `bool` | once. True: `done` is called exactly once. False: no memory or no timers; it never will
/// be | | `t.stop()`, `noexcept`, `void` | asks it to let go soon; nothing when it ended, was never started, or was asked already |
///
/// The call of `done`: on the executor whose timer it is, never inside `start` or `stop`, not before `when` with
/// `timer_end::fired`; after `stop`, `stopped`, or `fired` when that was on its way. An executor or service that goes down
/// says `lost`, on the thread that destroys it. Once `done` is called the service has let go: it touches the timer no
/// more, and `done` may destroy it. Until then it must not be destroyed: that is all there is to closing one, no timer is
/// ever closed by anything but itself.
///
/// Threads: `start` by whoever made the timer; `stop` from any thread the service allows (each says which), not beside
/// `start`. `when` may be past (it fires soon) or time_point::max() (it never does).
///
/// Shipped: an Asio executor's (settle/asio/timers.hpp), timer_wheel (settle/time/timer_wheel.hpp) for pools and loops,
/// and the simulation's. Starting allocates nothing with the wheel and in the simulation; what Asio's does is said there.
template <class S>
concept timer_service = std::is_nothrow_constructible_v<typename S::timer, S&> &&
                        requires(S const& s, typename S::timer& t, std::chrono::steady_clock::time_point when, timer_done done) {
                          { s.now() } noexcept -> std::same_as<std::chrono::steady_clock::time_point>;
                          { t.start(when, done) } noexcept -> std::same_as<bool>;
                          { t.stop() } noexcept -> std::same_as<void>;
                        };

/// The null object: an executor without timers. Nothing starts; whoever asked fails with errc::no_timers.
struct no_timers {
  /// Never starts.
  class timer {
   public:
    /// Takes nothing from it.
    explicit timer(no_timers const&) noexcept {}
    timer(timer&&) = delete;
    /// False: there are no timers.
    static bool start(std::chrono::steady_clock::time_point, timer_done) noexcept { return false; }
    /// Nothing to stop.
    static void stop() noexcept {}
  };

  /// The steady clock.
  static std::chrono::steady_clock::time_point now() noexcept { return std::chrono::steady_clock::now(); }
};

}  // namespace settle::inline v0

#endif
