// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SCOPE_BELL_HPP
#define SETTLE_SCOPE_BELL_HPP

#include <cstdint>
#include <optional>
#include <utility>

#include "../handle.hpp"
#include "../resolver.hpp"

namespace settle::inline v0::detail {

/// Wakes the one that waits for it: rung by any thread, as often as one likes. Rung while nobody waits, the next wait is over
/// at once.
template <class C, class Ex>
class bell {
  using P = plain<void, error, Ex, C>;

 public:
  bell() noexcept = default;
  bell(bell&&) = delete;

  void ring() noexcept {
    // Also where it is rung already: what this thread did before is then seen by whoever takes that ring, in wait().
    std::uint8_t s = state_.load(std::memory_order_relaxed);
    while (!state_.compare_exchange_weak(s, s == waiting ? idle : rung, std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
    if (s == waiting) {
      resolver<P> mine = std::move(*wake_);  // it may wait again before we return
      mine.complete();
    }
  }
  /// By one at a time. Asked to cancel, the wait is over as well. Throws std::bad_alloc.
  handle_of<void, error, C> wait(Ex ex) {
    resolver<P> r(std::move(ex));
    handle<P> h = r.get_handle();
    r.on_cancel([this] { stop(); });
    wake_.emplace(std::move(r));
    std::uint8_t s = idle;
    if (!state_.compare_exchange_strong(s, waiting, std::memory_order_acq_rel, std::memory_order_relaxed)) {
      state_.exchange(idle, std::memory_order_acq_rel);
      wake_->complete();
    }
    return h;
  }

 private:
  enum : std::uint8_t { idle, waiting, rung };

  void stop() noexcept {
    std::uint8_t s = waiting;
    if (!state_.compare_exchange_strong(s, idle, std::memory_order_acq_rel, std::memory_order_acquire)) return;
    resolver<P> mine = std::move(*wake_);
    mine.cancel();
  }

  typename C::sync::template atomic<std::uint8_t> state_{idle};
  std::optional<resolver<P>> wake_;
};

}  // namespace settle::inline v0::detail

#endif
