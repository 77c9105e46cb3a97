// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_OUTCOME_HPP
#define SETTLE_OUTCOME_HPP

#include <concepts>
#include <exception>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

#include "cause.hpp"
#include "detail/exceptions.hpp"
#include "detail/is_copyable.hpp"
#include "detail/outcome_head.hpp"
#include "ending.hpp"
#include "error.hpp"
#include "fwd.hpp"
#include "operation_cancelled.hpp"

namespace settle::inline v0 {

namespace detail {

template <class E>
bool is_timeout(E const& e) noexcept {
  if constexpr (requires {
                  { e.code() } -> std::convertible_to<std::error_code>;
                })
    return e.code() == std::errc::timed_out;
  else if constexpr (std::is_convertible_v<E const&, std::error_code>) return std::error_code(e) == std::errc::timed_out;
  else return false;
}

template <class E>
[[noreturn, gnu::always_inline]] inline void raise_error(E const& e) {
  if constexpr (requires { e.raise(); }) e.raise();
  else if constexpr (std::is_convertible_v<E const&, std::error_code>) raise(std::system_error(std::error_code(e)));
  else raise(e);
  std::terminate();
}

}  // namespace detail

/// What an operation yielded: a value, an error, or a cancellation with its cause. After the consumer took the value
/// it says `taken`: none of the three.
///
/// Movable when T and E are; a moved-from outcome keeps its kind with moved-from contents. Never allocates.
///
/// ```cpp
/// std::move(h).on_done([](auto&& out) {
///   out.visit([](int v) { use(v); }, [](settle::error const& e) { log(e); }, [](settle::cancellation const&) { retry(); });
/// });
/// ```
template <class T, class E>
class outcome : private detail::outcome_head {
 public:
  using value_type = T;            ///< what a value is
  using error_type = E;            ///< what an error is
  using stored = detail::lift<T>;  ///< T, or std::monostate for void

  /// A value. Throws what moving it throws.
  outcome(std::in_place_t, stored v) noexcept(std::is_nothrow_move_constructible_v<stored>) {
    std::construct_at(&value_, std::move(v));
    kind = detail::outcome_head::value;
  }
  /// An error.
  outcome(E e) noexcept {
    std::construct_at(&error_, std::move(e));
    kind = failure;
  }
  /// A cancellation.
  outcome(cancellation const& c) noexcept {
    cancelled_by(c);
    kind = cancelled;
  }
  /// Throws what moving the value throws, the source as it was.
  outcome(outcome&& o) noexcept(std::is_nothrow_move_constructible_v<stored>) : detail::outcome_head(o.bare()) { become(std::move(o)); }
  /// When T and E can be copied. Throws what copying them throws.
  outcome(outcome const& o)
    requires(detail::is_copyable<stored> && std::is_copy_constructible_v<E>)
      : detail::outcome_head(o.bare()) {
    become(o);
  }
  /// Copies or moves, as its argument was made.
  outcome& operator=(outcome o) noexcept(std::is_nothrow_move_constructible_v<stored>) {
    clear();
    static_cast<outcome_head&>(*this) = o.bare();
    become(std::move(o));
    return *this;
  }
  ~outcome() { clear(); }

  /// It is a value.
  bool has_value() const noexcept { return kind == detail::outcome_head::value; }
  /// It is an error.
  bool has_error() const noexcept { return kind == failure; }
  /// It was cancelled.
  bool is_cancelled() const noexcept { return kind == cancelled; }
  /// The consumer took what it was, or it was emptied.
  bool is_taken() const noexcept { return kind == taken; }
  /// has_value().
  explicit operator bool() const noexcept { return has_value(); }

  /// The value. Throws what the error is, or operation_cancelled; std::logic_error never: `taken` counts as cancelled.
  [[gnu::always_inline]] std::add_lvalue_reference_t<T> value() & {
    require_value();
    if constexpr (!std::is_void_v<T>) return value_;
  }
  /// The same to look at.
  [[gnu::always_inline]] std::add_lvalue_reference_t<T const> value() const& {
    require_value();
    if constexpr (!std::is_void_v<T>) return value_;
  }
  /// The same to take; the outcome keeps a moved-from value.
  [[gnu::always_inline]] T value() && {
    require_value();
    if constexpr (!std::is_void_v<T>) return std::move(value_);
  }

  /// Precondition: has_error().
  E const& error() const& noexcept { return error_; }
  /// The same to take.
  E&& error() && noexcept { return std::move(error_); }
  /// Precondition: is_cancelled().
  cancellation cancel() const noexcept { return cancelled_by(); }

  /// The time was over, whichever face that has: error timed_out, or cancelled by a deadline.
  bool timed_out() const noexcept {
    if (has_error()) return detail::is_timeout(error_);
    return is_cancelled() && cancel().by_deadline();
  }

