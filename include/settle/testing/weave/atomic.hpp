// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_ATOMIC_HPP
#define SETTLE_TESTING_WEAVE_ATOMIC_HPP

#include <atomic>
#include <cstdint>
#include <source_location>
#include <type_traits>

#include "execution.hpp"

namespace settle::inline v0::testing::weave {

/// std::atomic as the explorer sees it: each member is a step, loads may read what was overwritten. T is trivially copyable, at most 16
/// bytes. Outside of an exploration it is a value.
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
  void store(T v, order o = order::seq_cst, place at = place::current()) noexcept {
    if (execution* const e = here()) e->store(id_, this, bits::of(v), o, at);
    value_ = v;
  }
  T exchange(T v, order o = order::seq_cst, place at = place::current()) noexcept {
    return update([&](T) { return v; }, o, at);
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
    return update([&](T old) { return static_cast<T>(old + n); }, o, at);
  }
  T fetch_sub(number<T> n, order o = order::seq_cst, place at = place::current()) noexcept {
    return update([&](T old) { return static_cast<T>(old - n); }, o, at);
  }
  T fetch_and(T n, order o = order::seq_cst, place at = place::current()) noexcept {
    return update([&](T old) { return static_cast<T>(old & n); }, o, at);
  }
  T fetch_or(T n, order o = order::seq_cst, place at = place::current()) noexcept {
    return update([&](T old) { return static_cast<T>(old | n); }, o, at);
  }
  T fetch_xor(T n, order o = order::seq_cst, place at = place::current()) noexcept {
    return update([&](T old) { return static_cast<T>(old ^ n); }, o, at);
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

  /// Called by a thread that waits for another to write this.
  void pause() const noexcept {
    if (execution* const e = here()) e->pause(id_, this);
  }

 private:
  static constexpr std::uint32_t nowhere = ~std::uint32_t{0};

  static constexpr order failure_of(order o) noexcept {
    return o == order::acq_rel ? order::acquire : o == order::release ? order::relaxed : o;
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
  T update(F f, order o, place at) noexcept {
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
