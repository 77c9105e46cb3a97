// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_CONTEXT_HPP
#define SETTLE_DETAIL_CONTEXT_HPP

#include <bit>
#include <chrono>
#include <cstdint>
#include <source_location>
#include <type_traits>

#include "../fwd.hpp"
#include "../policy/sync.hpp"

namespace settle::inline v0::detail {

/// Something that an operation has besides, found by its key: what its stop_token comes from. Added once, kept until the
/// operation is destroyed.
template <class C>
struct context_part {
  context_part* next = nullptr;
  void const* key = nullptr;
  void* self = nullptr;
  void (*destroy)(context_part&, state_base<C>&) noexcept = nullptr;
};

/// What few operations have, in a block of their own: a deadline, parts.
template <class C>
struct context {
  using time_point = std::chrono::steady_clock::time_point;
  template <class T>
  using atomic = typename C::sync::template atomic<T>;

  std::source_location created;
  atomic<time_point::rep> latest{time_point::max().time_since_epoch().count()};
  atomic<context_part<C>*> parts{nullptr};

  explicit context(std::source_location at) noexcept : created(at) {}

  time_point deadline() const noexcept { return time_point(time_point::duration(latest.load(std::memory_order_acquire))); }
  void tighten(time_point t) noexcept {
    time_point::rep const wanted = t.time_since_epoch().count();
    time_point::rep now = latest.load(std::memory_order_relaxed);
    while (wanted < now && !latest.compare_exchange_weak(now, wanted, std::memory_order_acq_rel, std::memory_order_relaxed)) {
    }
  }
  context_part<C>* find(void const* key) const noexcept {
    context_part<C>* p = parts.load(std::memory_order_acquire);
    while (p != nullptr && p->key != key) p = p->next;
    return p;
  }
  /// In front, whatever is there.
  void push(context_part<C>& made) noexcept {
    made.next = parts.load(std::memory_order_relaxed);
    while (!parts.compare_exchange_weak(made.next, &made, std::memory_order_release, std::memory_order_relaxed)) {
    }
  }
  /// False: there is one with its key.
  bool add(context_part<C>& made) noexcept {
    context_part<C>* first = parts.load(std::memory_order_acquire);
    do {
      if (find(made.key) != nullptr) return false;
      made.next = first;
    } while (!parts.compare_exchange_weak(first, &made, std::memory_order_acq_rel, std::memory_order_acquire));
    return true;
  }
};

/// Where an operation was created; once it has a context, the context, which knows that place too. One pointer, where a
/// source_location is one.
template <class C>
class origin {
  static constexpr bool is_pointer = sizeof(std::source_location) == sizeof(void*);
  struct nothing {};

 public:
  explicit origin(std::source_location at) noexcept : site_or_context_(first(at)) {
    if constexpr (!is_pointer) site_ = at;
  }

  operator std::source_location() const noexcept {
    if constexpr (is_pointer) {
      std::uintptr_t const p = bits();
      // NOLINTNEXTLINE(performance-no-int-to-ptr): the pointer is tagged
      return (p & 1U) == 0 ? std::bit_cast<std::source_location>(p) : reinterpret_cast<context<C>*>(p - 1)->created;
    } else {
      return site_;
    }
  }
  /// Null: it has none.
  context<C>* get() const noexcept {
    std::uintptr_t const p = bits();
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the pointer is tagged
    return (p & 1U) == 0 ? nullptr : reinterpret_cast<context<C>*>(p - 1);
  }
  void set(context<C>& c) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the pointer is tagged
    site_or_context_.store(reinterpret_cast<void const*>(reinterpret_cast<std::uintptr_t>(&c) + 1), std::memory_order_release);
  }
  /// Back to the place alone.
  void reset() noexcept { site_or_context_.store(first(*this), std::memory_order_relaxed); }

 private:
  std::uintptr_t bits() const noexcept { return reinterpret_cast<std::uintptr_t>(site_or_context_.load(std::memory_order_acquire)); }
  static void const* first([[maybe_unused]] std::source_location at) noexcept {
    if constexpr (is_pointer) return std::bit_cast<void const*>(at);
    else return nullptr;
  }

  typename C::sync::template atomic<void const*> site_or_context_;
  [[no_unique_address]] std::conditional_t<is_pointer, nothing, std::source_location> site_{};
};

}  // namespace settle::inline v0::detail

#endif
