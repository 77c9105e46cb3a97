// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_REGISTRATION_HPP
#define SETTLE_REGISTRATION_HPP

#include <utility>

#include "detail/engine.hpp"
#include "detail/hook.hpp"
#include "fwd.hpp"

namespace settle::inline v0 {

/// A hook that was registered and may be taken back until it starts. Dropping it keeps the hook.
///
/// May outlive the operation. Move-only; one thread at a time; `withdraw` may race with anything the operation does.
/// Cost: dropping one is one atomic operation, withdrawing a few.
///
/// ```cpp
/// settle::registration r = op.on_cancel([&] { socket.close(); });
/// if (r.withdraw()) use(socket);  // it never ran, and never will
/// ```
template <class C>
class basic_registration {
 public:
  basic_registration() noexcept = default;
  /// The source is empty afterwards.
  basic_registration(basic_registration&& o) noexcept : hook_(std::exchange(o.hook_, nullptr)) {}
  /// The hook it stood for before is kept, as by the destructor.
  basic_registration& operator=(basic_registration&& o) noexcept {
    basic_registration gone(std::move(*this));
    hook_ = std::exchange(o.hook_, nullptr);
    return *this;
  }
  ~basic_registration() {
    if (hook_ != nullptr) let_go();
  }

  /// True while it stands for a hook, run or not.
  explicit operator bool() const noexcept { return hook_ != nullptr; }

  /// True: the hook did not start and never will; its closure is destroyed on the operation's executor.
  /// False: it started, or there is none. Empty afterwards.
  bool withdraw() noexcept {
    if (hook_ == nullptr) return false;
    detail::claim expected = detail::claim::kept;
    if (!hook_->claimed.compare_exchange_strong(expected, detail::claim::withdrawing, std::memory_order_acq_rel,
                                                std::memory_order_acquire)) {
      let_go();
      return false;
    }
    // From here to the last store the sequence waits for us, so the operation cannot go away.
    detail::hook<C>& h = *std::exchange(hook_, nullptr);
    detail::state_base<C>& s = *h.owner;
    std::uint32_t const w = s.lock();
    bool const on_ring = !h.taken && (waits_for_release(h) ? !s.is_released() : (w & detail::word::settled) == 0);
    if (!on_ring) {
      s.unlock(w);
      h.claimed.store(detail::claim::withdrawn, std::memory_order_release);
      return true;
    }
    s.add_ref();  // before the hook is off its ring: a releaser that finds nothing to tell must find this
    take_off(s, h);
    s.unlock(w);
    h.claimed.store(detail::claim::unkept, std::memory_order_relaxed);
    h.mute = true;
    h.holds = false;
    detail::engine<C>::post(h);
    return true;
  }

 private:
  template <class>
  friend class basic_operation;
  template <class>
  friend class resolver;
  template <class>
  friend class handle;
  template <class>
  friend class watcher;
  template <class>
  friend class detail::released_wait;
  friend struct detail::state_access;

  explicit basic_registration(detail::hook<C>* h) noexcept : hook_(h) {}

  static bool waits_for_release(detail::hook<C> const& h) noexcept {
    return h.kind == detail::hook_kind::released || h.kind == detail::hook_kind::waiting;
  }

  static void take_off(detail::state_base<C>& s, detail::hook<C>& h) noexcept {
    using ring = detail::ring<C>;
    if (h.kind == detail::hook_kind::cancel || waits_for_release(h))
      s.lasting.store(ring::remove(s.lasting.load(std::memory_order_relaxed), &h), std::memory_order_release);
    else s.observers(ring::remove(s.observers(), &h));
  }

  void let_go() noexcept {
    detail::hook<C>& h = *std::exchange(hook_, nullptr);
    if (h.claimed.exchange(detail::claim::unkept, std::memory_order_acq_rel) != detail::claim::finished) return;
    detail::state_base<C>& s = *h.owner;
    s.free_hook(h, *h.type);
    s.drop_ref();
  }

  detail::hook<C>* hook_ = nullptr;
};

}  // namespace settle::inline v0

#endif
