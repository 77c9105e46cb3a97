// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_THIS_OPERATION_HPP
#define SETTLE_THIS_OPERATION_HPP

#include <coroutine>
#include <utility>

#include "coroutine/join_awaiter.hpp"
#include "operation.hpp"

namespace settle::inline v0 {

/// What `this_operation` is: `settle::operation self = co_await settle::this_operation;` inside a coroutine that returns
/// a handle gives its own operation. Never suspends, never throws.
class this_operation_t {
 public:
  explicit constexpr this_operation_t() noexcept = default;

  /// What `co_await settle::this_operation` goes through.
  template <class C>
  class awaiter {
   public:
    awaiter() noexcept = default;
    /// Asks the coroutine.
    static constexpr bool await_ready() noexcept { return false; }
    /// Never suspends.
    template <detail::own_promise Pr>
    bool await_suspend(std::coroutine_handle<Pr> me) noexcept {
      self_ = me.promise().op();
      return false;
    }
    /// The operation.
    basic_operation<C> await_resume() noexcept { return std::move(self_); }

   private:
    basic_operation<C> self_;
  };

  /// For coroutines of the thread-safe terminal. (A template: who does not ask need not compile what an operation can do.)
  template <class C = cas_terminal>
  awaiter<C> operator co_await() const noexcept {
    return {};
  }
};

inline constexpr this_operation_t this_operation{};

}  // namespace settle::inline v0

#endif
