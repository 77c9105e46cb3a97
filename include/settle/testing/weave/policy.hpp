// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_POLICY_HPP
#define SETTLE_TESTING_WEAVE_POLICY_HPP

#include <cstddef>
#include <exception>
#include <new>

#include "../../policy/default_policy.hpp"
#include "execution.hpp"
#include "sync.hpp"

namespace settle::inline v0 {
namespace testing::weave {

/// Memory of the execution: its addresses do not depend on the order of threads, nothing is used twice, and what is not given
/// back is reported at the end.
struct allocator {
  /// From the execution, or the heap outside of one.
  [[nodiscard]] static void* try_allocate(std::size_t bytes, std::size_t align) noexcept {
    execution* const e = execution::current();
    return e != nullptr ? e->allocate(bytes, align) : ::operator new(bytes, std::align_val_t(align), std::nothrow);
  }
  /// Back where it came from.
  static void deallocate(void* p, std::size_t /*bytes*/, std::size_t align) noexcept {
    if (execution* const e = execution::current()) e->deallocate(p);
    else ::operator delete(p, std::align_val_t(align));
  }
};

/// What has no caller fails the execution; an abandoned operation or an unseen failure does not.
struct error_sink {
  /// Fails the execution, unless it is no bug.
  static void report(std::exception_ptr, monitor_event const& e) noexcept {
    execution* const now = execution::current();
    if (now == nullptr) return;
    if (e.what == monitor_event::callback_threw) now->fail("a callback threw");
    if (e.what == monitor_event::cleanup_threw) now->fail("a cleanup threw");
    if (e.what == monitor_event::misuse) now->fail("misuse: " + std::string(e.detail));
  }
};

}  // namespace testing::weave

/// resolver_of and its like over the explorer's terminal: in the execution's memory, their errors fail the execution.
template <class T, class E, class Ex>
struct plain<T, E, Ex, testing::weave::cas_terminal> : default_policy {
  using value_type = T;                              ///< the first argument
  using error_type = E;                              ///< the second
  using executor_type = Ex;                          ///< the third
  using terminal = testing::weave::cas_terminal;     ///< the explorer's
  using allocator_type = testing::weave::allocator;  ///< the execution's memory
  using error_sink = testing::weave::error_sink;     ///< fails the execution

  /// As the plain one's.
  static E make_error(errc e) noexcept {
    if constexpr (std::is_constructible_v<E, errc>) return E(e);
    else return E(make_error_code(e));
  }
};

}  // namespace settle::inline v0

#endif
