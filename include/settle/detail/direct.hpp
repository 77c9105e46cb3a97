// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_DIRECT_HPP
#define SETTLE_DETAIL_DIRECT_HPP

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "async_cleanup.hpp"
#include "cell.hpp"
#include "closures.hpp"
#include "dispatcher.hpp"
#include "frame.hpp"
#include "releaser.hpp"
#include "sequence.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// The short way through settling, for what is most common: user code may run on any thread, nobody listens, nothing is
/// under way on this thread, the operation has no children, was not asked to cancel, and nobody waits for its release.
/// It does what the engine does, in the same order, without queues; all else is left to the engine.
template <class P>
class direct {
  using traits = policy_traits<P>;
  using C = typename P::terminal;
  using state = cell<P>;
  using node = hook<C>;

 public:
  static constexpr bool possible = traits::is_inline && !traits::monitored;

  /// Nobody but the producer, and the consumer if there is one, refers to the operation: `settle_alone` will do.
  static bool is_alone(state& s) noexcept {
    std::uint64_t const c = s.counts.load(std::memory_order_acquire);
    std::uint32_t const w = s.word.load(std::memory_order_acquire);
    if ((w & ~plain_bits) != 0 || s.lasting.load(std::memory_order_relaxed) != nullptr) return false;
    return (c == count::both || ((w & word::given) != 0 && s.with_consumer())) && frame<C>::here().is_free();
  }
  /// The producer's, the payload written. Takes over its hold and reference.
  static void settle_alone(state& s, outcome_head::kind_t kind) noexcept {
    std::uint32_t const w = s.word.load(std::memory_order_relaxed);
    s.become_settled(w, outcome_access::head(s.result), kind);
    frame<C>::here().enter();
    auto* const born = s.table->born;
    if (born != nullptr) born(s, true);
    else tell_and_end(s, w, kind);
    dispatcher<C>::leave_drain(frame<C>::here());
  }

  /// A small cleanup while nobody but the producer refers to the operation, into a slot of the state. False: not so, and `f`
  /// is untouched. Throws what moving it throws.
  template <class F>
  static bool keep_in_slot(state& s, F& f) {
    using storage = typename P::cleanup;
    if constexpr (storage::may_allocate && sizeof(F) <= storage::slot_bytes && alignof(F) <= alignof(void*) && storage::inline_slots != 0 &&
                  !is_asynchronous<C, F>()) {
      std::size_t const i = s.slots_used();
      if (s.counts.load(std::memory_order_acquire) != count::both || i == storage::inline_slots || s.top_cleanup() != nullptr) return false;
      ::new (static_cast<void*>(s.slots.slots[i].bytes)) F(std::move(f));
      s.slots.slots[i].type = &cleanup_closure<C, F>::type;
      s.slots_used(i + 1);
      return true;
    }
    return false;
  }

  /// The second half for a state that nobody else refers to, all observers and a consumer being told: the cleanups, then
  /// `destroy()` what is left.
  template <class Destroy>
  static void end_alone(state& s, Destroy destroy) noexcept {
    if (!has_cleanups(s) || released(s)) destroy();
  }

 private:
  static constexpr std::uint32_t plain_bits = word::handled | word::owned | word::given | word::watched;

  // From here on nobody else refers to the operation, and nobody can: no atomic operation, and no trace of the steps.

  [[gnu::noinline]] static void tell_and_end(state& s, std::uint32_t w, outcome_head::kind_t kind) noexcept {
    tell(s, w);
    if (!has_cleanups(s) || released_here(s)) finish(s, kind);
  }
  /// Observers are `kept`, or refer to the operation: what stands on the ring is the consumer, if there is one.
  static void tell(state& s, std::uint32_t w) noexcept {
    while (node* const first = s.observers()) {
      s.observers(ring<C>::remove(first, first));
      run_only(s, *first);
    }
    if constexpr (!state::value_dies_quietly)
      if ((w & word::given) == 0) s.table->dispose(s);
  }
  /// Nobody kept it, nobody withdraws it: a block of the operation's.
  static void run_only(state& s, node& h) noexcept {
    s.seen.store(true, std::memory_order_relaxed);
    hook_type<C> const& type = *h.type;
    type.run(h, hook_action::invoke);
    byte_source<typename P::allocator_type>::deallocate(s.allocator, &h, type.size, type.align);
  }

  /// The cleanups in the state's slots, none of which is asynchronous. False: there is more to do than that, and whoever does
  /// it goes on with the release.
  [[gnu::noinline]] static bool released(state& s) noexcept { return released_here(s); }
  [[gnu::always_inline]] static bool released_here(state& s) noexcept {
    s.counts.store(count::both | count::releasing, std::memory_order_relaxed);
    if constexpr (P::cleanup::may_allocate && P::cleanup::inline_slots != 0) {
      for (std::size_t i = s.top_cleanup() == nullptr ? s.slots_used() : 0; i != 0;) {
        auto& slot = s.slots.slots[--i];
        s.slots_used(i);
        slot.type->run(slot.bytes, s);
      }
    }
    if (!has_cleanups(s)) return true;
    engine<C>::release(s);
    return false;
  }
  static bool has_cleanups(state& s) noexcept { return s.slots_used() != 0 || s.top_cleanup() != nullptr; }
  static void finish(state& s, outcome_head::kind_t kind) noexcept {
    if (kind != outcome_head::value) s.end();
    else s.table->destroy(s);
  }
};

}  // namespace settle::inline v0::detail

#endif
