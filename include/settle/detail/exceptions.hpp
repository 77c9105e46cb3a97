// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_EXCEPTIONS_HPP
#define SETTLE_DETAIL_EXCEPTIONS_HPP

#include <exception>
#include <new>
#include <system_error>
#include <utility>

// The one place that knows whether exceptions are on. Everything else says what it means.
//
// The linker keeps one copy of an inline function, whichever unit it comes from. These have another name where exceptions
// are off, so that a unit never gets those of the other kind; what is thin around them is always inlined, for the same reason.
// NOLINTNEXTLINE(modernize-concat-nested-namespaces): the inner one depends on the setting
namespace settle::inline v0::detail {
#if defined(__cpp_exceptions)
inline namespace exceptions_on {
#else
inline namespace exceptions_off {
#endif

/// A template argument that gives what is made of the functions below another name, too: for code that has nothing else of its unit's.
struct exceptions_setting {};

/// Out of the way of what happens when nothing is thrown; by value, so that what it needs stays in registers until then.
template <class H>
[[gnu::noinline, gnu::cold]] void hand_on_thrown(H on_throw) noexcept {
  on_throw(std::current_exception());
}

/// Runs f; what it throws goes to on_throw(std::exception_ptr).
template <class F, class H>
void guarded(F&& f, [[maybe_unused]] H&& on_throw) noexcept {
#if defined(__cpp_exceptions)
  try {
    std::forward<F>(f)();
  } catch (...) {
    hand_on_thrown(std::forward<H>(on_throw));
  }
#else
  std::forward<F>(f)();
#endif
}

/// For `guarded`: keeps the exception where the caller finds it.
struct keep_thrown {
  std::exception_ptr& to;
  void operator()(std::exception_ptr p) const noexcept { to = std::move(p); }
};

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

/// How::raise(o), which throws: out of the way of what happens when it is not called for.
template <class How, class O>
[[noreturn, gnu::noinline, gnu::cold]] void raise_by(O const& o) {
  How::raise(o);
}

[[noreturn]] inline void rethrow([[maybe_unused]] std::exception_ptr p) {
#if defined(__cpp_exceptions)
  std::rethrow_exception(std::move(p));
#else
  std::terminate();  // LCOV_EXCL_LINE: it ends the process before that could be noted down
#endif
}

/// The code of an exception, as settle::error tells it; `no_memory` is what std::bad_alloc counts as.
inline std::error_code code_in([[maybe_unused]] std::exception_ptr const& p, [[maybe_unused]] std::error_code no_memory) noexcept {
  std::error_code found = std::make_error_code(std::errc::state_not_recoverable);
#if defined(__cpp_exceptions)
  try {
    std::rethrow_exception(p);
  } catch (std::system_error const& e) {
    found = e.code();
  } catch (std::bad_alloc const&) {
    found = no_memory;
  } catch (...) {
  }
#endif
  return found;
}

}  // namespace exceptions_on or exceptions_off
}  // namespace settle::inline v0::detail

#endif