  /// Exhaustive: calls one of on_value(value) (or on_value() for void), on_error(error), on_cancelled(cancellation).
  /// A taken outcome counts as cancelled.
  template <class V, class F, class C>
  decltype(auto) visit(V&& on_value, F&& on_error, C&& on_cancelled) const& {
    return visit_as(*this, std::forward<V>(on_value), std::forward<F>(on_error), std::forward<C>(on_cancelled));
  }
  /// The same, the value and the error as rvalues.
  template <class V, class F, class C>
  decltype(auto) visit(V&& on_value, F&& on_error, C&& on_cancelled) && {
    return visit_as(std::move(*this), std::forward<V>(on_value), std::forward<F>(on_error), std::forward<C>(on_cancelled));
  }

  /// std::expected<T, E> and its like. A cancellation becomes an error by `on_cancel(cancellation) -> E`, or by
  /// `P::make_error` of a policy: `to<Expected, P>()`, or as E spells errc::cancelled (errc::timed_out by a deadline).
  template <class Expected>
    requires(std::is_constructible_v<E, errc> || std::is_constructible_v<E, std::error_code>)
  Expected to() && {
    return std::move(*this).template to<Expected>([](cancellation const& c) {
      errc const code = c.by_deadline() ? errc::timed_out : errc::cancelled;
      if constexpr (std::is_constructible_v<E, errc>) return E(code);
      else return E(make_error_code(code));
    });
  }
  /// The same by the policy's make_error.
  template <class Expected, class P>
  Expected to() && {
    return std::move(*this).template to<Expected>([](cancellation const& c) -> E { return policy_traits<P>::make_error(c); });
  }
  /// The same by `on_cancel(cancellation) -> E`.
  template <class Expected, class F>
  Expected to(F&& on_cancel) && {
    if (has_value()) {
      if constexpr (std::is_void_v<T>) return Expected();
      else return Expected(std::move(value_));
    }
    using unexpected = typename Expected::unexpected_type;
    if (has_error()) return Expected(unexpected(std::move(error_)));
    return Expected(unexpected(std::forward<F>(on_cancel)(cancel())));
  }

  /// The same without its types.
  ending how() const noexcept {
    return {kind == detail::outcome_head::value || kind == taken ? ending::value
            : kind == failure                                    ? ending::failure
                                                                 : ending::cancelled,
            cancel()};
  }

 private:
  friend struct detail::outcome_access;

  outcome() noexcept {}

  detail::outcome_head bare() const noexcept {
    detail::outcome_head h = *this;
    h.kind = pending;  // set once the contents are there: a throwing move leaves nothing half made
    return h;
  }
  template <class O>
  [[gnu::always_inline]] void become(O&& o) {
    kind_t const k = o.kind;  // read once: g++ 12 warns where it does not see that what is destroyed was made
    if (k == detail::outcome_head::value) std::construct_at(&value_, std::forward<O>(o).value_);
    else if (k == failure) std::construct_at(&error_, std::forward<O>(o).error_);
    kind = k;
  }
  void clear() noexcept {
    if (kind == detail::outcome_head::value) std::destroy_at(&value_);
    if (kind == failure) std::destroy_at(&error_);
    kind = taken;
  }
  /// Of one that has a value: it is not asked again after the value's destructor, where g++ 14 takes it for a failure.
  void clear_value() noexcept {
    std::destroy_at(&value_);
    kind = taken;
  }

  [[gnu::always_inline]] void require_value() const {
    if (kind == detail::outcome_head::value) [[likely]]
      return;
    detail::raise_by<detail::outcome_access>(*this);
  }
  [[noreturn, gnu::always_inline]] void raise() const {
    if (kind == failure) detail::raise_error(error_);
    detail::raise(operation_cancelled(cancel()));
  }

  template <class Self, class V, class F, class C>
  static decltype(auto) visit_as(Self&& self, V&& on_value, F&& on_error, C&& on_cancelled) {
    if (self.kind == failure) return std::forward<F>(on_error)(std::forward<Self>(self).error_);
    if (self.kind != detail::outcome_head::value) return std::forward<C>(on_cancelled)(self.cancel());
    if constexpr (std::is_void_v<T>) return std::forward<V>(on_value)();
    else return std::forward<V>(on_value)(std::forward<Self>(self).value_);
  }

  union {
    stored value_;
    E error_;
  };
};

namespace detail {

/// The library's own way in: storage that is written before it is announced.
struct outcome_access {
  template <class T, class E>
  static outcome<T, E>* make_pending(void* at) noexcept {
    return ::new (at) outcome<T, E>();
  }
  template <class O>
  static outcome_head& head(O& o) noexcept {
    return o;
  }
  template <class O>
  static auto* value(O& o) noexcept {
    return &o.value_;
  }
  template <class O>
  static auto* error(O& o) noexcept {
    return &o.error_;
  }
  template <class O>
  static void clear(O& o) noexcept {
    o.clear();
  }
  template <class O>
  static void clear_value(O& o) noexcept {
    o.clear_value();
  }
  template <class O>
  [[noreturn, gnu::always_inline]] static void raise(O const& o) {
    o.raise();
  }
};

}  // namespace detail
}  // namespace settle::inline v0

#endif
