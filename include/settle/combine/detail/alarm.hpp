// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_DETAIL_ALARM_HPP
#define SETTLE_COMBINE_DETAIL_ALARM_HPP

#include <chrono>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "../../detail/engine.hpp"
#include "../../detail/state.hpp"
#include "../../detail/timers.hpp"
#include "../../errc.hpp"
#include "../../policy/timer_service.hpp"

namespace settle::inline v0::detail {

/// A timer of a result's: one at a time, of its executor; in a block of its own, or in room that the result has for it.
/// While it stands it holds the result: whoever gets its end gives that back.
template <class C>
class alarm {
  using state = state_base<C>;

 public:
  using time_point = std::chrono::steady_clock::time_point;

  alarm() noexcept = default;
  alarm(alarm&&) = delete;

  /// How much room a result needs that is going to run where `op` does; none when that is not known yet.
  static std::size_t room_at_home(state& op) noexcept {
    timer_functions<C> const* const timers = timers_at_home(op);
    return timers == nullptr ? 0 : timers->size + timers->align - 1;
  }
  /// errc{}: there is room. Once, when the executor is known.
  errc prepare(state& result, void* room = nullptr, std::size_t bytes = 0) noexcept {
    timers_ = timers_at_home(result);
    if (timers_ == nullptr) return errc::no_timers;
    provider_ = result.home().provider;
    at_ = std::align(timers_->align, timers_->size, room, bytes);
    has_block_ = at_ == nullptr;
    if (has_block_) at_ = result.allocate(timers_->size, timers_->align);
    return at_ == nullptr ? errc::no_memory : errc{};
  }
  time_point now() const noexcept { return timers_->now(*provider_); }

  /// False: it could not be started; nothing stands.
  bool start(state& result, time_point when, timer_done done) noexcept {
    clear();
    result.add_hold();
    made_ = true;  // once it runs, we may be gone
    if (timers_->start_at(*provider_, at_, when, done)) return true;
    made_ = false;
    engine<C>::leave(result);
    return false;
  }
  /// On the executor (or wherever its timers allow), when it was started. Nothing when it is over.
  void stop() noexcept { timers_->stop(at_); }

  /// It has let go.
  void give_room_back(state& result) noexcept {
    clear();
    if (void* const at = std::exchange(at_, nullptr); at != nullptr && has_block_) result.deallocate(at, timers_->size, timers_->align);
  }

 private:
  void clear() noexcept {
    if (std::exchange(made_, false)) timers_->destroy(at_);
  }

  timer_functions<C> const* timers_ = nullptr;
  state* provider_ = nullptr;  // the result keeps it
  void* at_ = nullptr;
  bool has_block_ = false;
  bool made_ = false;
};

/// The same with a service that somebody names.
template <class C, class S>
class alarm_of {
  using state = state_base<C>;

 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit alarm_of(S& service) noexcept : service_(&service) {}
  alarm_of(alarm_of&&) = delete;

  static errc prepare(state&) noexcept { return errc{}; }
  time_point now() const noexcept { return service_->now(); }
  bool start(state& result, time_point when, timer_done done) noexcept {
    result.add_hold();
    if (timer_.emplace(*service_).start(when, done)) return true;
    engine<C>::leave(result);
    return false;
  }
  void stop() noexcept { timer_->stop(); }
  void give_room_back(state&) noexcept { timer_.reset(); }

 private:
  S* service_;
  std::optional<typename S::timer> timer_;
};

}  // namespace settle::inline v0::detail

#endif
