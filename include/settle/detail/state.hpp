// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_STATE_HPP
#define SETTLE_DETAIL_STATE_HPP

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <source_location>
#include <string_view>
#include <utility>

#include "../outcome.hpp"
#include "../policy/monitor.hpp"
#include "../policy/recycling.hpp"
#include "context.hpp"
#include "hook.hpp"
#include "look.hpp"
#include "naming.hpp"
#include "state_table.hpp"
#include "word.hpp"

namespace settle::inline v0::detail {

/// The shared state of an operation, without its types.
template <class C>
struct state_base : basic_work_node<C> {
  using sync = typename C::sync;
  template <class T>
  using atomic = typename sync::template atomic<T>;
  template <class T>
  using plain = typename sync::template plain<T>;

  atomic<std::uint8_t> slots_taken{0};
  atomic<bool> seen{false};
  atomic<std::uint8_t> uplinks{0};  // links to parents among the lasting hooks; many_uplinks: that many or more
  atomic<std::uint32_t> word;
  atomic<std::uint64_t> counts;
  state_table<C> const* table;
  atomic<cleanup_node<C>*> cleanups{nullptr};  // allocated ones; older ones are in the slots
  plain<void*> ring_or_late = nullptr;         // observers until the sequence is through; then late cleanups
  atomic<hook<C>*> lasting{nullptr};           // cancel observers, links, released observers
  origin<C> created;

  state_base(state_table<C> const* t, std::uint32_t w, std::uint64_t c, std::source_location at) noexcept
      : word(w), counts(c), table(t), created(at) {}

  /// Done observers and a consumer, in order. Frozen by settling.
  hook<C>* observers() const noexcept { return static_cast<hook<C>*>(static_cast<void*>(ring_or_late)); }
  void observers(hook<C>* first) noexcept { ring_or_late = first; }
  /// Written under the lock, or by the releaser; whoever is about to leave looks without it.
  cleanup_node<C>* top_cleanup() const noexcept { return cleanups.load(std::memory_order_relaxed); }
  bool has_top_cleanup() const noexcept {
    return detail::look(cleanups, std::memory_order_relaxed, [](auto* top) { return top != nullptr; });
  }
  void top_cleanup(cleanup_node<C>* top) noexcept { cleanups.store(top, std::memory_order_relaxed); }
  bool has_lasting() const noexcept {
    return detail::look(lasting, std::memory_order_acquire, [](auto* first) { return first != nullptr; });
  }
  static constexpr std::uint8_t many_uplinks = 255;
  /// A link to a parent stands. Under the lock.
  void count_uplink() noexcept {
    std::uint8_t const n = uplinks.load(std::memory_order_relaxed);
    if (n != many_uplinks) uplinks.store(static_cast<std::uint8_t>(n + 1), std::memory_order_relaxed);
  }

  std::uint8_t slots_used() const noexcept { return slots_taken.load(std::memory_order_relaxed); }
  void slots_used(std::size_t n) noexcept { slots_taken.store(static_cast<std::uint8_t>(n), std::memory_order_relaxed); }
  /// Cleanups registered while the releaser runs.
  cleanup_node<C>* late_cleanups() const noexcept { return static_cast<cleanup_node<C>*>(static_cast<void*>(ring_or_late)); }
  void late_cleanups(cleanup_node<C>* top) noexcept { ring_or_late = top; }

  outcome_head& head() noexcept { return *reinterpret_cast<outcome_head*>(reinterpret_cast<std::byte*>(this) + table->head_offset); }

  // What a cell, which knows its policy, answers at compile time.
  bool has_listener() const noexcept { return table->event != nullptr; }
  bool may_dispose() const noexcept { return table->dispose != nullptr; }
  bool cleanup_may_allocate() const noexcept { return table->cleanup_may_allocate; }
  cleanup_type<C> const*& slot_type(std::size_t i) noexcept { return *reinterpret_cast<cleanup_type<C> const**>(slot(i)); }
  void* slot_closure(std::size_t i) noexcept { return slot(i) + sizeof(void*); }

  /// Memory from its allocator; null when there is none. No opaque call where that is the default one.
  void* allocate(std::size_t bytes, std::size_t align) noexcept {
    return table->allocate == nullptr ? recycling::try_allocate(bytes, align) : table->allocate(*this, bytes, align);
  }
  void deallocate(void* p, std::size_t bytes, std::size_t align) noexcept {
    if (table->deallocate == nullptr) recycling::deallocate(p, bytes, align);
    else table->deallocate(*this, p, bytes, align);
  }

  /// Where its user code runs.
  executor_ref<C> home() noexcept { return table->executor == nullptr ? executor_ref<C>{} : table->executor(*this); }

  bool is(std::uint32_t bits) const noexcept { return has(word, bits, std::memory_order_acquire); }
  bool is_released() const noexcept { return !has(counts, count::releasing - 1, std::memory_order_acquire); }

