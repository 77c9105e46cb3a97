// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_EXECUTOR_HPP
#define SETTLE_POLICY_EXECUTOR_HPP

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "../fwd.hpp"
#include "monitor.hpp"
#include "timer_service.hpp"
#include "work_node.hpp"

namespace settle::inline v0 {

/// The null object: user code runs on the thread that settles, after its structural part, never nested.
struct inline_executor {
  /// Runs f here and now.
  template <class F>
  void execute(F&& f) const {
    std::forward<F>(f)();
  }
  bool operator==(inline_executor const&) const = default;  ///< all are equal
};

namespace detail {

/// Stands for "any callable" in the concept: move-only, called at most once.
struct any_work {
  any_work(any_work&&) noexcept {}
  void operator()() {}
};

}  // namespace detail

/// What settle asks of an executor when nobody says more, from its own members. The fallback, one by one, of what a
/// specialisation of executor_traits leaves out.
template <class Ex>
struct default_executor_traits {
  static constexpr std::size_t storage_size = 0;  ///< `submit` needs none

  /// As the executor says, else never.
  static bool equal(Ex const& a, Ex const& b) noexcept {
    if constexpr (std::equality_comparable<Ex>) return a == b;
    else return false;
  }
  /// As the executor says, else never.
  static bool running_in_this_thread(Ex const& ex) noexcept {
    if constexpr (requires {
                    { ex.running_in_this_thread() } -> std::convertible_to<bool>;
                  })
      return ex.running_in_this_thread();
    else return false;
  }
  /// `ex.execute(work)`.
  template <class Work>
    requires requires(Ex const& e, Work&& w) { e.execute(std::forward<Work>(w)); }
  static void submit(Ex const& ex, Work&& work, void* /*storage*/) {
    ex.execute(std::forward<Work>(work));
  }
  /// As the executor says, else none.
  static decltype(auto) timers(Ex const& ex) noexcept {
    if constexpr (requires { ex.timers(); }) return ex.timers();
    else return no_timers();
  }
};

/// What settle asks of an executor. Specialise it for one that can do better, with those members that do; what is left out
/// falls back:
///
/// | member | fallback |
/// |---|---|
/// | `bool equal(a, b)` | `a == b` when that compiles, else false: every operation is submitted by itself |
/// | `bool running_in_this_thread(ex)` | `ex.running_in_this_thread()` when that compiles, else false: user code is posted |
/// | `storage_size` | 0: bytes in each operation's state that `submit` may use, so that posting need not allocate |
/// | `void construct_storage(void*)` | nothing: puts them in order |
/// | `void submit(ex, work, storage)` | `ex.execute(work)`; not asked of an executor with `submit(work_node&)` |
/// | `timers(ex)` | `ex.timers()` when that compiles, else `no_timers`: a deadline that is asked for fails with errc::no_timers |
/// | `void on_event(ex, monitor_event const&)` | nothing: hears of each operation on `ex` that is created and destroyed, as a monitor |
///
/// `timers(ex)` is `noexcept` and yields a timer_service by value, or a reference to one that outlives the executor's
/// operations.
template <class Ex>
struct executor_traits : default_executor_traits<Ex> {};

namespace detail {

/// Reads executor_traits, member by member.
template <class Ex>
struct executor_access {
  using traits = executor_traits<Ex>;
  using fallback = default_executor_traits<Ex>;

  static constexpr std::size_t storage_size() noexcept {
    if constexpr (requires { traits::storage_size; }) return traits::storage_size;
    else return fallback::storage_size;
  }
  static void construct_storage([[maybe_unused]] void* at) noexcept {
    if constexpr (requires { traits::construct_storage(at); }) traits::construct_storage(at);
  }
  static bool equal(Ex const& a, Ex const& b) noexcept {
    if constexpr (requires { traits::equal(a, b); }) return traits::equal(a, b);
    else return fallback::equal(a, b);
  }
  static bool running_in_this_thread(Ex const& ex) noexcept {
    if constexpr (requires { traits::running_in_this_thread(ex); }) return traits::running_in_this_thread(ex);
    else return fallback::running_in_this_thread(ex);
  }
  template <class Work>
    requires(
        requires(Ex const& e, Work&& w, void* s) { traits::submit(e, std::forward<Work>(w), s); } ||
        requires(Ex const& e, Work&& w, void* s) { fallback::submit(e, std::forward<Work>(w), s); })
  static void submit(Ex const& ex, Work&& work, void* storage) {
    if constexpr (requires { traits::submit(ex, std::forward<Work>(work), storage); })
      traits::submit(ex, std::forward<Work>(work), storage);
    else fallback::submit(ex, std::forward<Work>(work), storage);
  }
  static decltype(auto) timers(Ex const& ex) noexcept {
    if constexpr (requires { traits::timers(ex); }) return traits::timers(ex);
    else return fallback::timers(ex);
  }
  static constexpr bool hears_of_operations = requires(Ex const& ex, monitor_event const& e) { traits::on_event(ex, e); };
};

}  // namespace detail

/// The timers of an executor, by value or by reference: `auto&& timers = settle::timers_of(ex);`. no_timers when it has none.
template <class Ex>
decltype(auto) timers_of(Ex const& ex) noexcept {
  return detail::executor_access<Ex>::timers(ex);
}

/// The service's type, and its timer's.
template <class Ex>
using timer_service_of = std::remove_cvref_t<decltype(timers_of(std::declval<Ex const&>()))>;
template <class Ex>
using timer_of = typename timer_service_of<Ex>::timer;

/// An executor that offers timers.
template <class Ex>
concept has_timers = timer_service<timer_service_of<Ex>> && !std::same_as<timer_service_of<Ex>, no_timers>;

/// Anything with `execute(f)`, for f move-only and called at most once; or with `submit(work_node&)`; or whose executor_traits
/// can `submit`. Work that is destroyed without having run is noticed; nothing is lost.
template <class Ex>
concept executor = std::move_constructible<Ex> &&
                   (node_executor<Ex, cas_terminal> || node_executor<Ex, unsynchronized_terminal> ||
                    requires(Ex const& ex, detail::any_work w) { detail::executor_access<Ex>::submit(ex, std::move(w), nullptr); });

}  // namespace settle::inline v0

#endif
