// SPDX-License-Identifier: BSL-1.0
// Testing code of one's own: a connection pool in virtual time, in every order that the world leaves open; and between
// threads, in every interleaving.
#include <settle/settle.hpp>
#include <settle/testing/simulation.hpp>
#include <settle/testing/weave.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
namespace testing_kit = settle::testing;
namespace weave = settle::testing::weave;

SETTLE_PRINT_SEEDS();

namespace {

/// Bounded, with a queue of waiters. What is to be tested is a template on its executor, and what is to be explored on the
/// terminal of its operations too. All but a lease stays on the executor; a lease may end anywhere.
template <class Ex, class C = settle::cas_terminal>
class pool {
  struct connection {};

 public:
  class lease {  // the destructor brings it home: taken, untaken or late
   public:
    lease(pool* p, std::unique_ptr<connection> c) : pool_(p), connection_(std::move(c)) {}
    lease(lease&&) noexcept = default;
    lease& operator=(lease&&) = delete;
    ~lease() {
      if (connection_) pool_->give(std::move(connection_));
    }

   private:
    friend class pool;
    pool* pool_;
    std::unique_ptr<connection> connection_;
  };
  using turn = settle::resolver_of<lease, settle::error, Ex, C>;
  using pending_lease = settle::handle_of<lease, settle::error, C>;

  pool(Ex ex, std::size_t max) : ex_(std::move(ex)), max_(max) {}

  pending_lease acquire() {
    turn t(ex_);
    auto h = t.get_handle();
    if (!idle_.empty()) {
      auto c = std::move(idle_.back());
      idle_.pop_back();
      t.complete(lease(this, std::move(c)));
    } else if (open_ < max_) {
      ++open_;
      t.complete(lease(this, std::make_unique<connection>()));
    } else {
      std::uint64_t const number = next_++;
      // By number: its turn may come before it hears that it was cancelled. (An iterator would dangle then: the last test below
      // finds that.)
      waiting_.emplace(number, std::move(t)).first->second.on_cancel([this, number] { auto const dead = waiting_.extract(number); });
    }
    return h;
  }

  std::size_t waiting() const { return waiting_.size(); }
  std::size_t idle() const { return idle_.size(); }
  std::size_t open() const { return open_; }

 private:
  void give(std::unique_ptr<connection> c) noexcept {
    ex_.execute([this, home = std::move(c)]() mutable { pass_on(lease(this, std::move(home))); });
  }
  void pass_on(lease l) {
    while (!waiting_.empty()) {
      auto t = waiting_.extract(waiting_.begin());
      if (t.mapped().complete(std::move(l))) return;  // false: cancelled meanwhile, l is untouched, the next one gets it
    }
    idle_.push_back(std::move(l.connection_));
  }

  Ex ex_;
  std::size_t max_;
  std::size_t open_ = 0;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, turn> waiting_;
  std::vector<std::unique_ptr<connection>> idle_;
};

/// Asks `h` to stop when it is not done in time. The timer is its child: it ends, and is gone, before `h` is.
template <class H, class Ex>
H in_time(H h, Ex ex, std::chrono::nanoseconds d) {
  auto alarm = settle::sleep(ex, d);
  settle::operation const op = h;
  alarm.on_done([op](settle::outcome<void> const& out) {
    if (out) op.request_cancel(settle::cause::deadline);
  });
  h.adopt(std::move(alarm));
  return h;
}

using executor = testing_kit::simulation::executor;

TEST(pool, a_waiter_that_times_out_leaves_the_queue) {
  testing_kit::simulation sim(testing_kit::seed());  // a failure prints the seed
  pool<executor> p(sim.get_executor(), 1);
  auto first = p.acquire();
  sim.run();
  auto second = in_time(p.acquire(), sim.get_executor(), 100ms);
  sim.advance(99ms);
  EXPECT_FALSE(second.is_settled());
  EXPECT_EQ(p.waiting(), 1U);
  sim.advance(1ms);
  ASSERT_TRUE(second.is_settled());                   // virtual time: no sleep, no slack
  EXPECT_TRUE(std::move(second).wait().timed_out());  // does not block: settled and released
  EXPECT_EQ(p.waiting(), 0U);
  {
    auto gone = std::move(first).wait();
  }  // ~lease
  sim.run();
  EXPECT_EQ(p.idle(), 1U);
  EXPECT_QUIESCENT(sim);  // no timer, no operation, no byte; else what is left is printed
}

TEST(pool, a_connection_that_is_given_back_just_when_its_waiter_gives_up) {
  std::set<bool> seen;
  for (std::uint64_t seed = 0; seed != 100; ++seed) {
    SCOPED_TRACE(seed);
    testing_kit::simulation sim(seed);
    pool<executor> p(sim.get_executor(), 1);
    auto asked = p.acquire();
    sim.run();
    auto first = std::move(asked).wait();
    auto second = in_time(p.acquire(), sim.get_executor(), 100ms);
    auto until = settle::sleep(sim.get_executor(), 100ms);
    until.on_done([&] { auto gone = std::move(first); });
    sim.advance(100ms);
    ASSERT_TRUE(second.is_released());
    {
      auto out = std::move(second).wait();
      seen.insert(out.timed_out());
    }
    sim.run();
    EXPECT_EQ(p.open(), 1U);
    EXPECT_EQ(p.idle(), 1U) << "it came home, once";
    EXPECT_EQ(p.waiting(), 0U);
    until = {};
    EXPECT_QUIESCENT(sim);
  }
  EXPECT_EQ(seen.size(), 2U) << "both happened";
}

TEST(pool, a_connection_that_is_given_back_on_one_thread_while_its_waiter_gives_up_on_another) {
  using explored_pool = pool<weave::executor, weave::cas_terminal>;
  std::set<bool> seen;
  auto const result = weave::explore(
      [&](weave::world& w) {
        auto p = std::make_shared<explored_pool>(w.get_executor(), 1);
        auto held = std::make_shared<std::optional<explored_pool::lease>>(p->acquire().wait().value());
        auto waiter = std::make_shared<explored_pool::pending_lease>(p->acquire());
        w.thread("give", [=] { held->reset(); });
        w.thread("give up", [=] { waiter->cancel(settle::cause::deadline); });
        w.finally([=, &seen] {
          auto const out = std::move(*waiter).wait();
          seen.insert(out.timed_out());
        });
        w.finally([=, &w] { w.expect(p->open() == 1 && p->idle() == 1 && p->waiting() == 0, "the connection came home, once"); });
      },
      {.preemptions = 2, .old_values = 1});
  EXPECT_TRUE(result.clean) << result.failure << ": weave::replay(\"" << result.schedule << "\")";
  EXPECT_TRUE(result.exhausted);
  EXPECT_EQ(seen.size(), 2U) << "both happened";
}

}  // namespace
