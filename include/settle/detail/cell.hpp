// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_CELL_HPP
#define SETTLE_DETAIL_CELL_HPP

#include <cassert>
#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <source_location>
#include <type_traits>
#include <utility>

#include "../outcome.hpp"
#include "../policy/policy_traits.hpp"
#include "engine.hpp"
#include "lost_value.hpp"
#include "state.hpp"
#include "timers.hpp"

namespace settle::inline v0::detail {

/// The shared state as handles see it: fixed by value, error and terminal.
template <class T, class E, class C>
struct typed_state : state_base<C> {
  using outcome_type = outcome<T, E>;
  union {
    outcome_type result;
  };

  // Right behind the base, aligned. (offsetof is only conditionally supported here; the constructor checks.)
  static constexpr std::size_t result_offset =
      (sizeof(state_base<C>) + alignof(outcome_type) - 1) / alignof(outcome_type) * alignof(outcome_type);

  typed_state(state_table<C> const* t, std::uint32_t w, std::uint64_t c, std::source_location at) noexcept : state_base<C>(t, w, c, at) {
    outcome_access::make_pending<T, E>(&result);
    assert(&this->head() == &outcome_access::head(result));
  }
  typed_state(typed_state&&) = delete;
  ~typed_state() { std::destroy_at(&result); }
};

/// A watcher may be reading the outcome: its taker gets a copy. A value that cannot be copied is moved all the same.
template <class T, class E, class C>
bool is_read_by_others(typed_state<T, E, C> const& s) noexcept {
  return is_copyable<lift<T>> && std::is_copy_constructible_v<E> && s.is(word::watched);
}

template <class T, class E, class C>
outcome<T, E> copied_or_moved(typed_state<T, E, C>& s, bool copied) {
  if constexpr (is_copyable<lift<T>> && std::is_copy_constructible_v<E>)
    if (copied) return outcome<T, E>(std::as_const(s.result));
  return outcome<T, E>(std::move(s.result));
}

/// The outcome for its one taker.
template <class T, class E, class C>
outcome<T, E> outcome_for_taker(typed_state<T, E, C>& s) {
  bool const copied = is_read_by_others(s);
  outcome<T, E> taken = copied_or_moved(s, copied);
  if (!copied) outcome_access::clear(s.result);
  lost_taker<C>::forget_from_here(s);
  return taken;
}

template <class C, class Storage, std::size_t N = Storage::inline_slots>
struct cleanup_slots {
  struct slot {
    cleanup_type<C> const* type;
    alignas(void*) std::byte bytes[Storage::slot_bytes];
  };
  static constexpr std::size_t slot_size = sizeof(slot);
  slot slots[N];
};
template <class C, class Storage>
struct cleanup_slots<C, Storage, 0> {
  static constexpr std::size_t slot_size = 0;
};

template <std::size_t N>
struct submit_storage {
  alignas(std::max_align_t) std::byte bytes[N];
  void* get() noexcept { return bytes; }
};
template <>
struct submit_storage<0> {
  static void* get() noexcept { return nullptr; }
};

template <class C, class Ex>
struct typed_executor {
  static void submit(void const* ex, void* storage, submission<C>&& w) {
    Ex const& executor = *static_cast<Ex const*>(ex);
    if constexpr (node_executor<Ex, C>) w.each([&](basic_work_node<C>& n) { executor.submit(n); });
    else executor_access<Ex>::submit(executor, std::move(w), storage);
  }
  template <bool Dispatch>
  static bool on_its_thread(void const* ex) noexcept {
    return Dispatch && executor_access<Ex>::running_in_this_thread(*static_cast<Ex const*>(ex));
  }
  static bool equal(void const* a, void const* b) noexcept {
    return executor_access<Ex>::equal(*static_cast<Ex const*>(a), *static_cast<Ex const*>(b));
  }
};

/// For executors that want to know what lives on them.
template <class Ex, class C>
void tell_executor([[maybe_unused]] Ex const& ex, [[maybe_unused]] state_base<C>& s, [[maybe_unused]] monitor_event::what_t what) noexcept {
  if constexpr (executor_access<Ex>::hears_of_operations) executor_traits<Ex>::on_event(ex, s.event_of(what));
}

template <class C, class Ex, bool Dispatch>
inline constexpr executor_functions<C> executor_functions_of{
    &typed_executor<C, Ex>::submit, &typed_executor<C, Ex>::template on_its_thread<Dispatch>, &typed_executor<C, Ex>::equal};

/// The shared state of an operation with policy P: one allocation.
template <class P>
struct cell : typed_state<typename P::value_type, typename P::error_type, typename P::terminal> {
  using traits = policy_traits<P>;
  using C = typename P::terminal;
  using base = typed_state<typename P::value_type, typename P::error_type, C>;
  using state = state_base<C>;
  using executor_type = typename P::executor_type;
  using allocator_type = typename P::allocator_type;
  using slots_type = cleanup_slots<C, typename P::cleanup>;
  static constexpr bool value_dies_quietly = std::is_trivially_destructible_v<lift<typename P::value_type>>;
  static constexpr bool recycles = std::is_same_v<allocator_type, recycling>;
  using storage_type = submit_storage<executor_access<executor_type>::storage_size()>;