  /// Asked by the producer. Only its reference and its hold exist, and perhaps the consumer's reference: no other thread can
  /// see the state, plain stores will do.
  bool sole() const noexcept {
    int const others = detail::look(counts, std::memory_order_acquire, [](std::uint64_t c) {
      return c == count::both ? 0 : c == count::both + count::ref ? 1 : 2;
    });
    return others == 0 || (others == 1 && with_consumer());
  }

  /// One thread has nobody to lock out.
  static constexpr bool is_exclusive = requires { sync::one_thread; };
  [[gnu::always_inline]] std::uint32_t lock() noexcept {
    if constexpr (is_exclusive) {
      return word.load(std::memory_order_relaxed);
    } else if constexpr (requires(atomic<std::uint32_t>& a) { a.lock_bit(1u, std::memory_order_acquire); }) {
      return word.lock_bit(std::uint32_t{word::locked}, std::memory_order_acquire);
    } else {
      std::uint32_t w = word.load(std::memory_order_relaxed);
      bool const is_free = (w & word::locked) == 0;
      if (is_free && word.compare_exchange_strong(w, w | word::locked, std::memory_order_acquire, std::memory_order_relaxed)) return w;
      return lock_when_free(w);
    }
  }
  /// `alone`: the caller is the sole reference and hold, and has nobody to lock out.
  std::uint32_t lock(bool alone) noexcept {
    if (is_exclusive || !alone) return lock();
    std::uint32_t const w = word.load(std::memory_order_relaxed);
    return (w & word::kept) != 0 ? lock() : w;
  }
  void unlock(std::uint32_t w) noexcept { word.store(w, std::memory_order_release); }

  /// The one transition out of pending, on every path. Of a `w` that the caller has locked, or that nobody else can see;
  /// `h` is the outcome's head, whose payload is written.
  [[gnu::always_inline]] void become_settled(std::uint32_t w, outcome_head& h, outcome_head::kind_t kind) noexcept {
    h.kind = kind;
    unlock(w | word::settled | word::ended_with(kind));
  }

  void add_ref() noexcept { counts.fetch_add(count::ref, std::memory_order_relaxed); }
  void drop_ref() noexcept {
    if (is_alone(count::ref) || drop_shared_ref()) end();
  }
  /// Several that are given back after the release.
  void drop_refs(std::uint64_t refs) noexcept {
    auto const is_last = [refs](std::uint64_t before) { return before == refs; };
    if (is_alone(refs) || take_away(counts, refs, is_last, std::memory_order_acq_rel)) end();
  }
  /// Nobody else has a reference, which saves a read-modify-write. False: there may be others.
  bool is_alone(std::uint64_t refs) noexcept {
    return !is_explored<atomic<std::uint64_t>> && equals(counts, refs, std::memory_order_acquire);
  }
  /// True: it was the last.
  [[gnu::noinline]] bool drop_shared_ref() noexcept {
    enum class others : std::uint8_t { none, producer, some };
    bool const is_lonely = table->lonely;
    auto const who = [is_lonely](std::uint64_t before) {
      return before == count::ref ? others::none : is_lonely && before == count::both + count::ref ? others::producer : others::some;
    };
    others const left = take_away(counts, count::ref, who, std::memory_order_acq_rel);
    if (left == others::producer) engine<C>::abandon(*this, true);
    return left == others::none;
  }

  /// The producer gives the handle out while nobody else refers to the state, and before anything was done to it: what others
  /// did before they let go stands in the word that is read after the count. False: not so.
  bool hand_out_alone() noexcept {
    if (!equals(counts, count::both, std::memory_order_acquire) || word.load(std::memory_order_relaxed) != 0) return false;
    word.store(word::handled | word::owned, std::memory_order_relaxed);
    counts.store(count::both + count::ref, std::memory_order_relaxed);
    return true;
  }
  /// One more hold and reference; the caller knows that a hold stands (an unsettled operation under its lock).
  void add_hold() noexcept { counts.fetch_add(count::both, std::memory_order_relaxed); }

  /// A hold while there is still one: pins want none once the cleanups run, late cleanups take one even then.
  /// Where there is none, what ran before the release is visible: whatever came too late for it runs after it.
  bool try_hold(bool even_releasing, std::uint64_t with_refs = count::both) noexcept {
    std::uint64_t c = 0;
    auto const more = [=](std::uint64_t v) -> std::optional<std::uint64_t> {
      if (count::holds(v) == 0 || (!even_releasing && (v & count::releasing) != 0)) return {};
      return v + with_refs;
    };
    auto const nothing = [](std::uint64_t) { return std::uint64_t{0}; };
    return update(counts, c, more, nothing, std::memory_order_acquire, std::memory_order_acquire);
  }

