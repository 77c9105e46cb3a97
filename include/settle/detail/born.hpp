// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_BORN_HPP
#define SETTLE_DETAIL_BORN_HPP

#include <concepts>
#include <memory>
#include <new>
#include <source_location>
#include <utility>

#include "cell.hpp"
#include "closures.hpp"
#include "direct.hpp"
#include "exceptions.hpp"
#include "report_thrown.hpp"

namespace settle::inline v0::detail {

/// An operation whose consumer is born with it: state and closure in one block, and no hook.
template <class P, class F>
struct born_cell final : cell<P> {
  using base = cell<P>;
  using C = typename P::terminal;
  using state = state_base<C>;
  using outcome_type = typename base::outcome_type;
  using allocator_type = typename P::allocator_type;
  using executor_type = typename P::executor_type;

  union {
    F f;  // until the consumer's turn is over
  };

  ~born_cell() {}

  /// Null when there is no memory; what moving the closure throws goes to the caller.
  static cell<P>* make(F&& f, executor_type ex, allocator_type a, std::source_location at) {
    void* const p = byte_source<allocator_type>::allocate(a, sizeof(born_cell), alignof(born_cell));
    if (p == nullptr) return nullptr;
    auto* const c = ::new (p) born_cell(std::move(ex), std::move(a), at);
    with_undo([&] { std::construct_at(&c->f, std::move(f)); }, [&] { unmake(*c); });
    c->tell(monitor_event::created);
    tell_executor(c->executor, *c, monitor_event::created);
    return c;
  }

 private:
  born_cell(executor_type ex, allocator_type a, std::source_location at) noexcept
      : base(&born_table, word::handled | word::owned, std::move(ex), std::move(a), at) {}

  static born_cell& of(state& s) noexcept { return static_cast<born_cell&>(s); }

  /// The consumer's turn: once, on every path. Afterwards nobody can take the value.
  static void consume(state& s) noexcept {
    s.seen.store(true, std::memory_order_relaxed);
    hear(of(s));
    let_go(of(s));
  }
  /// The same on the short way, and on to the end of the state.
  static void consume_alone(state& s) noexcept {
    born_cell& self = of(s);
    hear(self);
    if (s.slots_used() != 0) return clean_up_alone(self);
    let_go(self);
    destroy(s);
  }
  [[gnu::noinline]] static void clean_up_alone(born_cell& self) noexcept {
    let_go(self);
    if (direct<P>::run_slots(self)) destroy(self);
  }
  [[gnu::always_inline]] static void hear(born_cell& self) noexcept {
    guarded([&] { call(self.f, self.result, self); }, report_thrown<C>{self, monitor_event::callback_threw});
  }
  [[gnu::always_inline]] static void let_go(born_cell& self) noexcept {
    outcome_access::clear(self.result);
    std::destroy_at(&self.f);
  }
  static void call(F& f, outcome_type& o, state& s) {
    if constexpr (std::invocable<F&, outcome_type&&>) std::move(f)(std::move(o));
    else call_with_ending::call(f, s);
  }
  static void destroy(state& s) noexcept {
    tell_executor(of(s).executor, s, monitor_event::destroyed);
    unmake(of(s));
  }
  static void unmake(born_cell& self) noexcept {
    allocator_type a = std::move(self.allocator);
    std::destroy_at(&self);
    byte_source<allocator_type>::deallocate(a, &self, sizeof(born_cell), alignof(born_cell));
  }
  static constexpr state_table<C> table_with_consumer() noexcept {
    state_table<C> t = base::table_of();
    t.destroy = &destroy;
    t.born = &consume;
    if constexpr (direct<P>::possible) t.born_alone = &consume_alone;
    return t;
  }
  static state_table<C> const born_table;
};

template <class P, class F>
constexpr state_table<typename P::terminal> const born_cell<P, F>::born_table = born_cell<P, F>::table_with_consumer();

}  // namespace settle::inline v0::detail

#endif
