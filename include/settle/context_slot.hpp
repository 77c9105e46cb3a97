// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_CONTEXT_SLOT_HPP
#define SETTLE_CONTEXT_SLOT_HPP

#include <concepts>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "detail/context.hpp"
#include "detail/exceptions.hpp"
#include "detail/lineage.hpp"
#include "detail/state_access.hpp"
#include "operation.hpp"

namespace settle::inline v0 {

namespace detail {

template <class C>
struct child_naming;

/// A value in an operation's context.
template <class C, class T>
struct context_value {
  context_part<C> part;
  T value;

  explicit context_value(T&& v) : value(std::move(v)) {
    part.self = this;
    part.destroy = &destroy;
  }
  static void destroy(context_part<C>& p, state_base<C>& s) noexcept {
    auto* const self = static_cast<context_value*>(p.self);
    std::destroy_at(self);
    s.deallocate(self, sizeof(context_value), alignof(context_value));
  }
};

}  // namespace detail

/// A typed place in the context that operations inherit down the tree, as a trace id: a constant with a name, which says which
/// one it is (two slots of a type are two).
///
/// What is set on an operation is seen by it and by all below it (children, and the coroutines they are) while they are not
/// released, the nearest above first; whoever set one of its own sees that. It is looked up when it is asked for: adopting
/// costs nothing for it, and operations that have none have no memory for it.
///
/// ```cpp
/// static constexpr settle::context_slot<std::string> trace_id;
/// trace_id.set(op, "4bf92f35");
/// use(trace_id.of(op).value_or("none"));
/// ```
template <std::copy_constructible T>
class context_slot {
 public:
  constexpr context_slot() noexcept = default;
  context_slot(context_slot&&) = delete;

  /// Gives `op` a value, once. False: it has one already, there is no memory, or no operation; `v` is gone. Any thread. Two
  /// blocks at most; throws what moving `v` throws. It is destroyed with the operation's state.
  template <class C>
  bool set(basic_operation<C> const& op, T v) const {
    using value_type = detail::context_value<C, T>;
    detail::state_base<C>* const s = detail::state_access::get(op);
    detail::context<C>* const c = s == nullptr ? nullptr : s->make_context();
    void* const at = c == nullptr ? nullptr : s->allocate(sizeof(value_type), alignof(value_type));
    if (at == nullptr) return false;
    auto* const made = detail::with_undo([&] { return ::new (at) value_type(std::move(v)); },
                                         [&] { s->deallocate(at, sizeof(value_type), alignof(value_type)); });
    made->part.key = this;
    if (c->add(made->part)) return true;
    value_type::destroy(made->part, *s);
    return false;
  }

  /// A copy of what `op` has, or the nearest above it; nothing when none has. Any thread. Cost: two atomic loads, and for each
  /// operation above a lock of a few instructions; throws what copying throws.
  template <class C>
  std::optional<T> of(basic_operation<C> const& op) const {
    detail::state_base<C>* const s = detail::state_access::get(op);
    if (s == nullptr) return std::nullopt;
    if (T const* const own = find(*s); own != nullptr) return *own;
    std::optional<T> found;
    std::exception_ptr thrown;
    detail::lineage<C>().each(*s, [&](detail::state_base<C>& above) {
      T const* const there = found || thrown ? nullptr : find(above);
      if (there != nullptr) detail::guarded([&] { found.emplace(*there); }, detail::keep_thrown{thrown});
    });
    if (thrown) detail::rethrow(std::move(thrown));
    return found;
  }

 private:
  template <class>
  friend struct detail::child_naming;

  template <class C>
  T const* find(detail::state_base<C>& s) const noexcept {
    detail::context<C> const* const c = s.created.get();
    detail::context_part<C> const* const p = c == nullptr ? nullptr : c->find(this);
    return p == nullptr ? nullptr : &static_cast<detail::context_value<C, T> const*>(p->self)->value;
  }

  char unique_ = 0;  // an object of its own at an address of its own
};

}  // namespace settle::inline v0

#endif
