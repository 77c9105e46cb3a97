// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_RELEASER_HPP
#define SETTLE_DETAIL_RELEASER_HPP

#include <cstddef>
#include <cstdint>
#include <optional>

#include "frame.hpp"
#include "hook.hpp"
#include "look.hpp"
#include "lost_value.hpp"
#include "sequence.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// The second moment. Whoever gives the last hold back sets `releasing`, keeps that hold, and runs the cleanups;
/// it closes only with `late` clear and its own hold the last, so it cannot miss one that is registered beside it.
template <class C>
struct releaser {
  using state = state_base<C>;
  using node = hook<C>;

  /// Gives one hold and its reference back. False: it was the last, and the caller goes on with run(): at once (`runs_next`),
  /// or by way of a queue. What is released and may yet be queued by an owner who goes must not be in one.
  static bool drop(state& s, bool registered_late = false, bool runs_next = false) noexcept {
    std::uint64_t const mark = registered_late ? count::late : 0;
    auto const leave = [mark](std::uint64_t c) { return (c - count::both) | mark; };
    auto const beside_others = [leave](std::uint64_t c) {
      return count::holds(c) > 1 ? std::optional<std::uint64_t>(leave(c)) : std::nullopt;
    };
    std::uint64_t const adds = mark == 0 ? 0 - count::both : 0;
    std::uint64_t c = 0;
    if (update(s.counts, c, beside_others, count::last_hold, std::memory_order_acq_rel, std::memory_order_acquire, adds)) return true;
    for (;;) {
      if (count::holds(c) > 1) {
        if (change(s, c, leave)) return true;
      } else if ((c & count::releasing) != 0) {
        // The releaser went before us: the last to leave goes on, and looks at what it registered itself.
        if (mark == 0 || change(s, c, with_late)) return false;
      } else if ((c & count::late) != 0) {
        clear_late(s, c);  // before looking
      } else if (remains const left = what_remains(s); !left.user_code && !left.ties) {
        if (close(s, c)) return true;
      } else {
        bool const may_close_now = !left.user_code && !left.releasers && (runs_next || !may_be_lost(s));
        auto const goes_on = [may_close_now](std::uint64_t v) { return may_close_now ? v - count::hold : v | count::releasing; };
        if (change(s, c, goes_on)) return false;
      }
    }
  }

  /// The sequence gives its hold back, and the consumer's reference with it, in one step: without the lock when nobody came
  /// late and nobody is left to take the value, without an atomic one when nobody else refers to the operation.
  /// False: the long way.
  template <class S>
  [[gnu::always_inline]] static bool end_sequence(S& s) noexcept {
    if (s.has_listener() || (s.may_dispose() && s.table->born == nullptr && is_owned_still(s))) return false;
    std::uint64_t c = load(s.counts, std::memory_order_acquire, count::few_refs);
    std::uint32_t const w = bits_of(s.word, matters_at_end, std::memory_order_acquire);  // what others did before they let go stands there
    if (count::holds(c) != 1 || (c & count::late) != 0 || (w & (word::taker | word::releasers)) != 0) return false;
    if (s.may_dispose() && (w & (word::owned | word::watched)) == 0) s.table->dispose(s);
    std::uint64_t const consumer = (w & word::given) != 0 ? count::ref : 0;
    bool const work = has_cleanups(s);
    bool const tied = s.has_lasting();
    std::uint64_t const last = tied ? count::hold : count::both;
    auto const end = [=](std::uint64_t v) { return work ? (v - consumer) | count::releasing : v - consumer - last; };
    if (c == count::both + consumer && !tied) {
      if ((w & word::kept) != 0) return false;
      s.counts.store(work ? end(c) : count::ref, std::memory_order_relaxed);
      if (!work) s.drop_ref();
    } else {
      std::uint64_t const alone = work || tied ? 0 : count::both + consumer;  // what closes without an atomic one
      auto const stays = [alone](std::uint64_t v) { return v == alone; };
      if (!change(s, c, end, stays)) return false;
      if (tied && !work) finish(s);
    }
    if (work) engine<C>::release(s);
    return true;
  }

