// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_LINK_HPP
#define SETTLE_DETAIL_LINK_HPP

#include <cstdint>
#include <new>
#include <string_view>

#include "hook.hpp"
#include "naming.hpp"
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
    void* at = parent.allocate(sizeof(link), alignof(link));
    if (at == nullptr) return nullptr;
    link* l = ::new (at) link;
    l->tie(parent, child, block);
    return l;
  }
  /// Names its ends; `release` says what the upper end does when the child is released.
  void tie(state& parent, state& child, hook_type<C> const& release) noexcept {
    down.kind = hook_kind::child;
    down.owner = &parent;
    down.type = &release;
    up.kind = hook_kind::parent;
    up.owner = &child;
    up.type = &release;
  }
  /// The parent takes the child, which the caller keeps meanwhile: monitors hear of it.
  void tell() const noexcept {
    if (child()->table->event != nullptr) tell_listener(*parent(), *child());
  }
  /// Off the parent's ring.
  void untie() noexcept {
    state& p = *parent();
    std::uint32_t const w = p.lock();
    p.lasting.store(ring<C>::remove(p.lasting.load(std::memory_order_relaxed), &down), std::memory_order_relaxed);
    p.unlock(w);
  }
  void free() noexcept {
    state& p = *parent();
    p.deallocate(this, sizeof(link), alignof(link));
  }

  static link& of_upper(hook<C>& up_end) noexcept {
    return *reinterpret_cast<link*>(reinterpret_cast<std::byte*>(&up_end) - sizeof(hook<C>));
  }

  /// What a link that is taken apart has of its child: the child is released, and this may be the last of it.
  static void drop(state& child, hook_action action) noexcept {
    child.drop_refs(action == hook_action::part ? 2 * count::ref : count::ref);
  }

  template <bool Block>
  static void child_released(hook<C>& up_end, hook_action action) {
    link& l = of_upper(up_end);
    state& p = *l.parent();
    state& c = *l.child();
    bool const tied = action != hook_action::discard;
    if (tied) l.untie();
    if constexpr (Block) l.free();
    if (!tied) return;
    drop(c, action);
    engine<C>::leave(p);
  }
  static constexpr hook_type<C> block{&child_released<true>, 0, 0};      // in a block of the parent's
  static constexpr hook_type<C> embedded{&child_released<false>, 0, 0};  // in the child's state

 private:
  [[gnu::noinline]] static void tell_listener(state& parent, state& child) noexcept {
    monitor_event e = child.event_of(monitor_event::adopted);
    e.parent = &parent;
    auto const tell = [&](std::string_view name) {
      e.child = name;
      child.table->event(e);
    };
    naming<C>::with_name(child, [&](std::string_view own) { own.empty() ? naming<C>::with_name(parent, tell) : tell(own); });
  }
};

}  // namespace settle::inline v0::detail

#endif
