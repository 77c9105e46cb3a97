// SPDX-License-Identifier: BSL-1.0
// The census: what lives, how old it is, where it was made, and why it is not released.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <settle/settle.hpp>

#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "../../include/settle/testing/quiescent.hpp"  // no part of the single header, and needs nothing of it

namespace {

using settle::census_phase;

template <class Tag>
struct seen : settle::default_policy {
  using value_type = int;
  using monitor = settle::basic_census<Tag>;
  using error_sink = settle::ignore_sink;
  static constexpr std::string_view tag = "job";
};

template <class Tag>
struct nameless : seen<Tag> {
  static constexpr std::string_view tag = "";
};

using strings = std::vector<std::string>;

TEST(census, an_operation_is_listed_from_created_to_destroyed) {
  struct here {};
  using book = settle::basic_census<here>;
  EXPECT_QUIESCENT(book());
  settle::resolver<seen<here>> r;
  auto const line = std::source_location::current().line() - 1;
  auto h = r.get_handle();
  ASSERT_EQ(book::size(), 1U);
  settle::census_entry e = book::entries()[0];
  EXPECT_EQ(e.serial, 1U);
  EXPECT_EQ(e.parent, 0U);
  EXPECT_EQ(e.tag, "job");
  EXPECT_EQ(e.phase, census_phase::pending);
  EXPECT_EQ(e.where.line(), line);
  EXPECT_GE(e.age.count(), 0);
  EXPECT_EQ(reasons(e), strings{"producer"});
  h.request_cancel();
  EXPECT_EQ(reasons(book::entries()[0]), strings{"producer, asked to stop"});

  auto one = h.pin();
  EXPECT_EQ(reasons(book::entries()[0]), (strings{"producer, asked to stop", "1 pin"}));
  auto two = h.pin();
  EXPECT_TRUE(r.complete(1));
  e = book::entries()[0];
  EXPECT_EQ(e.phase, census_phase::settled);
  EXPECT_EQ(e.how, settle::monitor_event::value);
  EXPECT_EQ(reasons(e), strings{"2 pins or producer"});
  one.reset();
  EXPECT_EQ(reasons(book::entries()[0]), strings{"1 pin or producer"});

  h.on_cleanup([&]() noexcept { EXPECT_EQ(reasons(book::entries()[0]), strings{"cleanup"}); });
  two.reset();
  EXPECT_EQ(book::entries()[0].phase, census_phase::released);
  EXPECT_EQ(reasons(book::entries()[0]), strings{"referred to"});
  EXPECT_FALSE(book::is_quiescent());
  {
    auto gone = std::move(h);
  }
  EXPECT_QUIESCENT(book());
  ASSERT_QUIESCENT(book());
  EXPECT_EQ(book::missed(), 0U);
}

TEST(census, a_parent_waits_for_its_children) {
  struct here {};
  using book = settle::basic_census<here>;
  {
    settle::resolver<seen<here>> parent;
    settle::resolver<seen<here>> a(parent.op());
    settle::resolver<seen<here>> b(parent.op());
    parent.op().cancel(settle::cause::shutdown);
    parent.cancel();
    auto found = book::entries();
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[1].parent, found[0].serial);
    EXPECT_EQ(found[2].parent, found[0].serial);
    EXPECT_EQ(found[0].children, 2U);
    EXPECT_EQ(reasons(found[0]), strings{"2 children"});
    EXPECT_EQ(found[1].how, settle::monitor_event::cancelled);
    EXPECT_EQ(found[1].why, settle::cause::parent);
    EXPECT_EQ(reasons(found[1]), strings{"1 pin or producer"}) << "its producer has not noticed yet";
    auto kept = a.get_handle();
    a.cancel();
    EXPECT_EQ(book::entries()[1].phase, census_phase::released);
    EXPECT_EQ(reasons(book::entries()[0]), strings{"1 child"});
  }
  EXPECT_QUIESCENT(book());
}

TEST(census, a_parent_of_another_census_is_none) {
  struct here {};
  struct elsewhere {};
  settle::resolver<seen<elsewhere>> parent;
  settle::resolver<seen<here>> child(parent.op());
  EXPECT_EQ(settle::basic_census<here>::entries()[0].parent, 0U);
  child.cancel();
  parent.cancel();
}

TEST(census, a_parent_whose_cleanups_run_waits_for_no_more_children) {
  struct here {};
  using book = settle::basic_census<here>;
  settle::resolver<seen<here>> child;
  {
    settle::resolver<seen<here>> parent;
    parent.op().on_cleanup([&, op = parent.op()]() mutable noexcept {
      op.adopt(child.op());
      EXPECT_EQ(reasons(book::entries()[1]), strings{"cleanup"});
      EXPECT_EQ(book::entries()[0].parent, 0U);
      op = {};
    });
    parent.cancel();
  }
  EXPECT_EQ(book::size(), 1U);
  child.cancel();
}

