// SPDX-License-Identifier: BSL-1.0
// The names of a supervisor's children, as monitors, the census and error sinks are told them.
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using settle::monitor_event;
using settle::testing::sim_executor;
using settle::testing::simulation;

struct heard {
  static inline std::vector<std::pair<monitor_event::what_t, std::string>> reports{};
  static void report(std::exception_ptr, monitor_event const& e) noexcept { reports.emplace_back(e.what, e.child); }
};
struct of_names {};
using book = settle::basic_census<of_names>;
struct listed : settle::default_policy {
  using value_type = int;
  using executor_type = sim_executor;
  using monitor = book;
  using error_sink = heard;
  static constexpr std::string_view tag = "job";
};
using job = settle::resolver<listed>;

struct child_names : testing::Test {
  simulation sim{settle::testing::seed(), settle::testing::order::first_in_first_out};
  sim_executor ex = sim.get_executor();
  settle::resolver_of<void, settle::error, sim_executor> parent{ex};
  std::optional<settle::supervisor> s{std::in_place, parent.op(), settle::restart::one_for_one, 3U, 5s};
  std::optional<job> life;

  void SetUp() override {
    heard::reports.clear();
    s->add("feed \"one\"", [this] {
      life.emplace(ex);
      life->on_cancel([this](settle::cancellation) {
        if (life) life->cancel();
      });
      return life->get_handle() | settle::then([](int) {});
    });
    sim.run();
  }
  void TearDown() override {
    s->op().request_cancel(settle::cause::shutdown);
    sim.run();
    s.reset();
    life.reset();
    parent.complete();
    sim.run();
    EXPECT_QUIESCENT(sim);
    EXPECT_QUIESCENT(book());
  }
  static std::vector<std::string> names() {
    std::vector<std::string> all;
    for (settle::census_entry const& e : book::entries()) all.push_back(e.name);
    return all;
  }
};

TEST_F(child_names, are_in_the_census_for_what_is_below_whatever_stands_in_between) {
  EXPECT_EQ(names(), std::vector<std::string>{""}) << "it was adopted before the name was given";
  job below(life->op(), ex);
  settle::resolver_of<int, settle::error, sim_executor> between(life->op(), ex);  // of no census
  job deeper(between.op(), ex);
  job outside(ex);
  EXPECT_EQ(names(), (std::vector<std::string>{"", "feed \"one\"", "feed \"one\"", ""}));
  EXPECT_NE(book::text().find("#2 job pending, child of #1, under \"feed \\\"one\\\"\", "), std::string::npos) << book::text();
  EXPECT_NE(book::json().find(R"("parent":1,"tag":"job","name":"feed \"one\"","phase":)"), std::string::npos) << book::json();
  EXPECT_EQ(book::json().find(R"("name":"")"), std::string::npos) << "what has none has none";
  deeper.complete(1);
  between.complete(1);
  below.complete(1);
  outside.complete(1);
}

TEST_F(child_names, of_the_child_itself_and_what_it_had_already) {
  std::optional<job> direct;
  std::optional<job> had;
  s->add("direct", [&] {
    direct.emplace(ex);
    had.emplace(direct->op(), ex);
    direct->on_cancel([&](settle::cancellation) { direct->cancel(); });
    return direct->get_handle();
  });
  sim.run();
  EXPECT_EQ(names(), (std::vector<std::string>{"", "direct", "direct"}));
  had->complete(1);
  s->op().request_cancel(settle::cause::shutdown);
  sim.run();
}

TEST_F(child_names, that_a_child_has_given_itself_stay) {
  std::optional<job> own;
  s->add("given", [&] {
    own.emplace(ex);
    settle::child_name.set(own->op(), "its own");
    own->on_cancel([&](settle::cancellation) { own->cancel(); });
    return own->get_handle();
  });
  sim.run();
  EXPECT_EQ(settle::child_name.of(own->op()), "its own");
  job below(own->op(), ex);
  EXPECT_EQ(names(), (std::vector<std::string>{"", "its own", "its own"}));
  below.complete(1);
  s->op().request_cancel(settle::cause::shutdown);
  sim.run();
}

TEST_F(child_names, are_what_an_error_sink_is_told) {
  {
    job const lost(life->op(), ex);
    job const outside(ex);
  }
  job below(life->op(), ex);
  below.op().on_done([](settle::ending) { throw 1; });
  below.complete(1);
  sim.run();
  using what = std::pair<monitor_event::what_t, std::string>;
  EXPECT_EQ(heard::reports, (std::vector<what>{{monitor_event::abandoned, ""},
                                               {monitor_event::abandoned, "feed \"one\""},
                                               {monitor_event::callback_threw, "feed \"one\""}}));
}

TEST(child_name, is_printed_by_the_log_sink) {
  monitor_event e;
  e.what = monitor_event::abandoned;
  testing::internal::CaptureStderr();
  settle::log_sink::report(nullptr, e);
  e.child = "feed";
  settle::log_sink::report(nullptr, e);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "settle: abandoned (:0)\nsettle: abandoned (:0) under \"feed\"\n");
}

}  // namespace
