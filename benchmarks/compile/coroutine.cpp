// SPDX-License-Identifier: BSL-1.0
// A coroutine that awaits a handle, and another coroutine.
#include <settle/settle.hpp>

#include <string>
#include <utility>

settle::handle_of<std::string> inner(settle::handle_of<int> n) {
  int const v = co_await std::move(n);
  co_return std::to_string(v);
}
settle::handle_of<std::size_t> outer(settle::handle_of<int> n) {
  auto text = inner(std::move(n));
  co_return (co_await std::move(text)).size();
}
