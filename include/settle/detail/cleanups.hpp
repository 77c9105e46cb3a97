// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_CLEANUPS_HPP
#define SETTLE_DETAIL_CLEANUPS_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "async_cleanup.hpp"
#include "cleanup_list.hpp"
#include "closures.hpp"
#include "registry.hpp"
#include "report_thrown.hpp"

namespace settle::inline v0::detail {

/// What became of a cleanup that was offered.
enum class kept : std::uint8_t {
  yes,      ///< registered; `closure` is where it lives
  ran,      ///< the operation is released: handed to its executor at once
  no_room,  ///< no memory, or the fixed storage is full: it ran there and then
};

template <class C>
struct cleanup_place {
  kept how;
  void* closure;
};

/// Registers a cleanup: in a slot of the state while there is one, else in a block of its own.
/// `alone`: the caller is the sole reference and hold.
template <class C, class F>
class cleanup_registration {
  using state = state_base<C>;
  using list = cleanup_list<C>;
  using closure = cleanup_closure<C, F>;
  using node = typename closure::node;

  static constexpr bool asynchronous = requires { typename F::asynchronous; };

 public:
  static cleanup_place<C> add(state& s, F&& f, bool alone) {
    if (alone && fits(s) && !(asynchronous && s.cleanup_may_allocate())) return in_slot(s, std::move(f));
    if (!s.cleanup_may_allocate()) return in_fixed_slot(s, std::move(f));
    return in_block(s, std::move(f));
  }

 private:
  static bool fits(state& s) noexcept {
    return sizeof(F) <= s.table->slot_bytes && alignof(F) <= alignof(void*) && s.slots_used() < s.table->slot_count &&
           s.top_cleanup() == nullptr;
  }

  /// Nobody else can see the state.
  static cleanup_place<C> in_slot(state& s, F&& f) {
    std::size_t const i = s.slots_used();
    void* const at = s.slot_closure(i);
    with_undo([&] { ::new (at) F(std::move(f)); }, [&] { run_here(s, f); });
    s.slot_type(i) = &closure::type;
    s.slots_used(i + 1);
    return {kept::yes, at};
  }

  /// Slots only: filled outside the lock. We hold the operation meanwhile, and go on where the releaser may have stopped.
  static cleanup_place<C> in_fixed_slot(state& s, F&& f) {
    if (!s.try_hold(true)) return at_once(s, std::move(f));
    bool const room = sizeof(F) <= s.table->slot_bytes && alignof(F) <= alignof(void*);
    std::size_t const i = room ? list::reserve(s) : list::full;
    if (i == list::full) {
      run_here(s, f);
      registry<C>::leave_late(s);
      return {kept::no_room, nullptr};
    }
    void* const at = s.slot_closure(i);
    with_undo([&] { ::new (at) F(std::move(f)); },
              [&] {
                run_here(s, f);
                list::fill(s, i, &cleanup_type<C>::spent);
                registry<C>::leave_late(s);
              });
    list::fill(s, i, &closure::type);
    registry<C>::leave_late(s);
    return {kept::yes, at};
  }

  static cleanup_place<C> in_block(state& s, F&& f) {
    void* const memory = s.allocate(sizeof(node), alignof(node));
    if (memory == nullptr) {
      run_here(s, f);
      return {kept::no_room, nullptr};
    }
    node* const n = ::new (memory) node;
    with_undo([&] { ::new (static_cast<void*>(n->closure)) F(std::move(f)); },
              [&] {
                run_here(s, f);
                s.deallocate(memory, sizeof(node), alignof(node));
              });
    n->head.type = &closure::type;
    F& there = *std::launder(reinterpret_cast<F*>(n->closure));
    auto const take_away = [&] {
      std::destroy_at(&there);
      s.deallocate(memory, sizeof(node), alignof(node));
    };
    if constexpr (asynchronous) return push_with_room(s, n->head, there, take_away);
    else return push_or_take_back(s, n->head, there, take_away);
  }
  template <class TakeAway>
  static cleanup_place<C> push_with_room(state& s, cleanup_node<C>& n, F& there, TakeAway take_away) noexcept {
    if (!there.make_room(s)) {
      run_here(s, there);
      take_away();
      return {kept::no_room, nullptr};
    }
    if (list::push(s, n)) return {kept::yes, &there};
    F::begin_too_late(there, s);
    return {kept::ran, nullptr};
  }
  template <class TakeAway>
  static cleanup_place<C> push_or_take_back(state& s, cleanup_node<C>& n, F& there, TakeAway take_away) {
    if (list::push(s, n)) return {kept::yes, &there};
    F back = with_undo([&] { return F(std::move(there)); },
                       [&] {
                         run_here(s, there);
                         take_away();
                       });
    take_away();
    return at_once(s, std::move(back));
  }

  /// Released: a hook by itself, on the executor, now.
  static cleanup_place<C> at_once(state& s, F&& f) {
    if constexpr (asynchronous) return in_block(s, std::move(f));
    else return in_hook(s, std::move(f));
  }
  static cleanup_place<C> in_hook(state& s, F&& f) {
    hook<C>* h =
        with_undo([&] { return make_hook<call_with_ending>(s, hook_kind::released, std::move(f), false); }, [&] { run_here(s, f); });
    if (h == nullptr) {
      run_here(s, f);
      return {kept::no_room, nullptr};
    }
    registry<C>::at_once(s, *h);
    return {kept::ran, nullptr};
  }

  static void run_here(state& s, F& f) noexcept {
    if constexpr (requires { F::made_in_place; }) return;  // nothing was made
    else if constexpr (asynchronous) F::begin_without_room(f, s);
    else guarded([&] { call_with_ending::call(f, s); }, report_thrown<C>{s, monitor_event::cleanup_threw});
  }
};

/// Registers `f()` or `f(ending)`: asynchronous when that yields a handle.
template <class C, class F>
cleanup_place<C> offer_cleanup(state_base<C>& s, F&& f, bool alone) {
  if constexpr (is_asynchronous<C, F>())
    return cleanup_registration<C, awaiting_cleanup<C, F>>::add(s, awaiting_cleanup<C, F>(std::forward<F>(f)), alone);
  else return cleanup_registration<C, F>::add(s, std::forward<F>(f), alone);
}

/// There is no operation: the cleanup runs here and now, what it begins is left to itself.
template <class C, class F>
void run_without_owner(F& f) {
  basic_operation<C> begun;
  if constexpr (is_asynchronous<C, F>()) let_run<C>(result_of_cleanup(f, ending()), nullptr, begun);
  else result_of_cleanup(f, ending());
}

/// A resource as a cleanup: releasing it is destroying it, or calling its closer.
template <class R>
struct owned {
  R resource;
  void operator()() noexcept {}  // the destructor does it
};
/// Room for a resource that is made once the cleanup stands; whoever registers it holds the cleanups back until then.
template <class R>
struct owned_later {
  static constexpr bool made_in_place = true;
  union {
    R resource;
  };
  owned_later() noexcept {}
  owned_later(owned_later&&) noexcept {}
  ~owned_later() {}
  void operator()() noexcept { std::destroy_at(&resource); }
};
template <class R, class Closer>
struct owned_with {
  R resource;
  [[no_unique_address]] Closer closer;
  void operator()() { std::move(closer)(std::move(resource)); }
};

}  // namespace settle::inline v0::detail

#endif