  /// Runs what is registered for release; owns the last hold and its reference. Moves to the executor when there is user code.
  /// Released already, it owns the reference, and those who wait are to be told.
  template <class S>
  static void run(S& s, bool on_executor) noexcept {
    if (s.is_released()) return finish(s);
    for (;;) {
      if (!on_executor && has_user_code(s)) {
        s.as = role::release;
        frame<C>::here().outbox.push(&s);
        return;
      }
      std::uint32_t const w = bits_of(s.word, of_value, std::memory_order_acquire);
      if ((w & word::disposal) != 0) destroy_value(s);
      if (needs_executor(w & ~word::disposal)) lost_taker<C>::forget(s);
      step last = step::ran;
      while (last == step::ran) last = run_top(s);
      if (last == step::under_way) return;  // whoever ends it goes on with the release; we hold nothing any more
      std::uint64_t c = load(s.counts, std::memory_order_acquire, count::without_refs);
      if ((c & count::late) != 0) {
        clear_late(s, c);  // before looking
        absorb(s);
      } else if (count::holds(c) > 1) {
        if (change(s, c, without_both)) return;  // a registrant is at it: the last one goes on
      } else if (!s.has_lasting()) {
        if (close(s, c)) return;
      } else if (change(s, c, without_hold)) {
        finish(s);
        return;
      }
    }
  }

 private:
  enum class step : std::uint8_t { ran, none, under_way };

  // What becomes of the count.
  static constexpr auto without_both = [](std::uint64_t v) { return v - count::both; };
  static constexpr auto without_hold = [](std::uint64_t v) { return (v - count::hold) & ~count::releasing; };
  static constexpr auto released = [](std::uint64_t v) { return (v - count::both) & ~count::releasing; };
  static constexpr auto with_late = [](std::uint64_t v) { return v | count::late; };
  static constexpr auto without_late = [](std::uint64_t v) { return v & ~count::late; };
  static constexpr auto is_alone = [](std::uint64_t v) { return v < 2 * count::ref; };
  static constexpr auto never = [](std::uint64_t) { return false; };

  /// What `f` makes of the count, whatever becomes of the references meanwhile. False: it `stays` as it is, or the holds and marks are not
  /// those that were `seen` any more, but these.
  template <class F, class S = bool (*)(std::uint64_t)>
  static bool change(state& s, std::uint64_t& seen, F f, S stays = never) noexcept {
    std::uint64_t const before = count::without_refs(seen);
    if constexpr (is_explored<decltype(s.counts)>) {
      auto const next = [=](std::uint64_t v) { return count::without_refs(v) == before && !stays(v) ? std::optional(f(v)) : std::nullopt; };
      std::uint64_t const adds = f(before) - before;  // to any number of references
      return s.counts.update(seen, next, count::without_refs, std::memory_order_acq_rel, std::memory_order_acquire, adds);
    } else {
      for (;;) {
        if (stays(seen)) return false;
        if (s.counts.compare_exchange_strong(seen, f(seen), std::memory_order_acq_rel, std::memory_order_acquire)) return true;
        if (count::without_refs(seen) != before) return false;
      }
    }
  }
  static void clear_late(state& s, std::uint64_t& seen) noexcept {
    if (change(s, seen, without_late)) seen &= ~count::late;
  }

  /// A value to destroy, or a function to forget that waits for one that will never come.
  static bool needs_executor(std::uint32_t w) noexcept {
    return (w & word::disposal) != 0 || ((w & word::taker) != 0 && (w & word::no_value) != 0);
  }
  static constexpr std::uint32_t of_value = word::disposal | word::taker | word::no_value;  // what that asks for
  static constexpr std::uint32_t matters_at_end = word::taker | word::releasers | word::owned | word::given | word::watched | word::kept;
  /// A handle may take a value yet. Once it is gone, that stays so.
  static bool is_owned_still(state& s) noexcept {
    return look(s.word, std::memory_order_relaxed,
                [](std::uint32_t w) { return (w & (word::owned | word::given | word::no_value)) == word::owned; });
  }
  static bool has_cleanups(state& s) noexcept { return s.has_top_cleanup() || s.slots_used() != 0; }

  struct remains {
    bool user_code;
    bool releasers;  // may wait for released
    bool ties;       // parents, or those who wait for released
  };
  static remains what_remains(state& s) noexcept {
    std::uint32_t const w = bits_of(s.word, of_value | word::releasers, std::memory_order_acquire);
    return {has_cleanups(s) || needs_executor(w), (w & word::releasers) != 0, s.has_lasting()};
  }
  static bool has_user_code(state& s) noexcept {
    remains const left = what_remains(s);
    return left.user_code || left.releasers || has(s.counts, count::late, std::memory_order_relaxed);
  }

