// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SCOPE_CORE_HPP
#define SETTLE_SCOPE_CORE_HPP

#include <cstdint>
#include <memory>
#include <new>
#include <source_location>
#include <utility>

#include "../detail/cell.hpp"
#include "../detail/engine.hpp"
#include "../detail/hook.hpp"
#include "../detail/registry.hpp"
#include "../error.hpp"

namespace settle::inline v0::detail {

/// What a scope does besides being an operation: it is that operation's producer. One word says whether work is taken, and
/// how much of it is not released yet; whoever takes it to nothing settles the operation.
template <class C>
class scope_core {
 public:
  using state = state_base<C>;
  using typed = typed_state<void, error, C>;

  scope_core(typed& op, bool keeps_going) noexcept : op_(op), keeps_going_(keeps_going) {
    asked_.kind = hook_kind::stop;
    asked_.owner = &op;
    asked_.type = &asked_type;
  }
  scope_core(scope_core&&) = delete;

  typed& op() noexcept { return op_; }
  bool keeps_going() const noexcept { return keeps_going_; }
  /// Once, before anybody else sees the operation: asked to cancel, it takes no new work.
  void listen() noexcept { registry<C>::add_stop(op_, asked_); }

  /// One more. False: closed, or ended; nothing was counted. `late`: closed it may be.
  bool enter(bool late) noexcept {
    std::uint64_t w = word_.load(std::memory_order_acquire);
    do {
      if (w < one || (!late && (w & closed) != 0)) return false;
    } while (!word_.compare_exchange_weak(w, w + one, std::memory_order_acq_rel, std::memory_order_acquire));
    return true;
  }
  /// One that entered is released. The last one ends the scope.
  void leave() noexcept {
    if (word_.fetch_sub(one, std::memory_order_acq_rel) < 2 * one) end();
  }
  /// It ends with the last of what is in it.
  void let_go() noexcept { mark(gone); }
  /// The same, and nothing more is taken. True: something is left in it.
  bool close() noexcept { return mark(closed | gone); }

  /// The first failure of a child is the scope's outcome; the others are asked to stop.
  void fail(error e) noexcept {
    close();
    op_.add_hold();  // the producer's own is for the end
    if (!engine<C>::claim(op_)) return engine<C>::leave(op_);
    ::new (static_cast<void*>(outcome_access::error(op_.result))) error(std::move(e));
    engine<C>::publish(op_, outcome_head::failure);
  }

 private:
  static constexpr std::uint64_t closed = 1;
  static constexpr std::uint64_t gone = 2;  // who holds the scope has let it go
  static constexpr std::uint64_t one = 4;

  static void run_asked(hook<C>& h, hook_action action) {
    if (action == hook_action::invoke) reinterpret_cast<scope_core*>(&h)->close();
  }
  static constexpr hook_type<C> asked_type{&run_asked, 0, 0};

  bool mark(std::uint64_t bits) noexcept {
    std::uint64_t const before = word_.fetch_or(bits, std::memory_order_acq_rel);
    bool const held = (before & gone) == 0;
    if (held) leave();
    return before / one > (held ? 1U : 0U);
  }
  void end() noexcept {
    bool const asked = op_.is(word::requested);
    if (!(asked ? engine<C>::settle_cancelled(op_, {}) : engine<C>::settle(op_, outcome_head::value, false))) engine<C>::leave(op_);
  }

  hook<C> asked_;
  typename C::sync::template atomic<std::uint64_t> word_{one};
  typed& op_;
  bool const keeps_going_;
};

/// A scope's operation and its core: one block.
template <class P>
struct scope_cell final : cell<P> {
  using base = cell<P>;
  using C = typename P::terminal;
  using state = state_base<C>;
  using allocator_type = typename P::allocator_type;

  scope_core<C> core;

  /// Null when there is no memory.
  static scope_cell* make(typename P::executor_type ex, bool keeps_going, std::source_location at) noexcept {
    allocator_type a{};
    void* const p = byte_source<allocator_type>::allocate(a, sizeof(scope_cell), alignof(scope_cell));
    if (p == nullptr) return nullptr;
    auto* const c = ::new (p) scope_cell(std::move(ex), std::move(a), keeps_going, at);
    c->core.listen();
    c->tell(monitor_event::created);
    tell_executor(c->executor, *c, monitor_event::created);
    return c;
  }

 private:
  scope_cell(typename P::executor_type ex, allocator_type a, bool keeps_going, std::source_location at) noexcept
      : base(&scope_table, word::handled, std::move(ex), std::move(a), at), core(*this, keeps_going) {}

  static void destroy(state& s) noexcept {
    auto& self = static_cast<scope_cell&>(s);
    tell_executor(self.executor, s, monitor_event::destroyed);
    allocator_type a = std::move(self.allocator);
    std::destroy_at(&self);
    byte_source<allocator_type>::deallocate(a, &self, sizeof(scope_cell), alignof(scope_cell));
  }
  static constexpr state_table<C> table_of_scopes() noexcept {
    state_table<C> t = base::table_of();
    t.destroy = &destroy;
    t.outlived = cause::sibling;
    return t;
  }
  static state_table<C> const scope_table;
};

template <class P>
constexpr state_table<typename P::terminal> const scope_cell<P>::scope_table = scope_cell<P>::table_of_scopes();

}  // namespace settle::inline v0::detail

#endif
