// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_EXECUTION_HPP
#define SETTLE_TESTING_WEAVE_EXECUTION_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "quarantine.hpp"
#include "scheduler.hpp"
#include "trace.hpp"

namespace settle::inline v0::testing::weave {

/// Who used a plain object last: for telling accesses that nothing orders.
struct access_record {
  void const* self = nullptr;
  std::uint8_t writer = 0;
  std::uint32_t written = 0;
  std::array<std::uint32_t, max_threads> read{};
};

/// One execution after the other, as what threads share sees it: each member is a step of the thread that calls.
class execution : public scheduler {
 public:
  using scheduler::scheduler;
  using place = std::source_location;

  /// The one that runs on this thread; null: none.
  static execution*& current() noexcept {
    static thread_local execution* e = nullptr;
    return e;
  }

  // -- atomic objects ---------------------------------------------------------------------------------------------------
  std::uint32_t create(void const* address, bits initial) {
    location& x = memory_.make(address, initial, running_, me().count + 1);
    if (quarantine::block* const b = quarantine_.find(address); b != nullptr) {
      x.next_in_block = b->first_location;
      b->first_location = x.id + 1;
    }
    return x.id;
  }
  /// Destroying writes the whole object: everybody's last access must have happened before.
  void destroy(std::uint32_t id, void const* address) {
    if (location* const x = memory_.find(id, address); x != nullptr) bury(*x);
  }

  bits load(std::uint32_t id, void const* address, std::memory_order order, place at) {
    if (passive_) return find(id, address).value();
    operation op{op_kind::load, order == std::memory_order_seq_cst, false, false, acquires(order), id, {}};
    op.exact = must_be_exact(id);
    location& x = step_on(op, address);
    bits const v = x.stores[index_].value;
    commit(x, order, v, at);
    return v;
  }
  /// No more of the value than what `f` makes of it.
  template <class F>
  bits look(std::uint32_t id, void const* address, F const& f, std::memory_order order, place at) {
    if (passive_) return f(find(id, address).value());
    operation op{op_kind::load, order == std::memory_order_seq_cst, must_be_exact(id), false, acquires(order), id, {}};
    op.about(f);
    op.looks_at = [](void const* context, bits v) { return (*static_cast<F const*>(context))(v); };
    location& x = step_on(op, address);
    bits const v = x.stores[index_].value;
    commit(x, order, v, at);
    return f(v);
  }
  void store(std::uint32_t id, void const* address, bits v, std::memory_order order, place at) {
    operation const op{op_kind::store, false, false, false, false, id, {}};
    location& x = step_on(op, address);
    begin_event(x, &v);
    memory_.write(x, running_, me(), v, order, event(), false);
    tell(at, x, v);
  }
  template <class F>
  bits update(std::uint32_t id, void const* address, F f, std::memory_order order, place at) {
    return update(operation{op_kind::exchange, false, false, false, false, id, {}}, address, f, order, at);
  }
  /// Sets the bits once all of them are clear.
  bits lock(std::uint32_t id, void const* address, bits wanted, std::memory_order order, place at) {
    auto const set = [&](bits v) { return bits{v.low | wanted.low, v.high}; };
    return update(operation{op_kind::lock, false, false, false, false, id, wanted}, address, set, order, at);
  }
  bool compare_exchange(std::uint32_t id, void const* address, bits& expected, bits v, std::memory_order success, std::memory_order failure,
                        bool weak, place at) {
    if (search_.prunes() && settings().pure_retries && tries_again(id, expected)) await(thread_state::retrying, id, 0);
    operation const op{op_kind::swap, false, must_be_exact(id), weak, acquires(failure), id, expected};
    location& x = step_on(op, address);
    bits const seen = x.stores[index_].value;
    if (seen == expected && !spurious_) {
      commit_update(x, v, success, at);
      return true;
    }
    expected = seen;
    me().failed_for_nothing |= spurious_;
    commit(x, failure, seen, at);
    me().has_failed = true;
    me().seen = seen;
    return false;
  }

  /// What `next` makes of the newest value, unless that is nothing: then it is a load, of any value that this can be said of, and the
  /// caller sees no more than what `sees` makes of it. `adds`: so much, which is all that `next` does.
  template <class F, class G>
  bool update_if(std::uint32_t id, void const* address, bits& seen, F const& next, G const& sees, std::memory_order success,
                 std::memory_order failure, sum adds, place at) {
    struct pair {
      F next;
      G sees;
    };
    operation op{op_kind::swap, false, must_be_exact(id), false, acquires(failure), id, {}};
    pair const both{next, sees};
    op.about(both);
    op.fits = [](void const* p, bits v) { return static_cast<pair const*>(p)->next(v).has_value(); };
    op.looks_at = [](void const* p, bits v) { return static_cast<pair const*>(p)->sees(v); };
    if (success != std::memory_order_seq_cst) op.adds = adds;
    location& x = step_on(op, address);
    seen = x.stores[index_].value;
    auto const to = next(seen);
    if (to) commit_update(x, *to, success, at);
    else commit(x, failure, seen, at);
    return to.has_value();
  }

