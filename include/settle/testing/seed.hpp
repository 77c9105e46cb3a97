// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_SEED_HPP
#define SETTLE_TESTING_SEED_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <vector>

// For GoogleTest, which the test itself includes.

namespace settle::inline v0::testing {

/// Reproducible chance: the same seed gives the same numbers everywhere (splitmix64).
class dice {
 public:
  /// Begins at `seed`.
  explicit dice(std::uint64_t seed) noexcept : state_(seed) {}

  /// The next number.
  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  /// 0 to n - 1; n is not 0.
  std::uint64_t below(std::uint64_t n) noexcept { return next() % n; }
  /// True once in n times.
  bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

namespace sim_detail {

struct seed_book {
  std::mutex lock;
  std::vector<std::uint64_t> given;

  static seed_book& here() {
    static seed_book book;
    return book;
  }
};

}  // namespace sim_detail

/// A seed for a simulation: the number in the environment variable SETTLE_SEED, or else a new one each time.
/// SETTLE_PRINT_SEEDS makes a failing test print it.
inline std::uint64_t seed() {
  char const* const wanted = std::getenv("SETTLE_SEED");  // NOLINT(concurrency-mt-unsafe): nobody writes the environment
  std::uint64_t const s = wanted != nullptr ? std::strtoull(wanted, nullptr, 0) : std::random_device()();
  std::lock_guard const guard(sim_detail::seed_book::here().lock);
  sim_detail::seed_book::here().given.push_back(s);
  return s;
}

/// What seed() has given since this was called last, oldest first.
inline std::vector<std::uint64_t> take_seeds() {
  std::lock_guard const guard(sim_detail::seed_book::here().lock);
  std::vector<std::uint64_t> given;
  given.swap(sim_detail::seed_book::here().given);
  return given;
}

/// How to do it again.
inline std::string seed_sentence(std::uint64_t s) {
  std::string const number = std::to_string(s);
  return "seed " + number + ": SETTLE_SEED=" + number + " does it again\n";
}

/// A GoogleTest listener: prints the seeds of each test that fails. `Listener` is testing::EmptyTestEventListener, `Info`
/// testing::TestInfo.
template <class Listener, class Info>
class seed_listener : public Listener {
  void OnTestStart(Info const&) override { take_seeds(); }
  void OnTestEnd(Info const& test) override {
    std::vector<std::uint64_t> const given = take_seeds();
    if (!test.result()->Failed()) return;
    for (std::uint64_t const s : given) std::fputs(seed_sentence(s).c_str(), stdout);
  }
};

}  // namespace settle::inline v0::testing

/// At namespace scope, once in a test program that includes GoogleTest: a test that fails prints its seeds.
///
/// ```cpp
/// SETTLE_PRINT_SEEDS();
/// ```
#define SETTLE_PRINT_SEEDS()                                                                              \
  [[maybe_unused]] static bool const settle_prints_seeds =                                                \
      (::testing::UnitTest::GetInstance()->listeners().Append(                                            \
           new ::settle::testing::seed_listener<::testing::EmptyTestEventListener, ::testing::TestInfo>), \
       true)

#endif