  [[no_unique_address]] slots_type slots;
  [[no_unique_address]] executor_type executor;
  [[no_unique_address]] allocator_type allocator;
  [[no_unique_address]] storage_type storage;

  cell(state_table<C> const* t, std::uint32_t w, executor_type ex, allocator_type a, std::source_location at) noexcept
      : base(t, w, count::both, at), executor(std::move(ex)), allocator(std::move(a)) {
    executor_access<executor_type>::construct_storage(storage.get());
    assert(P::cleanup::inline_slots == 0 || static_cast<void*>(this->slot(0)) == &slots);
  }

  static constexpr bool has_listener() noexcept { return traits::monitored; }
  static constexpr bool may_dispose() noexcept { return !value_dies_quietly; }
  static constexpr bool cleanup_may_allocate() noexcept { return P::cleanup::may_allocate; }
  cleanup_type<C> const*& slot_type(std::size_t i) noexcept {
    if constexpr (P::cleanup::inline_slots != 0) return slots.slots[i].type;
    else return base::slot_type(i);  // LCOV_EXCL_LINE: of none that is taken
  }
  void* slot_closure(std::size_t i) noexcept {
    if constexpr (P::cleanup::inline_slots != 0) return slots.slots[i].bytes;
    else return base::slot_closure(i);  // LCOV_EXCL_LINE: the same
  }
  void deallocate(void* p, std::size_t n, std::size_t align) noexcept { byte_source<allocator_type>::deallocate(allocator, p, n, align); }

  /// Null when there is no memory.
  static cell* make(executor_type ex, allocator_type a, std::source_location at) noexcept {
    void* p = byte_source<allocator_type>::allocate(a, sizeof(cell), alignof(cell));
    if (p == nullptr) return nullptr;
    cell* c = ::new (p) cell(&policy_table, 0, std::move(ex), std::move(a), at);
    c->tell(monitor_event::created);
    tell_executor(c->executor, *c, monitor_event::created);
    return c;
  }

  static state_table<C> const policy_table;

 private:
  static cell& of(state& s) noexcept { return static_cast<cell&>(s); }

  static constexpr bool stands_for_another = requires(executor_type const& ex) {
    { ex.home() } -> std::same_as<executor_ref<C>>;
  };

  static executor_type const& executor_in(state& s) noexcept { return of(s).executor; }
  static executor_ref<C> executor_of(state& s) noexcept {
    if constexpr (stands_for_another) return of(s).executor.home();
    else return {&executor_functions_of<C, executor_type, traits::dispatch()>, &of(s).executor, of(s).storage.get(), &s};
  }
  static void* take_block(state& s, std::size_t n, std::size_t align) noexcept {
    return byte_source<allocator_type>::allocate(of(s).allocator, n, align);
  }
  static void give_block(state& s, void* p, std::size_t n, std::size_t align) noexcept {
    byte_source<allocator_type>::deallocate(of(s).allocator, p, n, align);
  }
  static void dispose(state& s) noexcept {
    if (of(s).result.has_value()) outcome_access::clear_value(of(s).result);
  }
  static void destroy(state& s) noexcept {
    cell& c = of(s);
    tell_executor(c.executor, c, monitor_event::destroyed);
    allocator_type a = std::move(c.allocator);
    std::destroy_at(&c);
    byte_source<allocator_type>::deallocate(a, &c, sizeof(cell), alignof(cell));
  }
  static std::exception_ptr exception(state& s) noexcept {
    if constexpr (requires(typename P::error_type const& e) {
                    { e.exception() } -> std::convertible_to<std::exception_ptr>;
                  })
      return of(s).result.error().exception();  // asked of a failure that nobody took
    else return {};
  }

 protected:
  static constexpr state_table<C> table_of() noexcept {
    return {
        traits::is_inline ? nullptr : &executor_of,
        recycles ? nullptr : &take_block,
        recycles ? nullptr : &give_block,
        value_dies_quietly ? nullptr : &dispose,
        nullptr,
        nullptr,
        &destroy,
        &exception,
        &P::error_sink::report,
        traits::monitored ? &P::monitor::on_event : nullptr,
        P::notify::before_cleanup,
        P::notify::reverse,
        P::cleanup::may_allocate,
        traits::cleanup_budget(),
        timer_functions_of<C, executor_type, &cell::executor_in>(),
        sizeof(base),
        base::result_offset,
        slots_type::slot_size,
        P::cleanup::inline_slots,
        P::cleanup::slot_bytes,
        traits::tag(),
    };
  }
};

template <class P>
constexpr state_table<typename P::terminal> const cell<P>::policy_table = cell<P>::table_of();

}  // namespace settle::inline v0::detail

#endif
