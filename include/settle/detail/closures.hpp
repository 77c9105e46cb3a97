// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_CLOSURES_HPP
#define SETTLE_DETAIL_CLOSURES_HPP

#include <concepts>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "../outcome.hpp"
#include "exceptions.hpp"
#include "hook.hpp"
#include "look.hpp"
#include "registry.hpp"
#include "report_thrown.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// The ending of a settled state.
template <class C>
ending ending_of(state_base<C>& s) noexcept {
  std::uint32_t const w = bits_of(s.word, std::uint32_t{word::no_value}, std::memory_order_acquire);
  return {(w & word::failure) != 0     ? ending::failure
          : (w & word::cancelled) != 0 ? ending::cancelled
                                       : ending::value,
          s.head().cancelled_by()};
}

template <class F>
concept takes_nothing = requires(F& f) { std::move(f)(); };
template <class F>
concept takes_ending = std::invocable<F&, ending> || takes_nothing<F>;
template <class F>
concept takes_cancellation = std::invocable<F&, cancellation> || takes_nothing<F>;
/// O is tried first, and nothing else when that fits: a generic closure has one form only.
template <class F, class O>
concept takes_outcome = std::invocable<F&, O> || takes_ending<F>;

/// How each kind of hook calls its closure. One that fits none of the forms is told so in one sentence.
struct call_with_ending {
  template <class F, class C>
  static void call(F& f, state_base<C>& s) {
    static_assert(takes_ending<F>,
                  "settle: on_done and on_released of an operation take `f()` or `f(settle::ending)`; the outcome is seen through a "
                  "handle or a watcher (see docs/guide/registering.md)");
    if constexpr (std::invocable<F&, ending>) std::move(f)(ending_of(s));
    else if constexpr (takes_nothing<F>) std::move(f)();
  }
};
struct call_with_cancellation {
  template <class F, class C>
  static void call(F& f, state_base<C>& s) {
    static_assert(takes_cancellation<F>, "settle: on_cancel takes `f()` or `f(settle::cancellation)` (see docs/guide/cancelling.md)");
    if constexpr (std::invocable<F&, cancellation>) {
      std::uint32_t const w = s.lock();  // told of a request, a forced cancel may yet replace its cause
      cancellation const why = s.head().cancelled_by();
      s.unlock(w);
      std::move(f)(why);
    } else if constexpr (takes_nothing<F>) {
      std::move(f)();
    }
  }
};

/// A hook with its closure, in one block of the operation's allocator.
template <class C, class F, class How>
struct closure_hook final : hook<C> {
  [[no_unique_address]] F f;

  explicit closure_hook(F&& g) : f(std::move(g)) {}

  static void run(hook<C>& h, hook_action action) {
    auto& self = static_cast<closure_hook&>(h);
    state_base<C>& s = *h.owner;
    if (action == hook_action::invoke) {
      auto const call = [&] { How::call(self.f, s); };
      guarded(call, report_thrown<C>{s, monitor_event::callback_threw});
    }
    std::destroy_at(&self.f);
  }
};

/// A new hook on `s`; null when there is no memory. What moving the closure throws goes to the caller.
template <class How, class C, class F>
hook<C>* make_hook(state_base<C>& s, hook_kind kind, F&& f, bool kept) {
  using node = closure_hook<C, std::decay_t<F>, How>;
  static constexpr hook_type<C> type{&node::run, sizeof(node), alignof(node)};
  void* at = s.allocate(sizeof(node), alignof(node));
  if (at == nullptr) return nullptr;
  node* h = with_undo([&] { return ::new (at) node(std::decay_t<F>(std::forward<F>(f))); },
                      [&] { s.deallocate(at, sizeof(node), alignof(node)); });
  h->kind = kind;
  h->type = &type;
  h->owner = &s;
  if (kept) h->claimed.store(claim::kept, std::memory_order_relaxed);
  return h;
}

/// A cleanup's closure; takes `f()` or `f(ending)`.
template <class C, class F>
struct cleanup_closure {
  static bool run(void* at, state_base<C>& s) {
    F& f = *static_cast<F*>(at);
    if constexpr (requires { typename F::asynchronous; }) {
      return F::begin(f, s);
    } else {
      guarded([&] { call_with_ending::call(f, s); }, report_thrown<C>{s, monitor_event::cleanup_threw});
      std::destroy_at(&f);
      return true;
    }
  }
  struct node {
    cleanup_node<C> head;
    alignas(F) std::byte closure[sizeof(F)];
  };
  static constexpr cleanup_type<C> type{&run, offsetof(node, closure), sizeof(node), alignof(node)};
};

}  // namespace settle::inline v0::detail

#endif
