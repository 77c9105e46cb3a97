// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HOOKS_BOUND_CALL_HPP
#define SETTLE_HOOKS_BOUND_CALL_HPP

#include <concepts>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include "../detail/closures.hpp"
#include "../detail/engine.hpp"
#include "../detail/exceptions.hpp"
#include "../detail/ownership.hpp"
#include "../detail/state_access.hpp"
#include "../pin.hpp"
#include "../resolver.hpp"
#include "home_of.hpp"

namespace settle::inline v0::detail {

/// What goes from one operation to the other's executor; the first one's cleanups wait for it.
template <class O, class C>
struct bound_result {
  O what;
  basic_pin<C> pin;
};

template <class O, class C>
struct bound_policy : default_policy {
  using value_type = bound_result<O, C>;
  using terminal = C;
  using executor_type = home_of<C>;
  using error_sink = ignore_sink;  // what the user's function throws goes to the sink of the operation it is about
};

/// The user's function, as the relay's observer. Not run: the relay is of no use any more, and its producer learns that.
template <class F, class O, class C>
class bound_call {
  using result = outcome<bound_result<O, C>, error>;

 public:
  bound_call(F&& f, basic_operation<C> about, basic_operation<C> where, state_base<C>& relay)
      : f_(std::move(f)), about_(std::move(about)), where_(std::move(where)), relay_(&relay) {}
  bound_call(bound_call&& o) noexcept(std::is_nothrow_move_constructible_v<F>)
      : f_(std::move(o.f_)), about_(std::move(o.about_)), where_(std::move(o.where_)), relay_(std::exchange(o.relay_, nullptr)) {}
  ~bound_call() {
    if (relay_ != nullptr) engine<C>::request(*relay_, cancellation(cause::dropped, relay_->created));
  }

  void operator()(result const& got) {
    if (due(got)) guarded([&] { call(got.value().what); }, [&](std::exception_ptr p) { report(std::move(p)); });
  }
  void operator()(result&& got) {
    if (due(got)) guarded([&] { call(std::move(got).value().what); }, [&](std::exception_ptr p) { report(std::move(p)); });
  }

 private:
  bool due(result const& got) noexcept {
    relay_ = nullptr;
    return got.has_value() && !where_.is_settled();
  }
  template <class What>
  void call(What&& what) {
    if constexpr (std::invocable<F&, What&&>) std::move(f_)(std::forward<What>(what));
    else if constexpr (std::same_as<O, ending> || !std::invocable<F&, ending>) std::move(f_)();
    else std::move(f_)(what.how());
  }
  void report(std::exception_ptr p) noexcept { state_access::get(about_)->report(std::move(p), monitor_event::callback_threw); }

  F f_;
  basic_operation<C> about_;
  basic_operation<C> where_;
  state_base<C>* relay_;  // owns this
};

/// The producer of the relay, as a hook on the operation it is about. Its duty passes to whoever withdraws the hook.
template <class O, class C>
class bound_source {
  using policy = bound_policy<O, C>;

 public:
  bound_source(state_base<C>& about, cell<policy>* duty) noexcept : about_(about), duty_(duty) {}

  template <class Settled>
  void operator()(Settled const& settled) {
    feed(settled);
  }
  /// The consumer's: what it leaves behind, however it ends, is nobody's.
  template <class T, class E>
  void operator()(outcome<T, E>&& settled) {
    struct clearing {
      outcome<T, E>& o;
      state_base<C>& s;
      ~clearing() {
        outcome_access::clear(o);
        lost_taker<C>::forget(s);
      }
    } const at_end{settled, about_};
    feed(std::move(settled));
  }

 private:
  template <class Settled>
  void feed(Settled&& settled) {
    resolver<policy> r = state_access::produce<policy>(duty_);
    basic_pin<C> pin = state_access::ref<C>(about_).pin();  // the sequence holds it yet
    r.complete({O(std::forward<Settled>(settled)), std::move(pin)});
  }

  state_base<C>& about_;
  cell<policy>* duty_;
};

/// Goes with the relay, and takes the hook back that feeds it.
template <class O, class C>
class bound_end {
  using policy = bound_policy<O, C>;

 public:
  bound_end(cell<policy>* duty, state_base<C>* owned) noexcept : duty_(duty), owned_(owned) {}
  bound_end(bound_end&&) noexcept = default;
  ~bound_end() {
    basic_operation<C> const owned = owned_ == nullptr ? basic_operation<C>() : state_access::ref<C>(*owned_);
    if (!source_.withdraw()) return;
    if (owned) ownership<C>::disown(*owned_);
    static_cast<void>(state_access::produce<policy>(duty_));
  }
  void feeds_from(basic_registration<C> source) noexcept { source_ = std::move(source); }
  void operator()() noexcept {}

 private:
  basic_registration<C> source_;
  cell<policy>* duty_;
  state_base<C>* owned_;  // whose value it would have taken
};

/// Lets `f` hear on the executor of `where` how `about` ended: by way of an operation that is a child of `where` and runs
/// where that one does. O is what of the outcome goes there; How calls the hook on `about`.
template <class O, class How, class C>
class bound_wiring {
  using policy = bound_policy<O, C>;

 public:
  bound_wiring(basic_operation<C> const& about, basic_operation<C> const& where)
      : about_(*state_access::get(about)), where_(where), producer_(home_of<C>(where)), relay_(producer_.get_handle()) {
    where.adopt(static_cast<basic_operation<C> const&>(relay_));
  }
  bound_wiring(bound_wiring&&) = delete;
  ~bound_wiring() {
    if (producer_) producer_.op().request_cancel(cause::dropped);  // half made: nobody need be told that it is abandoned
  }

  /// Throws std::bad_alloc, as both.
  template <class F>
  basic_registration<C> observe(F f) {
    basic_registration<C> seen = relay_.on_done(call(std::move(f)));
    start(*state_access::get(relay_), hook_kind::done, nullptr);
    std::move(relay_).detach();
    return seen;
  }
  template <class F>
  void consume(F f) {
    basic_operation<C> const stays = relay_;
    std::move(relay_).on_done(call(std::move(f)));
    start(*state_access::get(stays), hook_kind::consumer, &about_);
  }

 private:
  template <class F>
  bound_call<F, O, C> call(F f) {
    return {std::move(f), state_access::ref<C>(about_), where_, *state_access::get(relay_)};
  }
  /// `r` is the relay, to which the caller refers. Both hooks are made before one is registered: what that starts cannot be taken back.
  void start(state_base<C>& r, hook_kind kind, state_base<C>* owned) {
    using end = bound_end<O, C>;
    auto* const duty = static_cast<cell<policy>*>(&r);
    hook<C>* const last = made(make_hook<call_with_cancellation>(r, hook_kind::cancel, end(duty, owned), false));
    hook<C>* const source = make_hook<How>(about_, kind, bound_source<O, C>(about_, duty), true);
    if (source == nullptr) sequence<C>::run_hook(r, *last, hook_action::discard);
    made(source);
    static_cast<closure_hook<C, end, call_with_cancellation>&>(*last).f.feeds_from(state_access::keep<C>(*source));
    state_access::give_up(producer_);
    registry<C>::add_observer(about_, *source);
    registry<C>::add_cancel(r, *last);
  }
  static hook<C>* made(hook<C>* h) {
    if (h == nullptr) raise(std::bad_alloc());
    return h;
  }

  state_base<C>& about_;
  basic_operation<C> where_;
  resolver<policy> producer_;
  handle<policy> relay_;
};

}  // namespace settle::inline v0::detail

#endif
