// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <memory>
#include <utility>

// The library's own templates, as users explore their code over them.
namespace {

namespace weave = settle::testing::weave;
using std::make_shared;

using policy = settle::plain<int, settle::error, settle::inline_executor, weave::cas_terminal>;
using handle = settle::handle<policy>;
using resolver = settle::resolver<policy>;
using operation = settle::basic_operation<weave::cas_terminal>;

TEST(weave_operations, one_of_two_that_settle_wins_and_the_cleanup_runs_once) {
  auto const found = weave::explore([](weave::world& w) {
    struct shared {
      resolver r;
      handle h = r.get_handle();
      bool completed = false;
      bool cancelled = false;
      weave::plain<int> cleanups = 0;
      weave::plain<int> observed = 0;
    };
    auto const s = make_shared<shared>();
    s->r.on_cleanup([p = s.get()] { p->cleanups = p->cleanups + 1; });
    s->h.on_done([p = s.get()](settle::outcome<int> const& out) { p->observed = out.has_value() ? out.value() : -1; });
    w.thread("complete", [=] { s->completed = s->r.complete(7); });
    w.thread("cancel", [=] { s->cancelled = operation(s->h).cancel(); });
    w.finally([=, &w] {
      w.expect(s->completed != s->cancelled, "one winner");
      w.expect(s->observed == (s->completed ? 7 : -1), "the winner's outcome");
      w.expect(s->cleanups == 1 && s->h.is_released(), "released, once");
    });
  });
  EXPECT_TRUE(found.clean) << found.text();
  EXPECT_TRUE(found.exhausted) << found.text();
}

TEST(weave_operations, a_thread_that_waits_wakes_after_the_cleanups) {
  auto const found = weave::explore([](weave::world& w) {
    auto const r = make_shared<resolver>();
    auto const h = make_shared<handle>(r->get_handle());
    auto const cleaned = make_shared<weave::plain<bool>>(false);
    r->on_cleanup([=] { *cleaned = true; });
    w.thread("wait", [=, &w] {
      auto const out = std::move(*h).wait();
      w.expect(out.has_value() && out.value() == 7 && *cleaned, "joined");
    });
    w.thread("complete", [=] { r->complete(7); });
  });
  EXPECT_TRUE(found.clean) << found.text();
  EXPECT_TRUE(found.exhausted) << found.text();
}

TEST(weave_operations, user_code_runs_on_the_executor_only) {
  using on_loop = settle::plain<int, settle::error, weave::executor, weave::cas_terminal>;
  auto const found = weave::explore([](weave::world& w) {
    auto const ex = w.get_executor();
    auto const r = make_shared<settle::resolver<on_loop>>(ex);
    auto const h = make_shared<settle::handle<on_loop>>(r->get_handle());
    auto const log = make_shared<weave::plain<int>>(0);
    h->on_done([=, &w] {
      w.expect(ex.running_in_this_thread(), "on the executor");
      *log = *log + 1;
    });
    r->on_cleanup([=, &w] { w.expect(ex.running_in_this_thread() && *log == 1, "after the observer, on the executor"); });
    w.thread("complete", [=] { r->complete(7); });
    w.thread("drop", [=] { *h = {}; });
  });
  EXPECT_TRUE(found.clean) << found.text();
  EXPECT_TRUE(found.exhausted) << found.text();
}

TEST(weave_operations, what_user_code_does_wrong_is_found) {
  // The observer frees what the cancelling thread still reads.
  auto const found = weave::explore([](weave::world& w) {
    auto const r = make_shared<resolver>();
    auto const op = make_shared<operation>(r->op());
    auto const buffer = make_shared<weave::plain<int>>(1);
    op->on_done([=] { *buffer = 0; });
    w.thread("complete", [=] { r->complete(7); });
    w.thread("look", [=] {
      if (!op->is_settled()) static_cast<void>(buffer->read());
    });
  });
  EXPECT_FALSE(found.clean);
  EXPECT_NE(found.failure.find("a data race"), std::string::npos) << found.text();
}

}  // namespace
