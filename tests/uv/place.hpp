// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_UV_PLACE_HPP
#define SETTLE_TESTS_UV_PLACE_HPP

#include <gtest/gtest.h>
#include <uv.h>
#include <settle/uv/uv.hpp>

#include <optional>
#include <utility>

namespace test {

/// A loop of libuv's and settle's place on it. When it goes, nothing may be left on the loop.
class uv_place {
 public:
  using executor = settle::uv::loop_executor;
  static constexpr bool queued = true;

  uv_place() {
    EXPECT_EQ(uv_loop_init(&raw), 0);
    loop.emplace(&raw);
  }
  uv_place(uv_place&&) = delete;
  ~uv_place() {
    loop.reset();
    EXPECT_EQ(uv_run(&raw, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(uv_loop_close(&raw), 0) << "something was left";
  }

  executor get_executor() const { return loop->get_executor(); }
  void run() { loop->run(); }

  uv_loop_t raw;
  std::optional<settle::uv::loop> loop;
};

}  // namespace test

#endif
