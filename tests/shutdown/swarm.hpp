// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SHUTDOWN_SWARM_HPP
#define SETTLE_TESTS_SHUTDOWN_SWARM_HPP

#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "net.hpp"

namespace test {

/// Listens, and answers every question of every client until it is stopped; or hangs up on each at once.
template <class Net>
class tracker {
 public:
  using link = typename Net::link;
  std::vector<std::string> heard;
  long accepted = 0;
  bool hangs_up = false;
  bool answers = true;

  tracker(Net& net, settle::scope& under) : in_(net), under_(under) {
    auto serve = [this] { return accept_all(); };
    under_.spawn(serve);
  }
  std::uint16_t port() const { return in_.port(); }

 private:
  settle::handle_of<void> accept_all() {
    for (;;) {
      link l = co_await in_.accept();
      ++accepted;
      if (hangs_up) continue;
      auto talk = [this, l = std::move(l)]() mutable { return talk_to(l); };
      under_.spawn(std::move(talk));
    }
  }
  settle::handle_of<void> talk_to(link& l) {
    for (;;) {
      auto asked = co_await l.read().as_outcome();
      if (!asked) co_return;
      heard.push_back(std::move(asked).value());
      if (!answers) continue;
      auto const told = co_await l.write("peers").as_outcome();
      if (!told) co_return;
    }
  }

  typename Net::listener in_;
  settle::scope& under_;
};

/// Dials, asks, reads the answer, waits a little, and again: also after a failure.
template <class Net>
class peer {
 public:
  long answers = 0;
  long failures = 0;
  long rounds = 0;

  peer(Net& net, settle::scope& under, std::uint16_t port, std::chrono::milliseconds pause = std::chrono::milliseconds(1))
      : net_(net), port_(port), pause_(pause) {
    auto live = [this] { return for_ever(); };
    under.spawn(live);
  }

 private:
  settle::handle_of<void> for_ever() {
    for (;;) {
      ++rounds;
      auto const answer = co_await settle::within(ask(), std::chrono::seconds(20)).as_outcome();
      if (answer) ++answers;
      else ++failures;
      if (answer.is_cancelled() && !answer.timed_out()) co_return;  // asked to stop: looking at an outcome does not end it
      if (pause_.count() != 0) co_await settle::sleep(net_.get_executor(), pause_);
    }
  }
  settle::handle_of<std::string> ask() {
    auto l = co_await net_.dial(port_);
    co_await l.write("who is there?");
    co_return co_await l.read();
  }

  Net& net_;
  std::uint16_t port_;
  std::chrono::milliseconds pause_;
};

/// Everything at once: trackers that answer, that hang up, that refuse, that are deaf; peers of each, and a timer.
template <class Net>
struct whole_swarm {
  settle::scope all;
  tracker<Net> good, rude;
  bad_port refusing{bad_port::refusing};
  bad_port deaf{bad_port::deaf};
  peer<Net> first, second, third, fourth;
  long ticks = 0;

  template <class Where>
  whole_swarm(Net& net, Where under)
      : all(under, settle::on_failure::keep_going),
        good(net, all),
        rude(net, all),
        first(net, all, good.port()),
        second(net, all, rude.port()),
        third(net, all, refusing.number()),
        fourth(net, all, deaf.number()) {
    rude.hangs_up = true;
    auto clock = [this, ex = net.get_executor()] {
      settle::interval const every(ex, std::chrono::milliseconds(1));
      auto tick = [this] { ++ticks; };
      return every.each(tick);
    };
    all.spawn(clock);
  }
};

/// A network, and what has to be as it was before when it is gone: memory, descriptors, links, buffers; to the last one.
template <class Net>
class swarm_test : public testing::Test {
 protected:
  using link = typename Net::link;
  std::optional<Net> net_;
  Net& net() { return *net_; }
  typename Net::executor ex() { return net_->get_executor(); }

  static void SetUpTestSuite() {  // what is made once for all
    Net once;
    bad_port const nobody(bad_port::refusing);
    auto h = once.dial(nobody.number());
    once.run();
    EXPECT_TRUE(std::move(h).wait().has_error());
    EXPECT_EQ(settle::census::missed(), 0u);
  }
  void SetUp() override {
    settle::trim();
    before_ = now();
    net_.emplace();
  }
  void TearDown() override {
    if (net_) net_->run();
    net_.reset();
    settle::trim();
    balance const after = now();
    EXPECT_EQ(after.links, before_.links);
    EXPECT_EQ(after.buffers, before_.buffers);
    EXPECT_EQ(after.descriptors, before_.descriptors);
    EXPECT_EQ(after.memory, before_.memory);
  }

 private:
  struct balance {
    long links, buffers;
    int descriptors;
    std::int64_t memory;
  };
  static balance now() noexcept { return {link_count::live, read_buffer::live, open_descriptors(), live_allocations_of_this_thread()}; }
  balance before_{};
};

}  // namespace test

#endif
