// SPDX-License-Identifier: BSL-1.0
// async_wait and async_get: a handle as an asynchronous operation of Asio's kind.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <asio/awaitable.hpp>
#include <asio/bind_allocator.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/system_executor.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#if __has_include(<asio/deferred.hpp>)
#include <asio/deferred.hpp>
#else
#include <asio/experimental/deferred.hpp>
#endif
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "allocations.hpp"
#include "situations.hpp"

namespace {

using namespace std::chrono_literals;
using namespace test;
using settle::cause;
using settle::handle_of;
using settle::outcome;

#if __has_include(<asio/deferred.hpp>)
using asio::deferred;
#else
using asio::experimental::deferred;
#endif

std::error_code const aborted = asio::error::operation_aborted;

using policy = counted<int>;

/// Ends an operation in each way, before or after `wait(handle)`; then `check(way)`.
template <class Wait, class Check>
void in_each_case(asio::io_context& io, Wait wait, Check check) {
  for (way const how : {way::complete, way::fail, way::cancel, way::request, way::abandon}) {
    for (bool const released : {false, true}) {
      SCOPED_TRACE(way_names[static_cast<int>(how)]);
      SCOPED_TRACE(released);
      subject<policy> s;
      if (released) s.end(how);
      wait(std::move(s.h));
      if (!released) s.end(how);
      io.restart();
      io.run();
      check(how);
      recording_sink::take();
    }
  }
}

void expect(outcome<int> const& out, way how) {
  EXPECT_EQ(out.how().kind, kind_of(how));
  if (out.is_cancelled()) {
    EXPECT_EQ(out.cancel().why, cause_of(how));
  }
}
void expect(std::error_code ec, int value, way how) {
  EXPECT_EQ(value, how == way::complete ? 42 : 0);
  EXPECT_EQ(!ec, how == way::complete);
  if (is_cancelled(how)) {
    EXPECT_EQ(ec, how == way::request ? make_error_code(settle::errc::timed_out) : aborted);
  }
}

TEST(async_wait, calls_a_handler_on_its_executor_with_what_happened) {
  asio::io_context io;
  std::optional<outcome<int>> out;
  in_each_case(
      io,
      [&](auto h) {
        std::move(h).async_wait(asio::bind_executor(io, [&](outcome<int> o) {
          EXPECT_TRUE(io.get_executor().running_in_this_thread());
          out.emplace(std::move(o));
        }));
        EXPECT_FALSE(out) << "never inside the initiating function";
      },
      [&](way how) {
        ASSERT_TRUE(out);
        expect(*out, how);
        out.reset();
      });
}

TEST(async_wait, calls_a_handler_without_one_where_the_operation_runs) {
  asio::io_context io;
  std::optional<outcome<int>> out;
  in_each_case(
      io, [&](auto h) { std::move(h).async_wait([&](outcome<int> o) { out.emplace(std::move(o)); }); },
      [&](way how) {
        ASSERT_TRUE(out);
        expect(*out, how);
        out.reset();
      });

  subject<counted<int, asio::io_context::executor_type>> s(io.get_executor());
  s.end(way::complete);
  int ran = 0;
  std::move(s.h).async_wait([&](outcome<int> const& o) { ran += o.value(); });
  EXPECT_EQ(ran, 0);
  io.restart();
  io.run();
  EXPECT_EQ(ran, 42);
}

TEST(async_wait, use_future) {
  asio::io_context io;
  std::future<outcome<int>> f;
  in_each_case(io, [&](auto h) { f = std::move(h).async_wait(asio::use_future); }, [&](way how) { expect(f.get(), how); });
  std::future<int> g;
  in_each_case(
      io, [&](auto h) { g = std::move(h).async_get(asio::use_future); },
      [&](way how) {
        if (how == way::complete) {
          EXPECT_EQ(g.get(), 42);
        } else {
          EXPECT_THROW(g.get(), std::system_error);
        }
      });
}

TEST(async_get, a_callback_and_deferred) {
  asio::io_context io;
  std::optional<std::pair<std::error_code, int>> got;
  auto const f = [&](std::error_code ec, int value) { got.emplace(ec, value); };
  auto const check = [&](way how) {
    ASSERT_TRUE(got);
    expect(got->first, got->second, how);
    got.reset();
  };
  in_each_case(io, [&](auto h) { std::move(h).async_get(f); }, check);
  in_each_case(io, [&](auto h) { std::move(h).async_get(asio::bind_executor(io, f)); }, check);
  in_each_case(
      io,
      [&](auto h) {
        auto later = std::move(h).async_get(deferred);
        io.poll();
        EXPECT_FALSE(got) << "nobody has begun it";
        std::move(later)(asio::bind_executor(io, f));
      },
      check);
}

TEST(async_wait, deferred) {
  asio::io_context io;
  std::optional<outcome<int>> out;
  in_each_case(
      io,
      [&](auto h) {
        auto later = std::move(h).async_wait(deferred);
        std::move(later)(asio::bind_executor(io, [&](outcome<int> o) { out.emplace(std::move(o)); }));
      },
      [&](way how) { expect(*out, how); });
}

asio::awaitable<void> awaits(settle::handle<policy> h, std::optional<outcome<int>>& out) {
  out.emplace(co_await std::move(h).async_wait(asio::use_awaitable));
}
asio::awaitable<void> gets(settle::handle<policy> h, std::optional<std::error_code>& error, int& value) {
  try {
    value = co_await std::move(h).async_get(asio::use_awaitable);
    error.emplace();
  } catch (std::system_error const& e) {
    value = 0;
    error = e.code();
  }
}

TEST(async_wait, use_awaitable) {
  asio::io_context io;
  std::optional<outcome<int>> out;
  in_each_case(io, [&](auto h) { asio::co_spawn(io, awaits(std::move(h), out), asio::detached); }, [&](way how) { expect(*out, how); });
  std::optional<std::error_code> error;
  int value = 0;
  in_each_case(
      io, [&](auto h) { asio::co_spawn(io, gets(std::move(h), error, value), asio::detached); },
      [&](way how) { expect(error.value(), value, how); });
}

TEST(async_wait, joins) {
  asio::io_context io;
  for (bool const with_executor : {false, true}) {
    subject<policy> s;
    int ran = 0;
    settle::pin unreleased = s.op.pin();
    if (with_executor) std::move(s.h).async_wait(asio::bind_executor(io, [&](outcome<int> const&) { ++ran; }));
    else std::move(s.h).async_wait([&](outcome<int> const&) { ++ran; });
    s.end(way::complete);
    io.restart();
    io.poll();
    EXPECT_EQ(ran, 0) << "settled, not released";
    unreleased.reset();
    io.run();
    EXPECT_EQ(ran, 1);
  }
}

TEST(async_wait, while_the_cleanups_run) {
  asio::io_context io;
  for (bool const with_executor : {false, true}) {
    subject<policy> s;
    trail log;
    s.op.on_cleanup([&] {
      if (with_executor)
        std::move(s.h).async_wait(asio::bind_executor(io, [&](outcome<int> const& o) { log.push_back(o ? "value" : "?"); }));
      else std::move(s.h).async_wait([&](outcome<int> const& o) { log.push_back(o ? "value" : "?"); });
      log.push_back("cleanup");
    });
    s.r.complete(42);
    io.restart();
    io.run();
    EXPECT_EQ(log, (trail{"cleanup", "value"}));
  }
}

TEST(async_wait, is_outstanding_work) {
  asio::io_context io;
  settle::resolver_of<int> r;
  int ran = 0;
  r.get_handle().async_wait(asio::bind_executor(io, [&](outcome<int> const& o) { ran += o.value(); }));
  io.poll();
  EXPECT_FALSE(io.stopped()) << "somebody waits";
  r.complete(42);
  io.run();
  EXPECT_EQ(ran, 42);
  EXPECT_TRUE(io.stopped());
}

TEST(async_wait, a_slot_asks_and_the_completion_says_what_happened) {
  for (auto const type : {asio::cancellation_type::terminal, asio::cancellation_type::partial, asio::cancellation_type::total}) {
    for (bool const with_executor : {false, true}) {
      for (bool const stops : {false, true}) {
        asio::io_context io;
        settle::resolver_of<int> r;
        asio::cancellation_signal stop;
        std::optional<outcome<int>> out;
        auto const f = [&](outcome<int> o) { out.emplace(std::move(o)); };
        if (with_executor) r.get_handle().async_wait(asio::bind_cancellation_slot(stop.slot(), asio::bind_executor(io, f)));
        else r.get_handle().async_wait(asio::bind_cancellation_slot(stop.slot(), f));
        stop.emit(type);
        EXPECT_TRUE(r.op().cancel_requested());
        EXPECT_FALSE(out);
        if (stops) r.cancel();
        else r.complete(7);
        io.run();
        ASSERT_TRUE(out);
        EXPECT_EQ(out->is_cancelled(), stops);
        stop.emit(type);  // nobody is there any more
      }
    }
  }
}

// co_spawn's slot reaches the operation through the coroutine that waits.
TEST(async_wait, a_coroutine_that_is_cancelled_passes_it_on) {
  asio::io_context io;
  asio::cancellation_signal stop;
  std::optional<outcome<int>> out;
  subject<policy> s;
  s.op.on_cancel([&] { s.r.cancel(); });
  asio::co_spawn(io, awaits(std::move(s.h), out), asio::bind_cancellation_slot(stop.slot(), asio::detached));
  asio::post(io, [&] { stop.emit(asio::cancellation_type::terminal); });
  io.run();
  ASSERT_TRUE(out);
  EXPECT_EQ(out->cancel().why, cause::requested);
}

TEST(async_get, nothing_but_an_error_for_void) {
  asio::io_context io;
  std::vector<std::error_code> seen;
  auto f = asio::bind_executor(io, [&](std::error_code ec) { seen.push_back(ec); });
  settle::ready().async_get(f);
  settle::failed(asio::error::eof).async_get(f);
  settle::failed(settle::errc::timed_out).async_get(f);
  settle::failed(std::make_exception_ptr(std::runtime_error("no code"))).async_get(f);
  io.run();
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0], std::error_code());
  EXPECT_EQ(seen[1], asio::error::eof);
  EXPECT_EQ(seen[2], std::errc::timed_out);
  EXPECT_EQ(seen[3], std::errc::state_not_recoverable);
}

