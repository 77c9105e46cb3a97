// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_FRAME_HPP
#define SETTLE_DETAIL_FRAME_HPP

#include <cstdint>
#include <utility>

#include "exceptions.hpp"
#include "hook.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// A thread running queued user code. `home` stands for the executor it runs for; null: only inline work so far.
template <class C>
struct drain {
  work_queue queue;
  state_base<C>* home = nullptr;  // referenced while it stands here
};

/// A producer that has claimed and whose value's move may yet throw. Rivals wait for it; that move itself must not.
template <class C>
class deciding {
 public:
  explicit deciding(state_base<C>& s) noexcept;
  deciding(deciding&&) = delete;
  ~deciding();
  /// Whether this thread is inside the move of that operation's value.
  static bool here(state_base<C>& s) noexcept;

 private:
  state_base<C>& state_;
  deciding* outer_;
};

/// What one thread is in the middle of. Zero is a valid, idle frame.
template <class C>
struct frame {
  work_queue structure;            // states whose structural part is to be walked
  hook<C>* parked = nullptr;       // links whose child is to be walked, but stands in another queue
  work_queue outbox;               // user code that the structural part made ready
  work_queue deferred;             // user code for other executors, met inside somebody's execute()
  drain<C>* current = nullptr;     // the drain this thread is in; null, and draining: its own
  work_queue* refused = nullptr;   // inside an executor's execute(): what it destroys instead of keeping it
  deciding<C>* decides = nullptr;  // the innermost producer of this thread whose value is being moved
  state_base<C>* fed = nullptr;    // whose only input is being fed: no one else touches its observers
  std::uint32_t at = 0;            // what is under way further up; written whole, so that looking need not wait
  bool submitting = false;
  drain<C> own;  // for what runs here at once

  static constexpr std::uint32_t walks = 1;   // the structural part
  static constexpr std::uint32_t drains = 2;  // user code

  /// Nobody further up is at it.
  bool is_free() const noexcept { return at == 0; }
  /// Nothing that the structural part has to walk, or made ready.
  bool nothing_left() const noexcept { return structure.empty() && parked == nullptr && outbox.empty(); }
  drain<C>& in() noexcept { return current == nullptr ? own : *current; }

  static frame& here() noexcept { return C::sync::template per_thread<frame>(); }
};

template <class C>
deciding<C>::deciding(state_base<C>& s) noexcept : state_(s), outer_(std::exchange(frame<C>::here().decides, this)) {}
template <class C>
deciding<C>::~deciding() {
  frame<C>::here().decides = outer_;
}
template <class C>
bool deciding<C>::here(state_base<C>& s) noexcept {
  deciding const* d = frame<C>::here().decides;
  while (d != nullptr && &d->state_ != &s) d = d->outer_;
  return d != nullptr;
}

/// The work handed to an executor. Run once it drains what it carries; destroyed without having run it loses nothing:
/// what is left runs on the destroying thread.
template <class C>
class submission {
 public:
  explicit submission(work_queue q) noexcept : items_(q) {}
  submission(submission&& o) noexcept : items_(std::exchange(o.items_, work_queue{})) {}
  submission& operator=(submission&&) = delete;
  ~submission() {
    if (!items_.empty()) dispatcher<C>::run_lost(std::exchange(items_, work_queue{}));
  }
  void operator()() {
    if (!items_.empty()) dispatcher<C>::run_submitted(std::exchange(items_, work_queue{}));
  }
  /// One by one, to an executor that takes nodes. One that `submit` throws at is still ours.
  template <class F>
  void each(F submit) {
    while (!items_.empty()) {
      work* const w = items_.pop();
      with_undo([&] { submit(static_cast<basic_work_node<C>&>(*w)); }, [&] { items_.push_front(w); });
    }
  }

 private:
  work_queue items_;
};

}  // namespace settle::inline v0::detail

#endif
