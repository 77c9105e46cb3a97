// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_TIMERS_HPP
#define SETTLE_DETAIL_TIMERS_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "../policy/executor.hpp"
#include "../policy/timer_service.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

inline std::chrono::steady_clock::time_point later(std::chrono::steady_clock::time_point now, std::chrono::nanoseconds d) noexcept {
  using time_point = std::chrono::steady_clock::time_point;
  auto const step = std::chrono::duration_cast<time_point::duration>(d);
  return step > time_point::duration::zero() && now > time_point::max() - step ? time_point::max() : now + step;
}

/// An executor's timers without their type. `at` is room for one; the executor is that of the state it is asked of.
template <class C>
struct timer_functions {
  std::size_t size;
  std::size_t align;
  std::chrono::steady_clock::time_point (*now)(state_base<C>&) noexcept;
  bool (*start)(state_base<C>&, void* at, std::chrono::milliseconds, timer_done) noexcept;                 // false: nothing was made
  bool (*start_at)(state_base<C>&, void* at, std::chrono::steady_clock::time_point, timer_done) noexcept;  // likewise
  void (*stop)(void* timer) noexcept;
  void (*destroy)(void* timer) noexcept;
};

/// The timers of an operation's executor; null when it has none, or when nobody knows yet which executor that will be.
template <class C>
timer_functions<C> const* timers_at_home(state_base<C>& s) noexcept {
  state_base<C>* const provider = s.is(word::cold) ? nullptr : s.home().provider;
  return provider == nullptr ? nullptr : provider->table->timers;
}

/// The clock that an operation's deadlines are measured by.
template <class C>
std::chrono::steady_clock::time_point time_at_home(state_base<C>& s) noexcept {
  timer_functions<C> const* const timers = timers_at_home(s);
  return timers == nullptr ? std::chrono::steady_clock::now() : timers->now(*s.home().provider);
}

/// `Home` says where an executor of type Ex stands in a state.
template <class C, class Ex, Ex const& (*Home)(state_base<C>&) noexcept>
struct typed_timers {
  using timer = timer_of<Ex>;

  static std::chrono::steady_clock::time_point now(state_base<C>& s) noexcept { return timers_of(Home(s)).now(); }

  static bool start(state_base<C>& s, void* at, std::chrono::milliseconds after, timer_done done) noexcept {
    auto const t0 = now(s);
    using std::chrono::milliseconds;  // the longest would not fit into a finer unit
    if (after >= std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::time_point::max() - t0)) return false;  // never
    return start_at(s, at, t0 + after, done);
  }
  static bool start_at(state_base<C>& s, void* at, std::chrono::steady_clock::time_point when, timer_done done) noexcept {
    auto&& service = timers_of(Home(s));
    auto* const t = ::new (at) timer(service);
    if (t->start(when, done)) return true;
    std::destroy_at(t);
    return false;
  }
  static void stop(void* t) noexcept { static_cast<timer*>(t)->stop(); }
  static void destroy(void* t) noexcept { std::destroy_at(static_cast<timer*>(t)); }

  static constexpr timer_functions<C> functions{sizeof(timer), alignof(timer), &now, &start, &start_at, &stop, &destroy};
};

/// Null: no timers.
template <class C, class Ex, Ex const& (*Home)(state_base<C>&) noexcept>
consteval timer_functions<C> const* timer_functions_of() {
  if constexpr (has_timers<Ex>) return &typed_timers<C, Ex, Home>::functions;
  else return nullptr;
}

/// The deadline of an asynchronous cleanup. Its memory is taken when the cleanup is registered; a policy whose cleanups
/// never allocate has none.
template <class C>
class budget_timer {
  using state = state_base<C>;

 public:
  budget_timer() noexcept = default;
  budget_timer(budget_timer&&) = delete;

  /// False: no memory.
  bool make_room(state& owner) noexcept {
    timers_ = owner.cleanup_may_allocate() ? timers_at_home(owner) : nullptr;
    if (timers_ == nullptr) return true;
    at_ = owner.allocate(timers_->size, timers_->align);
    return at_ != nullptr;
  }
  void give_room_back(state& owner) noexcept {
    if (at_ == nullptr) return;
    if (started_) timers_->destroy(at_);
    owner.deallocate(at_, timers_->size, timers_->align);
  }

  void start(state& owner, std::chrono::milliseconds budget, timer_done done) noexcept {
    if (at_ == nullptr) return;
    started_ = true;  // once it runs, we may be gone
    if (!timers_->start(*owner.home().provider, at_, budget, done)) started_ = false;
  }
  bool is_started() const noexcept { return started_; }

  /// True: it has not let go yet, and whoever calls `ended` goes on; nothing of this may be touched then.
  bool stop() noexcept {
    if (!started_) return false;
    timers_->stop(at_);
    return (flags_.fetch_or(waited_for, std::memory_order_acq_rel) & has_ended) == 0;
  }
  /// It has let go. True: somebody waits for that.
  bool ended() noexcept { return (flags_.fetch_or(has_ended, std::memory_order_acq_rel) & waited_for) != 0; }

 private:
  static constexpr std::uint8_t waited_for = 1;
  static constexpr std::uint8_t has_ended = 2;

  timer_functions<C> const* timers_ = nullptr;
  void* at_ = nullptr;
  bool started_ = false;
  typename C::sync::template atomic<std::uint8_t> flags_{0};
};

}  // namespace settle::inline v0::detail

#endif