TEST(async_get, both_faces_of_a_timeout_are_one) {
  asio::io_context io;
  std::vector<std::error_code> seen;
  auto f = asio::bind_executor(io, [&](std::error_code ec) { seen.push_back(ec); });
  settle::within(settle::sleep(io.get_executor(), 24h), 1ms).async_get(f);
  auto h = settle::sleep(io.get_executor(), 24h);
  h.cancel(cause::deadline);
  std::move(h).async_get(f);
  io.run();
  EXPECT_EQ(seen, std::vector(2, make_error_code(settle::errc::timed_out)));
}

struct own_error {
  int number;
};
struct fails_in_its_own_way : settle::default_policy {
  using value_type = int;
  using error_type = own_error;
  static own_error make_error(settle::errc) noexcept { return {0}; }
  static own_error make_error(settle::cancellation const&) noexcept { return {1}; }
};

TEST(async_get, an_error_without_a_code_is_an_exception) {
  asio::io_context io;  // on this thread: what counts an exception's owners is not instrumented
  settle::resolver<fails_in_its_own_way> r[3];
  std::vector<std::future<int>> f;
  for (auto& x : r) f.push_back(x.get_handle().async_get(asio::bind_executor(io, asio::use_future)));
  r[0].complete(7);
  r[1].fail({8});
  r[2].cancel();
  io.run();
  EXPECT_EQ(f[0].get(), 7);
  try {
    f[1].get();
    ADD_FAILURE();
  } catch (own_error const& e) {
    EXPECT_EQ(e.number, 8);
  }
  EXPECT_THROW(f[2].get(), std::system_error);
}

