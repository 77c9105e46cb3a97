// SPDX-License-Identifier: BSL-1.0
#include <settle/time/sleep.hpp>
#include <settle/uv/uv.hpp>

int main() {
  bool woke = false;
  {
    settle::uv::loop loop(uv_default_loop());
    settle::sleep(loop.get_executor(), std::chrono::milliseconds(1)).on_done([&woke](auto&& outcome) { woke = outcome.has_value(); });
    loop.run();
  }
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  return woke && uv_loop_close(uv_default_loop()) == 0 ? 0 : 1;
}
