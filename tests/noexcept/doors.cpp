// SPDX-License-Identifier: BSL-1.0
// The ways into an operation without exceptions: jobs, initiating functions, callbacks with storage, raw pointers.
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <optional>
#include <stop_token>
#include <utility>

namespace {

TEST(doors, a_job) {
  bool asked = true;
  auto h = settle::start_on(settle::inline_executor(), [&](std::stop_token stop) {
    asked = stop.stop_requested();
    return 4;
  });
  EXPECT_FALSE(asked);
  EXPECT_EQ(std::move(h).wait().value(), 4);
  auto flat = settle::start_on(settle::inline_executor(), [] { return settle::start_on(settle::inline_executor(), [] { return 5; }); });
  EXPECT_EQ(std::move(flat).wait().value(), 5);
}

TEST(doors, an_initiating_function_and_a_raw_pointer) {
  void* user = nullptr;
  auto h = settle::initiate<int, std::error_code>(settle::inline_executor(), [&](auto r) { user = std::move(r).into_raw(); });
  using resolver = settle::resolver_of<int, std::error_code>;
  resolver::from_raw(user).fail(settle::make_error_code(settle::errc::closed));
  EXPECT_EQ(std::move(h).wait().error(), settle::errc::closed);
  auto dropped = settle::initiate<int>(settle::inline_executor(), [](auto) {});
  EXPECT_TRUE(std::move(dropped).wait().is_cancelled());
}

TEST(doors, callbacks) {
  settle::resolver_of<void> r;
  int ran = 0;
  settle::done_callback done(r.op(), [&] { ++ran; });
  settle::cancel_callback cancelled(r.op(), [&] { ++ran; });
  {
    settle::cancel_callback gone(r.op(), [&] { ++ran; });
  }
  r.op().request_cancel();
  EXPECT_EQ(ran, 1);
  r.complete();
  EXPECT_EQ(ran, 2);
}

}  // namespace