struct awaited_tag {};
settle::handle<seen<awaited_tag>> is_awaited(settle::handle_of<int> until) { co_return co_await std::move(until); }
settle::handle<seen<awaited_tag>> awaits(settle::handle_of<int> until) {
  auto child = is_awaited(std::move(until));
  co_return co_await std::move(child);
}

TEST(census, a_coroutine_waits_for_the_one_that_it_started) {
  using book = settle::basic_census<awaited_tag>;
  settle::resolver_of<int> until;
  settle::operation const op = awaits(until.get_handle()).detach();
  ASSERT_EQ(book::size(), 2U);
  EXPECT_EQ(book::entries()[1].parent, book::entries()[0].serial);
  until.complete(1);
  EXPECT_TRUE(op.is_released());
}

TEST(census, text_and_json_say_the_same) {
  struct here {};
  using book = settle::basic_census<here>;
  EXPECT_EQ(book::text(), "");
  EXPECT_EQ(book::json(), "[]");
  settle::resolver<seen<here>> parent;
  settle::resolver<nameless<here>> child(parent.op());
  child.op().cancel(settle::cause::deadline);
  std::string const text = book::text();
  EXPECT_NE(text.find("job: 1 pending, oldest "), std::string::npos) << text;
  EXPECT_NE(text.find("(no tag): 1 settled, oldest "), std::string::npos) << text;
  EXPECT_NE(text.find("  #1 job pending, "), std::string::npos) << text;
  EXPECT_NE(text.find(" ms old, waits for: producer, 1 child, created at "), std::string::npos) << text;
  EXPECT_NE(text.find("  #2 settled (cancelled, deadline), child of #1, "), std::string::npos) << text;
  EXPECT_NE(text.find("census.cpp:"), std::string::npos) << text;
  std::string const json = book::json();
  EXPECT_NE(json.find(R"([{"serial":1,"parent":0,"tag":"job","phase":"pending","ending":"pending","age_ms":)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("holds":2,"waits_for":["producer","1 child"],"file":")"), std::string::npos) << json;
  EXPECT_NE(json.find(R"(,{"serial":2,"parent":1,"tag":"","phase":"settled","ending":"cancelled","cause":"deadline",)"), std::string::npos)
      << json;
  child.cancel();
  {
    settle::resolver<seen<here>> again;
    auto h = again.get_handle();
    again.complete(1);
    EXPECT_NE(book::text().find("job: 1 pending, 1 released, oldest "), std::string::npos) << book::text();
    EXPECT_NE(book::text().find("job released (value), "), std::string::npos) << book::text();
  }
  parent.complete(1);
}

TEST(census, a_parent_that_is_gone_leaves_no_trace) {
  struct here {};
  using book = settle::basic_census<here>;
  settle::resolver<seen<here>> child;
  auto h = child.get_handle();
  {
    settle::resolver<seen<here>> younger;
    younger.op().adopt(child.op());
    EXPECT_EQ(book::entries()[1].children, 1U);
    child.complete(1);
    younger.complete(2);
  }
  ASSERT_EQ(book::size(), 1U);
  EXPECT_EQ(book::entries()[0].children, 0U);
}

TEST(census, json_is_escaped) {
  settle::census_entry e;
  e.tag = "a\"b\\c\n";
  EXPECT_NE(settle::census_json({e}).find(R"("tag":"a\"b\\c\u000a")"), std::string::npos) << settle::census_json({e});
}

TEST(census, unrest_is_printed) {
  struct here {};
  struct policy : seen<here> {};
  static settle::resolver<policy> left;
  EXPECT_NONFATAL_FAILURE(EXPECT_QUIESCENT(settle::basic_census<here>()), "job: 1 pending");
  left.cancel();
  EXPECT_QUIESCENT(settle::basic_census<here>());
}

TEST(census, what_was_missed_is_counted_and_harmless) {
  struct here {};
  using book = settle::basic_census<here>;
  settle::monitor_event stranger;
  stranger.what = settle::monitor_event::settled;
  stranger.id = &stranger;
  book::on_event(stranger);
  stranger.what = settle::monitor_event::destroyed;
  book::on_event(stranger);
  EXPECT_QUIESCENT(book());
}

TEST(census, may_be_asked_while_operations_come_and_go) {
  struct here {};
  using book = settle::basic_census<here>;
  std::vector<std::thread> threads;
  for (int t = 0; t != 2; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i != 500; ++i) {
        settle::resolver<seen<here>> parent;
        settle::resolver<seen<here>> child(parent.op());
        auto h = child.get_handle();
        h.on_cleanup([]() noexcept {});
        child.complete(i);
        parent.complete(i);
      }
    });
  }
  for (int i = 0; i != 200; ++i) {
    EXPECT_LE(book::entries().size(), 4U);
    EXPECT_FALSE(book::json().empty());
  }
  for (auto& t : threads) t.join();
  EXPECT_QUIESCENT(book());
}

}  // namespace
