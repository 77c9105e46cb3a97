// SPDX-License-Identifier: BSL-1.0
// A block of a static pool: who has it finds what the last one left in it.
#include <settle/policy/static_pool.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "stage.hpp"

namespace {

using namespace explore;

/// The pool is the program's, and each execution begins anew: its one word is the execution's.
struct one_word : C::sync {
  template <class T>
  struct atomic {
    static inline weave::atomic<std::uint64_t>* now = nullptr;
    static T load(std::memory_order o) noexcept { return now->load(o); }
    static bool compare_exchange_weak(T& seen, T to, std::memory_order o, std::memory_order failure) noexcept {
      return now->compare_exchange_weak(seen, to, o, failure);
    }
    static T fetch_and(T bits, std::memory_order o) noexcept { return now->fetch_and(bits, o); }
  };
};
using pool = settle::static_pool<1, 16, one_word>;

struct stage {
  weave::atomic<std::uint64_t> word = 0;
  weave::plain<int> contents = 0;  // of the block, which the explorer does not see
  std::array<bool, 3> had{};

  stage() { one_word::atomic<std::uint64_t>::now = &word; }
  void use(unsigned who) {
    void* const p = pool::try_allocate(16, 8);
    if (p == nullptr) return;
    had.at(who) = true;
    contents = contents + 1;
    pool::deallocate(p, 16, 8);
  }
};

TEST(explore_static_pool, who_takes_a_block_finds_what_the_last_one_left) {
  with_two_and_three(
      [](exploration& explore) {
        explore("one block", [threads = explore.threads](weave::world& w) {
          auto s = std::make_shared<stage>();
          w.thread("0", [=] { s->use(0); });
          for (unsigned t = 1; t != threads; ++t) w.twin(std::to_string(t), [=] { s->use(t); });
          w.finally([=, &w] {
            int all = 0;
            for (bool const h : s->had) all += h ? 1 : 0;
            w.expect(all >= 1 && s->contents == all && pool::in_use() == 0, "one after the other");
          });
        });
      },
      false);
}

}  // namespace
