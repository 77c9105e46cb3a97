// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HOOKS_HOME_OF_HPP
#define SETTLE_HOOKS_HOME_OF_HPP

#include <new>
#include <utility>

#include "../detail/closures.hpp"
#include "../detail/exceptions.hpp"
#include "../detail/registry.hpp"
#include "../detail/state_access.hpp"
#include "../operation.hpp"

namespace settle::inline v0::detail {

/// An executor that is another operation's, whatever that one runs on. Keeps its state, not the operation, alive. Of an
/// empty operation: any thread.
template <class C>
class home_of {
 public:
  home_of() noexcept = default;
  explicit home_of(basic_operation<C> op) noexcept : op_(std::move(op)) {}

  /// The same executor, by way of the state that it lives in: others in between need not be kept.
  static home_of at(state_base<C>& s) noexcept {
    state_base<C>* const provider = s.home().provider;
    return provider == nullptr ? home_of() : home_of(state_access::ref<C>(*provider));
  }

  executor_ref<C> home() const noexcept { return op_ ? state_access::get(op_)->home() : executor_ref<C>(); }

  /// Throws std::bad_alloc.
  template <class F>
  void execute(F f) const {
    if (!op_) {
      std::move(f)();
      return;
    }
    state_base<C>& s = *state_access::get(op_);
    hook<C>* const h = make_hook<call_with_ending>(s, hook_kind::released, std::move(f), false);
    if (h == nullptr) raise(std::bad_alloc());
    registry<C>::at_once(s, *h);
  }
  bool operator==(home_of const&) const noexcept = default;

 private:
  basic_operation<C> op_;
};

}  // namespace settle::inline v0::detail

#endif