  /// Memory that was given back must not even be looked at: AddressSanitizer would end the program without a schedule.
  void must_be_there(void const* object) {
    if constexpr (watched_by_sanitizer) {
      quarantine::block const* const b = quarantine_.find(object);
      if (b != nullptr && b->freed) fail("an atomic object is used that is not there any more, or not yet");
    }
  }

  /// One less, once it is not zero; false: the execution ends, and it will stay zero.
  bool take(std::uint32_t id, void const* address, place at) {
    operation const op{op_kind::take, false, false, false, true, id, {}};
    location& x = step_on(op, address);
    if (solo()) return false;
    commit_update(x, {x.value().low - 1, 0}, std::memory_order_acq_rel, at);
    return true;
  }
  /// Until the value is not zero.
  void wait(std::uint32_t id, void const* address, place at) {
    while (solo() && find(id, address).value().low == 0 && help_ && help_()) {
    }
    operation const op{op_kind::wait, false, true, false, true, id, {}};
    location& x = step_on(op, address);
    commit(x, std::memory_order_acquire, x.value(), at);
  }
  /// Nothing to be done before another thread has written the object.
  void pause(std::uint32_t id, void const* address) {
    location& x = find(id, address);
    thread_state& t = me();
    std::uint32_t const seen = x.floor(running_, t.known);
    bool const only_read = t.last_where == id && (t.last_kind == op_kind::load || t.last_kind == op_kind::swap);
    bool const waits_for_nothing = search_.reduces() || (search_.prunes() && seen < x.newest());
    if (waits_for_nothing && only_read && !draining_ && phase_ == running) {
      await(thread_state::awaiting, id, seen);
    } else {
      operation op{op_kind::resume, false, true, false, false, id, {}};
      op.expected.low = seen;
      location& y = step_on(op, address);
      commit_read(y, y.newest(), std::memory_order_relaxed);
    }
    t.exact_at = id + 1;
  }

  // -- plain objects ----------------------------------------------------------------------------------------------------
  void plain_read(access_record& a, void const* self, place at) {
    if (passive_) return;
    plain_alive(a, self, at);
    if (!happened(a.writer, a.written)) race("reads what another thread writes", at);
    a.read[running_] = me().count + 1;
    me().has_failed = false;
  }
  void plain_write(access_record& a, void const* self, place at) {
    if (passive_) return;
    plain_alive(a, self, at);
    if (!happened(a.writer, a.written)) race("writes what another thread writes", at);
    for (unsigned t = 0; t != max_threads; ++t)
      if (!happened(t, a.read[t])) race("writes what another thread reads", at);
    a.writer = static_cast<std::uint8_t>(running_);
    a.written = me().count + 1;
    me().has_failed = false;
  }
  void plain_begin(access_record& a, void const* self) noexcept {
    a = {};
    a.self = self;
    a.writer = static_cast<std::uint8_t>(running_);
    a.written = me().count + 1;
  }

  // -- memory -----------------------------------------------------------------------------------------------------------
  void* allocate(std::size_t bytes, std::size_t align) { return quarantine_.allocate(running_, bytes, align); }
  void deallocate(void* p) {
    quarantine::block* const b = quarantine_.find(p);
    if (b == nullptr || b->at != p) return fail("memory is given back that was never taken");
    if (b->freed) return fail("memory is given back twice");
    for (std::uint32_t id = b->first_location; id != 0; id = memory_.at(id - 1).next_in_block)
      if (memory_.at(id - 1).alive) bury(memory_.at(id - 1));
    quarantine_.retire(*b);
  }

  /// Zeroed memory of this thread, the same for the same number in one execution.
  void* slot(std::size_t number, std::size_t bytes) {
    auto& s = slots_[running_];
    if (s.size() <= number) s.resize(number + 1);
    slot_memory& m = s[number];
    if (m.bytes == nullptr) m.bytes = std::make_unique<std::byte[]>(bytes);
    if (std::exchange(m.execution, serial()) != serial()) std::memset(m.bytes.get(), 0, bytes);
    return m.bytes.get();
  }
  unsigned thread() const noexcept { return running_; }
  /// This thread's last step, and whether a step of another happened before it.
  std::uint32_t now() noexcept { return me().count + 1; }
  bool happened(unsigned thread, std::uint32_t number) noexcept { return thread == running_ || me().known.covers(thread, number); }

