// SPDX-License-Identifier: BSL-1.0
// One slot of a pool without the free list, whose own steps would order what the slot has to order for itself.
#include "atomics.hpp"
//
#include <settle/lockfree/arena_pool.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <string>

#include "../stage.hpp"

namespace {

using namespace explore;

/// Over the explorer's atomics.
struct explored : settle::default_policy {
  using terminal = C;
};
using slot = settle::detail::arena_slot<explored>;

std::array<std::source_location, 3> const acquired = {
    std::source_location::current(),
    std::source_location::current(),
    std::source_location::current(),
};
std::array<std::source_location, 3> const released = {
    std::source_location::current(),
    std::source_location::current(),
    std::source_location::current(),
};

struct stage {
  settle::basic_arena_pool<explored> pool{1, 64};
  std::array<std::byte, 64> block{};
  slot of_it{pool, block.data(), block.size()};
  weave::plain<int> contents = 0;  // of the arena, which the explorer does not see

  /// Who finds it free changes what is in it.
  bool use() {
    std::uint64_t generation = 0;
    if (!of_it.try_hold(generation, acquired[0])) return false;
    contents = contents + 1;
    return of_it.try_leave(generation, released[0]);
  }
  void lease() {
    std::uint64_t generation = 0;
    if (of_it.try_hold(generation, acquired.at(next))) of_it.try_leave(generation, released.at(next));
    ++next;
  }
  std::size_t next = 0;  // lease
};

TEST(explore_arena_slot, a_holder_finds_what_the_last_one_left) {
  with_two_and_three(
      [](exploration& explore) {
        explore("used", [threads = explore.threads](weave::world& w) {
          auto s = std::make_shared<stage>();
          auto used = std::make_shared<std::array<bool, 3>>();
          w.thread("0", [=] { (*used)[0] = s->use(); });
          for (unsigned t = 1; t != threads; ++t) w.twin(std::to_string(t), [=] { (*used)[t] = s->use(); });
          w.finally([=, &w] {
            int all = 0;
            for (bool const u : *used) all += u ? 1 : 0;
            w.expect(all >= 1 && s->contents == all, "one after the other");
          });
        });
      },
      false);
}

TEST(explore_arena_slot, who_gives_it_back_for_its_holder_comes_after_the_holders_beginning) {
  with_two_and_three(
      [](exploration& explore) {
        explore("given back", [threads = explore.threads](weave::world& w) {
          auto s = std::make_shared<stage>();
          auto left = std::make_shared<std::array<bool, 2>>();
          w.thread("holds", [=] {
            s->contents = 1;
            std::uint64_t generation = 0;
            s->of_it.try_hold(generation, acquired[0]);
          });
          for (unsigned t = 0; t != threads - 1; ++t)
            w.thread("leaves " + std::to_string(t), [=] {
              if (!s->of_it.try_leave(0, released[0])) return;
              (*left)[t] = true;
              s->contents = 2;
            });
          w.finally([=, &w] {
            w.expect(!(*left)[0] || !(*left)[1], "one of them");
            w.expect(s->contents == ((*left)[0] || (*left)[1] ? 2 : 1), "after what the holder did");
          });
        });
      },
      false);
}

// What a report of misuse names. Who looks changes nothing, so one is as good as two.
TEST(explore_arena_slot, its_sites_are_those_of_the_lease_that_is_seen) {
  exploration explore(2, false);
  explore("looked at", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    s->lease();
    auto seen = std::make_shared<std::optional<slot::view>>();
    w.thread("leases", [=] {
      s->lease();
      s->lease();
    });
    w.thread("looks", [=] { *seen = s->of_it.look(); });
    w.finally([=, &w] {
      std::size_t const g = (*seen)->generation;
      w.expect((*seen)->acquired_at.line() == acquired.at((*seen)->held ? g : g - 1).line(), "who took it");
      w.expect((*seen)->released_at.line() == released.at(g - 1).line(), "who gave it back");
    });
  });
}

}  // namespace
