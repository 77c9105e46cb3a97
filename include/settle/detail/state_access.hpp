// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_STATE_ACCESS_HPP
#define SETTLE_DETAIL_STATE_ACCESS_HPP

#include <utility>

#include "../fwd.hpp"
#include "exceptions.hpp"
#include "registry.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// The library's own way from ends to states.
struct state_access {
  template <class C>
  static state_base<C>* get(basic_operation<C> const& op) noexcept {
    return op.state_;
  }
  template <class C>
  static basic_operation<C> ref(state_base<C>& s) noexcept {
    return basic_operation<C>::of(s);
  }
  /// The reference goes to the caller.
  template <class C>
  static state_base<C>* release(basic_operation<C>& op) noexcept {
    return std::exchange(op.state_, nullptr);
  }
  template <class P, class S>
  static handle<P> own(S& s) noexcept {
    return handle<P>(ref<typename P::terminal>(s));
  }
  template <class H>
  static void start(H const& h) noexcept {
    h.start();
  }
  template <class H>
  static auto take(H& h) {
    return h.take();
  }
  /// What nobody knows yet goes under `parent`. Throws std::bad_alloc.
  template <class C>
  static void adopt_newborn(basic_operation<C> const& parent, state_base<C>& child) {
    if (parent.state_ != nullptr && !registry<C>::adopt(*parent.state_, child)) raise(std::bad_alloc());
  }
  template <class P>
  static void adopt_newborn(basic_operation<typename P::terminal> const& parent, resolver<P>& child) {
    adopt_newborn(parent, static_cast<state_base<typename P::terminal>&>(*child.cell_));
  }
  /// The producer's duty without its resolver, and back.
  template <class P>
  static cell<P>* give_up(resolver<P>& r) noexcept {
    return std::exchange(r.cell_, nullptr);
  }
  template <class P>
  static resolver<P> produce(cell<P>* c) noexcept {
    return resolver<P>(c);
  }
  template <class C>
  static basic_registration<C> keep(hook<C>& h) noexcept {
    return basic_registration<C>(&h);
  }
};

}  // namespace settle::inline v0::detail

#endif
