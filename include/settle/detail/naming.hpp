// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_NAMING_HPP
#define SETTLE_DETAIL_NAMING_HPP

#include <memory>
#include <string_view>

#include "../policy/sync.hpp"

namespace settle::inline v0::detail {

template <class C>
struct state_base;

/// Who knows which supervisor's child an operation is, or is below. Nobody, until the first is named: until then no more than
/// a look at that is compiled, or done.
template <class C>
struct naming {
  using use_name = void (*)(void* at, std::string_view name) noexcept;
  using find_name = void (*)(state_base<C>& s, void* at, use_name use) noexcept;

  static inline constinit std_sync::atomic<find_name> finder{nullptr};

  static bool is_used() noexcept { return finder.load(std::memory_order_acquire) != nullptr; }

  /// Calls f(name), once; empty: it has none. Walks up the tree, so call it without a lock.
  template <class F>
  static void with_name(state_base<C>& s, F f) noexcept {
    find_name const find = finder.load(std::memory_order_acquire);
    if (find == nullptr) f(std::string_view());
    else find(s, std::addressof(f), [](void* at, std::string_view name) noexcept { (*static_cast<F*>(at))(name); });
  }
};

}  // namespace settle::inline v0::detail

#endif
