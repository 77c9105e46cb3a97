// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_STOP_PART_HPP
#define SETTLE_DETAIL_STOP_PART_HPP

#include <memory>
#include <new>
#include <stop_token>

#include "context.hpp"
#include "exceptions.hpp"
#include "hook.hpp"
#include "state.hpp"

namespace settle::inline v0::detail {

/// The stop_source of an operation: one for all its stop_tokens. Asked to stop where the cancel happens, as a structural
/// step: a callback that wakes a blocked worker must not wait for an executor that this worker may be blocking.
template <class C>
class stop_part {
  using state = state_base<C>;

 public:
  /// Throws std::bad_alloc.
  static std::stop_token token(state& s) {
    context<C>* const c = s.make_context();
    if (c == nullptr) raise(std::bad_alloc());
    stop_part* p = of(c->find(&key_));
    if (p == nullptr) p = &add(s, *c);
    return p->source_.get_token();
  }

 private:
  /// The walker's: off its ring, the lock not held. A value or an error stops nobody.
  static void tell(hook<C>& h, hook_action action) {
    if (action == hook_action::invoke) reinterpret_cast<stop_part*>(&h)->source_.request_stop();
  }
  static constexpr hook_type<C> type{&tell, 0, 0};

  static stop_part& add(state& s, context<C>& c) {
    void* const at = s.allocate(sizeof(stop_part), alignof(stop_part));
    if (at == nullptr) raise(std::bad_alloc());
    auto* const made = with_undo([&] { return ::new (at) stop_part; },  // the source allocates
                                 [&] { s.deallocate(at, sizeof(stop_part), alignof(stop_part)); });
    made->part_.key = &key_;
    made->part_.destroy = &destroy;
    made->part_.self = made;
    made->hook_.kind = hook_kind::stop;
    made->hook_.owner = &s;
    made->hook_.type = &type;
    std::uint32_t const w = s.lock();
    if (!c.add(made->part_)) {
      s.unlock(w);
      destroy(made->part_, s);
      return *of(c.find(&key_));
    }
    bool const pending = (w & (word::settled | word::requested)) == 0;
    if (pending) s.lasting.store(ring<C>::push_back(s.lasting.load(std::memory_order_relaxed), &made->hook_), std::memory_order_relaxed);
    s.unlock(pending ? w | word::below : w);
    if (!pending && (w & (word::requested | word::cancelled)) != 0) made->source_.request_stop();
    return *made;
  }
  static stop_part* of(context_part<C>* p) noexcept { return p == nullptr ? nullptr : static_cast<stop_part*>(p->self); }
  static void destroy(context_part<C>& p, state& s) noexcept {
    stop_part* const self = of(&p);
    std::destroy_at(self);
    s.deallocate(self, sizeof(stop_part), alignof(stop_part));
  }

  static constexpr char key_ = 0;

  hook<C> hook_;
  context_part<C> part_;
  std::stop_source source_;
};

}  // namespace settle::inline v0::detail

#endif
