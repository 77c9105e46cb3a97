// SPDX-License-Identifier: BSL-1.0
// expect: settle: on_lost takes `void f\(T&&\) noexcept`
#include <settle/settle.hpp>

#include <utility>

settle::handle_of<int> take(settle::handle_of<int> h) {
#ifdef SETTLE_REJECT
  return std::move(h).on_lost([](int&&) {});
#else
  return std::move(h).on_lost([](int&&) noexcept {});
#endif
}
