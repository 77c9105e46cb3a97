// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_EMBEDDED_HPP
#define SETTLE_DETAIL_EMBEDDED_HPP

#include <cstdint>
#include <utility>

#include "hook.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

template <class C>
struct embedded_hook;

/// What stands in a queue for an embedded hook that came too late for the rings: in a block of the operation's. Whoever is
/// first, the hook's owner or its turn, parts the two.
template <class C>
struct late_call {
  typename C::sync::template plain<embedded_hook<C>*> self = nullptr;  // under the lock of
  state_base<C>* state = nullptr;                                      // this

  late_call() noexcept = default;
  late_call(late_call&&) noexcept {}  // before the two know each other
  ~late_call();
  void operator()() noexcept;
};

/// A hook in memory that its owner may take away at any time. So nothing refers to it but the ring it stands on, and the
/// one who runs it: all that follows is read and written under the lock of the operation's word, which is what orders the
/// owner and the sequence.
template <class C>
struct embedded_hook : hook<C> {
  using state = state_base<C>;
  using event = typename C::sync::event;
  using thread_id = decltype(C::sync::this_thread_id());
  template <class T>
  using plain = typename C::sync::template plain<T>;

  enum phase_t : std::uint8_t {
    over,     // never registered, or through
    waiting,  // on a ring of the operation's
    due,      // on the ring of an errand that runs
    late,     // a late_call stands for it
    running,  // by `runner`
  };

  plain<phase_t> phase = over;
  plain<bool*> gone = nullptr;  // the runner's: destroyed inside itself
  plain<thread_id> runner = thread_id();
  plain<event*> waiter = nullptr;  // the owner's, while it waits for the runner
  plain<late_call<C>*> stand_in = nullptr;

  /// Runs it; called under the lock, with the hook off its ring, and gives the lock back.
  static void run(state& s, embedded_hook& h, std::uint32_t w) noexcept {
    bool gone = false;
    h.phase = running;
    h.gone = &gone;
    h.runner = C::sync::this_thread_id();
    s.unlock(w);
    if (h.kind == hook_kind::done) s.seen.store(true, std::memory_order_relaxed);
    h.type->run(h, hook_action::invoke);
    if (gone) return;
    w = s.lock();
    h.phase = over;
    event* const waiting_owner = h.waiter;
    s.unlock(w);  // from here on the owner, if it did not come to wait, may take the memory away
    if (waiting_owner != nullptr) waiting_owner->set();
  }

  /// The owner's: afterwards nobody touches the hook. Waits when another thread runs it just now.
  void leave(state& s) noexcept {
    std::uint32_t const w = s.lock();
    if (phase == running && runner != C::sync::this_thread_id()) {
      event over_there;
      waiter = &over_there;
      s.unlock(w);
      over_there.wait();
      waiter = nullptr;
      return;
    }
    if (phase == running) *static_cast<bool*>(gone) = true;
    if (phase == late) stand_in->self = nullptr;
    if (phase == due) ring<C>::remove(nullptr, this);  // the errand's own node heads that ring
    if (phase == waiting) take_off(s);
    s.unlock(w);
  }

 private:
  void take_off(state& s) noexcept {
    if (this->kind == hook_kind::cancel && !this->taken)
      s.lasting.store(ring<C>::remove(s.lasting.load(std::memory_order_relaxed), this), std::memory_order_release);
    else s.observers(ring<C>::remove(s.observers(), this));
  }
};

template <class C>
late_call<C>::~late_call() {
  if (state == nullptr) return;
  std::uint32_t const w = state->lock();
  if (self != nullptr) self->phase = embedded_hook<C>::over;  // discarded
  state->unlock(w);
}
template <class C>
void late_call<C>::operator()() noexcept {
  state_base<C>& s = *std::exchange(state, nullptr);
  std::uint32_t const w = s.lock();
  embedded_hook<C>* const hook = self;
  self = nullptr;
  if (hook != nullptr) embedded_hook<C>::run(s, *hook, w);
  else s.unlock(w);
}

}  // namespace settle::inline v0::detail

#endif
