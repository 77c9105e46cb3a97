// SPDX-License-Identifier: BSL-1.0
// Where reports go: what each shipped sink says and does.
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <cstdlib>
#include <exception>
#include <string>

namespace {

using settle::monitor_event;

monitor_event event(monitor_event::what_t what) {
  monitor_event e;
  e.what = what;
  e.where = std::source_location::current();
  return e;
}

std::string logged(monitor_event const& e) {
  testing::internal::CaptureStderr();
  settle::log_sink::report(nullptr, e);
  return testing::internal::GetCapturedStderr();
}

TEST(policy_error_sink, the_log_is_one_line_with_the_origin) {
  monitor_event e = event(monitor_event::unseen_failure);
  std::string text = logged(e);
  EXPECT_EQ(text.find("settle: failure that nobody saw ("), 0U) << text;
  EXPECT_NE(text.find("policy_error_sink.cpp:" + std::to_string(e.where.line()) + ")\n"), std::string::npos) << text;

  e = event(monitor_event::misuse);
  e.detail = "released twice";
  e.other = std::source_location::current();
  text = logged(e);
  EXPECT_EQ(text.find("settle: misuse: released twice ("), 0U) << text;
  EXPECT_NE(text.find(", first "), std::string::npos) << text;
  EXPECT_EQ(logged(event(monitor_event::adopted)).find("settle: adopted ("), 0U);
}

int called = 0;
void note(std::exception_ptr, monitor_event const& e) noexcept { called += e.what == monitor_event::abandoned ? 1 : 0; }

struct noting : settle::default_policy {
  using error_sink = settle::function_sink<&note>;
};

TEST(policy_error_sink, a_function_is_called) {
  {
    settle::resolver<noting> r;
  }
  EXPECT_EQ(called, 1);
  settle::ignore_sink::report(nullptr, event(monitor_event::misuse));
}

TEST(policy_error_sink_death_test, what_has_no_caller_ends_the_program) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (auto what : {monitor_event::callback_threw, monitor_event::cleanup_threw, monitor_event::misuse}) {
    auto const report = [what] {
      std::set_terminate([] { std::exit(3); });
      settle::terminate_sink::report(nullptr, event(what));
    };
    EXPECT_EXIT(report(), testing::ExitedWithCode(3), "settle: ");
  }
  testing::internal::CaptureStderr();
  settle::terminate_sink::report(nullptr, event(monitor_event::abandoned));
  EXPECT_EQ(testing::internal::GetCapturedStderr().find("settle: abandoned ("), 0U) << "the rest is logged";
}

}  // namespace
