// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_MEMORY_MODEL_HPP
#define SETTLE_TESTING_WEAVE_MEMORY_MODEL_HPP

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "additions.hpp"
#include "candidates.hpp"
#include "location.hpp"
#include "options.hpp"
#include "schedule.hpp"
#include "step.hpp"
#include "thread_state.hpp"
#include "unordered.hpp"

namespace settle::inline v0::testing::weave {

constexpr bool acquires(std::memory_order o) noexcept {
  return o == std::memory_order_acquire || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst ||
         o == std::memory_order_consume;
}
constexpr bool releases(std::memory_order o) noexcept {
  return o == std::memory_order_release || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
}

/// The atomic objects of one execution, by the memory model of C++20 with two limits: the order of modifications is that of execution, and
/// no load reads a value that is stored later (no load buffering).
class memory_model {
 public:
  explicit memory_model(options const& o)
      : options_(&o), orders_additions_(o.preemptions || o.old_values || is_in_order(o.search.schedule)) {}

  /// Within a bound, additions have the order they are executed in.
  bool orders_additions() const noexcept { return orders_additions_; }

  void reset() noexcept {
    count_ = 0;
    kept_.clear();
  }
  /// Until the end of the execution.
  operation const& keep(operation const& op) { return kept_.emplace_back(op).what; }
  std::uint32_t size() const noexcept { return count_; }
  location& at(std::uint32_t id) noexcept { return locations_[id]; }
  /// Null: no atomic object is there (any more).
  location* find(std::uint32_t id, void const* address) noexcept {
    return id < count_ && locations_[id].address == address && locations_[id].alive ? &locations_[id] : nullptr;
  }
  location& make(void const* address, bits initial, unsigned thread, std::uint32_t number) {
    if (count_ == locations_.size()) locations_.emplace_back();
    location& x = locations_[count_];
    x.begin(address, count_, initial, thread, number);
    ++count_;
    return x;
  }

  /// Can a thread with this before it go on?
  bool enabled(operation const& op) noexcept {
    switch (op.kind) {
      case op_kind::lock:
        return (at(op.where).value().low & op.expected.low) == 0;
      case op_kind::take:
      case op_kind::wait:
        return at(op.where).value().low != 0;
      case op_kind::resume:
        return at(op.where).newest() > op.expected.low;
      default:
        return true;
    }
  }

  void readable(operation const& op, unsigned thread, thread_state const& t, candidates& found) noexcept {
    found.clear();
    location const& x = at(op.where);
    found.add(as_it_is(x, x.newest()));
    bool const for_nothing = op.may_fail && options_->spurious_failures && !t.failed_for_nothing;
    if (for_nothing && op.succeeds(x.value())) found.add(as_it_is(x, x.newest(), true));
    if (!reads_old(op)) return;
    std::uint32_t const read = std::max(x.read_floor(thread, t.known), op.sequential ? x.sc_floor : 0);
    std::uint32_t const floor = std::max(read, x.floor(thread, t.known));
    for (std::uint32_t i = x.newest(); i-- > floor;) {
      bool const fits = op.kind == op_kind::load || !op.succeeds(x.stores[i].value);
      if ((fits || for_nothing) && is_possible(x, i)) found.add(as_it_is(x, i, !fits));
    }
    for (std::uint32_t i = x.newest(); i != 0 && i >= floor; --i) {
      if (x.stores[i].added == nullptr) continue;
      unordered const those(x, i);
      those.add_sums(op, for_nothing, read, thread, t.known, found);
      i = those.first();
    }
  }
  /// A load, or a compare-and-swap that fails, may read a value that was overwritten.
  bool reads_old(operation const& op) const noexcept {
    return options_->weak_memory && !op.exact &&
           (op.kind == op_kind::load || (op.kind == op_kind::swap && (options_->stale_failures || op.fits != nullptr)));
  }

