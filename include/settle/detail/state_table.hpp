// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_STATE_TABLE_HPP
#define SETTLE_DETAIL_STATE_TABLE_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <string_view>

#include "../cause.hpp"
#include "../policy/monitor.hpp"
#include "../policy/notify.hpp"
#include "hook.hpp"

namespace settle::inline v0::detail {

template <class C>
class submission;
template <class C>
struct timer_functions;

/// An executor without its type. Two operations of the same executor have the same functions, and equal executors.
template <class C>
struct executor_functions {
  void (*submit)(void const* executor, void* storage, submission<C>&&);
  bool (*on_its_thread)(void const* executor) noexcept;
  bool (*equal)(void const*, void const*) noexcept;
};
template <class C>
struct executor_ref {
  executor_functions<C> const* functions = nullptr;  // null: inline
  void const* executor = nullptr;
  void* storage = nullptr;
  state_base<C>* provider = nullptr;  // whose state the executor lives in
};

/// What an operation's policy says, without its types.
template <class C>
struct state_table {
  executor_ref<C> (*executor)(state_base<C>&) noexcept;                          // null: inline
  void* (*allocate)(state_base<C>&, std::size_t, std::size_t) noexcept;          // null: recycling
  void (*deallocate)(state_base<C>&, void*, std::size_t, std::size_t) noexcept;  // null: recycling
  void (*dispose)(state_base<C>&) noexcept;                                      // the value nobody took; null: its destructor does nothing
  hook<C>& (*turn)(state_base<C>&) noexcept;                                     // coroutines: what resumes them
  void (*inherit)(state_base<C>&, state_base<C>&) noexcept;                      // coroutines: where a cold one runs
  void (*destroy)(state_base<C>&) noexcept;
  std::exception_ptr (*exception)(state_base<C>&) noexcept;
  void (*report)(std::exception_ptr, monitor_event const&) noexcept;
  void (*event)(monitor_event const&) noexcept;  // null: no monitor
  std::array<notice, 3> order;
  bool reverse;
  bool cleanup_may_allocate;
  std::chrono::milliseconds cleanup_budget;
  timer_functions<C> const* timers;  // null: its executor has none
  std::size_t slots_offset;
  std::size_t head_offset;
  std::size_t slot_size;  // with the pointer to its type
  std::size_t slot_count;
  std::size_t slot_bytes;  // for the closure
  std::string_view tag;
  void (*observed)(state_base<C>&) noexcept = nullptr;    // combinators: what fed it need not be held back any more
  bool lonely = false;                                    // nobody produces it: its last reference gone, it is abandoned
  void (*born)(state_base<C>&) noexcept = nullptr;        // the turn of the consumer that was born with it; null: there is none
  void (*born_alone)(state_base<C>&) noexcept = nullptr;  // the same on the short way (direct.hpp), and on to the end of the state
  void (*close)(state_base<C>&) noexcept = nullptr;       // what else its block has (own_part.hpp); null: nothing
  cause outlived = cause::parent;                         // what children are told when it settles, and nobody asked it to cancel
};

}  // namespace settle::inline v0::detail

#endif