TEST(async_wait, of_an_empty_handle) {
  asio::io_context io;
  std::vector<outcome<int>> out;
  auto const f = [&](outcome<int> o) { out.push_back(std::move(o)); };
  handle_of<int>().async_wait(f);
  handle_of<int>().async_wait(asio::bind_executor(io, f));
  EXPECT_EQ(out.size(), 1U);
  io.run();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].error(), settle::errc::no_memory);
  EXPECT_EQ(out[1].error(), settle::errc::no_memory);
}

handle_of<int> cold(int& steps) {
  ++steps;
  co_return 7;
}

TEST(async_wait, starts_a_cold_coroutine) {
  asio::io_context io;
  int steps = 0;
  int seen = 0;
  cold(steps).async_wait([&](outcome<int> const& o) { seen += o.value(); });
  EXPECT_EQ(steps, 1);
  cold(steps).async_wait(asio::bind_executor(io, [&](outcome<int> const& o) { seen += o.value(); }));
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(seen, 7);
  io.run();
  EXPECT_EQ(seen, 14);
}

struct move_only_throwing {
  int left;
  explicit move_only_throwing(int n) : left(n) {}
  move_only_throwing(move_only_throwing&& o) : left(o.left - 1) {
    if (left < 0) throw std::runtime_error("moved");
  }
};

