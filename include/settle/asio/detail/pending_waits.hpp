// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_ASIO_DETAIL_PENDING_WAITS_HPP
#define SETTLE_ASIO_DETAIL_PENDING_WAITS_HPP

#include <asio/execution_context.hpp>
#include <mutex>
#include <thread>

#include "../../operation.hpp"
#include "../../registration.hpp"

namespace settle::inline v0::detail {

/// A wait whose handler belongs to an execution context. What it waits for lives elsewhere, so the context must be able to end
/// it when it goes down first.
class asio_pending_wait {
 public:
  asio_pending_wait() noexcept = default;
  asio_pending_wait(asio_pending_wait&&) = delete;

 protected:
  ~asio_pending_wait() = default;

  registration released_;  // of what completes it

 private:
  friend class asio_pending_waits;

  /// The context goes down, and nothing else will touch this any more.
  virtual void lost() noexcept = 0;

  asio_pending_wait* next_ = nullptr;
  asio_pending_wait* prev_ = nullptr;
};

/// All such waits of a context, a service of it.
class asio_pending_waits final : public ::asio::execution_context::service {
 public:
  using key_type = asio_pending_waits;
  static inline ::asio::execution_context::id id;

  explicit asio_pending_waits(::asio::execution_context& c) : service(c) {}

  void add(asio_pending_wait& w) noexcept {
    std::lock_guard const guard(mutex_);
    w.next_ = first_;
    if (first_ != nullptr) first_->prev_ = &w;
    first_ = &w;
  }
  /// Takes it off and destroys it. The context may be gone right afterwards.
  template <class Destroy>
  void remove(asio_pending_wait& w, Destroy destroy) noexcept {
    std::lock_guard const guard(mutex_);
    unlink(w);
    destroy();
  }

 private:
  void unlink(asio_pending_wait& w) noexcept {
    (w.prev_ != nullptr ? w.prev_->next_ : first_) = w.next_;
    if (w.next_ != nullptr) w.next_->prev_ = w.prev_;
  }

  /// Each is withdrawn, or is about to be removed by whoever completes it.
  void shutdown() override {
    for (asio_pending_wait* w = nullptr; any(w); std::this_thread::yield())
      if (w != nullptr) w->lost();
  }
  /// False: none is left. Null: the first is being completed.
  bool any(asio_pending_wait*& w) noexcept {
    std::lock_guard const guard(mutex_);
    w = first_;
    if (w == nullptr) return false;
    if (w->released_.withdraw()) unlink(*w);
    else w = nullptr;
    return true;
  }

  std::recursive_mutex mutex_;  // what is destroyed under it may be a handler
  asio_pending_wait* first_ = nullptr;
};

}  // namespace settle::inline v0::detail

#endif
