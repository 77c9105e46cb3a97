// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_ATOMIC_HPP
#define SETTLE_TESTING_WEAVE_ATOMIC_HPP

#include <atomic>
#include <cstdint>
#include <optional>
#include <source_location>
#include <type_traits>

#include "execution.hpp"

namespace settle::inline v0::testing::weave {

/// std::atomic as the explorer sees it: each member is a step, loads may read what was overwritten. T is trivially copyable, at most 16
/// bytes. Outside of an exploration it is a value.
///
/// Three members more, for code that says what it is after: the less it can see, the less there is to be tried. look() is a load,
/// update() and lock_bit() are the loops around a compare-and-swap, each as one step.
template <class T>
class atomic {
  using order = std::memory_order;
  using place = std::source_location;
  template <class U>
  using number = std::conditional_t<std::is_pointer_v<U>, std::ptrdiff_t, U>;

 public:
  using value_type = T;
  static constexpr bool is_always_lock_free = true;

  constexpr atomic() noexcept : atomic(T()) {}
  constexpr atomic(T v) noexcept : value_(v) {
    if (!std::is_constant_evaluated()) begin();
  }
  atomic(atomic const&) = delete;
  atomic& operator=(atomic const&) = delete;
  constexpr ~atomic() {
    if (std::is_constant_evaluated()) return;
    if (execution* const e = execution::current()) e->destroy(id_, this);
  }

  bool is_lock_free() const noexcept { return true; }
  T load(order o = order::seq_cst, place at = place::current()) const noexcept {
    execution* const e = here();
    return e == nullptr ? value_ : e->load(id_, this, o, at).template as<T>();
  }
  /// What `f` makes of the value: a load whose caller sees no more, so that values which give the same are one.
  template <class F>
  auto look(F f, order o = order::seq_cst, place at = place::current()) const noexcept {
    using R = decltype(f(value_));
    execution* const e = here();
    if (e == nullptr) return f(value_);
    return e->look(id_, this, [f](bits v) { return bits::of(f(v.template as<T>())); }, o, at).template as<R>();
  }
  /// What `f` makes of the newest value, unless that is nothing: then it is a load of a value which this can be said of. `seen` is
  /// what `sees` makes of the value, in either case: the caller sees no more. `adds`: all that `f` does is to add this to a whole number;
  /// such steps have no order, as long as none of them sees a difference, until somebody reads between them. They learn nothing of each
  /// other then.
  template <class U, class F, class G>
  bool update(U& seen, F f, G sees, order success, order failure, number<T> adds = {}, place at = place::current()) noexcept {
    auto const next = [f](bits b) {
      auto const to = f(b.template as<T>());
      return to ? std::optional<bits>(bits::of(*to)) : std::nullopt;
    };
    auto const projected = [sees](bits b) { return bits::of(sees(b.template as<T>())); };
    bits b = bits::of(value_);
    bool done = next(b).has_value();
    if (execution* const e = here()) done = e->update_if(id_, this, b, next, projected, success, failure, to_sum(adds), at);
    T const old = b.template as<T>();
    seen = sees(old);
    if (done) value_ = *f(old);
    return done;
  }
  template <class F>
  bool update(T& seen, F f, order success, order failure, place at = place::current()) noexcept {
    return update(seen, f, [](T v) { return v; }, success, failure, {}, at);
  }
  /// Sets the bit once it is clear, and yields what was there: a loop around a compare-and-swap, as one step. Outside of an
  /// exploration it must be clear.
  T lock_bit(T bit, order o = order::acquire, place at = place::current()) noexcept {
    T old = value_;
    if (execution* const e = here()) old = e->lock(id_, this, bits::of(bit), o, at).template as<T>();
    value_ = static_cast<T>(old | bit);
    return old;
  }
  void store(T v, order o = order::seq_cst, place at = place::current()) noexcept {
    if (execution* const e = here()) e->store(id_, this, bits::of(v), o, at);
    value_ = v;
  }
  T exchange(T v, order o = order::seq_cst, place at = place::current()) noexcept {
    return modify([&](T) { return v; }, o, at);
  }
  bool compare_exchange_strong(T& expected, T v, order success, order failure, place at = place::current()) noexcept {
    return swap(expected, v, success, failure, false, at);
  }
  bool compare_exchange_strong(T& expected, T v, order o = order::seq_cst, place at = place::current()) noexcept {
    return swap(expected, v, o, failure_of(o), false, at);
  }
  bool compare_exchange_weak(T& expected, T v, order success, order failure, place at = place::current()) noexcept {
    return swap(expected, v, success, failure, true, at);
  }
  bool compare_exchange_weak(T& expected, T v, order o = order::seq_cst, place at = place::current()) noexcept {
    return swap(expected, v, o, failure_of(o), true, at);
  }
  T fetch_add(number<T> n, order o = order::seq_cst, place at = place::current()) noexcept {
    return modify([&](T old) { return static_cast<T>(old + n); }, o, at);
  }
  T fetch_sub(number<T> n, order o = order::seq_cst, place at = place::current()) noexcept {
    return modify([&](T old) { return static_cast<T>(old - n); }, o, at);
  }
  T fetch_and(T n, order o = order::seq_cst, place at = place::current()) noexcept {
    return modify([&](T old) { return static_cast<T>(old & n); }, o, at);
  }
  T fetch_or(T n, order o = order::seq_cst, place at = place::current()) noexcept {
    return modify([&](T old) { return static_cast<T>(old | n); }, o, at);
  }
  T fetch_xor(T n, order o = order::seq_cst, place at = place::current()) noexcept {
    return modify([&](T old) { return static_cast<T>(old ^ n); }, o, at);
  }
  operator T() const noexcept { return load(); }
  // NOLINTNEXTLINE(misc-unconventional-assign-operator): as std::atomic's
  T operator=(T v) noexcept {
    store(v);
    return v;
  }
  T operator++() noexcept { return static_cast<T>(fetch_add(1) + 1); }
  T operator++(int) noexcept { return fetch_add(1); }
  T operator--() noexcept { return static_cast<T>(fetch_sub(1) - 1); }
  T operator--(int) noexcept { return fetch_sub(1); }

