// SPDX-License-Identifier: BSL-1.0
// Combinators that are wired while their inputs settle elsewhere, under every interleaving.
#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <tuple>
#include <utility>

namespace {

namespace weave = settle::testing::weave;
using C = weave::cas_terminal;
using handle = settle::handle_of<int, settle::error, C>;
using producer = settle::resolver_of<int, settle::error, settle::inline_executor, C>;

template <class Test>
void clean_and_exhausted(Test test, weave::options const& o) {
  auto const r = weave::explore(test, o);
  EXPECT_TRUE(r.clean) << r.text();
  EXPECT_TRUE(r.exhausted) << r.text();
}

enum class way { complete, fail, drop, cancel, request };

void end(producer& p, way how) {
  switch (how) {
    case way::complete:
      p.complete(1);
      break;
    case way::fail:
      p.fail(settle::errc::closed);
      break;
    case way::drop:
      static_cast<void>(producer(std::move(p)));
      break;
    case way::cancel:
      p.op().cancel();
      break;
    case way::request:
      p.op().request_cancel();
      break;
  }
}

// What is written about the result with plain stores is there for whoever feeds it; nothing is fed twice or never.
TEST(explore_combinators, an_input_that_settles_while_it_is_wired) {
  for (way const how : {way::complete, way::fail, way::drop, way::cancel, way::request}) {
    clean_and_exhausted(
        [how](weave::world& w) {
          auto p = std::make_shared<producer>();
          auto in = std::make_shared<handle>(p->get_handle());
          auto out = std::make_shared<handle>();
          w.thread("producer", [=] { end(*p, how); });
          w.thread("consumer", [=] {
            auto twice = [](int v) { return 2 * v; };
            *out = settle::then(std::move(*in), twice);
          });
          w.finally([=, &w] {
            if (how == way::request) w.expect(!out->is_settled(), "asked for is not cancelled");
            static_cast<void>(producer(std::move(*p)));
            w.expect(out->is_released(), "released with its input");
            auto const o = std::move(*out).wait();
            w.expect(o.has_value() == (how == way::complete) && o.has_error() == (how == way::fail), "it ends as its input");
            w.expect(how != way::complete || o.value() == 2, "with what the function made of it");
          });
        },
        {.preemptions = 1, .old_values = 1});
  }
}

// The first input settles, and decides or not, while the second one is not told yet.
TEST(explore_combinators, a_group_whose_first_input_settles_while_the_second_is_wired) {
  for (way const how : {way::complete, way::drop}) {
    clean_and_exhausted(
        [how](weave::world& w) {
          auto first = std::make_shared<producer>();
          auto second = std::make_shared<producer>();
          auto one = std::make_shared<handle>(first->get_handle());
          auto two = std::make_shared<handle>(second->get_handle());
          auto sum = std::make_shared<handle>();
          w.thread("producer", [=] { end(*first, how); });
          w.thread("consumer", [=] {
            auto both = settle::all(std::move(*one), std::move(*two));
            auto add = [](std::tuple<int, int> v) { return std::get<0>(v) + std::get<1>(v); };
            *sum = settle::then(std::move(both), add);
          });
          w.finally([=, &w] {
            w.expect(sum->is_settled() == (how == way::drop), "settled only when the first one decided");
            w.expect(second->op().cancel_requested() == (how == way::drop), "the loser is asked to stop");
            if (how == way::complete) second->complete(2);
            else static_cast<void>(producer(std::move(*second)));
            w.expect(sum->is_released(), "released with its inputs");
            auto const o = std::move(*sum).wait();
            w.expect(how == way::complete ? o.has_value() && o.value() == 3 : o.is_cancelled(), "both, or neither");
          });
        },
        {.preemptions = 1, .old_values = 1});
  }
}

}  // namespace
