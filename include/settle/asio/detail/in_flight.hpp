// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_DETAIL_IN_FLIGHT_HPP
#define SETTLE_ASIO_DETAIL_IN_FLIGHT_HPP

#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>
#include <atomic>
#include <cstdint>
#include <thread>

#include "../../detail/exceptions.hpp"
#include "../../detail/state.hpp"
#include "../../fwd.hpp"
#include "../../policy/terminal.hpp"

namespace settle::inline v0::detail {

/// The signal that stops an Asio operation in flight. Owned by the operation that stands for it, so it lives while that
/// one's producer, the completion handler, does; and while a cancel observer runs.
///
/// Emitted once at most: on the operation's executor, after the initiating function has returned, before the handler runs.
class asio_in_flight {
 public:
  asio_in_flight(state_base<cas_terminal>& s, ::asio::cancellation_type type) noexcept : state_(s), type_(type) {}
  asio_in_flight(asio_in_flight&&) = delete;

  ::asio::cancellation_slot slot() noexcept { return signal_.slot(); }
  /// What will be emitted. Any thread, while something pins the operation.
  void type(::asio::cancellation_type t) noexcept { type_.store(t, std::memory_order_relaxed); }

  /// The user's slot is ours, until another operation takes it: one that was cancelled by force may still be in flight then.
  void enter_slot() noexcept { has_slot_.store(true, std::memory_order_relaxed); }
  void leave_slot() noexcept { has_slot_.store(false, std::memory_order_relaxed); }
  bool has_slot() const noexcept { return has_slot_.load(std::memory_order_relaxed); }

  /// Somebody wants it to stop: the cancel observer, on the operation's executor.
  void asked() {
    phase seen = phase::initiating;
    if (phase_.compare_exchange_strong(seen, phase::asked)) return;  // initiated() tells
    if (seen != phase::flying || state_.is(word::lost)) return;      // a context that goes down has ended it, or will
    emitter_ = std::this_thread::get_id();
    if (!phase_.compare_exchange_strong(seen, phase::emitting)) return;
    with_undo([&] { signal_.emit(type_.load(std::memory_order_relaxed)); }, [&] { emitted(); });
    emitted();
  }

  /// The initiating function has returned. True: it is in flight, somebody asked meanwhile, and asked() is due again.
  bool initiated() noexcept {
    phase seen = phase::initiating;
    if (phase_.compare_exchange_strong(seen, phase::flying)) return false;
    return seen == phase::asked && phase_.compare_exchange_strong(seen, phase::flying);
  }

  /// The handler is about to run, or to be destroyed: nothing is emitted any more, by no other thread either.
  void over() noexcept {
    phase seen = phase_.load();
    do {
      while (seen == phase::emitting && emitter_ != std::this_thread::get_id()) {
        std::this_thread::yield();
        seen = phase_.load();
      }
    } while (!phase_.compare_exchange_weak(seen, phase::over));
  }

 private:
  enum class phase : std::uint8_t { initiating, asked, flying, emitting, over };

  void emitted() noexcept {
    phase seen = phase::emitting;  // or over: the handler ran inside emit()
    phase_.compare_exchange_strong(seen, phase::flying);
  }

  state_base<cas_terminal>& state_;
  std::atomic<::asio::cancellation_type> type_;
  std::atomic<phase> phase_{phase::initiating};
  std::atomic<bool> has_slot_{false};
  std::thread::id emitter_;  // written before `emitting`
  ::asio::cancellation_signal signal_;
};

}  // namespace settle::inline v0::detail

#endif