  /// Makes the context when there is none yet. Null: no memory.
  detail::context<C>* make_context() noexcept {
    if (detail::context<C>* const there = created.get(); there != nullptr) return there;
    void* const at = allocate(sizeof(detail::context<C>), alignof(detail::context<C>));
    if (at == nullptr) return nullptr;
    auto* const made = ::new (at) detail::context<C>(created);
    std::uint32_t const w = lock();
    detail::context<C>* const first = created.get();
    if (first == nullptr) created.set(*made);
    unlock(w | word::context);
    if (first == nullptr) return made;
    std::destroy_at(made);
    deallocate(at, sizeof(detail::context<C>), alignof(detail::context<C>));
    return first;
  }

  /// The second of two references is the consumer's: it was given before they were counted, and is still to be given back.
  bool with_consumer() const noexcept {
    return is(word::given) && equals(counts, count::both + count::ref, std::memory_order_acquire) && !is(word::settled);
  }

  static constexpr std::uint32_t ended = word::settled | word::no_value;
  monitor_event event_of(monitor_event::what_t what) noexcept {
    std::uint32_t const w = bits_of(word, ended, std::memory_order_relaxed);
    monitor_event e;
    e.what = what;
    e.how = (w & word::settled) == 0     ? monitor_event::pending
            : (w & word::failure) != 0   ? monitor_event::failure
            : (w & word::cancelled) != 0 ? monitor_event::cancelled
                                         : monitor_event::value;
    e.tag = table->tag;
    e.where = created;
    e.id = this;
    e.look = &look;
    return e;
  }
  /// For a monitor that keeps the live set: from any thread, while the state exists.
  static standing look(void const* id) noexcept {
    auto const& s = *static_cast<state_base const*>(id);
    std::uint32_t const w = s.word.load(std::memory_order_acquire);
    std::uint64_t const c = s.counts.load(std::memory_order_acquire);
    return {(w & word::settled) != 0, (w & word::requested) != 0, (c & count::releasing) != 0, static_cast<std::uint32_t>(count::holds(c))};
  }
  void tell(monitor_event::what_t what) noexcept {
    if (table->event != nullptr) table->event(event_of(what));
  }
  void free_hook(hook<C>& h, hook_type<C> const& type) noexcept { deallocate(&h, type.size, type.align); }
  void report(std::exception_ptr p, monitor_event::what_t what, std::string_view detail = {}) noexcept {
    monitor_event e = event_of(what);
    e.detail = detail;
    report(std::move(p), e);
  }
  void report(std::exception_ptr p, monitor_event& e) noexcept {
    naming<C>::with_name(*this, [&](std::string_view name) {
      e.child = name;
      table->report(std::move(p), e);
    });
  }
  std::byte* slot(std::size_t i) noexcept { return reinterpret_cast<std::byte*>(this) + table->slots_offset + table->slot_size * i; }
  /// The slot that `closure` lies in; slot_count when it is no slot's.
  std::size_t slot_of(std::byte* closure) noexcept {
    for (std::size_t i = 0; i != table->slot_count; ++i)
      if (slot_closure(i) == closure) return i;
    return table->slot_count;
  }
  /// A slot whose cleanup has run: the next look at it takes it off.
  void spend_slot(std::size_t i) noexcept {
    std::uint32_t const w = lock();
    slot_type(i) = &cleanup_type<C>::spent;
    unlock(w);
  }

  [[gnu::noinline]] std::uint32_t lock_when_free(std::uint32_t w) noexcept {
    for (unsigned round = 0;;) {
      if ((w & word::locked) != 0) {
        sync::pause(round++, word);
        w = word.load(std::memory_order_relaxed);
      } else if (word.compare_exchange_weak(w, w | word::locked, std::memory_order_acquire, std::memory_order_relaxed)) {
        return w;
      }
    }
  }
  /// No reference is left.
  void end() noexcept {
    std::uint32_t const w = bits_of(word, std::uint32_t{word::failure | word::context}, std::memory_order_relaxed);
    if (w != 0 || has_listener()) [[unlikely]]
      say_and_forget(w);
    table->destroy(*this);
  }
  [[gnu::noinline]] void say_and_forget(std::uint32_t w) noexcept {
    if ((w & word::failure) != 0 && !seen.load(std::memory_order_relaxed)) report(table->exception(*this), monitor_event::unseen_failure);
    if (detail::context<C>* const c = created.get(); c != nullptr) destroy_context(c);
    tell(monitor_event::destroyed);
  }
  void destroy_context(detail::context<C>* c) noexcept {
    for (context_part<C>* p = c->parts.load(std::memory_order_acquire); p != nullptr;) {
      context_part<C>& gone = *std::exchange(p, p->next);
      gone.destroy(gone, *this);
    }
    created.reset();
    std::destroy_at(c);
    deallocate(c, sizeof *c, alignof(detail::context<C>));
  }
};

}  // namespace settle::inline v0::detail

#endif
