// SPDX-License-Identifier: BSL-1.0
// The loops around a compare-and-swap, and plain loads, as they are with every other Sync: elsewhere the explorer takes each
// loop for one step, and is told of loads what is looked for.
#include "stage.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace {

using namespace explore;

struct looping_sync : weave::sync {
  /// Without the members that say more.
  template <class T>
  class atomic : public weave::atomic<T> {
   public:
    using weave::atomic<T>::atomic;

   private:
    void look() const;
    void update();
    void lock_bit();
  };
};
using looping = settle::basic_cas_terminal<looping_sync>;

struct looping_policy : settle::plain<int, settle::error, settle::inline_executor, looping> {
  using allocator_type = weave::allocator;
  using error_sink = weave::error_sink;
};

struct subject {
  settle::resolver<looping_policy> r;
  settle::handle<looping_policy> h = r.get_handle();
  settle::basic_operation<looping> op = r.op();
  weave::plain<int> touched = 0;  // by what the contract orders
  weave::plain<bool> pinned = false;
  int told = 0;
  int cleaned = 0;

  void observe() {
    auto mine = std::move(op);
    mine.on_done([this] {
      touched = touched + 1;
      ++told;
    });
  }
};

struct way {
  char const* name;
  std::function<void(subject&)> act;
};

/// The producer ends the operation beside each of these.
std::array<way, 5> const ways = {{{"registers an observer", [](subject& s) { s.observe(); }},
                                  {"takes an observer back",
                                   [](subject& s) {
                                     auto mine = std::move(s.op);
                                     auto registration = mine.on_done([&s] { ++s.told; });
                                     if (registration.withdraw()) ++s.told;
                                   }},
                                  {"registers a cleanup",
                                   [](subject& s) {
                                     auto mine = std::move(s.op);
                                     mine.on_cleanup([&s] { ++s.told; });
                                   }},
                                  {"pins",
                                   [](subject& s) {
                                     auto mine = std::move(s.op);
                                     auto const pin = mine.pin();
                                     mine = {};
                                     ++s.told;
                                     if (!pin) return;
                                     s.pinned = true;
                                     s.pinned = false;
                                   }},
                                  {"cancels", [](subject& s) {
                                     auto mine = std::move(s.op);
                                     mine.cancel();
                                     ++s.told;
                                   }}}};

TEST(explore_loops, an_operation_ends_beside_whoever_uses_it) {
  exploration all(2, false);
  for (way const& other : ways)
    all(other.name, [&other](weave::world& w) {
      auto const s = std::make_shared<subject>();
      s->r.on_cleanup([&s = *s, &w] {
        ++s.cleaned;
        w.expect(!s.pinned, "G7: a cleanup ran under a pin");
      });
      w.thread("ends it", [s] {
        auto mine = std::move(s->r);
        s->touched = 5;
        mine.complete(1);
      });
      w.thread(other.name, [s, &other] { other.act(*s); });
      w.finally([s, &w] {
        s->h = {};
        w.expect(s->told == 1 && s->cleaned == 1, "G5, G6: each exactly once");
      });
    });
}

}  // namespace
