// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <string>
#include <utility>

#include "../support/situations.hpp"

// Ends that stand for nothing: default constructed, moved from, or spent. And work that an executor runs twice.
namespace {

using text = test::counted<std::string>;
using nothing = test::counted<void>;

TEST(empty, a_handle_takes_everything_and_does_nothing) {
  settle::handle<text> h;
  EXPECT_FALSE(h);
  EXPECT_TRUE(h.is_settled());
  EXPECT_TRUE(h.is_released());
  EXPECT_FALSE(h.cancel_requested());
  EXPECT_FALSE(h.cancel());
  EXPECT_FALSE(h.request_cancel());
  EXPECT_FALSE(h.pin());
  EXPECT_FALSE(h.watch());
  EXPECT_FALSE(settle::handle<text>().share());
  EXPECT_FALSE(settle::handle<text>().detach());
  bool ran = false;
  EXPECT_FALSE(h.on_done([&] { ran = true; }));
  EXPECT_FALSE(h.on_cancel([&] { ran = true; }));
  EXPECT_FALSE(h.on_released([&] { ran = true; }));
  settle::handle<text>().on_done([&](auto&&) { ran = true; });
  EXPECT_FALSE(ran);
}

TEST(empty, a_cleanup_of_an_empty_operation_runs_at_once) {
  settle::operation const op;
  int ran = 0;
  EXPECT_FALSE(op.on_cleanup([&] { ++ran; }));
  EXPECT_FALSE(op.on_cleanup([&](settle::ending) { ++ran; }));
  EXPECT_FALSE(op.own(std::string("given back")));
  EXPECT_FALSE(op.own(1, [&](int n) noexcept { ran += n; }));
  EXPECT_EQ(ran, 3);
}

TEST(empty, adopting_from_or_into_nothing_is_nothing) {
  test::subject<nothing> s;
  settle::operation().adopt(s.op);
  s.op.adopt(settle::operation());
  settle::operation().adopt(settle::handle<nothing>());
  settle::resolver<nothing> orphan(settle::operation{}, settle::inline_executor());
  EXPECT_TRUE(orphan.complete());
  s.end(test::way::complete);
}

TEST(empty, a_spent_resolver) {
  settle::resolver<text> r;
  auto h = r.get_handle();
  EXPECT_TRUE(r.complete("done"));
  std::string more = "more";
  EXPECT_FALSE(r);
  EXPECT_FALSE(r.op());
  EXPECT_FALSE(r.get_handle());
  EXPECT_FALSE(r.complete(more));
  EXPECT_FALSE(r.complete(std::move(more)));
  EXPECT_EQ(more, "more");
  EXPECT_FALSE(r.fail(settle::errc::closed));
  EXPECT_FALSE(r.cancel());
  EXPECT_FALSE(r.settle(settle::cancellation()));
  settle::resolver<nothing> v;
  EXPECT_TRUE(v.complete());
  EXPECT_FALSE(v.complete());
  EXPECT_EQ(std::move(h).wait().value(), "done");
}

TEST(empty, watchers_and_pins) {
  settle::watcher<text> const w;
  EXPECT_EQ(w.peek(), nullptr);
  EXPECT_FALSE(w.on_done([] {}));
  settle::pin p;
  EXPECT_FALSE(p);
  EXPECT_FALSE(p.op());
  p.reset();
  test::subject<test::counted<int>> s;
  EXPECT_EQ(s.h.watch().peek(), nullptr) << "pending";
  s.end(test::way::fail);
}

/// Runs its work twice, as a broken executor might.
struct twice {
  template <class F>
  void execute(F f) const {
    f();
    f();
  }
  bool operator==(twice const&) const = default;
};

TEST(G13_executor_loss, work_that_is_run_twice_runs_once) {
  test::subject<test::counted<int, twice>> s;
  int ran = 0;
  s.h.on_done([&] { ++ran; });
  s.h.on_cleanup([&] { ++ran; });
  s.end(test::way::complete);
  EXPECT_EQ(ran, 2);
  EXPECT_TRUE(s.op.is_released());
}

}  // namespace