TEST(async_wait, a_value_whose_move_throws_is_a_failure) {
  asio::io_context io;
  settle::resolver_of<move_only_throwing> r;
  bool failed = false;
  auto h = r.get_handle();
  r.complete(move_only_throwing(1));
  std::move(h).async_wait(asio::bind_executor(io, [&](outcome<move_only_throwing> const& o) { failed = o.has_error(); }));
  io.run();
  EXPECT_TRUE(failed);
}

// -- contexts that go down, executors that refuse -----------------------------------------------------------------------

TEST(async_wait, a_context_that_is_destroyed_drops_the_handle) {
  for (bool const use_strand : {false, true}) {
    std::vector<std::unique_ptr<subject<policy>>> all;
    auto const witness = std::make_shared<int>(0);
    int ran = 0;
    {
      asio::io_context io;
      asio::any_io_executor ex = io.get_executor();
      if (use_strand) ex = asio::make_strand(io);
      for (int i = 0; i != 6; ++i) {
        all.push_back(std::make_unique<subject<policy>>());
        std::move(all.back()->h).async_wait(asio::bind_executor(ex, [&ran, witness](outcome<int> const&) { ++ran; }));
      }
      all[1]->end(way::complete);  // its handler is queued
      all[4]->end(way::fail);
    }
    EXPECT_EQ(ran, 0);
    EXPECT_EQ(witness.use_count(), 1) << "every handler is destroyed";
    for (int const i : {0, 2, 3, 5}) {
      auto& s = *all[static_cast<std::size_t>(i)];
      EXPECT_TRUE(s.op.cancel_requested()) << "nobody waits any more";
      s.r.complete(7);
      EXPECT_TRUE(s.op.is_released());
    }
    recording_sink::take();
  }
}

TEST(async_wait, a_context_that_is_destroyed_beside_the_release) {
  for (int i = 0; i != 40; ++i) {
    auto io = std::make_unique<asio::io_context>();
    settle::resolver_of<int> r;
    std::atomic<int> ran = 0;
    r.get_handle().async_wait(asio::bind_executor(*io, [&ran](outcome<int> const&) { ++ran; }));
    std::jthread elsewhere([&r] { r.complete(42); });
    if (i % 2 == 0) std::this_thread::yield();
    io.reset();
    elsewhere.join();
    EXPECT_EQ(ran, 0);
  }
}

/// Has no context, and takes nothing.
struct refusing_executor {
  int* asked;
  template <class F>
  void execute(F&&) const {
    ++*asked;
    throw std::runtime_error("refused");
  }
  refusing_executor require(asio::execution::blocking_t::never_t) const noexcept { return *this; }
  bool operator==(refusing_executor const&) const noexcept = default;
};

