// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_EXECUTOR_HPP
#define SETTLE_POLICY_EXECUTOR_HPP

#include <concepts>
#include <cstddef>
#include <utility>

#include "../fwd.hpp"
#include "work_node.hpp"

namespace settle::inline v0 {

/// The null object: user code runs on the thread that settles, after its structural part, never nested.
struct inline_executor {
  template <class F>
  void execute(F&& f) const {
    std::forward<F>(f)();
  }
  bool operator==(inline_executor const&) const = default;
};

namespace detail {

/// Stands for "any callable" in the concept: move-only, called at most once.
struct any_work {
  any_work(any_work&&) noexcept {}
  void operator()() {}
};

}  // namespace detail

/// What settle asks of an executor, with its fallbacks. Specialise it for an executor that can do better:
///
/// | member | fallback |
/// |---|---|
/// | `bool equal(a, b)` | `a == b` when that compiles, else false: every operation is submitted by itself |
/// | `bool running_in_this_thread(ex)` | `ex.running_in_this_thread()` when that compiles, else false: user code is posted |
/// | `storage_size` | 0: bytes in each operation's state that `submit` may use, so that posting need not allocate |
/// | `void construct_storage(void*)` | nothing: puts them in order |
/// | `void submit(ex, work, storage)` | `ex.execute(work)`; not asked of an executor with `submit(work_node&)` |
template <class Ex>
struct executor_traits {
  static constexpr std::size_t storage_size = 0;

  static bool equal(Ex const& a, Ex const& b) noexcept {
    if constexpr (std::equality_comparable<Ex>) return a == b;
    else return false;
  }
  static bool running_in_this_thread(Ex const& ex) noexcept {
    if constexpr (requires {
                    { ex.running_in_this_thread() } -> std::convertible_to<bool>;
                  })
      return ex.running_in_this_thread();
    else return false;
  }
  template <class Work>
    requires requires(Ex const& e, Work&& w) { e.execute(std::forward<Work>(w)); }
  static void submit(Ex const& ex, Work&& work, void* /*storage*/) {
    ex.execute(std::forward<Work>(work));
  }
};

/// Anything with `execute(f)`, for f move-only and called at most once; or with `submit(work_node&)`; or whose executor_traits
/// can `submit`. Work that is destroyed without having run is noticed; nothing is lost.
template <class Ex>
concept executor =
    std::move_constructible<Ex> && (node_executor<Ex, cas_terminal> || node_executor<Ex, unsynchronized_terminal> ||
                                    requires(Ex const& ex, detail::any_work w) { executor_traits<Ex>::submit(ex, std::move(w), nullptr); });

}  // namespace settle::inline v0

#endif