  /// Called by a thread that waits for another to write this, after it has looked at it. (After an addition of its own instead, it may
  /// go on for one of another thread that nobody has read, whichever was executed first.)
  void pause() const noexcept {
    if (execution* const e = here()) e->pause(id_, this);
  }

 private:
  static constexpr std::uint32_t nowhere = ~std::uint32_t{0};

  static constexpr order failure_of(order o) noexcept {
    return o == order::acq_rel ? order::acquire : o == order::release ? order::relaxed : o;
  }
  static sum to_sum(number<T> n) noexcept {
    if constexpr (std::is_integral_v<T>) return sum(n);
    else return sum();
  }
  void begin() noexcept {
    if (execution* const e = execution::current()) id_ = e->create(this, bits::of(value_));
  }
  /// What was made before the exploration began is made known to it when it is first used.
  execution* here() const noexcept {
    execution* const e = execution::current();
    if (e == nullptr) return e;
    e->must_be_there(this);
    if (id_ == nowhere) id_ = e->create(this, bits::of(value_));
    return e;
  }
  template <class F>
  T modify(F f, order o, place at) noexcept {
    T old = value_;
    if (execution* const e = here())
      old = e->update(id_, this, [&](bits b) { return bits::of(f(b.template as<T>())); }, o, at).template as<T>();
    value_ = f(old);
    return old;
  }
  bool swap(T& expected, T v, order success, order failure, bool weak, place at) noexcept {
    execution* const e = here();
    bits want = bits::of(expected);
    bool done = bits::of(value_) == want;
    if (e != nullptr) done = e->compare_exchange(id_, this, want, bits::of(v), success, failure, weak, at);
    else if (!done) want = bits::of(value_);
    if (done) value_ = v;
    else expected = want.template as<T>();
    return done;
  }

  T value_;
  mutable std::uint32_t id_ = nowhere;
};

}  // namespace settle::inline v0::testing::weave

#endif
