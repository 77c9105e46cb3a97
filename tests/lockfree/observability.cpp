// SPDX-License-Identifier: BSL-1.0
// What the census and the pool say, beside what the test knows, in a simulation.
#include <gtest/gtest.h>
#include <settle/lockfree/arena_pool.hpp>
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using settle::testing::sim_executor;
using settle::testing::simulation;

struct here {};
using book = settle::basic_census<here>;
struct request : settle::default_policy {
  using value_type = int;
  using executor_type = sim_executor;
  using monitor = book;
};

/// A request with an arena of the pool; the cleanup that gives it back may take its time.
struct served {
  settle::resolver<request> r;
  settle::operation op;
  settle::watcher<request> referred{};
  std::optional<settle::resolver_of<void>> flush{};
  bool has_parent = false;

  served(sim_executor ex, settle::arena_pool& pool, served const* parent) : r(ex), op(r.op()), has_parent(parent != nullptr) {
    auto lease = std::make_shared<settle::arena_lease>(pool.try_acquire());
    r.on_cleanup([lease]() noexcept { lease->release(); });
    r.on_cleanup([this] {
      flush.emplace();
      return flush->get_handle();
    });
    if (parent != nullptr) parent->op.adopt(op);
    referred = settle::watcher<request>(r.get_handle());
  }
};

struct truth {
  std::size_t pending = 0;
  std::size_t settled = 0;
  std::size_t released = 0;
  std::size_t cleaning = 0;
  std::size_t orphans = 0;
};
truth count(std::vector<std::unique_ptr<served>> const& all) {
  truth n;
  for (auto const& s : all) {
    ++(s->op.is_released() ? n.released : s->op.is_settled() ? n.settled : n.pending);
    n.cleaning += s->flush && !s->op.is_released() ? 1 : 0;
    n.orphans += !s->has_parent && !s->op.is_released() ? 1 : 0;
  }
  return n;
}

TEST(A50_observability, in_a_simulation_the_census_and_the_pool_agree_with_what_is_there) {
  std::uint64_t const seed = settle::testing::seed();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  auto const any = [&](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  simulation sim(seed);
  settle::arena_pool pool(16, 1024);
  std::uint64_t acquired = 0;
  std::size_t peak = 0;
  {
    std::vector<std::unique_ptr<served>> all;
    for (int step = 0; step != 3000; ++step) {
      std::size_t const what = all.empty() ? 0 : any(5);
      if (what == 0 && all.size() != 16) {
        served const* const parent = all.empty() || any(2) == 0 ? nullptr : all[any(all.size())].get();
        bool const too_late = parent != nullptr && parent->flush.has_value();  // its cleanups run, or have
        all.push_back(std::make_unique<served>(sim.get_executor(), pool, parent));
        all.back()->has_parent = parent != nullptr && !too_late;
        ++acquired;
      }
      if (what == 1) all[any(all.size())]->r.complete(1);
      if (what == 2) {
        served& s = *all[any(all.size())];
        if (s.flush) s.flush->complete();
      }
      if (what == 3) sim.advance(1ms);
      if (what == 4) std::erase_if(all, [](auto const& s) { return s->op.is_released(); });
      sim.run();
      truth const t = count(all);
      auto const before = book::entries();
      settle::census_counts const told = book::counts();
      auto const after = book::entries();
      ASSERT_EQ(told.pending, t.pending) << "after step " << step;
      ASSERT_EQ(told.settled, t.settled) << "after step " << step;
      ASSERT_EQ(told.released, t.released) << "after step " << step;
      ASSERT_EQ(told.cleaning, t.cleaning) << "after step " << step;
      ASSERT_EQ(told.orphans, t.orphans) << "after step " << step;
      ASSERT_EQ(after.size(), t.pending + t.settled + t.released);
      ASSERT_GE(told.oldest, before.empty() ? 0ns : before.front().age) << "they come oldest first";
      ASSERT_LE(told.oldest, after.empty() ? 0ns : after.front().age);
      std::size_t const out = t.pending + t.settled;
      peak = std::max(peak, out);
      settle::arena_pool_counters const f = pool.snapshot();
      ASSERT_EQ(f.in_use, out) << "an arena for each that is not released";
      ASSERT_EQ(f.acquires, acquired);
      ASSERT_EQ(f.releases, acquired - out);
      ASSERT_EQ(f.peak, peak);
    }
    for (auto const& s : all) s->r.complete(1);
    for (sim.run(); std::ranges::any_of(all, [](auto const& s) { return !s->op.is_released(); }); sim.run())
      for (auto const& s : all)
        if (s->flush) s->flush->complete();
  }
  EXPECT_TRUE(book::is_quiescent());
  EXPECT_EQ(pool.snapshot().in_use, 0U);
}

}  // namespace
