// SPDX-License-Identifier: BSL-1.0
// The single-thread terminal: the same operation over plain integers, and its traps.
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

template <class T>
struct local : settle::default_policy {
  using value_type = T;
  using terminal = settle::unsynchronized_terminal;
};
using operation = settle::basic_operation<settle::unsynchronized_terminal>;

TEST(policy_terminal, plain_integers_answer_as_atomics_do) {
  settle::single_thread_sync::atomic<std::uint32_t> a(6);
  EXPECT_EQ(a.load(), 6U);
  a.store(5, std::memory_order_release);
  EXPECT_EQ(a.exchange(7), 5U);
  std::uint32_t seen = 1;
  EXPECT_FALSE(a.compare_exchange_strong(seen, 9));
  EXPECT_EQ(seen, 7U);
  EXPECT_TRUE(a.compare_exchange_weak(seen, 9));
  EXPECT_EQ(a.fetch_add(1), 9U);
  EXPECT_EQ(a.fetch_sub(2), 10U);
  EXPECT_EQ(a.fetch_or(3), 8U);
  EXPECT_EQ(a.fetch_and(2), 11U);
  EXPECT_EQ(a.load(), 2U);
  settle::single_thread_sync::atomic<bool> flag{false};
  EXPECT_FALSE(flag.exchange(true));
  static_assert(sizeof(flag) == 1);
  static constinit settle::single_thread_sync::atomic<std::uint64_t> nobodys{3};
  std::thread([] { EXPECT_EQ(nobodys.load(), 3U) << "what no thread has made belongs to none"; }).join();
}

TEST(policy_terminal, an_operation_of_one_thread_settles_in_order) {
  std::vector<std::string> trail;
  {
    settle::resolver<local<int>> r;
    auto h = r.get_handle();
    h.on_cleanup([&]() noexcept { trail.emplace_back("cleanup 1"); });
    h.on_cleanup([&]() noexcept { trail.emplace_back("cleanup 2"); });
    h.on_cleanup([&]() noexcept { trail.emplace_back("cleanup 3"); });
    h.on_done([&](settle::outcome<int> const& o) { trail.push_back("done " + std::to_string(o.value())); });
    auto again = h.on_done([&] { trail.emplace_back("never"); });
    h.on_released([&] { trail.emplace_back("released"); });
    EXPECT_TRUE(again.withdraw());
    auto pin = h.pin();
    EXPECT_TRUE(r.complete(42));
    EXPECT_EQ(trail, (std::vector<std::string>{"done 42"}));
    pin.reset();
    EXPECT_TRUE(h.is_released());
    EXPECT_EQ(std::move(h).wait().value(), 42);
  }
  EXPECT_EQ(trail, (std::vector<std::string>{"done 42", "cleanup 3", "cleanup 2", "cleanup 1", "released"}));
}

TEST(policy_terminal, a_tree_of_one_thread_is_cancelled) {
  settle::resolver<local<void>> parent;
  auto h = parent.get_handle();
  settle::resolver<local<std::unique_ptr<int>>> child(parent.op());
  int told = 0;
  child.on_cancel([&](settle::cancellation const& c) { told += c.why == settle::cause::parent ? 1 : 0; });
  EXPECT_TRUE(h.cancel(settle::cause::shutdown));
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(child.complete(std::make_unique<int>(1)));
  EXPECT_FALSE(h.is_released());
  EXPECT_FALSE(parent.complete());
  EXPECT_TRUE(h.is_released());
}

TEST(policy_terminal, rivals_of_one_thread_take_turns) {
  settle::resolver<local<int>> r;
  auto h = r.get_handle();
  settle::shared_resolver<local<int>> a(std::move(r));
  auto b = a;
  EXPECT_TRUE(a.complete(1));
  EXPECT_FALSE(b.fail(settle::errc::closed));
  EXPECT_EQ(std::move(h).wait().value(), 1);
}

TEST(policy_terminal, threads_have_operations_of_their_own) {
  settle::resolver<local<int>> mine;
  std::thread([] {
    settle::resolver<local<int>> theirs;
    auto h = theirs.get_handle();
    EXPECT_TRUE(theirs.complete(1));
    EXPECT_EQ(std::move(h).wait().value(), 1);
  }).join();
  auto h = mine.get_handle();
  EXPECT_TRUE(mine.complete(2));
  EXPECT_EQ(std::move(h).wait().value(), 2);
}

// --- what is trapped ---

/// Ends the process as a program would that takes note of it: regularly.
void leave_regularly() {
  std::set_terminate([] { std::exit(3); });
}

#if !defined(NDEBUG)
TEST(policy_terminal_death_test, a_second_thread_is_trapped_in_debug_builds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  settle::resolver<local<int>> r;
  auto h = r.get_handle();
  EXPECT_DEATH(std::thread([&] { static_cast<void>(h.is_settled()); }).join(), "settle: a second thread uses an operation");
  EXPECT_DEATH(std::thread([op = r.op()] { operation copy(op); }).join(), "settle: a second thread uses an operation");
}
#endif

TEST(policy_terminal_death_test, a_blocking_wait_is_trapped) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  settle::resolver<local<int>> r;
  auto h = r.get_handle();
  EXPECT_EXIT((leave_regularly(), h.wait_released()), testing::ExitedWithCode(3),
              "settle: a blocking wait for an operation of this very thread");
  EXPECT_EXIT((leave_regularly(), static_cast<void>(std::move(h).wait_for(std::chrono::hours(1)))), testing::ExitedWithCode(3),
              "settle: a blocking wait");
  settle::single_thread_sync::event never;
  never.set();  // the other end: does nothing
}

struct meddler {
  operation op;
  explicit meddler(operation o) : op(std::move(o)) {}
  meddler(meddler&& o) noexcept(false) : op(o.op) { EXPECT_FALSE(op.cancel()); }
};

TEST(policy_terminal, a_value_that_ends_its_own_operation_does_not_wait_for_itself) {
  settle::resolver<local<meddler>> r;
  auto h = r.get_handle();
  EXPECT_TRUE(r.complete(meddler(r.op())));
  EXPECT_TRUE(h.cancel_requested());
  bool has_value = false;
  h.on_done([&](auto const& out) { has_value = out.has_value(); });
  EXPECT_TRUE(has_value);
}

TEST(policy_terminal_death_test, a_thread_that_would_wait_for_itself_is_trapped) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  settle::single_thread_sync::atomic<std::uint32_t> const word(1);
  EXPECT_EXIT((leave_regularly(), settle::single_thread_sync::pause(0, word)), testing::ExitedWithCode(3), "it would wait for itself");
}

TEST(policy_terminal, an_empty_operation_of_one_thread_is_not_waited_for) {
  operation const none;
  none.wait_released();
  EXPECT_TRUE(none.is_released());
}

}  // namespace
