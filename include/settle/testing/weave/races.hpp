// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_RACES_HPP
#define SETTLE_TESTING_WEAVE_RACES_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

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

  static effect effect_of(operation const& op, bool wrote, bool reads_old) noexcept {
    switch (op.kind) {
      case op_kind::wait:
      case op_kind::resume:
      case op_kind::choose:
      case op_kind::none:
        return effect::none;
      case op_kind::load:
      case op_kind::swap:
        if (wrote || op.sequential) return effect::exclusive;
        return reads_old ? effect::weak_read : effect::exact_read;
      default:
        return effect::exclusive;
    }
  }

  /// The current step is taken: `t` does what it was about to, reading the value at `index`.
  void note(std::vector<thread_state>& threads, unsigned thread, std::uint32_t index, bool wrote) {
    thread_state& t = threads[thread];
    operation const& op = t.pending;
    step& e = search_->current();
    location& x = memory_->at(op.where);
    e.kind = op.kind;
    e.where = op.where;
    e.number = t.count;
    e.what = effect_of(op, wrote, memory_->reads_old(op));
    auto const here = static_cast<std::int32_t>(search_->depth()) - 1;
    if (!search_->repeats()) {
      look_back(x, t, thread, e.what);
      e.clock = t.order;
      e.clock.at[thread] = t.count;
      depend(x, e, index);
    }
    t.order = e.clock;
    if (e.what == effect::exclusive) x.last_exclusive = here;
    else if (e.what == effect::exact_read) x.last_exact_read[thread] = here;
    else if (e.what == effect::weak_read) x.last_weak_read[thread] = here;
  }

 private:
  step& at(std::int32_t i) noexcept { return search_->steps()[static_cast<std::size_t>(i)]; }

  void depend(location& x, step& e, std::uint32_t index) noexcept {
    if (e.what == effect::exclusive || e.what == effect::exact_read) {
      if (x.last_exclusive != no_event) e.clock.join(at(x.last_exclusive).clock);
    } else if (x.stores[index].event != no_event) {
      e.clock.join(at(x.stores[index].event).clock);
    }
    if (e.what != effect::exclusive) return;
    for (std::int32_t const r : x.last_exact_read)
      if (r > x.last_exclusive) e.clock.join(at(r).clock);
  }

  void look_back(location& x, thread_state const& t, unsigned thread, effect what) {
    if (!search_->reduces() || what == effect::none) return;
    operation const& op = t.pending;
    bool const conditional = op.kind == op_kind::lock || op.kind == op_kind::take || (op.kind == op_kind::swap && memory_->reads_old(op));
    if (conditional) try_before_stores(x, t, thread);
    else if (what != effect::weak_read) try_before(x.last_exclusive, t, thread);
    if (what != effect::exclusive) return;
    for (unsigned r = 0; r != max_threads; ++r) {
      if (r == thread) continue;
      if (x.last_exact_read[r] > x.last_exclusive) try_before(x.last_exact_read[r], t, thread);
      try_before_reader(x, x.last_weak_read[r], t, thread);
    }
  }

  /// A compare-and-swap has all values it could fail with to choose from, wherever it stands: coming earlier is something new
  /// only where it would succeed.
  void try_before_stores(location& x, thread_state const& t, unsigned thread) {
    operation const& op = t.pending;
    if (x.last_exclusive != no_event && at(x.last_exclusive).kind == op_kind::load) try_before(x.last_exclusive, t, thread);
    for (std::uint32_t i = x.newest(); i != 0; --i) {
      store_record const& s = x.stores[i];
      if (s.event == no_event || s.thread == thread || t.order.covers(s.thread, s.number)) return;
      bits const earlier = x.stores[i - 1].value;
      bool const could = op.kind == op_kind::take   ? earlier.low != 0
                         : op.kind == op_kind::lock ? (earlier.low & op.expected.low) == 0
                                                    : op.succeeds(earlier);
      if (could) return try_before(s.event, t, thread);
    }
  }

  /// The load could have read what is stored now.
  void try_before_reader(location& x, std::int32_t reader, thread_state const& t, unsigned thread) {
    if (reader == no_event) return;
    step const& r = at(reader);
    if (x.last_exclusive != no_event && at(x.last_exclusive).clock.covers(r.thread, r.number)) return;
    try_before(reader, t, thread);
  }

  void try_before(std::int32_t event, thread_state const& t, unsigned thread) {
    if (event == no_event || at(event).thread == thread || t.order.covers(at(event).thread, at(event).number)) return;
    step& e = at(event);
    std::uint8_t const first = initials(event, t, thread);
    if ((first & e.backtrack) != 0) return;
    auto const possible = static_cast<std::uint8_t>(first & e.enabled);
    if (possible == 0) e.backtrack |= e.enabled;
    else if ((possible & bit(thread)) != 0) e.backtrack |= bit(thread);
    else e.backtrack |= bit(static_cast<unsigned>(std::countr_zero(possible)));
  }

  /// Who can begin an execution in which what happened since that event without depending on it, and then `thread`'s step,
  /// comes before it.
  std::uint8_t initials(std::int32_t event, thread_state const& t, unsigned thread) {
    std::uint8_t first = 0;
    std::uint8_t seen = 0;
    moved_.clear();
    step const& e = at(event);
    auto const end = static_cast<std::int32_t>(search_->depth()) - 1;
    for (std::int32_t j = event + 1; j != end; ++j) {
      step const& s = at(j);
      if (s.clock.covers(e.thread, e.number)) continue;
      if ((seen & bit(s.thread)) == 0) {
        seen |= bit(s.thread);
        if (!after_moved(s.clock, s.thread)) first |= bit(s.thread);
      }
      moved_.push_back(j);
    }
    if ((seen & bit(thread)) == 0 && !after_moved(t.order, thread) && !conflicts_with_moved(t.pending)) first |= bit(thread);
    return first;
  }
  bool after_moved(vector_clock const& clock, unsigned thread) noexcept {
    // NOLINTNEXTLINE(readability-use-anyofallof): shorter as it stands
    for (std::int32_t const m : moved_)
      if (at(m).thread != thread && clock.covers(at(m).thread, at(m).number)) return true;
    return false;
  }
  bool conflicts_with_moved(operation const& op) noexcept {
    // NOLINTNEXTLINE(readability-use-anyofallof): shorter as it stands
    for (std::int32_t const m : moved_)
      if (at(m).where == op.where && at(m).kind != op_kind::choose && at(m).what >= effect::exact_read) return true;
    return false;
  }

  search* search_;
  memory_model* memory_;
  std::vector<std::int32_t> moved_;
};

}  // namespace settle::inline v0::testing::weave

#endif
