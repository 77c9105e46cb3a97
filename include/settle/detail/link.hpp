// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_LINK_HPP
#define SETTLE_DETAIL_LINK_HPP

#include <new>

#include "hook.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// An edge of the tree: two hooks in one block of the parent's. `down` leads cancellation to the child; `up` gives the
/// parent's hold back when the child is released, and takes the edge away.
template <class C>
struct link {
  using state = state_base<C>;

  hook<C> down;
  hook<C> up;

  state* parent() const noexcept { return down.owner; }
  state* child() const noexcept { return up.owner; }

  static link& of(hook<C>& down_end) noexcept { return *reinterpret_cast<link*>(&down_end); }

  /// Null when there is no memory.
  static link* make(state& parent, state& child) noexcept {
    void* at = parent.table->allocate(parent, sizeof(link), alignof(link));
    if (at == nullptr) return nullptr;
    link* l = ::new (at) link;
    l->down.kind = hook_kind::child;
    l->down.owner = &parent;
    l->down.type = &type;
    l->up.kind = hook_kind::upward;
    l->up.owner = &child;
    l->up.type = &type;
    return l;
  }
  void free() noexcept {
    state& p = *parent();
    p.table->deallocate(p, this, sizeof(link), alignof(link));
  }

 private:
  /// The child is released.
  static void child_released(hook<C>& up_end, hook_action) {
    link& l = *reinterpret_cast<link*>(reinterpret_cast<std::byte*>(&up_end) - sizeof(hook<C>));
    state& p = *l.parent();
    state& c = *l.child();
    std::uint32_t const w = p.lock();
    p.lasting.store(ring<C>::remove(p.lasting.load(std::memory_order_relaxed), &l.down), std::memory_order_relaxed);
    p.unlock(w);
    l.free();
    c.drop_ref();
    engine<C>::leave(p);
  }
  static constexpr hook_type<C> type{&child_released, 0, 0};
};

}  // namespace settle::inline v0::detail

#endif