  /// Does the older value leave everything possible that the newer one does?
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): what the model does, whatever it keeps
  bool subsumes(candidate const& older, candidate const& newer, operation const& op, thread_state const& t) const noexcept {
    if (older.splits || older.index >= newer.index || op.seen(older.value) != op.seen(newer.value)) return false;
    if (!op.acquires || older.message == nullptr) return true;
    for (unsigned i = 0; i != max_threads; ++i) {
      std::uint32_t const n = older.message->at[i];
      if (n > t.known.at[i] && (newer.message == nullptr || n > newer.message->at[i])) return false;
    }
    return true;
  }

  /// It adds, and neither it nor the additions just before it see a difference in whichever order they come. It learns what is known of the
  /// value below them all, or of one that its thread has read: less than it would behind them all, so that no behaviour is lost. What else
  /// puts it behind one of them, as what a third thread has read, it does not know: a race may be found where there is none.
  bool commutes(operation const& op, location const& x) const noexcept {
    if (!op.adds || op.exact || orders_additions_) return false;
    additions const before(x, x.newest());
    if (before.count == additions::most) return false;
    return before.with(op).are_alike();
  }

  /// What was found of additions that had no order comes before the others of them, and before all that comes after those.
  void split(location& x, candidate const& c, std::vector<thread_state>& threads) {
    vector_clock before;
    auto const others = unordered(x, c.index).split(x, c.sum, before);
    auto const put_after = [&](vector_clock& past) {
      for (auto const& o : others)
        if (past.covers(o.thread, o.number)) return past.join(before);
    };
    for (auto& t : threads) put_after(t.past);
    for (std::uint32_t id = 0; id != count_; ++id) {
      put_after(at(id).exact_reads);
      for (auto& s : at(id).stores) put_after(s.past);
    }
  }

  void read(location& x, unsigned thread, thread_state& t, std::uint32_t index, std::memory_order order) const {
    x.note_reading(thread, t.count, index);
    store_record& s = x.stores[index];
    s.is_read = true;
    if (acquires(order) && s.has_message) t.known.join(s.message);
    if (order == std::memory_order_seq_cst && index > x.sc_floor) x.sc_floor = index;
    join_sum(t.past, x, index);
    t.past.set(thread, t.count);
    if (!reads_old(t.pending)) x.exact_reads.join(t.past);
  }

  /// `continues`: a read-modify-write, which carries on what the value it has read carries.
  void write(location& x, unsigned thread, thread_state& t, bits value, std::memory_order order, std::int32_t event, bool continues,
             bool commutes = false) {
    store_record s;
    if (commutes) s.added = &keep(t.pending);
    s.value = value;
    s.thread = static_cast<std::uint8_t>(thread);
    s.number = t.count;
    s.serial = x.newest() + 1;
    s.event = event;
    s.releases = s.has_message = releases(order);
    if (s.releases) s.message = s.own = t.known;
    if (continues) s.carry_on(x.stores.back());
    t.past.set(thread, t.count);
    t.past.join(x.exact_reads);
    join_sum(t.past, x, commutes ? x.last_in_order() : x.newest());
    s.past = t.past;
    x.stores.push_back(s);
    if (order == std::memory_order_seq_cst) x.sc_floor = x.newest();
  }

 private:
  static candidate as_it_is(location const& x, std::uint32_t i, bool spurious = false) noexcept {
    store_record const& s = x.stores[i];
    bool const splits = !x.is_in_order(i);
    unsigned const sum = splits ? unordered(x, i).beginning(i) : 0;
    return {i, x.latest_up_to(i), sum, splits, spurious, s.value, s.has_message ? &s.message : nullptr};
  }
  static bool is_possible(location const& x, std::uint32_t i) noexcept {
    if (x.is_in_order(i)) return true;
    unordered const those(x, i);
    return those.is_possible(those.beginning(i));
  }
  /// A value comes after all that it is made of.
  static void join_sum(vector_clock& past, location const& x, std::uint32_t index) noexcept {
    for (;; --index) {
      past.join(x.stores[index].past);
      if (x.stores[index].added == nullptr) return;
    }
  }

  options const* options_;
  bool orders_additions_;
  std::deque<location> locations_;  // kept from one execution to the next, for their memory
  std::uint32_t count_ = 0;
  std::deque<kept_operation> kept_;
};

}  // namespace settle::inline v0::testing::weave

#endif