  /// Released, with nobody to tell: one step. Without another reference there is nobody to race either.
  [[gnu::always_inline]] static bool close(state& s, std::uint64_t& c) noexcept {
    if (s.table->event != nullptr) {
      if (!change(s, c, without_hold)) return false;
      s.tell(monitor_event::released);
      s.drop_ref();
      return true;
    }
    std::uint64_t const before = count::without_refs(c);
    if (change(s, c, released, is_alone)) return true;
    if (count::without_refs(c) != before) return false;
    c = load(s.counts, std::memory_order_acquire, count::few_refs);
    if (c != (count::ref | before)) return false;  // who withdrew what we did not find took a reference first
    s.counts.store(count::ref, std::memory_order_relaxed);
    s.drop_ref();
    return true;
  }

  /// Released, with hooks that wait for it: observers first, then the parents.
  static void finish(state& s) noexcept {
    std::uint32_t const w = s.lock();
    node* first = s.lasting.load(std::memory_order_relaxed);
    s.lasting.store(nullptr, std::memory_order_relaxed);
    s.unlock(w);
    s.tell(monitor_event::released);
    bool const is_only = first != nullptr && first->following() == first;
    if (is_only && first->kind == hook_kind::parent) return first->type->run(*first, hook_action::part);
    node* parents = nullptr;
    while (first != nullptr) {
      node* h = first;
      first = ring<C>::remove(first, h);
      if (h->kind != hook_kind::released) parents = ring<C>::push_back(parents, h);
      else sequence<C>::run_hook(s, *h, hook_action::invoke);
    }
    while (parents != nullptr) {
      node* h = parents;
      parents = ring<C>::remove(parents, h);
      sequence<C>::run_hook(s, *h, hook_action::invoke);
    }
    s.drop_ref();
  }

  /// Runs the cleanup that was registered last.
  template <class S>
  static step run_top(S& s) noexcept {
    if (has(s.counts, count::late, std::memory_order_acquire)) return step::none;  // what came late is next
    if (cleanup_node<C>* top = s.top_cleanup(); top != nullptr) {
      s.top_cleanup(top->below);
      cleanup_type<C> const& t = *top->type;
      if (!t.run(reinterpret_cast<std::byte*>(top) + t.offset, s)) return step::under_way;
      s.deallocate(top, t.size, t.align);
      return step::ran;
    }
    if (!s.cleanup_may_allocate()) return run_shared_slot(s);
    std::size_t const used = s.slots_used();
    if (used == 0) return step::none;
    s.slots_used(used - 1);
    s.slot_type(used - 1)->run(s.slot_closure(used - 1), s);  // through: what is asynchronous has a block here
    return step::ran;
  }

  /// Slots that others may fill even now: one that runs stays taken until it has run, and is then found spent.
  static step run_shared_slot(state& s) noexcept {
    std::uint32_t const w = s.lock();
    std::size_t const used = s.slots_used();
    cleanup_type<C> const* const type = used == 0 ? nullptr : s.slot_type(used - 1);
    bool const is_spent = type == &cleanup_type<C>::spent;
    if (is_spent) s.slots_used(used - 1);
    s.unlock(w);
    if (type == nullptr || is_spent) return is_spent ? step::ran : step::none;  // null: being filled, by one that leaves after us
    if (!type->run(s.slot_closure(used - 1), s)) return step::under_way;
    s.spend_slot(used - 1);
    return step::ran;
  }

  static void destroy_value(state& s) noexcept {
    std::uint32_t const w = s.lock();
    s.unlock(w & ~word::disposal);
    lose_value(s);
  }

  static void absorb(state& s) noexcept {
    std::uint32_t const w = s.lock();
    cleanup_node<C>* const newest = s.late_cleanups();
    s.late_cleanups(nullptr);
    s.unlock(w);
    if (newest == nullptr) return;
    cleanup_node<C>* oldest = newest;
    while (oldest->below != nullptr) oldest = oldest->below;
    oldest->below = s.top_cleanup();
    s.top_cleanup(newest);
  }
};

}  // namespace settle::inline v0::detail

#endif
