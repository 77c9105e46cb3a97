// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_SCOPE_CHILD_HPP
#define SETTLE_SCOPE_CHILD_HPP

#include <concepts>
#include <cstdint>
#include <new>
#include <utility>

#include "../detail/link.hpp"
#include "core.hpp"

namespace settle::inline v0::detail {

/// What a child's end means to the others: `member` only its failure; `body` being cancelled as well; `guest` nothing, and it
/// hears of a forced cancel only.
enum class scope_role : std::uint8_t { member, body, guest };

/// A child's place in its scope: the link of the tree, and what tells the scope how the child has settled. In a block of the
/// scope's, until the child is released.
template <class C>
struct scope_child : link<C>, hook<C> {
  using state = state_base<C>;

  scope_core<C>* core = nullptr;
  scope_role role = scope_role::member;

  /// Null when there is no memory.
  static scope_child* make(scope_core<C>& core, scope_role role) noexcept {
    state& s = core.op();
    void* const at = s.allocate(sizeof(scope_child), alignof(scope_child));
    if (at == nullptr) return nullptr;
    auto* const made = ::new (at) scope_child;
    made->core = &core;
    made->role = role;
    return made;
  }
  static void free(scope_child& c, state& s) noexcept { s.deallocate(&c, sizeof(scope_child), alignof(scope_child)); }

  /// Adopts it: what was counted by `enter` is its now. It may be asked to cancel at once.
  template <class T, class E>
  void adopt(state& child) noexcept {
    state& s = core->op();
    bool const tells = role != scope_role::guest && !core->keeps_going();
    this->tie(s, child, when_released);
    this->kind = hook_kind::input;
    this->owner = &child;
    this->type = &when_settled<T, E>;
    registry<C>::tie(s, child, *this, role == scope_role::guest);
    if (tells && !registry<C>::add_input(child, *this)) told<T, E>(*this, hook_action::feed);
  }

 private:
  /// Structural: it has settled.
  template <class T, class E>
  static void told(hook<C>& h, hook_action) {
    auto& self = static_cast<scope_child&>(h);
    state& s = *h.owner;
    if (s.is(word::failure)) {
      s.seen.store(true, std::memory_order_relaxed);
      self.core->fail(error(std::as_const(static_cast<typed_state<T, E, C>&>(s).result).error()));
    } else if (s.is(word::cancelled) && self.role == scope_role::body) {
      engine<C>::request(self.core->op(), cancellation(cause::sibling, s.created));
    }
  }
  /// Structural: it is released. The scope holds as long as its link did.
  static void released(hook<C>& up_end, hook_action action) {
    auto& self = static_cast<scope_child&>(link<C>::of_upper(up_end));
    state& s = *self.parent();
    state& child = *self.child();
    scope_core<C>& scope = *self.core;
    self.untie();
    free(self, s);
    link<C>::drop(child, action);
    scope.leave();
    engine<C>::leave(s);
  }
  template <class T, class E>
  static constexpr hook_type<C> when_settled{&told<T, E>, 0, 0};
  static constexpr hook_type<C> when_released{&released, 0, 0};
};

}  // namespace settle::inline v0::detail

#endif
