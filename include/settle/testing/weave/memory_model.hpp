// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_MEMORY_MODEL_HPP
#define SETTLE_TESTING_WEAVE_MEMORY_MODEL_HPP

#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "additions.hpp"
#include "location.hpp"
#include "options.hpp"
#include "step.hpp"
#include "thread_state.hpp"

namespace settle::inline v0::testing::weave {

constexpr bool acquires(std::memory_order o) noexcept {
  return o == std::memory_order_acquire || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst ||
         o == std::memory_order_consume;
}
constexpr bool releases(std::memory_order o) noexcept {
  return o == std::memory_order_release || o == std::memory_order_acq_rel || o == std::memory_order_seq_cst;
}

/// The values a step may read, newest first.
struct candidates {
  static constexpr unsigned most = 64;
  unsigned count = 0;
  std::uint32_t index[most] = {};
  bool spurious[most] = {};
  bool cut = false;  // there were more

  void add(std::uint32_t i, bool fails_for_nothing = false) noexcept {
    if (count == most) {
      cut = true;
      return;
    }
    index[count] = i;
    spurious[count++] = fails_for_nothing;
  }
};

/// The atomic objects of one execution, by the memory model of C++20 with two limits: the order of modifications is that of execution, and
/// no load reads a value that is stored later (no load buffering).
class memory_model {
 public:
  explicit memory_model(options const& o) : options_(&o) {}

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
    found.count = 0;
    found.cut = false;
    location const& x = at(op.where);
    std::uint32_t const newest = x.newest();
    found.add(newest);
    bool const for_nothing = op.may_fail && options_->spurious_failures && !t.failed_for_nothing;
    if (for_nothing && op.succeeds(x.value())) found.add(newest, true);
    if (!reads_old(op)) return;
    std::uint32_t floor = x.floor(thread, t.known);
    if (op.sequential && x.sc_floor > floor) floor = x.sc_floor;
    for (std::uint32_t i = newest; i-- > floor;)
      if (op.kind == op_kind::load || !op.succeeds(x.stores[i].value)) found.add(i);
      else if (for_nothing) found.add(i, true);
  }
  /// A load, or a compare-and-swap that fails, may read a value that was overwritten.
  bool reads_old(operation const& op) const noexcept {
    return options_->weak_memory && !op.exact &&
           (op.kind == op_kind::load || (op.kind == op_kind::swap && (options_->stale_failures || op.fits != nullptr)));
  }

  /// Does the older value leave everything possible that the newer one does?
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): what the model does, whatever it keeps
  bool subsumes(location const& x, std::uint32_t older, std::uint32_t newer, operation const& op, thread_state const& t) const noexcept {
    store_record const& a = x.stores[older];
    store_record const& b = x.stores[newer];
    if (op.seen(a.value) != op.seen(b.value)) return false;
    if (!op.acquires || !a.has_message) return true;
    for (unsigned i = 0; i != max_threads; ++i)
      if (a.message.at[i] > t.known.at[i] && (!b.has_message || a.message.at[i] > b.message.at[i])) return false;
    return true;
  }

  /// It adds, and neither it nor the additions just before it see a difference in whichever order they come. It learns what is known of the
  /// value below them all, or of one that its thread has read: less than it would behind them all, so that no behaviour is lost. What else
  /// puts it behind one of them, as what a third thread has read, it does not know: a race may be found where there is none.
  bool commutes(operation const& op, location const& x) const noexcept {
    if (!op.adds || options_->preemptions || options_->old_values) return false;
    additions const before(x, x.newest());
    if (before.count == additions::most) return false;
    return before.with(op).are_alike();
  }

  /// Those that have happened before what the thread does now.
  static unsigned known_of(location const& x, additions const& all, unsigned thread, thread_state const& t) noexcept {
    unsigned known = 0;
    for (std::uint32_t i = all.first; i != all.first + all.count; ++i)
      if (x.stores[i].thread == thread || t.known.covers(x.stores[i].thread, x.stores[i].number)) known |= all.mask(i);
    return known;
  }
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): what the model does, whatever it keeps
  void read(location& x, unsigned thread, thread_state& t, std::uint32_t index, std::memory_order order) {
    x.note_reading(thread, t.count, index);
    store_record const& s = x.stores[index];
    if (acquires(order) && s.has_message) t.known.join(s.message);
    if (order == std::memory_order_seq_cst && index > x.sc_floor) x.sc_floor = index;
  }

  /// `continues`: a read-modify-write, which carries on what the value it has read carries.
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): what the model does, whatever it keeps
  void write(location& x, unsigned thread, thread_state const& t, bits value, std::memory_order order, std::int32_t event, bool continues,
             bool commutes = false) {
    store_record s;
    if (commutes) s.added = &keep(t.pending);
    s.value = value;
    s.thread = static_cast<std::uint8_t>(thread);
    s.number = t.count;
    s.event = event;
    if (releases(order)) {
      s.has_message = true;
      s.message = t.known;
    }
    if (continues && x.stores.back().has_message) {
      s.has_message = true;
      s.message.join(x.stores.back().message);
    }
    x.stores.push_back(s);
    if (order == std::memory_order_seq_cst) x.sc_floor = x.newest();
  }

 private:
  options const* options_;
  std::deque<location> locations_;  // kept from one execution to the next, for their memory
  std::uint32_t count_ = 0;
  std::deque<kept_operation> kept_;
};

}  // namespace settle::inline v0::testing::weave

#endif
