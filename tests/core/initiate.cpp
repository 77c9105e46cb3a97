// SPDX-License-Identifier: BSL-1.0
// initiate(ex, f): the resolver is given to a function, whose throw is the failure when nobody else can settle any more.
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "situations.hpp"

namespace {

using namespace test;
using settle::initiate;
using producer = settle::resolver_of<int>;

std::string message_of(settle::outcome<int> const& o) {
  try {
    o.error().raise();
  } catch (std::exception const& x) {
    return x.what();
  }
}

TEST(initiate, calls_at_once_and_yields_what_the_resolver_is_told) {
  std::optional<producer> kept;
  auto h = initiate<int>(settle::inline_executor(), [&](producer r) { kept = std::move(r); });
  ASSERT_TRUE(kept.has_value());
  EXPECT_FALSE(h.is_settled());
  kept->complete(7);
  EXPECT_EQ(std::move(h).wait().value(), 7);
  auto at_once = initiate<int>(settle::inline_executor(), [](producer r) { r.complete(8); });
  EXPECT_EQ(std::move(at_once).wait().value(), 8);
  auto nothing =
      initiate<void, std::error_code>(settle::inline_executor(), [](auto r) { r.fail(settle::make_error_code(settle::errc::closed)); });
  EXPECT_EQ(std::move(nothing).wait().error(), settle::errc::closed);
}

TEST(G12_place, what_initiate_makes_runs_its_observers_on_the_executor) {
  manual_loop loop;
  std::optional<settle::resolver_of<int, settle::error, manual_loop::executor>> kept;
  bool here = false;
  auto h = initiate<int>(loop.get_executor(), [&](auto r) { kept = std::move(r); });
  h.on_done([&] { here = loop.is_here(); });
  kept->complete(1);
  EXPECT_FALSE(here);
  loop.run();
  EXPECT_TRUE(here);
}

TEST(initiate, a_throw_with_the_resolver_gone_is_the_failure) {
  auto by_value = initiate<int>(settle::inline_executor(), [](producer) { throw std::runtime_error("by value"); });
  EXPECT_EQ(message_of(std::move(by_value).wait()), "by value");
  auto untouched = initiate<int>(settle::inline_executor(), [](producer&&) { throw std::runtime_error("untouched"); });
  EXPECT_EQ(message_of(std::move(untouched).wait()), "untouched");
  auto dropped = initiate<int>(settle::inline_executor(), [](producer r) {
    {
      producer gone(std::move(r));
    }
    throw std::runtime_error("dropped before");
  });
  EXPECT_EQ(message_of(std::move(dropped).wait()), "dropped before");
  auto code = initiate<int, std::error_code>(settle::inline_executor(),
                                             [](auto) { throw std::system_error(settle::make_error_code(settle::errc::closed)); });
  EXPECT_EQ(std::move(code).wait().error(), settle::errc::closed);
  auto cancelled = initiate<int>(settle::inline_executor(), [](producer) {
    throw settle::operation_cancelled(settle::cancellation(settle::cause::overload, std::source_location::current()));
  });
  EXPECT_EQ(std::move(cancelled).wait().cancel().why, settle::cause::overload);
}

TEST(G14_last_reference, a_resolver_dropped_by_the_function_is_abandoned_when_it_has_returned) {
  bool pending_inside = false;
  std::optional<settle::operation> op;
  auto h = initiate<int>(settle::inline_executor(), [&](producer r) {
    op = r.op();
    {
      producer gone(std::move(r));
    }
    pending_inside = !op->is_settled();
  });
  EXPECT_TRUE(pending_inside);
  EXPECT_EQ(std::move(h).wait().cancel().why, settle::cause::abandoned);
  auto asked = initiate<int>(settle::inline_executor(), [&](producer r) { r.op().request_cancel(settle::cause::deadline); });
  EXPECT_EQ(std::move(asked).wait().cancel().why, settle::cause::deadline);
}

// Somebody else may settle it, or has: what the function throws has no operation to go to.

TEST(initiate, a_throw_with_the_resolver_elsewhere_goes_to_the_sink) {
  EXPECT_DEATH(static_cast<void>(initiate<int>(settle::inline_executor(),
                                               [](producer r) {
                                                 r.complete(1);
                                                 throw std::runtime_error("too late");
                                               })),
               "callback threw");
  std::optional<producer> kept;
  EXPECT_DEATH(static_cast<void>(initiate<int>(settle::inline_executor(),
                                               [&](producer r) {
                                                 kept = std::move(r);
                                                 throw std::runtime_error("too early");
                                               })),
               "callback threw");
}

// The resolver dies on another thread while the function throws.
TEST(initiate, a_resolver_that_dies_elsewhere_meanwhile) {
  for (int round = 0; round != 20; ++round) {
    std::optional<std::thread> other;
    auto h = initiate<int>(settle::inline_executor(), [&](producer r) {
      other.emplace([gone = std::move(r)]() mutable { gone.cancel(); });
      std::this_thread::yield();
    });
    other->join();
    EXPECT_TRUE(h.is_released());
    auto dropped = initiate<int>(settle::inline_executor(), [&](producer r) {
      other.emplace([gone = std::move(r)]() mutable { producer dies(std::move(gone)); });
      std::this_thread::yield();
    });
    other->join();
    EXPECT_EQ(std::move(dropped).wait().cancel().why, settle::cause::abandoned);
  }
}

TEST(initiate_death_test, a_throw_with_the_resolver_elsewhere_ends_a_program_that_wants_it_so) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  std::optional<producer> kept;
  auto const leaves_regularly = [&] {
    std::set_terminate([] { std::exit(3); });  // as a program would that takes note of it
    static_cast<void>(initiate<int>(settle::inline_executor(), [&](producer r) {
      kept = std::move(r);
      throw std::runtime_error("too early");
    }));
  };
  EXPECT_EXIT(leaves_regularly(), testing::ExitedWithCode(3), "callback threw");
}

}  // namespace
