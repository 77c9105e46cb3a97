// SPDX-License-Identifier: BSL-1.0
// Asio's executors as a timer service: what is their own. (What every one promises: timer_service.cpp.)
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#include <asio/thread_pool.hpp>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "allocations.hpp"

namespace {

using namespace std::chrono_literals;
using settle::timer_done;
using settle::timer_end;
using time_point = std::chrono::steady_clock::time_point;
using ends = std::vector<timer_end>;

constexpr auto for_ever = std::chrono::hours(24);

using io_executor = asio::io_context::executor_type;
static_assert(settle::has_timers<io_executor> && settle::has_timers<asio::strand<io_executor>>);
static_assert(settle::has_timers<asio::any_io_executor> && settle::has_timers<asio::thread_pool::executor_type>);

struct plain_executor {
  static io_executor of(asio::io_context& io) { return io.get_executor(); }
  static constexpr bool waits_in_the_timer = true;
};
struct strand_executor {
  static asio::strand<io_executor> of(asio::io_context& io) { return asio::make_strand(io); }
  static constexpr bool waits_in_the_timer = false;
};
struct erased_executor {
  static asio::any_io_executor of(asio::io_context& io) { return io.get_executor(); }
  static constexpr bool waits_in_the_timer = true;
};
struct erased_strand {
  static asio::any_io_executor of(asio::io_context& io) { return asio::make_strand(io); }
  static constexpr bool waits_in_the_timer = true;
};

template <class Kind>
class asio_timers : public testing::Test {
 public:
  using executor = decltype(Kind::of(std::declval<asio::io_context&>()));
  using service = settle::asio_timers<executor>;
  static_assert(settle::timer_service<service>);

  struct watched {
    typename service::timer timer;
    ends seen{};

    explicit watched(service s) : timer(s) {}
    void over(timer_end how) noexcept { seen.push_back(how); }
    bool start(time_point when) { return timer.start(when, timer_done::to<&watched::over>(*this)); }
  };

  service timers() { return settle::timers_of(Kind::of(*io)); }
  void run() {
    io->restart();
    io->run();
  }

  std::optional<asio::io_context> io{std::in_place};
};
using kinds = testing::Types<plain_executor, strand_executor, erased_executor, erased_strand>;
TYPED_TEST_SUITE(asio_timers, kinds);

TYPED_TEST(asio_timers, a_context_that_is_destroyed_loses_each_once) {
  std::vector<std::unique_ptr<typename TestFixture::watched>> all;
  for (int i = 0; i != 20; ++i) {
    all.push_back(std::make_unique<typename TestFixture::watched>(this->timers()));
    ASSERT_TRUE(all.back()->start(this->timers().now() + (i % 2 == 0 ? for_ever : 0h)));
    if (i % 4 == 0) all.back()->timer.stop();
  }
  struct self_destroying {
    std::optional<typename TestFixture::watched> timer;
    int calls = 0;
    void over(timer_end how) noexcept {
      EXPECT_EQ(how, timer_end::lost);
      ++calls;
      timer.reset();
    }
  } own;
  own.timer.emplace(this->timers());
  ASSERT_TRUE(own.timer->timer.start(this->timers().now() + for_ever, timer_done::to<&self_destroying::over>(own)));
  this->io.reset();
  EXPECT_EQ(own.calls, 1);
  for (auto& t : all) {
    EXPECT_EQ(t->seen, ends{timer_end::lost});
    t->timer.stop();  // nobody is there any more
  }
}

TYPED_TEST(asio_timers, starting_allocates_nothing_where_the_timer_has_room) {
  {
    typename TestFixture::watched first(this->timers());  // what the context makes for its own, and keeps
    ASSERT_TRUE(first.start(this->timers().now()));
    this->run();
  }
  typename TestFixture::watched t(this->timers());
  t.seen.reserve(1);
  time_point const when = this->timers().now();
  test::allocation_count const count;
  ASSERT_TRUE(t.start(when));
  EXPECT_EQ(count.now(), TypeParam::waits_in_the_timer ? 0U : 1U);
  this->run();
  EXPECT_EQ(t.seen, ends{timer_end::fired});
}

TEST(asio_timers_of_a_pool, end_once_each_whichever_thread_runs_them) {
  asio::thread_pool pool(3);
  auto const ex = pool.get_executor();
  std::atomic<int> done = 0;
  for (int i = 0; i != 2'000; ++i) {
    auto h = settle::sleep(ex, std::chrono::microseconds(i % 50));
    h.on_released([&] { ++done; });
    if (i % 3 == 0) h.cancel();
    else if (i % 3 == 1) std::move(h).detach();
  }
  while (done != 2'000) std::this_thread::yield();
  pool.join();
  EXPECT_EQ(done, 2'000);
}

}  // namespace