TEST(async_wait, an_executor_that_refuses_the_completion) {
  int asked = 0;
  auto const witness = std::make_shared<int>(0);
  subject<policy> s;
  std::move(s.h).async_wait(asio::bind_executor(refusing_executor{&asked}, [witness](outcome<int> const&) { ADD_FAILURE(); }));
  s.r.complete(42);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(witness.use_count(), 1);
  auto const reports = recording_sink::take();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].what, settle::monitor_event::executor_lost);
}

template <class T>
struct counting_alloc {
  using value_type = T;
  int* live;
  explicit counting_alloc(int& n) : live(&n) {}
  template <class U>
  counting_alloc(counting_alloc<U> const& o) : live(o.live) {}
  T* allocate(std::size_t n) const {
    ++*live;
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, std::size_t n) const {
    --*live;
    std::allocator<T>().deallocate(p, n);
  }
  bool operator==(counting_alloc const&) const = default;
};

TEST(async_wait, takes_memory_from_the_handlers_allocator) {
  asio::io_context io;
  int live = 0;
  int ran = 0;
  settle::resolver_of<int> r;
  r.get_handle().async_wait(asio::bind_executor(io, asio::bind_allocator(counting_alloc<char>(live), [&](outcome<int> const&) { ++ran; })));
  EXPECT_EQ(live, 1);
  r.complete(42);
  EXPECT_EQ(live, 1) << "the posted call";
  io.run();
  EXPECT_EQ(live, 0);
  EXPECT_EQ(ran, 1);
}

#if defined(SETTLE_TEST_NEW_RUNS_DRY)
TEST(async_wait, without_memory_it_throws_and_drops_the_handle) {
  asio::io_context io;
  for (bool const with_executor : {false, true}) {
    int threw = 0;
    for (int n = 0; n != 3; ++n) {
      settle::resolver_of<int> r;
      auto h = r.get_handle();
      auto const witness = std::make_shared<int>(0);
      auto f = [w = std::shared_ptr<int>(witness)](outcome<int> const&) {};
      settle::trim();
      {
        no_memory_after const dry(n);
        try {
          if (with_executor) std::move(h).async_wait(asio::bind_executor(io, std::move(f)));
          else std::move(h).async_wait(std::move(f));
        } catch (std::bad_alloc const&) {
          ++threw;
          EXPECT_EQ(witness.use_count(), 1) << "the handler is destroyed";
          EXPECT_TRUE(r.op().cancel_requested());
        }
      }
      r.complete(42);
      io.restart();
      io.run();
    }
    EXPECT_EQ(threw, 1);
  }
}
#endif

TEST(async_wait, leaves_nothing_allocated) {
  asio::io_context io;
  auto const round = [&io](bool with_executor) {
    settle::resolver_of<int> r;
    if (with_executor) r.get_handle().async_wait(asio::bind_executor(io, [](outcome<int> const&) {}));
    else r.get_handle().async_wait([](outcome<int> const&) {});
    r.complete(42);
    io.restart();
    io.run();
  };
  for (bool const with_executor : {false, true}) {
    round(with_executor);
    settle::trim();
    std::int64_t const before = live_allocations_of_this_thread();
    for (int i = 0; i != 10; ++i) round(with_executor);
    settle::trim();
    EXPECT_EQ(live_allocations_of_this_thread(), before);
  }
}

TEST(async_wait, settled_from_other_threads) {
  asio::thread_pool pool(2);
  std::atomic<int> sum = 0;
  int const rounds = 300;
  for (int i = 0; i != rounds; ++i) {
    settle::resolver_of<int> r;
    auto h = r.get_handle();
    std::optional<std::jthread> elsewhere;
    if (i % 10 == 0) elsewhere.emplace([r = std::move(r)]() mutable { r.complete(1); });
    else asio::post(pool, [r = std::move(r)]() mutable { r.complete(1); });
    if (i % 3 == 0) std::move(h).async_wait([&](outcome<int> const& o) { sum += o.value(); });
    else std::move(h).async_wait(asio::bind_executor(asio::make_strand(pool), [&](outcome<int> const& o) { sum += o.value(); }));
  }
  pool.join();
  EXPECT_EQ(sum, rounds);
}

}  // namespace
