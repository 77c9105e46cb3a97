// SPDX-License-Identifier: BSL-1.0
// Seeds: from the environment, or new ones; a test that fails prints its own.
#include <settle/testing/seed.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

namespace {

/// The environment as a test wants it, for a while.
class environment {
 public:
  explicit environment(char const* value) {
    if (char const* const old = std::getenv("SETTLE_SEED")) was_ = old;
    if (value == nullptr) unsetenv("SETTLE_SEED");
    else setenv("SETTLE_SEED", value, 1);
  }
  environment(environment&&) = delete;
  ~environment() {
    if (was_.empty()) unsetenv("SETTLE_SEED");
    else setenv("SETTLE_SEED", was_.c_str(), 1);
  }

 private:
  std::string was_;
};

TEST(seed, comes_from_the_environment_when_it_says_one) {
  environment const env("123456789012345");
  EXPECT_EQ(settle::testing::seed(), 123456789012345U);
  EXPECT_EQ(settle::testing::seed(), 123456789012345U);
}

TEST(seed, is_a_new_one_each_time_otherwise) {
  environment const env(nullptr);
  std::set<std::uint64_t> seen;
  for (int i = 0; i != 20; ++i) seen.insert(settle::testing::seed());
  EXPECT_GT(seen.size(), 15U);
}

TEST(seed, the_book_knows_which_were_given) {
  environment const env("7");
  settle::testing::take_seeds();
  settle::testing::seed();
  settle::testing::seed();
  EXPECT_EQ(settle::testing::take_seeds(), (std::vector<std::uint64_t>{7, 7}));
  EXPECT_TRUE(settle::testing::take_seeds().empty());
}

// GoogleTest's listener and test as far as ours looks at them.
struct result {
  bool failed;
  bool Failed() const { return failed; }
};
struct info {
  struct result r;
  struct result const* result() const { return &r; }
};
struct listener {
  virtual ~listener() = default;
  virtual void OnTestStart(info const&) {}
  virtual void OnTestEnd(info const&) {}
};

std::string printed(bool failed) {
  settle::testing::seed_listener<listener, info> seeds;
  listener& l = seeds;
  environment const env("99");
  testing::internal::CaptureStdout();
  settle::testing::seed();  // before the test: not its own
  l.OnTestStart(info{{failed}});
  settle::testing::seed();
  l.OnTestEnd(info{{failed}});
  return testing::internal::GetCapturedStdout();
}

TEST(seed, is_printed_by_a_test_that_fails) {
  EXPECT_EQ(printed(true), "seed 99: SETTLE_SEED=99 does it again\n");
  EXPECT_EQ(printed(false), "");
}

TEST(dice, fall_the_same_way_for_the_same_seed_and_evenly) {
  settle::testing::dice a(1);
  settle::testing::dice b(1);
  settle::testing::dice c(2);
  bool differs = false;
  std::vector<int> count(6);
  for (int i = 0; i != 6000; ++i) {
    std::uint64_t const x = a.next();
    EXPECT_EQ(x, b.next());
    differs = differs || x != c.next();
    ++count[static_cast<std::size_t>(x % 6)];
  }
  EXPECT_TRUE(differs);
  for (int const n : count) EXPECT_NEAR(n, 1000, 150);
  EXPECT_EQ(settle::testing::dice(0).next(), 0xe220a8397b1dcdafU) << "splitmix64, as everywhere";
  EXPECT_TRUE(a.one_in(1));
}

}  // namespace
