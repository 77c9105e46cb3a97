// SPDX-License-Identifier: BSL-1.0
// Supervisors: children that are started again, as Erlang/OTP defines it. In virtual time.
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using settle::cause;
using settle::errc;
using settle::handle_of;
using settle::restart;
using settle::supervisor;
using settle::testing::sim_executor;
using settle::testing::simulation;
using sim_resolver = settle::resolver_of<void, settle::error, sim_executor>;

struct supervise : testing::Test {
  struct child {
    std::optional<sim_resolver> r{};
    int lives = 0;
    std::optional<cause> asked{};
  };

  simulation sim{settle::testing::seed(), settle::testing::order::first_in_first_out};  // children are begun in the order of adding
  sim_executor ex = sim.get_executor();
  sim_resolver parent{ex};
  std::optional<supervisor> s{};
  std::vector<std::unique_ptr<child>> children{};
  std::string log{};

  void begin(restart how, unsigned intensity = 3, std::chrono::seconds period = 5s) {
    s.emplace(parent.op(), how, intensity, period);
    for (int i = 0; i != 3; ++i) {
      child& c = *children.emplace_back(std::make_unique<child>());
      s->add(std::string(1, static_cast<char>('a' + i)), [this, &c, i] { return live(c, i); });
    }
    sim.run();
  }
  handle_of<void> live(child& c, int i) {
    ++c.lives;
    log += static_cast<char>('a' + i);
    c.r.emplace(ex);
    c.r->on_cancel([&, i](settle::cancellation why) {
      c.asked = why.root;
      log += static_cast<char>('A' + i);
      if (c.r) c.r->cancel();
    });
    return c.r->get_handle();
  }
  void fail(std::size_t i) {
    log.clear();
    children[i]->r->fail(errc::no_memory);
    sim.run();
  }
  void end_all() {
    auto h = s->join();
    s->op().request_cancel(cause::shutdown);
    sim.run();
    EXPECT_TRUE(std::move(h).wait_for(0s).value().is_cancelled());
  }
  void TearDown() override {
    s.reset();
    parent.complete();
    sim.run();
    EXPECT_QUIESCENT(sim);
  }
};

