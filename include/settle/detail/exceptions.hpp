// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_EXCEPTIONS_HPP
#define SETTLE_DETAIL_EXCEPTIONS_HPP

#include <exception>
#include <new>
#include <utility>

// The one place that knows whether exceptions are on. Everything else says what it means.
namespace settle::inline v0::detail {

#if defined(__cpp_exceptions)

/// Runs f; what it throws goes to on_throw(std::exception_ptr).
template <class F, class H>
void guarded(F&& f, H&& on_throw) noexcept {
  try {
    std::forward<F>(f)();
  } catch (...) {
    std::forward<H>(on_throw)(std::current_exception());
  }
}

/// Runs f; undo() runs when it throws, and the exception goes on.
template <class F, class U>
decltype(auto) with_undo(F&& f, U&& undo) {
  try {
    return std::forward<F>(f)();
  } catch (...) {
    std::forward<U>(undo)();
    throw;
  }
}

template <class X>
[[noreturn]] void raise(X&& x) {
  throw std::forward<X>(x);
}

[[noreturn]] inline void rethrow(std::exception_ptr p) { std::rethrow_exception(std::move(p)); }

#else

template <class F, class H>
void guarded(F&& f, H&&) noexcept {
  std::forward<F>(f)();
}

template <class F, class U>
decltype(auto) with_undo(F&& f, U&&) {
  return std::forward<F>(f)();
}

template <class X>
[[noreturn]] void raise(X&&) {
  std::terminate();
}

[[noreturn]] inline void rethrow(std::exception_ptr const&) { std::terminate(); }

#endif

}  // namespace settle::inline v0::detail

#endif
