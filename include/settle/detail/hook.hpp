// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_HOOK_HPP
#define SETTLE_DETAIL_HOOK_HPP

#include <cstddef>
#include <cstdint>

#include "../fwd.hpp"
#include "../policy/work_node.hpp"
#include "work.hpp"

namespace settle::inline v0::detail {

enum class hook_kind : std::uint8_t {
  done,      ///< observer of the outcome
  consumer,  ///< the one that takes the value
  cancel,    ///< observer of the first request or forced cancel
  child,     ///< the parent's end of a link: leads cancellation down
  parent,    ///< the child's end of a link: structural, runs at once at release, after the observers
  waiting,   ///< likewise: a waiting thread, the owner of an asynchronous cleanup
  input,     ///< a combinator's: structural, told when the operation settles; then it may wait for the outcome as an observer
  stop,      ///< structural: told of the first request or forced cancel at once, where the cancel happens
  released,  ///< observer of released
  marker,    ///< how far a walk has come
};

/// `invoke` runs the closure and destroys it; `discard` only destroys it; `feed` tells an input that its operation has settled;
/// `part`, to the only link of a child that is at its end, is `invoke`, and the child's own reference goes with the link's.
enum class hook_action : std::uint8_t { invoke, discard, feed, part };

template <class C>
struct hook;

template <class C>
struct hook_type {
  void (*run)(hook<C>&, hook_action);
  std::uint32_t size;
  std::uint32_t align;
};

/// How much a child was told.
enum class told : std::uint8_t { nothing, request, everything };

/// Who may touch a hook whose registration was kept: the sequence and the registration arbitrate here.
enum class claim : std::uint8_t { unkept, kept, withdrawing, withdrawn, started, finished };

/// Anything registered on an operation but a cleanup. Linked both ways so that it can be taken back in O(1).
template <class C>
struct hook : basic_work_node<C> {
  hook_kind kind = hook_kind::done;
  told rank = told::nothing;
  bool mute = false;      // came too late to be told anything: it is only destroyed
  bool taken = false;     // off its ring, in a queue: withdrawing only marks it
  bool holds = true;      // queued by itself it carries a hold on its operation, or (false) a reference only
  bool embedded = false;  // an embedded_hook: its owner may take the memory away, so it is never in a queue
  typename C::sync::template atomic<claim> claimed{claim::unkept};  // (with what stands before it: eight bytes, one store)
  hook* prev;                                                       // written by the ring it is put on
  union {
    hook_type<C> const* type = nullptr;
    hook* parked;  // of a link's upper end, whose type nobody asks for
  };
  state_base<C>* owner = nullptr;

  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): as its link
  hook() noexcept {}
  hook* following() const noexcept { return static_cast<hook*>(this->next); }
};

/// A ring of hooks by its first element.
template <class C>
struct ring {
  using node = hook<C>;

  static node* push_back(node* first, node* h) noexcept {
    if (first == nullptr) {
      h->next = h->prev = h;
      return h;
    }
    h->prev = first->prev;
    h->next = first;
    first->prev->next = h;
    first->prev = h;
    return first;
  }
  static node* push_front(node* first, node* h) noexcept {
    push_back(first, h);
    return h;
  }
  static node* remove(node* first, node* h) noexcept {
    node* after = h->following();
    if (after == h) return nullptr;
    h->prev->next = after;
    after->prev = h->prev;
    return first == h ? after : first;
  }
};

/// A release registered on an operation: last registered first, so one link is enough.
template <class C>
struct cleanup_type;

template <class C>
struct cleanup_node {
  cleanup_node* below = nullptr;
  cleanup_type<C> const* type = nullptr;
};

template <class C>
struct cleanup_type {
  /// Runs the closure at `at` and destroys it. False: it is asynchronous and under way, and goes on with the release itself.
  bool (*run)(void* at, state_base<C>&);
  std::uint32_t offset;  // of the closure in an allocated node
  std::uint32_t size;    // of that node
  std::uint32_t align;

  static cleanup_type const spent;  // of a slot that has nothing to run any more
};
template <class C>
constexpr cleanup_type<C> const cleanup_type<C>::spent{nullptr, 0, 0, 1};

}  // namespace settle::inline v0::detail

#endif
