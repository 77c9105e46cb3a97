// SPDX-License-Identifier: BSL-1.0
// The library against the model: the same acts on both, everything that can be seen compared after each.
#include <gtest/gtest.h>
#include <settle/testing/seed.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "interpreter.hpp"
#include "scale.hpp"

namespace {

using namespace model;

void expect_equal(bytes const& all) {
  std::string const wrong = differs(all);
  if (!wrong.empty()) {
    std::string const least = differs(shortened(all));
    FAIL() << wrong << "\n\nshortened: " << least;
  }
}

/// Every sequence of `longest` acts, but for what is not possible, and for what the model knows to be the same: the operations
/// renamed (the first act is on the first), and a way to a situation when a shorter or equal one led there already.
template <class P, class Place>
class every_sequence {
 public:
  explicit every_sequence(std::size_t longest, bool combinators = true) : longest_(longest), combinators_(combinators) {}

  std::string run() {
    go(sequential(like<core_run<P, Place>>));
    return wrong_;
  }
  std::size_t runs() const noexcept { return runs_; }

 private:
  void go(sequential const& at) {
    if (path_.size() == longest_) {
      ++runs_;
      wrong_ = differs<P, Place>(path_.data(), path_.size());
      return;
    }
    std::size_t const last = path_.empty() ? 1 : places;
    for (std::size_t a = 0; a != acts && wrong_.empty(); ++a)
      for (std::size_t on = 0; on != last && wrong_.empty(); ++on) {
        step const s{static_cast<act>(a), on};
        if ((s.what >= act::all && !combinators_) || !at.possible(s)) continue;
        sequential then = at;
        then.play(s);
        path_.push_back(s.byte());
        bool const is_new = path_.size() == longest_ || known_.insert({path_.size(), then.key()}).second;
        if (is_new) go(then);
        path_.pop_back();
      }
  }

  std::size_t longest_;
  bool combinators_;
  bytes path_;
  std::size_t runs_ = 0;
  std::set<std::pair<std::size_t, std::vector<unsigned char>>> known_;
  std::string wrong_;
};

/// How far to go: what the environment says, or else what a test run has time for.
std::size_t asked(char const* name, std::size_t usual) {
  char const* const said = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody writes the environment
  return said == nullptr ? usual : std::strtoull(said, nullptr, 0);
}

template <class P, class Place>
void every_one(std::size_t length, bool combinators) {
  every_sequence<P, Place> all(length, combinators);
  EXPECT_EQ(all.run(), "");
  EXPECT_NE(all.runs(), 0U);
  std::printf("%zu sequences of %zu acts, %s, to situations that no other led to\n", all.runs(), length,
              combinators ? "combinators among them" : "without combinators");
}
template <class P, class Place>
void every_one() {
  std::size_t const length = asked("SETTLE_MODEL_LENGTH", test::sanitized || test::a_tenth_will_do ? 2 : 3);
  bool const long_enough = length < 3 || test::optimised;
  every_one<P, Place>(length, long_enough);
  if (!long_enough) every_one<P, Place>(length - 1, true);
}
TEST(model_every_sequence, with_the_short_cuts) { every_one<short_cuts, at_once>(); }
TEST(model_every_sequence, the_long_way_round) { every_one<long_way, in_a_loop>(); }
TEST(model_every_sequence, with_values_that_are_copied) { every_one<watched_way, in_a_loop>(2, true); }

TEST(model_swarm, agrees) {
  bool const as_usual =
      std::getenv("SETTLE_SEED") == nullptr && std::getenv("SETTLE_MODEL_ROUNDS") == nullptr;  // NOLINT(concurrency-mt-unsafe)
  std::uint64_t const seed = as_usual ? 20 : settle::testing::seed();  // everyday runs play the same, longer ones something new
  SCOPED_TRACE("SETTLE_SEED=" + std::to_string(seed));
  settle::testing::dice chance(seed);
  for (std::size_t round = 0; round != asked("SETTLE_MODEL_ROUNDS", test::a_million / (test::sanitized ? 1000 : 250)) && !HasFailure();
       ++round) {
    std::vector<unsigned char> chosen;  // each round has its own few acts: what is rare in the whole is common here
    for (unsigned char b = 0; b != codes; ++b)
      if (chance.one_in(4)) chosen.push_back(b);
    if (chosen.empty()) continue;
    bytes all;
    for (std::size_t n = 4 + chance.below(36); n != 0; --n) all.push_back(chosen[chance.below(chosen.size())]);
    expect_equal(all);
  }
}

/// What once told the two apart, or is easily broken: one file each, named after it.
TEST(model_corpus, agrees) {
  std::size_t files = 0;
  for (auto const& entry : std::filesystem::directory_iterator(std::filesystem::path(__FILE__).parent_path() / "corpus")) {
    SCOPED_TRACE(entry.path().filename().string());
    std::ifstream file(entry.path(), std::ios::binary);
    bytes const all{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_FALSE(all.empty());
    expect_equal(all);
    ++files;
  }
  EXPECT_NE(files, 0U);
}

// A model that says something else is noticed, and what shows it is made short.
TEST(model_comparison, notices_each_difference) {
  picture one;
  one.of[1].seen.push_back({event::done, 0, ending::value});
  picture other = one;
  EXPECT_EQ(compare(one, other, "here"), "");
  other.of[1].seen[0].why = settle::cause::shutdown;
  EXPECT_NE(compare(one, other, "here"), "");
  other = one;
  other.of[2].released = true;
  EXPECT_NE(compare(one, other, "here"), "");
  other = one;
  ++other.abandoned;
  EXPECT_NE(compare(one, other, "here"), "");
}

}  // namespace
