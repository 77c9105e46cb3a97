// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_RACES_HPP
#define SETTLE_TESTING_WEAVE_RACES_HPP

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "additions.hpp"
#include "memory_model.hpp"
#include "search.hpp"
#include "step.hpp"
#include "thread_state.hpp"

namespace settle::inline v0::testing::weave {

/// Orders each event after those it depends on, and finds the earlier ones that it could have come before: the search
/// must try that, by one of the threads that such an execution can begin with (source sets: Abdulla, Aronis, Jonsson,
/// Sagonas, POPL 2014).
///
/// A load that may read old values depends on the store it reads and on nothing else. A later store does not disturb it; but
/// the load could have read that store, had it come after it, so the two race.
class race_finder {
 public:
  race_finder(search& s, memory_model& m) noexcept : search_(&s), memory_(&m) {}

  static effect effect_of(operation const& op, bool wrote, bool reads_old, bool commutes) noexcept {
    switch (op.kind) {
      case op_kind::resume:
        return effect::exact_read;
      case op_kind::wait:
      case op_kind::choose:
      case op_kind::none:
        return effect::none;
      case op_kind::load:
      case op_kind::swap:
        if (wrote || op.sequential) return commutes ? effect::adding : effect::exclusive;
        return reads_old ? effect::weak_read : effect::exact_read;
      default:
        return effect::exclusive;
    }
  }

  /// What a thread does with the step that it was about to take.
  struct deed {
    std::uint32_t index;  // of the value that it reads
    bool splits;          // additions, to do so
    bits const* written;  // null: nothing is
    bool commutes;        // it adds
  };

  /// The current step is taken.
  void note(std::vector<thread_state>& threads, unsigned thread, deed const& what) {
    thread_state& t = threads[thread];
    operation const& op = t.pending;
    step& e = search_->current();
    location& x = memory_->at(op.where);
    e.kind = op.kind;
    e.where = op.where;
    e.number = t.count;
    e.index = what.index;
    e.splits = what.splits;
    e.what = effect_of(op, what.written != nullptr, memory_->reads_old(op), what.commutes);
    if (e.what == effect::weak_read) {
      e.read = search_->reduces() ? &memory_->keep(op) : nullptr;
      e.earlier_read = x.last_weak_read[thread];
    }
    auto const here = static_cast<std::int32_t>(search_->depth()) - 1;
    now_ = here;
    if (!search_->repeats()) {
      look_back(x, t, thread, e.what, what.written);
      e.clock = t.order;
      e.clock.set(thread, t.count);
      depend(x, e, what.index);
    }
    t.order = e.clock;
    if (e.what == effect::exclusive) x.last_exclusive = here;
    else if (e.what == effect::adding) x.last_addition[thread] = here;
    else if (e.what == effect::exact_read) x.last_exact_read[thread] = here;
    else if (e.what == effect::weak_read) x.last_weak_read[thread] = here;
  }

  /// Nobody goes on who does not sleep. Who waits here could have gone on earlier, and might not come to it again elsewhere.
  void note_who_waits(std::vector<thread_state> const& threads) {
    if (!search_->reduces()) return;
    now_ = static_cast<std::int32_t>(search_->depth());
    for (unsigned t = 1; t != threads.size(); ++t) {
      operation const& op = threads[t].pending;
      bool const waits = threads[t].phase == thread_state::ready && (op.kind == op_kind::lock || op.kind == op_kind::take);
      if (waits && !memory_->enabled(op)) try_before_stores(memory_->at(op.where), threads[t], t, effect::exclusive);
    }
  }

 private:
  step& at(std::int32_t i) noexcept { return search_->steps()[static_cast<std::size_t>(i)]; }

