// SPDX-License-Identifier: BSL-1.0
// The core knows no completion tokens: an adapter's header brings them.
// expect: settle: async_wait and async_get come with an adapter: #include <settle/asio/async_wait.hpp>
#include <settle/settle.hpp>

#include <utility>

void wait(settle::handle_of<int> h) {
#ifdef SETTLE_REJECT
  std::move(h).async_wait([](settle::outcome<int>) {});
#else
  std::move(h).on_done([](settle::outcome<int>&&) {});
#endif
}
