// SPDX-License-Identifier: BSL-1.0
// A span of time that nanoseconds cannot tell is the longest that they can, wherever one is given.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <ratio>
#include <thread>
#include <utility>

namespace {

using namespace std::chrono_literals;
using settle::time_span;
using std::chrono::duration;
using std::chrono::nanoseconds;

static_assert(nanoseconds(time_span(3s)) == 3s);
static_assert(nanoseconds(time_span(-3s)) == -3s);
static_assert(nanoseconds(time_span(nanoseconds::max() - 1us)) == nanoseconds::max() - 1us);
static_assert(nanoseconds(time_span(nanoseconds::max())) == nanoseconds::max());
static_assert(nanoseconds(time_span(nanoseconds::min())) == nanoseconds::min());
static_assert(nanoseconds(time_span(std::chrono::seconds::max())) == nanoseconds::max());
static_assert(nanoseconds(time_span(std::chrono::hours::min())) == nanoseconds::min());
static_assert(nanoseconds(time_span(duration<std::uint64_t>(std::numeric_limits<std::uint64_t>::max()))) == nanoseconds::max());
static_assert(nanoseconds(time_span(duration<std::int8_t, std::ratio<31556952>>(100))) ==
              duration<std::int64_t, std::ratio<31556952>>(100));
static_assert(nanoseconds(time_span(duration<std::int64_t, std::pico>(-1999))) == -1ns);
static_assert(nanoseconds(time_span(duration<double>(0.25))) == 250ms);
static_assert(nanoseconds(time_span(duration<float>(1e30F))) == nanoseconds::max());

TEST(time_span, what_is_no_number_is_for_ever) {
  EXPECT_EQ(nanoseconds(time_span(duration<double>(std::nan("")))), nanoseconds::max());
  EXPECT_EQ(nanoseconds(time_span(duration<double>(-HUGE_VAL))), nanoseconds::min());
}

TEST(time_span, waiting_for_ever_waits) {
  settle::resolver_of<int> r;
  auto h = r.get_handle();
  std::thread producer([&] { r.complete(42); });
  EXPECT_EQ(std::move(h).wait_for(std::chrono::hours::max())->value(), 42);
  producer.join();
}

}  // namespace
