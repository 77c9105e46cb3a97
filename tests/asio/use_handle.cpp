// SPDX-License-Identifier: BSL-1.0
// use_handle: what an operation of Asio's yields as a handle, how it is stopped, and what becomes of it on every path.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <gtest/gtest.h>

#include <array>
#include <asio/awaitable.hpp>
#include <asio/bind_allocator.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/experimental/channel.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>
#include <asio/thread_pool.hpp>
#include <asio/write.hpp>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "allocations.hpp"
#include "probe.hpp"

namespace {

using namespace std::chrono_literals;
using asio::cancellation_type;
using asio::ip::tcp;
using settle::cause;
using settle::handle_of;
using settle::use_handle;
using test::probe;

constexpr auto for_ever = 24h;
std::error_code const aborted = asio::error::operation_aborted;
std::error_code const eof = asio::error::eof;

/// Takes the outcome of a handle whose user code runs on `io`.
template <class T, class E>
settle::outcome<T, E> outcome_of(asio::io_context& io, handle_of<T, E>&& h) {
  io.restart();
  io.run();
  EXPECT_TRUE(h.is_released());
  return std::move(h).wait();
}

// -- what it yields ---------------------------------------------------------------------------------------------------

/// Starts an operation of this signature, ends it so, and takes the outcome.
template <class Handle, class... A>
auto yields(A... with) {
  asio::io_context io;
  probe<A...> p(io.get_executor());
  static_assert(std::is_same_v<decltype(p.start(use_handle)), Handle>);
  auto h = p.start(use_handle);
  EXPECT_FALSE(h.is_settled());
  p.end(std::move(with)...);
  return outcome_of(io, std::move(h));
}

TEST(use_handle, nothing_a_value_or_a_tuple) {
  EXPECT_TRUE(yields<handle_of<void>>().has_value());
  EXPECT_EQ(yields<handle_of<int>>(7).value(), 7);
  EXPECT_EQ((yields<handle_of<std::tuple<int, std::string>>>(7, std::string("seven")).value()), std::tuple(7, "seven"));
  EXPECT_EQ(*(yields<handle_of<std::unique_ptr<int>>>(std::make_unique<int>(7)).value()), 7);
}

TEST(use_handle, an_error_code_goes_first) {
  EXPECT_TRUE(yields<handle_of<void>>(std::error_code()).has_value());
  EXPECT_EQ(yields<handle_of<int>>(std::error_code(), 7).value(), 7);
  EXPECT_EQ((yields<handle_of<std::tuple<int, char>>>(std::error_code(), 7, 'x').value()), std::tuple(7, 'x'));
  EXPECT_EQ(yields<handle_of<void>>(eof).error(), asio::error::eof);
  EXPECT_EQ(yields<handle_of<int>>(eof, 7).error(), asio::error::eof);
  EXPECT_EQ((yields<handle_of<std::tuple<int, char>>>(eof, 7, 'x').error()), asio::error::eof);
}

TEST(use_handle, or_an_exception) {
  std::exception_ptr const none;
  auto const some = std::make_exception_ptr(std::runtime_error("some"));
  EXPECT_TRUE(yields<handle_of<void>>(none).has_value());
  EXPECT_EQ(yields<handle_of<int>>(none, 7).value(), 7);
  EXPECT_EQ((yields<handle_of<std::tuple<int, char>>>(none, 7, 'x').value()), std::tuple(7, 'x'));
  EXPECT_EQ(yields<handle_of<void>>(some).error().exception(), some);
  EXPECT_THROW(yields<handle_of<int>>(some, 7).value(), std::runtime_error);
}

TEST(use_handle, what_was_stopped_by_others_failed) {
  EXPECT_EQ(yields<handle_of<void>>(aborted).error(), asio::error::operation_aborted);
  EXPECT_EQ(yields<handle_of<void>>(std::make_exception_ptr(std::system_error(aborted))).error().code(), aborted);
}

TEST(use_handle, with_an_error_type_of_ones_own) {
  asio::io_context io;
  probe<std::error_code, int> p(io.get_executor());
  handle_of<int, std::error_code> h = p.start(settle::use_handle_t<std::error_code>());
  p.end(eof, 0);
  EXPECT_EQ(outcome_of(io, std::move(h)).error(), eof);

  probe<std::exception_ptr> q(io.get_executor());
  handle_of<void, std::error_code> g = q.start(settle::use_handle_t<std::error_code>());
  q.end(std::make_exception_ptr(std::system_error(eof)));
  EXPECT_EQ(outcome_of(io, std::move(g)).error(), eof);
}

struct throws_when_moved {
  int left = 0;
  explicit throws_when_moved(int n) : left(n) {}
  throws_when_moved(throws_when_moved&& o) : left(o.left - 1) {
    if (left < 0) throw std::runtime_error("moved");
  }
};

TEST(use_handle, a_value_whose_move_throws_fails_it) {
  for (int n = 0; n != 8; ++n) {
    asio::io_context io;
    auto h = asio::async_initiate<settle::use_handle_t<> const, void(throws_when_moved&)>(
        [&io, n](auto handler) {
          asio::post(io, [handler = std::move(handler), n]() mutable {
            throws_when_moved v(n);
            std::move(handler)(std::move(v));
          });
        },
        use_handle);
    static_assert(std::is_same_v<decltype(h), handle_of<throws_when_moved>>);
    io.run();
    ASSERT_TRUE(h.is_released());
    auto w = std::move(h).share();
    if (n == 0) {
      EXPECT_TRUE(w.peek()->has_error());
    }
    if (n == 7) {
      EXPECT_TRUE(w.peek()->has_value());
    }
  }
}

// -- how it is stopped ------------------------------------------------------------------------------------------------

TEST(use_handle, each_way_to_cancel_emits_once_and_waits_for_the_handler) {
  for (int way = 0; way != 3; ++way) {
    SCOPED_TRACE(way);
    asio::io_context io;
    probe<std::error_code, int> p(io.get_executor());
    auto h = p.start(use_handle);
    settle::operation const op = h;
    auto w = h.watch();
    if (way == 0) op.cancel(cause::shutdown);
    if (way == 1) op.request_cancel(cause::shutdown);
    if (way == 2) h = {};
    op.request_cancel(cause::overload);
    EXPECT_TRUE(p.asked.empty()) << "on the operation's executor only";
    io.run();
    EXPECT_EQ(p.asked, std::vector{cancellation_type::terminal});
    op.cancel(cause::overload);
    io.restart();
    io.run();
    EXPECT_EQ(p.asked.size(), 1U);
    EXPECT_FALSE(op.is_released()) << "the handler is still out";
    p.end(aborted, 0);
    io.restart();
    io.run();
    ASSERT_TRUE(op.is_released());
    ASSERT_TRUE(w.peek()->is_cancelled());
    if (way == 0 || way == 2) {
      EXPECT_EQ(w.peek()->cancel().why, way == 0 ? cause::shutdown : cause::overload);
    }
  }
}

TEST(use_handle, a_request_is_acknowledged_with_its_cause_or_loses) {
  asio::io_context io;
  probe<std::error_code, int> acknowledges(io.get_executor());
  probe<std::error_code, int> completes(io.get_executor());
  probe<std::error_code, int> fails(io.get_executor());
  probe<std::exception_ptr, int> throws(io.get_executor());
  auto a = acknowledges.start(use_handle);
  auto b = completes.start(use_handle);
  auto c = fails.start(use_handle);
  auto d = throws.start(use_handle);
  std::array<settle::operation, 4> const all{a, b, c, d};
  for (settle::operation const& op : all) op.request_cancel(cause::deadline);
  acknowledges.end(aborted, 0);
  completes.end({}, 7);
  fails.end(eof, 0);
  throws.end(std::make_exception_ptr(std::system_error(aborted)), 0);
  EXPECT_TRUE(outcome_of(io, std::move(a)).timed_out());
  EXPECT_EQ(outcome_of(io, std::move(b)).value(), 7);
  EXPECT_EQ(outcome_of(io, std::move(c)).error(), asio::error::eof);
  EXPECT_EQ(outcome_of(io, std::move(d)).cancel().why, cause::deadline);
  EXPECT_TRUE(acknowledges.asked.empty()) << "the handler had run before its turn came";
}

TEST(use_handle, the_token_says_how) {
  for (auto const type : {cancellation_type::terminal, cancellation_type::partial, cancellation_type::total}) {
    asio::io_context io;
    settle::resolver_of<void> parent;
    probe<std::error_code> p(io.get_executor());
    probe<std::error_code> q(io.get_executor());
    auto h = p.start(use_handle(type));
    auto g = q.start(use_handle(parent.op())(type));
    h.request_cancel();
    parent.op().request_cancel();
    io.run();
    EXPECT_EQ(p.asked, std::vector{type});
    EXPECT_EQ(q.asked, std::vector{type});
    p.end(aborted);
    q.end(aborted);
    EXPECT_EQ(outcome_of(io, std::move(h)).cancel().why, cause::requested);
    EXPECT_EQ(outcome_of(io, std::move(g)).cancel().why, cause::parent);
  }
}

TEST(use_handle, below_an_operation_from_the_start) {
  asio::io_context io;
  settle::resolver_of<void> parent;
  auto const owner = parent.get_handle();
  probe<std::error_code> p(io.get_executor());
  settle::operation const child = p.start(use_handle(parent.op())).detach();
  parent.complete();
  EXPECT_FALSE(owner.is_released()) << "not before its child";
  io.run();
  EXPECT_EQ(p.asked.size(), 1U);
  p.end(aborted);
  io.restart();
  io.run();
  EXPECT_TRUE(child.is_released());
  EXPECT_TRUE(owner.is_released());
}

TEST(use_handle, asked_before_it_is_emitted_right_after_initiation) {
  asio::io_context io;
  settle::resolver_of<void> parent;
  parent.op().request_cancel(cause::shutdown);
  probe<std::error_code> p(io.get_executor());
  asio::post(io, [&] {
    auto h = p.start(use_handle(parent.op()));
    EXPECT_TRUE(h.cancel_requested());
    std::move(h).detach();
  });
  io.run();
  EXPECT_EQ(p.asked.size(), 1U);
  EXPECT_FALSE(p.asked_while_initiating);
  p.end(aborted);
}

// The cancel observer's turn may come while the initiating function is still at it, on this thread or another.
TEST(use_handle, asked_during_initiation_it_is_emitted_after_it) {
  for (bool const forced : {false, true}) {
    asio::io_context io;
    settle::resolver_of<void> parent;
    probe<std::error_code> p(io.get_executor());
    p.during = [&] {
      if (forced) parent.op().cancel();
      else parent.op().request_cancel();
      std::jthread([&] { io.run(); }).join();
    };
    auto h = p.start(use_handle(parent.op()));
    EXPECT_FALSE(p.asked_while_initiating);
    EXPECT_TRUE(p.asked.empty()) << "this is not the executor";
    io.restart();
    io.run();
    EXPECT_EQ(p.asked.size(), 1U);
    EXPECT_EQ(h.is_settled(), forced);
    p.end(aborted);
    EXPECT_TRUE(outcome_of(io, std::move(h)).is_cancelled());
  }
}

TEST(use_handle, ended_during_initiation_nothing_is_emitted) {
  asio::io_context io;
  settle::resolver_of<void> parent;
  probe<std::error_code> p(io.get_executor());
  p.during = [&] {
    parent.op().cancel();
    std::jthread([&] {
      io.run();
      p.end(aborted);
    }).join();
  };
  auto h = p.start(use_handle(parent.op()));
  EXPECT_TRUE(outcome_of(io, std::move(h)).is_cancelled());
  EXPECT_TRUE(p.asked.empty());
}

TEST(use_handle, a_handler_that_runs_inside_the_emission) {
  asio::io_context io;
  auto h = asio::async_initiate<settle::use_handle_t<> const, void(std::error_code)>(
      [](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        asio::get_associated_cancellation_slot(*shared).assign([shared](cancellation_type) { std::move (*shared)(aborted); });
      },
      use_handle);
  h.request_cancel(cause::overload);
  EXPECT_EQ(std::move(h).wait().cancel().why, cause::overload);
}

TEST(use_handle, a_buffer_stays_until_the_handler_has_run) {
  asio::io_context io;
  probe<std::error_code> p(io.get_executor());
  bool given_back = false;
  auto h = p.start(use_handle);
  h.on_cleanup([&] { given_back = true; });
  h.cancel();
  io.run();
  EXPECT_FALSE(given_back);
  p.end({});
  io.restart();
  io.run();
  EXPECT_TRUE(given_back);
}

TEST(use_handle, a_channel_says_stopped_in_words_of_its_own) {
  asio::io_context io;
  asio::experimental::channel<void(std::error_code, int)> c(io, 1);
  auto got = c.async_receive(use_handle);
  auto sent = c.async_send(std::error_code(), 7, use_handle);
  EXPECT_EQ(outcome_of(io, std::move(got)).value(), 7);
  EXPECT_TRUE(outcome_of(io, std::move(sent)).has_value());
  auto stopped = c.async_receive(use_handle);
  stopped.request_cancel(cause::sibling);
  EXPECT_EQ(outcome_of(io, std::move(stopped)).cancel().why, cause::sibling);
  auto closed = c.async_receive(use_handle);
  c.close();
  EXPECT_EQ(outcome_of(io, std::move(closed)).error(), asio::experimental::error::channel_closed);
}

// -- what is bound to the token -----------------------------------------------------------------------------------------

template <class T>
struct counting_allocator {
  using value_type = T;
  int* count;
  explicit counting_allocator(int& n) : count(&n) {}
  template <class U>
  counting_allocator(counting_allocator<U> const& o) : count(o.count) {}
  T* allocate(std::size_t n) const {
    ++*count;
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, std::size_t n) const {
    --*count;
    std::allocator<T>().deallocate(p, n);
  }
  bool operator==(counting_allocator const&) const = default;
};

TEST(use_handle, a_bound_executor_runs_its_user_code) {
  asio::io_context io;
  asio::io_context other;
  asio::steady_timer t(io, 0ms);
  auto h = t.async_wait(asio::bind_executor(other.get_executor(), use_handle));
  int ran = 0;
  h.on_done([&] {
    ++ran;
    EXPECT_TRUE(other.get_executor().running_in_this_thread());
  });
  io.run();
  EXPECT_FALSE(h.is_settled());
  other.run();
  EXPECT_TRUE(h.is_released());
  EXPECT_EQ(ran, 1);
}

TEST(use_handle, a_bound_allocator_serves_the_operation) {
  asio::io_context io;
  asio::steady_timer t(io, 0ms);
  int live = 0;
  auto h = t.async_wait(asio::bind_allocator(counting_allocator<char>(live), use_handle));
  EXPECT_GT(live, 0);
  EXPECT_TRUE(outcome_of(io, std::move(h)).has_value());
  EXPECT_EQ(live, 0);
}

TEST(use_handle, a_bound_slot_asks_whatever_else_is_bound) {
  for (int order = 0; order != 3; ++order) {
    SCOPED_TRACE(order);
    asio::io_context io;
    probe<std::error_code> p(io.get_executor());
    asio::cancellation_signal stop;
    int live = 0;
    counting_allocator<char> const a(live);
    auto const ex = io.get_executor();
    handle_of<void> h =
        order == 0   ? p.start(asio::bind_cancellation_slot(stop.slot(), use_handle))
        : order == 1 ? p.start(asio::bind_cancellation_slot(stop.slot(), asio::bind_executor(ex, use_handle)))
                     : p.start(asio::bind_allocator(a, asio::bind_executor(ex, asio::bind_cancellation_slot(stop.slot(), use_handle))));
    stop.emit(cancellation_type::partial);
    EXPECT_TRUE(h.cancel_requested());
    io.run();
    EXPECT_EQ(p.asked, std::vector{cancellation_type::partial});
    p.end(aborted);
    EXPECT_EQ(outcome_of(io, std::move(h)).cancel().why, cause::requested);
    stop.emit(cancellation_type::terminal);  // nobody is there any more
  }
}

TEST(use_handle, a_bound_slot_that_belongs_to_nobody) {
  asio::io_context io;
  probe<std::error_code> p(io.get_executor());
  auto h = p.start(asio::bind_cancellation_slot(asio::cancellation_slot(), use_handle));
  p.end({});
  EXPECT_TRUE(outcome_of(io, std::move(h)).has_value());
}

TEST(use_handle, a_bound_slot_beside_a_forced_cancel) {
  asio::io_context io;
  probe<std::error_code> p(io.get_executor());
  asio::cancellation_signal stop;
  auto h = p.start(asio::bind_cancellation_slot(stop.slot(), use_handle));
  h.cancel();
  p.lose();
  io.run();
  EXPECT_TRUE(h.is_released());
  stop.emit(cancellation_type::total);  // its slot was not cleared: the handler never ran
}

TEST(use_handle, a_bound_slot_is_the_next_operations_when_one_was_cancelled_by_force) {
  asio::io_context io;
  probe<std::error_code> first(io.get_executor());
  probe<std::error_code> second(io.get_executor());
  asio::cancellation_signal stop;
  auto const token = asio::bind_cancellation_slot(stop.slot(), use_handle);
  auto h = first.start(token);
  handle_of<void> again;
  h.on_done([&] { again = second.start(token); });
  h.cancel();
  io.run();
  ASSERT_TRUE(again);
  first.end(aborted);  // it was in flight until now
  io.restart();
  io.run();
  EXPECT_TRUE(h.is_released());
  stop.emit(cancellation_type::terminal);
  EXPECT_TRUE(again.cancel_requested());
  second.end(aborted);
  EXPECT_EQ(outcome_of(io, std::move(again)).cancel().why, cause::requested);
}

// -- every end ------------------------------------------------------------------------------------------------------------

TEST(use_handle, a_handler_that_is_destroyed_abandons) {
  asio::io_context io;
  probe<std::error_code> p(io.get_executor());
  auto h = p.start(use_handle);
  p.lose();
  EXPECT_EQ(outcome_of(io, std::move(h)).cancel().why, cause::abandoned);
  auto asked = p.start(use_handle);
  asked.request_cancel(cause::deadline);
  p.lose();
  EXPECT_EQ(outcome_of(io, std::move(asked)).cancel().why, cause::deadline);
}

TEST(use_handle, an_initiation_that_throws_fails_it) {
  asio::io_context io;
  probe<std::error_code> p(io.get_executor());
  p.during = [&] {
    p.lose();
    throw std::runtime_error("refused");
  };
  auto h = p.start(use_handle);
  EXPECT_THROW(outcome_of(io, std::move(h)).value(), std::runtime_error);
  p.during = [&] { p.lose(); };
  EXPECT_EQ(outcome_of(io, p.start(use_handle)).cancel().why, cause::abandoned);
}

TEST(use_handle, a_context_that_is_destroyed_abandons_what_is_in_flight) {
  for (bool const asked : {false, true}) {
    std::vector<handle_of<void>> timers;
    std::optional<handle_of<std::size_t>> read;
    std::array<char, 8> buffer{};
    int cleaned = 0;
    {
      asio::io_context io;
      asio::steady_timer t(io, for_ever);
      tcp::acceptor in(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
      tcp::socket out(io);
      out.connect(in.local_endpoint());
      for (int i = 0; i != 4; ++i) timers.push_back(t.async_wait(use_handle));
      read = out.async_read_some(asio::buffer(buffer), use_handle);
      read->on_cleanup([&] { ++cleaned; });
      for (auto& h : timers) h.on_cleanup([&] { ++cleaned; });
      if (asked) {
        read->request_cancel();
        for (auto& h : timers) h.request_cancel();
      }
    }
    EXPECT_EQ(cleaned, 5);
    EXPECT_EQ(std::move(*read).wait().cancel().why, cause::abandoned) << "the observer of a request was lost with its executor";
    for (auto& h : timers) EXPECT_EQ(std::move(h).wait().cancel().why, cause::abandoned);
  }
}

TEST(use_handle, an_initiation_without_an_executor_runs_where_its_handler_is_called) {
  std::function<void()> call;
  auto h = asio::async_initiate<settle::use_handle_t<> const, void(int)>(
      [&](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        call = [shared] { std::move (*shared)(7); };
      },
      use_handle);
  int ran = 0;
  h.on_done([&] { ++ran; });
  call();
  EXPECT_EQ(ran, 1);
  EXPECT_EQ(std::move(h).wait().value(), 7);
}

TEST(use_handle, leaves_nothing_allocated) {
  asio::io_context io;
  auto const round = [&io](int how) {
    asio::steady_timer t(io, how == 0 ? std::chrono::nanoseconds(0ns) : std::chrono::nanoseconds(for_ever));
    probe<std::error_code> p(io.get_executor());
    auto h = t.async_wait(use_handle);
    auto g = p.start(use_handle(h));
    if (how == 1) h.cancel();
    if (how == 2) h = {};
    if (how == 3) p.lose();
    if (how == 3) t.cancel();
    io.restart();
    io.run();
    if (how != 3) p.end(aborted);
    io.restart();
    io.run();
  };
  for (int how = 0; how != 4; ++how) round(how);  // what the context keeps for its own
  for (int how = 0; how != 4; ++how) {
    SCOPED_TRACE(how);
    settle::trim();
    std::int64_t const before = test::live_allocations_of_this_thread();
    for (int i = 0; i != 10; ++i) round(how);
    settle::trim();
    EXPECT_EQ(test::live_allocations_of_this_thread(), before);
  }
}

#if defined(SETTLE_TEST_NEW_RUNS_DRY)
TEST(use_handle, without_memory_it_fails_and_nothing_is_started) {
  asio::io_context io;
  int failed = 0;
  for (int n = 1; n != 6; ++n) {
    SCOPED_TRACE(n);
    probe<std::error_code> p(io.get_executor());
    settle::trim();
    std::optional<handle_of<void>> h;
    {
      test::no_memory_after const dry(n);
      h = p.start(use_handle);
    }
    if (p.is_started()) {
      p.end({});
      EXPECT_TRUE(outcome_of(io, std::move(*h)).has_value());
    } else {
      ++failed;
      EXPECT_EQ(outcome_of(io, std::move(*h)).error(), settle::errc::no_memory);
    }
  }
  EXPECT_GE(failed, 1);
  EXPECT_LT(failed, 5);
}
#endif

// -- Asio's own ---------------------------------------------------------------------------------------------------------

TEST(use_handle, sockets_talk) {
  asio::io_context io;
  tcp::acceptor in(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  tcp::socket client(io);
  handle_of<tcp::socket> accepted = in.async_accept(use_handle);
  handle_of<void> connected = client.async_connect(in.local_endpoint(), use_handle);
  ASSERT_TRUE(outcome_of(io, std::move(connected)).has_value());
  tcp::socket server = outcome_of(io, std::move(accepted)).value();

  std::string const said = "hello";
  std::string heard(5, ' ');
  auto read = asio::async_read(server, asio::buffer(heard), use_handle);
  auto written = asio::async_write(client, asio::buffer(said), use_handle);
  EXPECT_EQ(outcome_of(io, std::move(written)).value(), 5U);
  EXPECT_EQ(outcome_of(io, std::move(read)).value(), 5U);
  EXPECT_EQ(heard, said);

  auto more = server.async_read_some(asio::buffer(heard), use_handle);
  client.shutdown(tcp::socket::shutdown_send);
  EXPECT_EQ(outcome_of(io, std::move(more)).error(), asio::error::eof);

  auto late = asio::async_read(client, asio::buffer(heard), use_handle(cancellation_type::partial));
  auto limited = settle::within(std::move(late), 1ms);
  EXPECT_TRUE(outcome_of(io, std::move(limited)).timed_out());
}

handle_of<std::string> resolve_and_ask(asio::any_io_executor ex, unsigned short port) {
  tcp::resolver dns(ex);
  auto const found = co_await dns.async_resolve("127.0.0.1", std::to_string(port), use_handle);
  tcp::socket s(ex);
  co_await s.async_connect(found.begin()->endpoint(), use_handle);
  std::array<char, 3> buffer{};
  std::size_t const n = co_await asio::async_read(s, asio::buffer(buffer), use_handle);
  co_return std::string(buffer.data(), n);
}

TEST(use_handle, a_coroutine_awaits_them) {
  asio::io_context io;
  tcp::acceptor in(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  in.async_accept(use_handle).on_done([](settle::outcome<tcp::socket>&& s) { s.value().send(asio::buffer("yes", 3)); });
  EXPECT_EQ(outcome_of(io, resolve_and_ask(io.get_executor(), in.local_endpoint().port())).value(), "yes");
}

asio::awaitable<int> theirs(asio::steady_timer& t, bool fails) {
  co_await t.async_wait(asio::use_awaitable);
  if (fails) throw std::runtime_error("theirs");
  co_return 7;
}

TEST(use_handle, a_coroutine_of_asios) {
  asio::io_context io;
  asio::steady_timer soon(io, 0ms);
  asio::steady_timer never(io, for_ever);
  handle_of<int> value = asio::co_spawn(io, theirs(soon, false), use_handle);
  handle_of<int> failure = asio::co_spawn(io, theirs(soon, true), use_handle);
  handle_of<int> stopped = asio::co_spawn(io, theirs(never, false), use_handle);
  stopped.request_cancel(cause::shutdown);
  EXPECT_EQ(outcome_of(io, std::move(value)).value(), 7);
  EXPECT_THROW(outcome_of(io, std::move(failure)).value(), std::runtime_error);
  EXPECT_EQ(outcome_of(io, std::move(stopped)).cancel().why, cause::shutdown);
}

// -- many threads -------------------------------------------------------------------------------------------------------

TEST(use_handle, cancelled_from_a_foreign_thread) {
  asio::io_context io;
  std::optional work(asio::make_work_guard(io));
  std::thread loop([&] { io.run(); });
  std::atomic<int> ended = 0;
  int const rounds = 300;
  for (int i = 0; i != rounds; ++i) {
    settle::resolver_of<void> parent;
    asio::post(io, [&io, &ended, below = use_handle(parent.op()), i] {
      auto t = std::make_shared<asio::steady_timer>(io, std::chrono::microseconds(i % 40));
      t->async_wait(below).on_done([t, &ended](settle::outcome<void>&& out) {
        EXPECT_FALSE(out.has_error());
        ++ended;
      });
    });
    if (i % 2 == 0) std::this_thread::yield();
    if (i % 3 == 0) parent.op().cancel();
    else parent.op().request_cancel();
  }
  while (ended != rounds) std::this_thread::yield();
  work.reset();
  loop.join();
}

TEST(use_handle, the_handler_waits_until_another_thread_has_emitted) {
  asio::io_context io;
  probe<std::error_code> p(io.get_executor());
  std::atomic<bool> emitting = false;
  std::atomic<bool> ending = false;
  std::atomic<bool> emitted = false;
  p.when_asked = [&] {
    emitting = true;
    while (!ending) std::this_thread::yield();
    for (int i = 0; i != 100; ++i) std::this_thread::yield();
    emitted = true;
  };
  auto h = p.start(use_handle);
  h.request_cancel();
  std::jthread loop([&] { io.run(); });
  while (!emitting) std::this_thread::yield();
  ending = true;
  p.end(aborted);
  EXPECT_TRUE(emitted);
  loop.join();
  EXPECT_TRUE(outcome_of(io, std::move(h)).is_cancelled());
}

// Several threads run one executor, so the handler may run beside the emission: it waits until that is through.
TEST(use_handle, emission_beside_completion) {
  asio::thread_pool pool(3);
  std::atomic<int> ended = 0;
  int const rounds = 300;
  for (int i = 0; i != rounds; ++i) {
    auto t = std::make_unique<asio::steady_timer>(pool, std::chrono::microseconds(i % 20));
    auto h = t->async_wait(use_handle);
    settle::operation const op = h;
    h.on_cleanup([t = std::move(t)]() mutable { t.reset(); });
    h.on_released([&] { ++ended; });
    if (i % 3 == 0) op.cancel();
    else if (i % 3 == 1) op.request_cancel();
  }
  while (ended != rounds) std::this_thread::yield();
  pool.join();
}

}  // namespace
