// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_WAITING_HPP
#define SETTLE_DETAIL_WAITING_HPP

#include <chrono>
#include <memory>
#include <new>

#include "closures.hpp"
#include "exceptions.hpp"
#include "frame.hpp"
#include "registry.hpp"

namespace settle::inline v0::detail {

/// A thread outside every executor that waits until an operation is released.
template <class C>
class released_wait {
  using state = state_base<C>;
  using event = typename C::sync::event;

 public:
  /// Throws std::bad_alloc. Of a released operation: nothing to wait for, and nothing allocated.
  explicit released_wait(state& s) {
    if (s.is_released()) return;
    if (!frame<C>::here().is_free())
      s.report(nullptr, monitor_event::misuse, "a blocking wait inside a callback: it would wait for its own thread");
    event_ = std::make_shared<event>();
    hook<C>* h = make_hook<wake>(s, hook_kind::waiting, [e = event_] { e->set(); }, true);
    if (h == nullptr) raise(std::bad_alloc());
    if (!registry<C>::add_released(s, *h)) sequence<C>::run_hook(s, *h, hook_action::invoke);  // released meanwhile
    registered_ = basic_registration<C>(h);
  }

  void wait() {
    if (event_ != nullptr) event_->wait();
  }
  /// False: not released in time, and nothing is left behind.
  template <class TimePoint>
  bool wait_until(TimePoint const& t) {
    if (event_ == nullptr || event_->wait_until(t)) return true;
    return !registered_.withdraw();
  }

 private:
  struct wake {
    template <class F, class S>
    static void call(F& f, S&) {
      f();
    }
  };

  std::shared_ptr<event> event_;
  basic_registration<C> registered_;
};

}  // namespace settle::inline v0::detail

#endif
