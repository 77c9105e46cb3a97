// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_CANCEL_CALLBACK_HPP
#define SETTLE_CANCEL_CALLBACK_HPP

#include <utility>

#include "detail/callback.hpp"
#include "detail/state_access.hpp"
#include "operation.hpp"

namespace settle::inline v0 {

/// A cancel observer that carries its own storage and withdraws itself, as std::stop_callback does: for what runs on behalf
/// of an operation and ends before it.
///
/// The constructor registers `f()` or `f(cancellation)`; it runs at the first request or forced cancel, on the operation's
/// executor, and dies with this object. Cancelled or asked already, it takes effect at once (with the inline executor
/// outside of any callback: before the constructor returns); after a value or an error it never runs. Of an empty
/// operation: never. What it throws goes to the error sink.
///
/// The destructor withdraws it: from then on it does not start, and nobody touches this object. It waits only when `f` runs
/// just now on another thread; destroyed inside its own `f` it returns at once. So `f` must not wait for the thread that
/// destroys it. The operation may end first, and this object keeps no cleanup back; it holds one reference, as `operation`.
///
/// Neither copyable nor movable; constructed and destroyed by any thread. Allocates nothing, unless somebody asked already:
/// then one block of the operation's, and std::bad_alloc when there is none. Constructing and destroying it are a few
/// atomic operations each.
///
/// ```cpp
/// bool copy_all(settle::operation op, pipe& from, pipe& to) {
///   settle::cancel_callback stop(op, [&] { from.shut(); });  // lets the read below return
///   return from.read_into(to);
/// }  // withdrawn: `from` may go
/// ```
template <class F, class C = cas_terminal>
class cancel_callback {
 public:
  /// Throws what moving `f` throws, and std::bad_alloc (see above); then nothing was registered.
  cancel_callback(basic_operation<C> const& op, F f) : hook_(detail::state_access::get(op), std::move(f)) {}
  cancel_callback(cancel_callback const&) = delete;
  cancel_callback& operator=(cancel_callback const&) = delete;
  ~cancel_callback() = default;

 private:
  detail::callback<C, F, detail::call_with_cancellation, detail::hook_kind::cancel> hook_;
};

template <class C, class F>
cancel_callback(basic_operation<C> const&, F) -> cancel_callback<F, C>;

}  // namespace settle::inline v0

#endif