TEST_F(supervise, one_for_one_starts_the_failed_one_again) {
  begin(restart::one_for_one);
  EXPECT_EQ(log, "abc") << "in the order of adding";
  fail(1);
  EXPECT_EQ(log, "b");
  end_all();
  EXPECT_EQ(children[0]->asked, cause::shutdown);
}
TEST_F(supervise, a_child_and_what_is_below_it_have_its_name_in_every_life) {
  begin(restart::one_for_one);
  sim_resolver outer(ex);
  std::optional<sim_resolver> below;
  for (int life = 0; life != 2; ++life) {
    below.emplace(children[1]->r->op(), ex);
    EXPECT_EQ(settle::child_name.of(children[1]->r->op()), "b");
    EXPECT_EQ(settle::child_name.of(below->op()), "b");
    EXPECT_EQ(settle::child_name.of(children[2]->r->op()), "c");
    EXPECT_FALSE(settle::child_name.of(outer.op()));
    below->complete();
    if (life == 0) fail(1);
  }
  outer.complete();
  end_all();
}
TEST_F(supervise, one_for_all_stops_the_others_last_first_and_starts_all) {
  begin(restart::one_for_all);
  fail(1);
  EXPECT_EQ(log, "CAabc");
  EXPECT_EQ(children[0]->asked, cause::shutdown);
  end_all();
}
TEST_F(supervise, rest_for_one_spares_those_that_were_added_before) {
  begin(restart::rest_for_one);
  fail(1);
  EXPECT_EQ(log, "Cbc");
  EXPECT_EQ(children[0]->lives, 1);
  fail(0);
  EXPECT_EQ(log, "CBabc");
  end_all();
}
TEST_F(supervise, children_that_had_ended_are_started_again_with_those_that_run) {
  for (auto const& [how, again] : {std::pair{restart::one_for_one, "b"}, {restart::one_for_all, "abc"}, {restart::rest_for_one, "bc"}}) {
    SCOPED_TRACE(again);
    children.clear();
    begin(how);
    children[0]->r->complete();
    children[2]->r->complete();
    sim.run();
    EXPECT_EQ(children[0]->lives + children[2]->lives, 2) << "their end starts nothing";
    fail(1);
    EXPECT_EQ(log, again);
    EXPECT_FALSE(children[0]->asked || children[2]->asked) << "there was nothing to stop";
    end_all();
    s.reset();
  }
}
TEST_F(supervise, one_is_stopped_before_the_next_is_asked) {
  begin(restart::one_for_all);
  settle::pin const held = children[2]->r->op().pin();
  std::optional<settle::pin> slow(children[2]->r->op().pin());
  fail(1);
  EXPECT_EQ(log, "C");
  const_cast<settle::pin&>(held).reset();
  slow.reset();
  sim.run();
  EXPECT_EQ(log, "CAabc");
  end_all();
}
TEST_F(supervise, a_value_and_a_cancellation_are_ends_and_abandoned_is_not) {
  begin(restart::one_for_one);
  auto h = s->join();
  children[0]->r->complete();
  children[1]->r->op().cancel(cause::overload);
  children[1]->r.reset();
  sim.run();
  EXPECT_EQ(log, "abcB");
  children[2]->r.reset();
  sim.run();
  EXPECT_EQ(log, "abcBCc");
  EXPECT_FALSE(h.is_settled());
  children[2]->r->complete();
  sim.run();
  EXPECT_TRUE(std::move(h).wait_for(0s).value().has_value()) << "nothing runs any more";
}
TEST_F(supervise, too_many_restarts_within_the_period_end_it_with_the_last_failure) {
  begin(restart::one_for_one, 2, 5s);
  auto h = s->join();
  fail(0);
  fail(1);
  EXPECT_FALSE(s->op().is_settled());
  children[2]->r->fail(errc::no_timers);
  sim.run();
  EXPECT_EQ(std::move(h).wait_for(0s).value().error().code(), errc::no_timers);
  EXPECT_EQ(children[0]->asked, cause::shutdown);
  EXPECT_EQ(children[2]->lives, 1);
}
TEST_F(supervise, giving_up_it_stops_the_last_added_first_and_waits_for_each) {
  begin(restart::one_for_one, 0, 5s);
  auto h = s->join();
  std::optional<settle::pin> slow(children[2]->r->op().pin());
  fail(1);
  EXPECT_EQ(log, "C");
  EXPECT_FALSE(s->op().is_settled());
  slow.reset();
  sim.run();
  EXPECT_EQ(log, "CA");
  EXPECT_EQ(std::move(h).wait_for(0s).value().error().code(), errc::no_memory);
}
TEST_F(supervise, restarts_spread_over_time_do_not_count_together) {
  begin(restart::one_for_one, 1, 5s);
  for (int i = 0; i != 10; ++i) {
    fail(0);
    sim.advance(6s);
  }
  EXPECT_EQ(children[0]->lives, 11);
  EXPECT_FALSE(s->op().is_settled());
  end_all();
}
TEST_F(supervise, intensity_nothing_starts_nothing_again) {
  begin(restart::one_for_all, 0);
  auto h = s->join();
  fail(2);
  EXPECT_TRUE(std::move(h).wait_for(0s).value().has_error());
  EXPECT_EQ(children[2]->lives, 1);
}
TEST_F(supervise, it_ends_with_its_parent_and_takes_nothing_after_that) {
  begin(restart::one_for_one);
  parent.op().request_cancel(cause::shutdown);
  sim.run();
  EXPECT_TRUE(s->op().is_released());
  int called = 0;
  s->add("late", [&called] { ++called; });
  sim.run();
  EXPECT_EQ(called, 0);
}
TEST_F(supervise, added_later_and_failing_at_once) {
  begin(restart::one_for_one, 100);
  int lives = 0;
  s->add("hasty", [&lives]() -> int {
    if (++lives < 50) throw std::runtime_error("not yet");
    return lives;
  });
  sim.run();
  EXPECT_EQ(lives, 50);
  end_all();
}
TEST_F(supervise, destroyed_with_children_it_asks_them) {
  begin(restart::one_for_one);
  testing::internal::CaptureStderr();
  s.reset();
  sim.run();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("destroyed before"), std::string::npos);
  EXPECT_EQ(children[0]->asked, cause::dropped);
}

}  // namespace
