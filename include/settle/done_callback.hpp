// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DONE_CALLBACK_HPP
#define SETTLE_DONE_CALLBACK_HPP

#include <utility>

#include "detail/callback.hpp"
#include "detail/state_access.hpp"
#include "operation.hpp"

namespace settle::inline v0 {

/// A done observer that carries its own storage and withdraws itself, as std::stop_callback does: for members of objects
/// that may go before the operation ends.
///
/// The constructor registers `f()` or `f(ending)`; it runs once the operation is settled, in registration order with the
/// other observers, on the operation's executor, and dies with this object. On an operation that is settled already it
/// takes effect at once (with the inline executor outside of any callback: before the constructor returns). Of an empty
/// operation: never. What it throws goes to the error sink.
///
/// The destructor withdraws it: from then on it does not start, and nobody touches this object. It waits only when `f` runs
/// just now on another thread; destroyed inside its own `f` it returns at once. So `f` must not wait for the thread that
/// destroys it. The operation may end first, and this object keeps no cleanup back; it holds one reference, as `operation`.
///
/// Neither copyable nor movable; constructed and destroyed by any thread. Allocates nothing, unless the operation is
/// settled already: then one block of the operation's, and std::bad_alloc when there is none. Constructing and destroying
/// it are a few atomic operations each.
///
/// ```cpp
/// struct view {
///   settle::done_callback<std::function<void()>> refresh;  // withdrawn with the view
///   explicit view(settle::operation load) : refresh(load, [this] { show(); }) {}
/// };
/// ```
template <class F, class C = cas_terminal>
class done_callback {
 public:
  /// Throws what moving `f` throws, and std::bad_alloc (see above); then nothing was registered.
  done_callback(basic_operation<C> const& op, F f) : hook_(detail::state_access::get(op), std::move(f)) {}
  done_callback(done_callback const&) = delete;
  done_callback& operator=(done_callback const&) = delete;
  ~done_callback() = default;

 private:
  detail::callback<C, F, detail::call_with_ending, detail::hook_kind::done> hook_;
};

template <class C, class F>
done_callback(basic_operation<C> const&, F) -> done_callback<F, C>;

}  // namespace settle::inline v0

#endif
