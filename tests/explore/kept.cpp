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

// Made after that thread had looked at the result for the last time: all it knows of it is what is kept.
TEST(explore_kept, an_attempt_that_begins_beside_a_forced_end) {
  exploration explore(2, true, 2);
  explore("a second attempt", [](weave::world& w) {
    struct stage {
      source<int> first;
      producer<int> second;
      operation result;
      weave::event begins;
      weave::event ended;
      weave::plain<int> told = 0;
    };
    auto const s = std::make_shared<stage>();
    auto h = settle::retry(settle::backoff::none(2), [s = s.get()](unsigned n) {
      if (n == 0) return std::move(s->first.h);
      s->begins.set();
      s->ended.wait();
      s->second = producer<int>();
      return handle<int>(s->second.get_handle());
    });
    s->result = h;
    std::move(h).on_done([s = s.get()](auto&&) {
      s->told = s->told + 1;
      s->ended.set();
    });
    w.thread("attempts", [=] { s->first.end_as(end_t::failure, 1); });
    w.thread("forces", [=] {
      s->begins.wait();
      s->result.cancel();
    });
    w.finally([=, &w] {
      w.expect(s->told == 1 && s->second.op().is_settled(), "both are cancelled");
      producer<int>(std::move(s->second)).cancel();
      w.expect(s->result.is_released(), "and released");
    });
  });
}

}  // namespace