  void depend(location& x, step& e, std::uint32_t index) noexcept {
    if (e.what >= effect::exact_read) {
      if (x.last_exclusive != no_event) e.clock.join(at(x.last_exclusive).clock);
    } else {
      for (;; --index) {  // a sum is of all that was added
        if (x.stores[index].event != no_event) e.clock.join(at(x.stores[index].event).clock);
        if (x.stores[index].added == nullptr) break;
      }
    }
    if (e.what == effect::exclusive || e.what == effect::exact_read) join_since(x.last_addition, x, e);
    if (e.what == effect::exclusive || e.what == effect::adding) join_since(x.last_exact_read, x, e);
  }
  void join_since(std::array<std::int32_t, max_threads> const& last, location const& x, step& e) noexcept {
    for (std::int32_t const r : last)
      if (r > x.last_exclusive) e.clock.join(at(r).clock);
  }

  void look_back(location& x, thread_state const& t, unsigned thread, effect what, bits const* written) {
    if (!search_->reduces() || what == effect::none) return;
    operation const& op = t.pending;
    bool const conditional = op.kind == op_kind::lock || op.kind == op_kind::take || (op.kind == op_kind::swap && memory_->reads_old(op));
    if (conditional) try_before_stores(x, t, thread, what);
    else if (what != effect::weak_read) try_before_all(x, t, thread, what);
    if (what != effect::exclusive && what != effect::adding) return;
    for (unsigned r = 0; r != max_threads; ++r) {
      if (r == thread) continue;
      if (x.last_exact_read[r] > x.last_exclusive) try_before(x.last_exact_read[r], t, thread, what);
      try_before_reader(x, x.last_weak_read[r], t, thread, what, written);
    }
  }

  void try_before_all(location& x, thread_state const& t, unsigned thread, effect what) {
    try_before(x.last_exclusive, t, thread, what);
    if (what == effect::adding) return;
    for (std::int32_t const a : x.last_addition)
      if (a > x.last_exclusive) try_before(a, t, thread, what);
  }
  /// A compare-and-swap has all values it could fail with to choose from, wherever it stands: coming earlier is something new
  /// only where it would succeed.
  void try_before_stores(location& x, thread_state const& t, unsigned thread, effect what) {
    if (x.last_exclusive != no_event && at(x.last_exclusive).kind == op_kind::load) try_before(x.last_exclusive, t, thread, what);
    for (std::uint32_t i = what == effect::adding ? x.base() : x.newest(); i != 0; --i) {
      if (x.stores[i].added != nullptr) {
        if (try_before_additions(x, i, t, thread, what)) return;
      } else {
        store_record const& s = x.stores[i];
        if (s.event == no_event || s.thread == thread || t.order.covers(s.thread, s.number)) return;
        if (would_succeed(t.pending, x.stores[i - 1].value)) return try_before(s.event, t, thread, what);
      }
    }
  }
  /// Down to the first of those that have no order, of which any may be the last. True: there is one that it could come before.
  bool try_before_additions(location& x, std::uint32_t& i, thread_state const& t, unsigned thread, effect what) {
    additions const all(x, i);
    bool any = false;
    for (;; --i) {
      store_record const& s = x.stores[i];
      bool const ordered = s.event == no_event || s.thread == thread || t.order.covers(s.thread, s.number);
      if (!ordered && all.any_sum([&](bits v) { return would_succeed(t.pending, v); }, all.mask(i))) {
        try_before(s.event, t, thread, what);
        any = true;
      }
      if (i == all.first) return any;
    }
  }
  static bool would_succeed(operation const& op, bits v) noexcept {
    return op.kind == op_kind::take ? v.low != 0 : op.kind == op_kind::lock ? (v.low & op.expected.low) == 0 : op.succeeds(v);
  }

