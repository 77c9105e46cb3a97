// SPDX-License-Identifier: BSL-1.0
// A registration that is taken back, or let go, under every interleaving with what would have its hook run.
#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <utility>

namespace {

namespace weave = settle::testing::weave;
using C = weave::cas_terminal;

enum class kind_t : unsigned char { done, cancel, released };

struct stage {
  settle::resolver_of<int, settle::error, settle::inline_executor, C> r;
  settle::handle_of<int, settle::error, C> h = r.get_handle();
  settle::basic_registration<C> registration;
  weave::plain<int> touched = 0;  // by the hook, or by who took it back: a race on it is an error
  weave::plain<int> given = 0;    // before it ends, to whoever the hook tells
  int ran = 0;
  int seen = 0;
  bool taken_back = false;

  /// `alone`: nobody but the producer refers to the operation.
  stage(kind_t kind, bool alone) {
    auto const hook = [this] {
      touched = touched + 1;
      seen = given;
      ++ran;
    };
    registration = kind == kind_t::done ? h.on_done(hook) : kind == kind_t::cancel ? h.on_cancel(hook) : h.on_released(hook);
    if (alone) static_cast<void>(std::move(h).detach());
  }
  void end(kind_t kind) {
    given = 7;
    if (kind == kind_t::cancel && h) h.request_cancel();
    auto mine = std::move(r);
    if (kind == kind_t::cancel) mine.cancel();
    else mine.complete(1);
  }
};

template <class Owner>
void against_the_end(Owner owner) {
  for (unsigned n = 0; n != 6; ++n) {
    kind_t const kind = static_cast<kind_t>(n / 2);
    auto const r = weave::explore([=](weave::world& w) {
      auto s = std::make_shared<stage>(kind, n % 2 != 0);
      w.thread("owner", [=] { owner(*s); });
      w.thread("producer", [=] { s->end(kind); });
      w.finally([=, &w] {
        w.expect(s->ran == (s->taken_back ? 0 : 1), "it ran, or it was taken back");
        w.expect(s->ran == 0 || s->seen == 7, "it sees what was done before");
      });
    });
    EXPECT_TRUE(r.clean) << r.text();
    EXPECT_TRUE(r.exhausted) << r.text();
  }
}

TEST(explore_withdrawal, taking_back_against_the_end) {
  against_the_end([](stage& s) {
    s.taken_back = s.registration.withdraw();
    if (s.taken_back) s.touched = 100;
  });
}

TEST(explore_withdrawal, letting_go_against_the_end) {
  against_the_end([](stage& s) { auto const gone = std::move(s.registration); });
}

}  // namespace
