// SPDX-License-Identifier: BSL-1.0
// A coroutine that is not the library's waits for an operation: it goes on once, after what it did before and what was done before the end.
#include <coroutine>
#include <exception>
#include <memory>
#include <utility>

#include <settle/coroutine.hpp>

#include "stage.hpp"

namespace {

using namespace explore;

struct detached {
  struct promise_type {
    detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

struct stage {
  source<int> at;
  weave::plain<int> before = 0;
  weave::plain<int> done = 0;
  int went_on = 0;

  detached wait() {
    before = 1;
    int const got = co_await std::move(at.h);
    went_on += got + before + done;
  }
};

TEST(explore_foreign_coroutine, it_waits_while_the_operation_ends) {
  exploration explore(2, true);
  explore("waits", [](weave::world& w) {
    auto s = std::make_shared<stage>();
    w.thread("waits", [=] { s->wait(); });
    w.thread("ends", [=] {
      s->done = 1;
      s->at.end_as(end_t::value, 5);
    });
    w.finally([=, &w] { w.expect(s->went_on == 7 && s->at.cleaned == 1, "it went on once"); });
  });
}

}  // namespace