  tracer trace;

 protected:
  quarantine quarantine_;
  std::function<bool()> help_;  // runs something that the thread which sets up and checks may wait for; false: nothing is left

 private:
  template <class F>
  bits update(operation const& op, void const* address, F f, std::memory_order order, place at) {
    location& x = step_on(op, address);
    bits const old = x.value();
    commit_update(x, f(old), order, at);
    return old;
  }

  struct slot_memory {
    std::unique_ptr<std::byte[]> bytes;
    std::uint64_t execution = 0;
  };

  location& find(std::uint32_t id, void const* address) {
    location* const x = memory_.find(id, address);
    if (x == nullptr) fail("an atomic object is used that is not there any more, or not yet");
    return *x;
  }

  /// The first look after a wait finds what ended it.
  bool must_be_exact(std::uint32_t id) noexcept {
    bool const after_pause = me().exact_at == id + 1;
    if (after_pause) me().exact_at = 0;
    return after_pause;
  }

  bool tries_again(std::uint32_t id, bits expected) noexcept {
    thread_state const& t = me();
    return t.has_failed && t.last_where == id && t.seen == expected && !draining_ && phase_ == running;
  }

  /// Waits for the turn; then `index_` says which value is read.
  location& step_on(operation const& op, void const* address) {
    find(op.where, address);
    arrive(op);
    location& x = find(op.where, address);
    spurious_ = splits_ = false;
    index_ = x.newest();
    if (!solo() && me().choice != 0) {
      memory_.readable(op, running_, me(), found_);
      if (me().choice >= found_.count) fail("the schedule is not one of this program: there is no such value");
      candidate const& found = found_.all[me().choice];
      index_ = found.index;
      spurious_ = found.spurious;
      splits_ = found.splits;
      if (splits_) memory_.split(x, found, threads_);
    }
    stale_ = index_ != x.newest();
    return x;
  }
  void begin_event(location& x, bits const* written, bool commutes = false) {
    thread_state& t = me();
    count_event();
    t.last_kind = t.pending.kind;
    t.last_where = x.id;
    t.has_failed = false;
    if (written != nullptr && (t.last_kind == op_kind::load || t.last_kind == op_kind::swap)) t.last_kind = op_kind::store;
    if (!happened(x.stores[0].thread, x.stores[0].number))
      fail("a data race: an atomic object is used before its construction has happened");
    x.last_access[running_] = t.count;
    if (searching()) races_.note(threads_, running_, {index_, splits_, written, commutes});
  }
  bool searching() const noexcept { return phase_ == running && !draining_ && settings().search.kind <= method::full_search; }
  std::int32_t event() const noexcept { return searching() ? static_cast<std::int32_t>(search_.depth()) - 1 : no_event; }
  void commit(location& x, std::memory_order order, bits v, place at) {
    commit_read(x, index_, order);
    tell(at, x, v);
  }
  void commit_read(location& x, std::uint32_t index, std::memory_order order) {
    begin_event(x, nullptr);
    memory_.read(x, running_, me(), index, order);
  }
  void commit_update(location& x, bits v, std::memory_order order, place at) {
    bool const commutes = memory_.commutes(me().pending, x);
    std::uint32_t const learned = commutes ? std::max(x.base(), x.last_read(running_)) : x.newest();
    begin_event(x, &v, commutes);
    memory_.read(x, running_, me(), learned, order);
    memory_.write(x, running_, me(), v, order, event(), true, commutes);
    tell(at, x, v);
  }
  void tell(place at, location const& x, bits v) {
    if (trace.on) trace.add(me().name, me().pending, x.id, v, stale_, at);
  }

  void bury(location& x) {
    x.alive = false;
    if (passive_) return;
    for (unsigned t = 0; t != max_threads; ++t)
      if (x.last_access[t] != 0 && !happened(t, x.last_access[t]))
        return fail("an atomic object is destroyed while another thread may still use it");
  }
  void plain_alive(access_record const& a, void const* self, place at) {
    if (a.self != self) race("uses what is not there any more", at);
  }
  void race(char const* what, place at) {
    std::string file = at.file_name();
    fail(std::string("a data race: ") + me().name + " " + what + " (" + file.substr(file.find_last_of('/') + 1) + ":" +
         std::to_string(at.line()) + ")");
  }

  std::array<std::vector<slot_memory>, max_threads> slots_;
  std::uint32_t index_ = 0;
  bool spurious_ = false;
  bool splits_ = false;
  bool stale_ = false;
  candidates found_;
};

}  // namespace settle::inline v0::testing::weave

#endif
