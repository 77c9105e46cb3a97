// SPDX-License-Identifier: BSL-1.0
// What a result keeps of an input that has ended it, in every interleaving with whoever forces its end.
#include <memory>

#include "stage.hpp"

namespace {

using namespace explore;

// Its input is released before the function runs, so that it is the returned one that is kept.
TEST(explore_kept, what_was_returned_ends_the_result_beside_whoever_forces_it) {
  exploration explore(2, true);
  explore("a handle", [](weave::world& w) {
    auto const a = std::make_shared<source<int, weave::executor>>(w.get_executor());
    auto const out = std::make_shared<handle<int>>();
    a->end_as(end_t::value, 1);
    *out = settle::then(std::move(a->h), [](int n) {
      producer<int> r;
      handle<int> h = r.get_handle();
      r.complete(n + 1);
      return h;
    });
    w.thread("forces", [=, op = operation(*out)]() mutable {
      op.cancel();
      op = {};
    });
    w.finally([=, &w] {
      w.expect(out->is_released() && a->cleaned == 1, "it is released, and its input");
      auto const o = std::move(*out).wait();
      w.expect(o.is_cancelled() || o.value() == 2, "as the one or the other says");
    });
  });
}

}  // namespace
