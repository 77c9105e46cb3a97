// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_DIRECT_HPP
#define SETTLE_DETAIL_DIRECT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>
#include <utility>

#include "async_cleanup.hpp"
#include "cell.hpp"
#include "closures.hpp"
#include "dispatcher.hpp"
#include "frame.hpp"
#include "look.hpp"
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
  /// Two references of which one is the consumer's are all only when it was given away before they were counted; what
  /// others did before they let go stands in the word that is read after that.
  static bool is_alone(state& s) noexcept {
    bool const given = s.is(word::given);
    std::uint64_t const c =
        look(s.counts, std::memory_order_acquire, [](std::uint64_t v) { return std::min(v, count::both + 2 * count::ref); });
    bool const others_matter = has(s.word, ~plain_bits, std::memory_order_acquire);
    return !others_matter && (c == count::both || (given && c == count::both + count::ref)) && frame<C>::here().is_free();
  }
  /// The producer's, the payload written. Takes over its hold and reference.
  static void settle_alone(state& s, outcome_head::kind_t kind) noexcept {
    frame<C>& f = frame<C>::here();
    std::uint32_t const w = s.word.load(std::memory_order_relaxed);
    s.become_settled(w, outcome_access::head(s.result), kind);
    f.at = frame<C>::drains;
    auto* const born = s.table->born_alone;
    if (born != nullptr) born(s);
    else tell_and_end(s);
    dispatcher<C>::leave_drain(f);
  }

  /// The producer's, the payload written, where others refer to the operation too. True: it won, and its hold and reference
  /// are the sequence's.
  [[gnu::always_inline]] static bool settle_among_others(state& s, outcome_head::kind_t kind) noexcept {
    frame<C>& f = frame<C>::here();
    if (!f.is_free() || !f.outbox.empty() || s.table->born != nullptr) return engine<C>::settle(s, kind, s.sole());
    std::uint32_t const w = s.lock();
    if ((w & ~(plain_bits | word::kept)) != 0) return engine<C>::settle_if_pending(s, w, kind);
    bool const nothing_first = s.observers() == nullptr && (kind != outcome_head::value || !s.may_dispose());
    s.become_settled(nothing_first ? w | word::offered : w, outcome_access::head(s.result), kind);
    f.at = frame<C>::drains;
    sequence<C>::run_plain(s);
    dispatcher<C>::leave_drain(f);
    return true;
  }

  /// A small cleanup while nobody but the producer refers to the operation, into a slot of the state. False: not so, and `f`
  /// is untouched.
  template <class F>
  [[gnu::always_inline]] static bool keep_in_slot(state& s, F& f) noexcept {
    using storage = typename P::cleanup;
    if constexpr (storage::may_allocate && sizeof(F) <= storage::slot_bytes && alignof(F) <= alignof(void*) && storage::inline_slots != 0 &&
                  std::is_nothrow_move_constructible_v<F> && !is_asynchronous<C, F>()) {
      std::size_t const i = s.slots_used();
      if (!equals(s.counts, count::both, std::memory_order_acquire) || i == storage::inline_slots || s.has_top_cleanup()) return false;
      ::new (static_cast<void*>(s.slots.slots[i].bytes)) F(std::move(f));
      s.slots.slots[i].type = &cleanup_closure<C, F>::type;
      s.slots_used(i + 1);
      return true;
    }
    return false;
  }

  /// The second half for a state that nobody else refers to, all being told: the cleanups in its slots, none of which is
  /// asynchronous. True: what is left is to be destroyed. False: in fixed storage one may be; whoever runs it
  /// goes on with the release.
  [[gnu::always_inline]] static bool run_slots(state& s) noexcept {
    if constexpr (P::cleanup::may_allocate) {
      if constexpr (P::cleanup::inline_slots != 0) {
        for (std::size_t i = s.slots_used(); i != 0;) {  // nobody looks any more how many are left
          auto& slot = s.slots.slots[--i];
          slot.type->run(slot.bytes, s);
        }
      }
      return true;
    } else {
      s.counts.store(count::both | count::releasing, std::memory_order_relaxed);
      engine<C>::release(s);
      return false;
    }
  }

 private:
  static constexpr std::uint32_t plain_bits = word::handled | word::owned | word::given | word::watched;

  // From here on nobody else refers to the operation, and nobody can: no atomic operation, and no trace of the steps.

  [[gnu::noinline]] static void tell_and_end(state& s) noexcept {
    tell(s);
    if (s.slots_used() == 0 || run_slots(s)) finish(s);
  }
  /// Observers are `kept`, or refer to the operation: what stands on the ring is the consumer, if there is one.
  static void tell(state& s) noexcept {
    if (node* const consumer = s.observers(); consumer != nullptr) {
      s.observers(nullptr);
      run_only(s, *consumer);
    }
    if constexpr (!state::value_dies_quietly)
      if (!s.is(word::given)) s.table->dispose(s);
  }
  /// Nobody kept it, nobody withdraws it: a block of the operation's.
  static void run_only(state& s, node& h) noexcept {
    s.seen.store(true, std::memory_order_relaxed);
    hook_type<C> const& type = *h.type;
    type.run(h, hook_action::invoke);
    byte_source<typename P::allocator_type>::deallocate(s.allocator, &h, type.size, type.align);
  }

  static void finish(state& s) noexcept {
    if (s.is(word::failure)) s.end();
    else s.table->destroy(s);
  }
};

}  // namespace settle::inline v0::detail

#endif
