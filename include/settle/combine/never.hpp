// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_COMBINE_NEVER_HPP
#define SETTLE_COMBINE_NEVER_HPP

#include <memory>
#include <new>
#include <source_location>

#include "../detail/cell.hpp"
#include "../detail/engine.hpp"
#include "../detail/registry.hpp"
#include "../detail/state_access.hpp"
#include "../handle.hpp"

namespace settle::inline v0 {

namespace detail {

/// Nobody produces it, so it ends at the first request, or with its last reference.
template <class P>
struct never_cell final : cell<P> {
  using C = typename P::terminal;
  using state = state_base<C>;
  using allocator_type = typename P::allocator_type;

  static handle<P> make(std::source_location at) {
    allocator_type a{};
    void* const p = byte_source<allocator_type>::allocate(a, sizeof(never_cell), alignof(never_cell));
    if (p == nullptr) raise(std::bad_alloc());
    never_cell& c = *::new (p) never_cell(a, at);
    c.asked_.kind = hook_kind::stop;
    c.asked_.owner = &c;
    c.asked_.type = &asked_type;
    registry<C>::add_stop(c, c.asked_);
    return state_access::own<P>(static_cast<state&>(c));
  }

 private:
  never_cell(allocator_type a, std::source_location at) noexcept
      : cell<P>(&never_table, word::handled | word::owned, inline_executor(), a, at) {}

  static void asked(hook<C>& h, hook_action) {
    if (h.owner->is(word::requested)) engine<C>::end_cancelled(*h.owner, h.owner->head().cancelled_by());
  }
  static constexpr hook_type<C> asked_type{&asked, 0, 0};

  static void destroy(state& s) noexcept {
    auto& c = static_cast<never_cell&>(s);
    allocator_type a = c.allocator;
    std::destroy_at(&c);
    byte_source<allocator_type>::deallocate(a, &c, sizeof(never_cell), alignof(never_cell));
  }
  static constexpr state_table<C> table_without_producer() noexcept {
    state_table<C> t = cell<P>::table_of();
    t.destroy = &destroy;
    t.lonely = true;
    return t;
  }
  static state_table<C> const never_table;

  hook<C> asked_;
};

template <class P>
constexpr state_table<typename P::terminal> const never_cell<P>::never_table = never_cell<P>::table_without_producer();

}  // namespace detail

/// An operation that stays pending until it is cancelled or asked to, which ends it at once, or until nobody refers to it
/// any more: abandoned then. With the inline executor. One allocation; throws std::bad_alloc.
///
/// ```cpp
/// auto either = settle::race(limited ? settle::sleep(ex, limit) : settle::never(), work());
/// ```
template <class T = void, class E = error, class C = cas_terminal>
[[nodiscard]] handle_of<T, E, C> never(std::source_location at = std::source_location::current()) {
  return detail::never_cell<plain<T, E, inline_executor, C>>::make(at);
}

}  // namespace settle::inline v0

#endif
