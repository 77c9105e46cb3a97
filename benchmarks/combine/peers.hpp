// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_COMBINE_PEERS_HPP
#define SETTLE_BENCHMARKS_COMBINE_PEERS_HPP

#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "core/peers.hpp"
#include "workloads.hpp"

#if defined(SETTLE_BENCH_ASIO)
#include <asio/associated_cancellation_slot.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/experimental/parallel_group.hpp>
#include <asio/io_context.hpp>
#endif

// What people use instead.
namespace bench {

/// std::shared_ptr and std::function, by hand.
inline void by_hand_chain(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    auto const first = std::make_shared<by_hand>();
    std::shared_ptr<by_hand> last = first;
    for (std::size_t i = 0; i != links; ++i) {
      auto after = std::make_shared<by_hand>();
      last->then([after](int v) { after->complete(v + 1); });
      last = std::move(after);
    }
    last->then([&total](int v) { total += v; });
    last.reset();
    first->complete(42);
    first->callback = nullptr;
  }
}
inline void by_hand_all(std::size_t n) {
  struct collected {
    std::atomic<std::size_t> missing{inputs};
    std::array<int, inputs> values;
  };
  long& total = sum;
  std::vector<std::shared_ptr<by_hand>> producers;
  producers.reserve(inputs);
  for (; n != 0; --n) {
    auto const g = std::make_shared<collected>();
    for (std::size_t i = 0; i != inputs; ++i) {
      producers.push_back(std::make_shared<by_hand>());
      producers.back()->then([g, i, &total](int v) {
        g->values[i] = v;
        if (g->missing.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        for (int const each : g->values) total += each;
      });
    }
    escape(producers);
    for (auto& p : producers) p->complete(42);
    producers.clear();
  }
}

/// Waiting for what is there already.
inline void std_promise_all(std::size_t n) {
  std::vector<std::promise<int>> producers;
  std::vector<std::future<int>> consumers;
  producers.reserve(inputs);
  consumers.reserve(inputs);
  for (; n != 0; --n) {
    for (std::size_t i = 0; i != inputs; ++i) consumers.push_back(producers.emplace_back().get_future());
    escape(producers);
    for (auto& p : producers) p.set_value(42);
    for (auto& f : consumers) sum += f.get();
    producers.clear();
    consumers.clear();
  }
}

/// A stop source with a callback for each operation.
struct stop_tree {
  struct count {
    void operator()() const noexcept { ++cleaned; }
  };
  std::stop_source root;
  std::vector<std::unique_ptr<std::stop_callback<count>>> children;

  stop_tree() {
    children.reserve(members);
    for (std::size_t i = 0; i != members; ++i) children.push_back(std::make_unique<std::stop_callback<count>>(root.get_token(), count()));
  }
};
inline double std_stop_cancel() {
  stop_tree tree;
  escape(tree);
  thread_stopwatch const watch;
  tree.root.request_stop();
  return watch.seconds();
}
inline void std_stop_whole_tree(std::size_t n) {
  for (; n != 0; --n) {
    stop_tree tree;
    escape(tree);
    tree.root.request_stop();
  }
}

#if defined(SETTLE_BENCH_BOOST_THREAD)
inline void boost_chain(std::size_t n) {
  for (; n != 0; --n) {
    boost::promise<int> p;
    boost::future<int> f = p.get_future();
    for (std::size_t i = 0; i != links; ++i) f = f.then(boost::launch::sync, [](boost::future<int> done) { return done.get() + 1; });
    escape(p);
    p.set_value(42);
    sum += f.get();
  }
}
#endif

#if defined(SETTLE_BENCH_ASIO)

/// A coroutine of Asio's awaits the one before.
inline asio::awaitable<int> asio_awaiting(std::size_t n) {
  if (n == 0) co_return 42;
  int const v = co_await asio_awaiting(n - 1);
  co_return v + 1;
}
inline void asio_coroutines(std::size_t n) {
  static asio::io_context loop(1);
  long& total = sum;
  for (; n != 0; --n) {
    asio::co_spawn(loop, asio_awaiting(links), [&total](std::exception_ptr, int v) { total += v; });
    loop.run();
    loop.restart();
  }
}

/// An asynchronous operation that somebody completes by hand, or that is cancelled by its slot.
class asio_operation {
 public:
  template <class Token>
  auto async_wait(Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, int)>(
        [this](auto handler) {
          auto slot = asio::get_associated_cancellation_slot(handler);
          using handler_type = decltype(handler);
          handler_ = std::make_unique<kept<handler_type>>(std::move(handler));
          if (slot.is_connected()) slot.assign([this](asio::cancellation_type) { complete(asio::error::operation_aborted, 0); });
        },
        token);
  }
  void complete(std::error_code e, int v) {
    if (auto const h = std::move(handler_)) h->call(e, v);
  }

 private:
  struct any {
    virtual ~any() = default;
    virtual void call(std::error_code e, int v) = 0;
  };
  template <class H>
  struct kept final : any {
    explicit kept(H&& h) : handler(std::move(h)) {}
    void call(std::error_code e, int v) override { std::move(handler)(e, v); }
    H handler;
  };
  std::unique_ptr<any> handler_;
};

template <class Condition, std::size_t... I, class Done>
void asio_group(std::array<asio_operation, sizeof...(I)>& operations, std::index_sequence<I...>, Condition condition, Done done) {
  asio::experimental::make_parallel_group([&operations](auto token) { return operations[I].async_wait(std::move(token)); }...)
      .async_wait(condition, std::move(done));
}
inline void asio_race(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    std::array<asio_operation, racers> operations;
    asio_group(operations, std::make_index_sequence<racers>(), asio::experimental::wait_for_one(),
               [&total](auto const& order, auto const&...) { total += 42 + static_cast<long>(order[0]); });
    escape(operations);
    operations[3].complete({}, 42);
  }
}
inline void asio_all_of_ten(std::size_t n) {
  long& total = sum;
  for (; n != 0; --n) {
    std::array<asio_operation, racers> operations;
    asio_group(operations, std::make_index_sequence<racers>(), asio::experimental::wait_for_all(),
               [&total](auto const& order, auto const&...) { total += 42 + static_cast<long>(order[0]); });
    escape(operations);
    for (auto& op : operations) op.complete({}, 42);
  }
}

/// A signal for each operation, emitted one by one: a signal of Asio's has one slot.
struct asio_tree {
  std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
  std::vector<asio_operation> children{members};

  asio_tree() {
    signals.reserve(members);
    for (std::size_t i = 0; i != members; ++i) {
      signals.push_back(std::make_unique<asio::cancellation_signal>());
      children[i].async_wait(asio::bind_cancellation_slot(signals.back()->slot(), [](std::error_code, int) { ++cleaned; }));
    }
  }
  void cancel() {
    for (auto& s : signals) s->emit(asio::cancellation_type::terminal);
  }
};
inline double asio_cancel() {
  asio_tree tree;
  escape(tree);
  thread_stopwatch const watch;
  tree.cancel();
  return watch.seconds();
}
inline void asio_whole_tree(std::size_t n) {
  for (; n != 0; --n) {
    asio_tree tree;
    escape(tree);
    tree.cancel();
  }
}

#endif

}  // namespace bench

#endif
