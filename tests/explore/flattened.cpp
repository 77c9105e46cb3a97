// SPDX-License-Identifier: BSL-1.0
// Functions that return operations in every interleaving: what they returned ends, or the result is asked to, while it is put in place.
#include <memory>
#include <optional>
#include <utility>

#include "stage.hpp"

namespace {

using namespace explore;

/// Operation a, whose function returns b.
struct stage {
  source<int> a;
  source<int> b;
  watcher<int> watched_a;
  watcher<int> watched_b;
  operation result;
  weave::plain<int> written = 0;  // by the producer of b
  weave::plain<int> told = 0;
  weave::plain<int> read = 0;
  std::optional<end_t> how;
  weave::plain<int> released = 0;

  void listen(handle<int> h) {
    result = h;
    result.on_released([this] { released = released + 1; });
    std::move(h).on_done([this](auto&& o) {
      told = told + 1;
      how = o.has_value() ? end_t::value : o.has_error() ? end_t::failure : end_t::cancelled;
      if (o.has_value()) read = int(written);
    });
  }
  void end_b() {
    written = 5;
    b.end_as(end_t::value, 2);
  }
  void check(weave::world& w) {
    w.expect(told == 1 && released == 1, "the result is told once, and released once");
    a.h = {};
    b.h = {};
    watched_a = {};
    watched_b = {};
    w.expect(a.cleaned == 1 && b.cleaned == 1, "and so is what it is made of");
  }
};

TEST(explore_flattened, what_was_returned_ends_while_it_is_put_in_place) {
  with_two_and_three([](exploration& explore) {
    explore("a handle", [threads = explore.threads](weave::world& w) {
      auto const s = std::make_shared<stage>();
      s->listen(settle::then(std::move(s->a.h), [s = s.get()](int) { return std::move(s->b.h); }));
      w.thread("a", [=] { s->a.end_as(end_t::value, 1); });
      w.thread("b", [=] { s->end_b(); });
      if (threads == 3)
        w.thread("asks", [=, op = std::exchange(s->result, {})]() mutable {
          op.request_cancel();
          op = {};
        });
      w.finally([=, &w] {
        s->check(w);
        w.expect(s->how == end_t::value && s->read == 5, "it yields what b does");
      });
    });
  });
}

// Watched, both go on without it, and it ends at once.
TEST(explore_flattened, asked_to_stop_while_a_watcher_that_was_returned_is_put_in_place) {
  with_two_and_three([](exploration& explore) {
    explore("two watchers", [threads = explore.threads](weave::world& w) {
      auto const s = std::make_shared<stage>();
      s->watched_a = s->a.h.watch();
      s->watched_b = s->b.h.watch();
      s->listen(settle::then(s->watched_a, [s = s.get()](int) { return s->watched_b; }));
      w.thread("a", [=] { s->a.end_as(end_t::value, 1); });
      w.thread("asks", [=, op = std::exchange(s->result, {})]() mutable {
        op.request_cancel();
        op = {};
      });
      if (threads == 3) w.thread("b", [=] { s->end_b(); });
      w.finally([=, &w] {
        w.expect(s->told == 1 && (s->how == end_t::cancelled || threads == 3), "it ends without b");
        if (threads == 2) s->end_b();
        s->check(w);
      });
    });
  });
}

}  // namespace
