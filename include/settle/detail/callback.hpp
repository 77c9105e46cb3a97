// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_CALLBACK_HPP
#define SETTLE_DETAIL_CALLBACK_HPP

#include <new>
#include <utility>

#include "closures.hpp"
#include "embedded.hpp"
#include "exceptions.hpp"
#include "registry.hpp"
#include "report_thrown.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// What done_callback and cancel_callback are made of: a hook, its closure, and the reference that keeps the lock of the
/// operation's word in existence. How: calls the closure.
template <class C, class F, class How, hook_kind Kind>
class callback : embedded_hook<C> {
  using state = state_base<C>;
  using hook_base = embedded_hook<C>;

 public:
  callback(state* s, F&& f) : f_(std::move(f)) {
    this->kind = Kind;
    this->type = &type_of;
    this->owner = s;
    this->embedded = true;
    if (s == nullptr) return;
    s->add_ref();
    if (!registry<C>::add_embedded(*s, *this)) with_undo([&] { come_late(*s); }, [&] { s->drop_ref(); });
  }
  callback(callback&&) = delete;
  ~callback() {
    state* const s = this->owner;
    if (s == nullptr) return;
    this->leave(*s);
    s->drop_ref();
  }

 private:
  static void run(hook<C>& h, hook_action) {
    auto& self = static_cast<callback&>(static_cast<hook_base&>(h));
    state& s = *h.owner;  // the hook may die in its own closure
    guarded([&] { How::call(self.f_, s); }, report_thrown<C>{s, monitor_event::callback_threw});
  }
  static constexpr hook_type<C> type_of{&run, 0, 0};

  /// Too late for the rings: an ordinary hook stands in the queue for this one.
  void come_late(state& s) {
    hook<C>* const h = make_hook<call_with_ending>(s, Kind, late_call<C>(), false);
    if (h == nullptr) raise(std::bad_alloc());
    auto& call = static_cast<closure_hook<C, late_call<C>, call_with_ending>&>(*h).f;
    call.self = this;
    call.state = &s;
    this->stand_in = &call;
    this->phase = hook_base::late;
    if (Kind == hook_kind::cancel) registry<C>::add_cancel(s, *h);
    else registry<C>::add_observer(s, *h);
  }

  [[no_unique_address]] F f_;
};

}  // namespace settle::inline v0::detail

#endif
