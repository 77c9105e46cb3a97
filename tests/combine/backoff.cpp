// SPDX-License-Identifier: BSL-1.0
// What a backoff says: which failures are tried again, and how long the pauses are.
#include <settle/combine/backoff.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <system_error>
#include <vector>

namespace {

using namespace std::chrono_literals;
using settle::backoff;

TEST(backoff, tries_again_what_its_function_says_yes_to_and_everything_without_one) {
  settle::error const refused = std::make_error_code(std::errc::connection_refused);
  settle::error const closed = settle::errc::closed;
  auto const only_refused = backoff::none(3).when([](settle::error const& e) { return e.code() == std::errc::connection_refused; });
  EXPECT_TRUE(only_refused.retries(refused));
  EXPECT_FALSE(only_refused.retries(closed));
  EXPECT_TRUE(backoff::none(3).retries(closed));
}

TEST(backoff, jitter_makes_each_pause_shorter_by_up_to_its_share_as_the_seed_says) {
  auto const pauses = [](backoff b) {
    std::vector<std::chrono::nanoseconds> all;
    for (unsigned n = 1; n != 9; ++n) all.push_back(b.pause(n));
    return all;
  };
  auto const even = backoff::exponential(100ms, 5s, 9);
  auto const plain = pauses(even);
  auto const some = pauses(even.jitter(0.5, 7));
  for (std::size_t i = 0; i != plain.size(); ++i) {
    EXPECT_LE(some[i], plain[i]);
    EXPECT_GE(some[i], plain[i] / 2);
  }
  EXPECT_NE(some, plain);
  EXPECT_EQ(some, pauses(even.jitter(0.5, 7)));
  EXPECT_NE(some, pauses(even.jitter(0.5, 8)));
  EXPECT_EQ(pauses(even.jitter(-1, 7)), plain) << "a share is from 0 to 1";
}

TEST(backoff, a_pause_that_nobody_can_tell_in_nanoseconds_is_the_longest) {
  EXPECT_EQ(backoff::constant(std::chrono::milliseconds::max(), 2).pause(1), std::chrono::nanoseconds::max());
  EXPECT_EQ(backoff::exponential(1h, std::chrono::milliseconds::max(), 99).pause(98), std::chrono::nanoseconds::max());
}

}  // namespace
