// SPDX-License-Identifier: BSL-1.0
#include <asio/io_context.hpp>
#include <settle/asio/sleep.hpp>

int main() {
  asio::io_context io;
  bool woke = false;
  settle::sleep(io.get_executor(), std::chrono::milliseconds(1)).on_done([&woke](auto&& outcome) { woke = outcome.has_value(); });
  io.run();
  return woke ? 0 : 1;
}
