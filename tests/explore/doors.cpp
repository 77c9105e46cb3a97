// SPDX-License-Identifier: BSL-1.0
// Jobs and initiating functions under every interleaving.
#include <settle/settle.hpp>
#include <settle/testing/weave.hpp>

#include <gtest/gtest.h>

#include <memory>
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

// Whoever cancels, politely or by force, against the job's turn: it ran or it never will, and is released.
TEST(explore_doors, a_job_against_whoever_cancels) {
  for (bool force : {false, true}) {
    clean_and_exhausted(
        [force](weave::world& w) {
          auto ran = std::make_shared<int>(0);
          auto job = [ran] { return ++*ran; };
          auto h = std::make_shared<handle>(settle::start_on<C>(w.get_executor(), job));
          w.thread("canceller", [=] { force ? h->cancel() : h->request_cancel(); });
          w.finally([=, &w] {
            w.expect(h->is_released(), "it is released");
            auto const o = std::move(*h).wait();
            w.expect(o.has_value() ? *ran == 1 : o.is_cancelled(), "a value comes from a job that ran");
          });
        },
        {.preemptions = 1});
  }
}

// The resolver dies on another thread while the function that was given it still runs: abandoned, once, by either.
TEST(explore_doors, a_resolver_that_dies_elsewhere_while_the_function_runs) {
  clean_and_exhausted(
      [](weave::world& w) {
        auto moved = std::make_shared<weave::atomic<int>>(0);
        auto kept = std::make_shared<producer>(std::nothrow);
        kept->complete(0);
        auto h = std::make_shared<handle>();
        w.thread("function", [=] {
          *h = settle::initiate<int, settle::error, C>(settle::inline_executor(), [&](producer r) {
            *kept = std::move(r);
            moved->store(1);
          });
        });
        w.thread("other", [=] {
          if (moved->load() != 1) return;
          moved->store(2);
          producer const gone(std::move(*kept));
        });
        w.finally([=, &w] {
          bool const died = !*kept;
          w.expect(died == (moved->load() == 2), "the other took it");
          w.expect(h->is_settled() == died, "abandoned when it died");
          if (!died) kept->complete(1);
          w.expect(h->is_released(), "it is released");
        });
      },
      {.preemptions = 2});
}

// The producer gives the handle out while somebody registers and lets go: nothing of what he registered is lost.
TEST(explore_doors, a_handle_that_is_given_out_while_another_registers) {
  clean_and_exhausted(
      [](weave::world& w) {
        auto r = std::make_shared<producer>();
        auto told = std::make_shared<int>(0);
        w.thread("producer", [=] {
          handle const h = r->get_handle();
          h.request_cancel();
        });
        w.thread("other", [=, op = r->op()]() mutable {
          op.on_cancel([told] { ++*told; });
          op = {};
        });
        w.finally([=, &w] {
          w.expect(*told == 1, "G8: a cancel observer is told of a request");
          r->cancel();
        });
      },
      {});
}

constexpr settle::context_slot<int> number;

// A function for lost values is given while a slot of the context is set: neither replaces the other.
TEST(explore_doors, on_lost_beside_a_slot_that_is_set) {
  clean_and_exhausted(
      [](weave::world& w) {
        auto r = std::make_shared<producer>();
        auto h = std::make_shared<handle>(r->get_handle());
        auto op = std::make_shared<settle::basic_operation<C>>(r->op());
        auto lost = std::make_shared<int>(0);
        number.set(r->op(), 1);  // the context is there
        static constexpr settle::context_slot<int> other;
        w.thread("owner", [=] { *h = std::move(*h).on_lost([lost](int&& v) noexcept { *lost += v; }); });
        w.thread("setter", [=] { other.set(*op, 2); });
        w.finally([=, &w] {
          w.expect(other.of(*op) == 2 && number.of(*op) == 1, "what was set is there");
          r->complete(5);
          *h = handle();
          w.expect(*lost == 5, "G15: the lost value went to its function");
        });
      },
      {});
}

}  // namespace