  /// The load, or one that its thread did before, could have read what is stored now.
  void try_before_reader(location& x, std::int32_t reader, thread_state const& t, unsigned thread, effect what, bits const* written) {
    for (; reader != no_event; reader = at(reader).earlier_read) {
      step const& r = at(reader);
      if (x.last_exclusive != no_event && at(x.last_exclusive).clock.covers(r.thread, r.number)) return;
      if (written == nullptr || !learns_nothing(x, r, t, *written, what)) return try_before(reader, t, thread, what);
    }
  }
  /// It would see the same of what is written as of what it has read, which leaves as much possible.
  static bool learns_nothing(location const& x, step const& reader, thread_state const& t, bits written, effect what) noexcept {
    if (reader.splits) return false;
    if (what != effect::adding) return is_like_what_it_read(x, reader, t, written, x.stores.back());
    if (reader.index > x.base()) return false;  // an addition, which this one could come before
    additions const all(x, x.newest());
    store_record const& below = x.stores[x.base()];
    return !all.any_sum([&](bits v) { return !is_like_what_it_read(x, reader, t, t.pending.adds.to(v), below); });
  }
  /// `last`: what a read-modify-write carries on, at least.
  static bool is_like_what_it_read(location const& x, step const& reader, thread_state const& t, bits written,
                                   store_record const& last) noexcept {
    operation const& op = *reader.read;
    store_record const& had = x.stores[reader.index];
    if ((op.kind == op_kind::swap && op.succeeds(written)) || op.seen(had.value) != op.seen(written)) return false;
    if (!op.acquires || !had.has_message) return true;
    if (t.pending.kind == op_kind::store || !last.has_message) return false;
    for (unsigned i = 0; i != max_threads; ++i)
      if (had.message.at[i] > last.message.at[i]) return false;
    return true;
  }

  void try_before(std::int32_t event, thread_state const& t, unsigned thread, effect what) {
    if (event == no_event || at(event).thread == thread || t.order.covers(at(event).thread, at(event).number)) return;
    begin_with(initials(event, t, thread, what), event, thread);
  }
  void begin_with(std::uint8_t first, std::int32_t event, unsigned thread) {
    step& e = at(event);
    if ((first & e.backtrack) != 0) return;
    auto const possible = static_cast<std::uint8_t>(first & e.enabled);
    if (possible == 0) e.backtrack |= e.enabled;
    else if ((possible & bit(thread)) != 0) e.backtrack |= bit(thread);
    else e.backtrack |= bit(static_cast<unsigned>(std::countr_zero(possible)));
  }

  /// Who can begin an execution in which what happened since that event without depending on it, and then `thread`'s step,
  /// comes before it.
  std::uint8_t initials(std::int32_t event, thread_state const& t, unsigned thread, effect what) {
    move_between(event, now_);
    if ((seen_ & bit(thread)) == 0 && !after_moved(t.order, thread) && !conflicts_with_moved(t.pending, what)) first_ |= bit(thread);
    return first_;
  }
  /// What happened between two events and does not depend on the first one, and who can begin with it.
  void move_between(std::int32_t event, std::int32_t end) {
    first_ = 0;
    seen_ = 0;
    moved_.clear();
    step const& e = at(event);
    for (std::int32_t j = event + 1; j != end; ++j) {
      step const& s = at(j);
      if (s.clock.covers(e.thread, e.number)) continue;
      if ((seen_ & bit(s.thread)) == 0) {
        seen_ |= bit(s.thread);
        if (!after_moved(s.clock, s.thread)) first_ |= bit(s.thread);
      }
      moved_.push_back(j);
    }
  }
  bool after_moved(vector_clock const& clock, unsigned thread) noexcept {
    // NOLINTNEXTLINE(readability-use-anyofallof): shorter as it stands
    for (std::int32_t const m : moved_)
      if (at(m).thread != thread && clock.covers(at(m).thread, at(m).number)) return true;
    return false;
  }
  bool conflicts_with_moved(operation const& op, effect what) noexcept {
    // NOLINTNEXTLINE(readability-use-anyofallof): shorter as it stands
    for (std::int32_t const m : moved_) {
      bool const both_add = what == effect::adding && at(m).what == effect::adding;
      if (at(m).where == op.where && at(m).kind != op_kind::choose && at(m).what >= effect::exact_read && !both_add) return true;
    }
    return false;
  }

  search* search_;
  memory_model* memory_;
  std::vector<std::int32_t> moved_;
  std::int32_t now_ = 0;
  std::uint8_t first_ = 0;  // of what was moved
  std::uint8_t seen_ = 0;
};

}  // namespace settle::inline v0::testing::weave

#endif
