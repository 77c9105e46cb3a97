// SPDX-License-Identifier: BSL-1.0
// What the explorer cannot see: real threads, the recycled storage, the thread's own drains. Operations whose ends are on any thread,
// ten acts or so on each, for as long as one likes: SETTLE_STRESS=<how many operations>.
#include <settle/settle.hpp>
#include <settle/testing/seed.hpp>

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "executors.hpp"
#include "scale.hpp"

namespace {

using settle::testing::dice;

struct quiet : settle::default_policy {
  using value_type = int;
  using error_sink = settle::ignore_sink;
};
using resolver = settle::resolver<quiet>;
using handle = settle::handle<quiet>;
using watcher = settle::watcher<quiet>;

/// Where one kind of end changes hands: who leaves one takes what lay there.
template <class End>
class market {
 public:
  market() = default;
  market(market&&) = delete;
  ~market() {
    for (auto& stall : stalls_) delete stall.load(std::memory_order_acquire);
  }
  std::unique_ptr<End> swap(std::size_t stall, std::unique_ptr<End> mine) {
    return std::unique_ptr<End>(stalls_[stall].exchange(mine.release(), std::memory_order_acq_rel));
  }

  static constexpr std::size_t size = 16;

 private:
  std::array<std::atomic<End*>, size> stalls_{};
};

struct counts {
  std::atomic<std::uint64_t> told = 0;
  std::atomic<std::uint64_t> cleaned = 0;
  std::atomic<std::uint64_t> asked = 0;
};

struct stage {
  market<resolver> producers;
  market<handle> consumers;
  market<watcher> watchers;
};

void produce(resolver& r, dice& chance) {
  switch (chance.below(4)) {
    case 0:
      r.complete(7);
      break;
    case 1:
      r.fail(settle::errc::closed);
      break;
    case 2:
      r.cancel();
      break;
    default:
      break;  // it is dropped
  }
}
void consume(handle h, dice& chance, counts& seen) {
  switch (chance.below(4)) {
    case 0:
      std::move(h).on_done([&seen](settle::outcome<int>&&) { seen.told.fetch_add(1, std::memory_order_relaxed); });
      return;
    case 1:
      h.cancel();
      break;
    case 2:
      h.request_cancel();
      break;
    default:
      break;
  }
  h.on_done([&seen] { seen.told.fetch_add(1, std::memory_order_relaxed); });
  if (h.is_settled()) static_cast<void>(h.is_released());
}
void watch(watcher& w, dice& chance) {
  switch (chance.below(5)) {
    case 0:
      w.cancel();
      break;
    case 1:
      w.request_cancel();
      break;
    case 2: {
      settle::registration const withdrawn = w.on_done([](settle::outcome<int> const&) {});
      break;
    }
    case 3:
      if (w.peek() != nullptr && w.peek()->has_value()) {
        EXPECT_EQ(w.peek()->value(), 7);
      }
      break;
    default:
      break;
  }
}

void live(stage& at, counts& seen, dice& chance) {
  auto r = std::make_unique<resolver>();
  auto h = std::make_unique<handle>(r->get_handle());
  auto w = std::make_unique<watcher>(h->watch());
  for (int i = 0; i != 2; ++i) r->on_cleanup([&seen] { seen.cleaned.fetch_add(1, std::memory_order_relaxed); });
  r->on_cancel([&seen] { seen.asked.fetch_add(1, std::memory_order_relaxed); });
  std::size_t const stall = chance.below(market<int>::size);
  if (auto const other = at.producers.swap(stall, std::move(r))) produce(*other, chance);
  if (auto const other = at.consumers.swap(stall, std::move(h))) consume(std::move(*other), chance, seen);
  if (auto const other = at.watchers.swap(stall, std::move(w))) watch(*other, chance);
}

std::uint64_t asked_for() {
  char const* const said = std::getenv("SETTLE_STRESS");  // NOLINT(concurrency-mt-unsafe): nobody writes the environment
  if (said != nullptr) return std::strtoull(said, nullptr, 0);
#if defined(SETTLE_TEST_THREAD_SANITIZED)
  return 1'000'000;  // what it is there for
#else
  return test::optimised ? 10 * test::a_million : test::a_million / 10;
#endif
}

TEST(stress, operations_whose_ends_are_on_any_thread) {
  std::uint64_t const seed = settle::testing::seed();
  SCOPED_TRACE("SETTLE_SEED=" + std::to_string(seed));
  constexpr unsigned threads = 4;
  std::uint64_t const each = asked_for() / threads;
  counts seen;
  {
    stage at;
    test::crew(threads).run([&](unsigned me) {
      dice chance(seed + me);
      for (std::uint64_t i = 0; i != each; ++i) live(at, seen, chance);
    });
    dice chance(seed);
    for (std::size_t i = 0; i != market<int>::size; ++i)
      if (auto const last = at.consumers.swap(i, nullptr)) consume(std::move(*last), chance, seen);
  }
  EXPECT_EQ(seen.told, threads * each) << "each consumer once";
  EXPECT_EQ(seen.cleaned, 2 * threads * each) << "each cleanup once";
  EXPECT_GT(seen.asked, 0U);
  std::printf("%llu operations whose ends were on any of %u threads\n", static_cast<unsigned long long>(threads * each), threads);
}

}  // namespace
