// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_EXCEPTIONS_HPP
#define SETTLE_DETAIL_EXCEPTIONS_HPP

#include <exception>
#include <new>
#include <utility>

// The one place that knows whether exceptions are on. Everything else says what it means.
namespace settle::inline v0::detail {

/// Out of the way of what happens when nothing is thrown.
template <class H>
[[gnu::noinline]] void hand_on_thrown(H& on_throw) noexcept {
  on_throw(std::current_exception());
}

/// Runs f; what it throws goes to on_throw(std::exception_ptr).
template <class F, class H>
void guarded(F&& f, [[maybe_unused]] H&& on_throw) noexcept {
#if defined(__cpp_exceptions)
  try {
    std::forward<F>(f)();
  } catch (...) {
    hand_on_thrown(on_throw);
  }
#else
  std::forward<F>(f)();
#endif
}

/// Runs f; undo() runs when it throws, and the exception goes on.
template <class F, class U>
decltype(auto) with_undo(F&& f, [[maybe_unused]] U&& undo) {
#if defined(__cpp_exceptions)
  try {
    return std::forward<F>(f)();
  } catch (...) {
    std::forward<U>(undo)();
    throw;
  }
#else
  return std::forward<F>(f)();
#endif
}

template <class X>
[[noreturn]] void raise([[maybe_unused]] X&& x) {
#if defined(__cpp_exceptions)
  throw std::forward<X>(x);
#else
  std::terminate();  // LCOV_EXCL_LINE: it ends the process before that could be noted down
#endif
}

[[noreturn]] inline void rethrow([[maybe_unused]] std::exception_ptr p) {
#if defined(__cpp_exceptions)
  std::rethrow_exception(std::move(p));
#else
  std::terminate();  // LCOV_EXCL_LINE: it ends the process before that could be noted down
#endif
}

}  // namespace settle::inline v0::detail

#endif
