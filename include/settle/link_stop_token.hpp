// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_LINK_STOP_TOKEN_HPP
#define SETTLE_LINK_STOP_TOKEN_HPP

#include <cstdint>
#include <memory>
#include <new>
#include <source_location>
#include <stop_token>
#include <utility>

#include "cause.hpp"
#include "detail/engine.hpp"
#include "detail/exceptions.hpp"
#include "detail/hook.hpp"
#include "detail/registry.hpp"
#include "detail/state_access.hpp"
#include "operation.hpp"

namespace settle::inline v0 {

namespace detail {

/// An outside token's callback that asks an operation to cancel. Ends with the last of those who are at it: whoever makes
/// it, the operation's release, a callback that runs. So nobody waits for the callback, and it may end itself.
template <class C>
class stop_token_link {
  using state = state_base<C>;

 public:
  stop_token_link(stop_token_link&&) = delete;
  ~stop_token_link() {
    if (built_) std::destroy_at(&callback_);
  }

  /// False: the operation is released already. Throws std::bad_alloc.
  static bool make(state& s, std::stop_token const& token, cancellation const& why) {
    void* const at = s.allocate(sizeof(stop_token_link), alignof(stop_token_link));
    if (at == nullptr) raise(std::bad_alloc());
    auto* const link = ::new (at) stop_token_link(s, why);
    if (!registry<C>::add_released(s, link->released_)) {
      link->end();
      return false;
    }
    std::construct_at(&link->callback_, token, stopped{link});  // runs here and now when the token has stopped
    link->built_ = true;
    link->leave();
    return true;
  }

 private:
  struct stopped {
    stop_token_link* link;
    void operator()() const noexcept { link->stop(); }
  };

  stop_token_link(state& s, cancellation const& why) noexcept : target_(&s), why_(why) {
    s.add_ref();
    released_.kind = hook_kind::waiting;
    released_.owner = &s;
    released_.type = &when_released;
  }
  /// On the stopping thread.
  void stop() noexcept {
    std::uint32_t n = users_.load(std::memory_order_relaxed);
    do {
      if (n == 0) return;  // it is being destroyed, which waits for us to return
    } while (!users_.compare_exchange_weak(n, n + 1, std::memory_order_acq_rel, std::memory_order_relaxed));
    engine<C>::request(*target_, why_);
    leave();
  }
  static void release(hook<C>& h, hook_action) { reinterpret_cast<stop_token_link*>(&h)->leave(); }
  void leave() noexcept {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) end();
  }
  void end() noexcept {
    state& s = *target_;
    std::destroy_at(this);
    s.deallocate(this, sizeof(stop_token_link), alignof(stop_token_link));
    s.drop_ref();
  }

  static constexpr hook_type<C> when_released{&release, 0, 0};

  hook<C> released_;
  state* target_;
  cancellation why_;
  bool built_ = false;
  typename C::sync::template atomic<std::uint32_t> users_{2};  // the maker and the operation's release
  union {
    std::stop_callback<stopped> callback_;
  };
};

}  // namespace detail

/// Asks `op` to cancel, for the reason given, when the outside `token` is stopped; at once when it is already. The link goes
/// when the operation is released: a token that lives for ever keeps nothing of the operations it was linked to.
///
/// True: linked. False: there is nothing to link (no operation, one that is released, a token that cannot be stopped).
/// Keeps a reference on the operation until then, and no hold. What the request sets off runs on the stopping thread, as
/// with `op.request_cancel(why)` there. Any thread (with `unsynchronized_terminal` the token, too, must be stopped on the
/// operation's). Allocates one block; throws std::bad_alloc.
///
/// ```cpp
/// void serve(settle::operation op, std::stop_token stop) { settle::link_stop_token(op, stop, settle::cause::shutdown); }
/// ```
template <class C>
bool link_stop_token(basic_operation<C> const& op, std::stop_token const& token, cause why = cause::requested,
                     std::source_location at = std::source_location::current()) {
  detail::state_base<C>* const s = detail::state_access::get(op);
  if (s == nullptr || !token.stop_possible()) return false;
  return detail::stop_token_link<C>::make(*s, token, cancellation(why, why, at));
}

}  // namespace settle::inline v0

#endif
