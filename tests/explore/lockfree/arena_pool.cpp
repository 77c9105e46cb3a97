// SPDX-License-Identifier: BSL-1.0
// A pool that runs dry, in every interleaving of those who take from it and give back, Boost's free list included.
#include "atomics.hpp"
//
#include <settle/lockfree/arena_pool.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "../stage.hpp"

namespace {

using namespace explore;

/// Over the explorer's atomics; misuse is counted.
struct explored : settle::default_policy {
  using terminal = C;
  struct error_sink {
    static inline int misuse = 0;
    static void report(std::exception_ptr, settle::monitor_event const&) noexcept { ++misuse; }
  };
};
using pool_type = settle::basic_arena_pool<explored>;

struct stage {
  pool_type pool;
  std::array<weave::plain<int>, 2> used;  // by one holder at a time, or it is a race
  std::array<settle::arena*, 2> address{};
  std::array<bool, 3> got{};

  explicit stage(std::size_t slots) : pool(slots, 64) {
    std::array<pool_type::lease, 2> all;
    for (std::size_t i = 0; i != slots; ++i) {
      all[i] = pool.try_acquire();
      address[i] = all[i].get();
    }
    explored::error_sink::misuse = 0;
  }
  void use(std::size_t who) {
    pool_type::lease const l = pool.try_acquire();
    got[who] = static_cast<bool>(l);
    if (!l) return;
    auto& mine = used[l.get() == address[0] ? 0 : 1];
    mine = mine + 1;
  }
  void check(weave::world& w, unsigned threads) {
    std::size_t const slots = pool.capacity();
    std::size_t taken = 0;
    for (bool const g : got) taken += g ? 1 : 0;
    settle::arena_pool_counters const now = pool.snapshot();
    w.expect(now.in_use == 0 && now.acquires == now.releases && now.acquires == slots + taken, "as many came back as went out");
    w.expect(now.peak <= slots, "never more than there are");
    w.expect(taken >= std::min<std::size_t>(slots, threads), "who found it dry was beaten by others");
    w.expect(used[0] + used[1] == static_cast<int>(taken), "each holder was alone with its arena");
    std::array<pool_type::lease, 2> all;
    for (std::size_t i = 0; i != slots; ++i) all[i] = pool.try_acquire();
    w.expect(all[slots - 1] && !pool.try_acquire(), "all of them can be had again, and no more");
    w.expect(explored::error_sink::misuse == 0, "nothing was refused");
  }
};

TEST(explore_arena_pool, exhausted) {
  with_two_and_three(
      [](exploration& explore) {
        for (std::size_t const slots : {1U, 2U})
          explore(std::to_string(slots), [=, threads = explore.threads](weave::world& w) {
            auto s = std::make_shared<stage>(slots);
            w.thread("0", [=] { s->use(0); });
            for (unsigned t = 1; t != threads; ++t) w.twin(std::to_string(t), [=] { s->use(t); });
            w.finally([=, &w] { s->check(w, threads); });
          });
      },
      false);
}

// One lease, given back by two: one is right, the other is told, whoever takes the arena meanwhile.
TEST(explore_arena_pool, given_back_twice) {
  with_two_and_three([](exploration& explore) {
    explore("twice", [threads = explore.threads](weave::world& w) {
      auto s = std::make_shared<stage>(1);
      auto const ticket = s->pool.try_acquire().detach();
      auto right = std::make_shared<std::array<bool, 2>>();
      w.thread("one", [=] { (*right)[0] = s->pool.release(ticket); });
      w.twin("the other", [=] { (*right)[1] = s->pool.release(ticket); });
      if (threads == 3) w.thread("a taker", [=] { s->use(0); });
      w.finally([=, &w] {
        w.expect((*right)[0] != (*right)[1], "one of them");
        w.expect(explored::error_sink::misuse == 1, "the other is reported");
        w.expect(s->pool.in_use() == 0, "it is back");
      });
    });
  });
}

}  // namespace
