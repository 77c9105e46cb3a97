// SPDX-License-Identifier: BSL-1.0
// A pool of connections: bounded, with a queue of waiters, and a place for connections that come too late.
#include <settle/asio/asio.hpp>
#include <settle/settle.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;
using settle::handle_of, settle::use_handle;

class pool {  // one io_context thread: the pool's, its users' as well
  struct seat {
    std::size_t* n;
    explicit seat(std::size_t& c) : n(&++c) {}
    seat(seat&& o) noexcept : n(std::exchange(o.n, nullptr)) {}
    ~seat() {
      if (n != nullptr) --*n;
    }
  };
  struct conn {
    tcp::socket s;
    seat place;
    conn(tcp::socket so, seat p) : s(std::move(so)), place(std::move(p)) {}
  };

 public:
  class lease {  // the destructor is the disposer: taken, untaken or late, it comes home
   public:
    lease(pool* p, std::unique_ptr<conn> c) : pool_(p), conn_(std::move(c)) {}
    lease(lease&&) noexcept = default;
    ~lease() {
      if (conn_) pool_->give(std::move(conn_));
    }

   private:
    friend pool;
    pool* pool_;
    std::unique_ptr<conn> conn_;
  };
  using turn = settle::resolver_of<lease, settle::error, asio::any_io_executor>;
  struct waiter {
    std::size_t number;
    turn place;
  };

  pool(asio::any_io_executor ex, tcp::endpoint where, std::size_t max) : ex_(std::move(ex)), where_(std::move(where)), max_(max) {}

  handle_of<lease> acquire(settle::operation who) {
    if (!idle_.empty()) {
      lease l(this, std::move(idle_.back()));
      idle_.pop_back();
      return settle::ready(std::move(l));
    }
    if (open_ < max_) return settle::within(dial(ex_, this, seat(open_)), 1s);  // comes too late: nobody takes it, ~lease, the idle list
    turn t(std::move(who), ex_);  // a child of the caller: its cancel takes us out of the queue
    auto h = t.get_handle();
    auto const number = ++asked_;  // no iterator: its turn may have come between the request and this
    t.on_cancel([this, number] { std::erase_if(waiting_, [=](waiter const& w) { return w.number == number; }); });
    waiting_.push_back({number, std::move(t)});
    return h;
  }
  void give(std::unique_ptr<conn> c) noexcept {
    lease l(this, std::move(c));
    while (!waiting_.empty()) {
      turn t = std::move(waiting_.front().place);
      waiting_.pop_front();
      if (t.complete(std::move(l))) return;  // false: cancelled meanwhile, l is untouched, the next one gets it
    }
    idle_.push_back(std::move(l.conn_));
  }
  void report() const { std::printf("open %zu, idle %zu, waiting %zu\n", open_, idle_.size(), waiting_.size()); }

 private:
  static handle_of<lease> dial(asio::any_io_executor ex, pool* self, seat place) {  // given an executor first: hot
    tcp::socket s(ex);
    co_await s.async_connect(self->where_, use_handle);  // fails: the seat is free again
    auto made = std::make_unique<conn>(std::move(s), std::move(place));
    co_return lease(self, std::move(made));
  }

  asio::any_io_executor ex_;
  tcp::endpoint where_;
  std::size_t open_ = 0;
  std::size_t max_;
  std::size_t asked_ = 0;
  std::deque<waiter> waiting_;
  std::vector<std::unique_ptr<conn>> idle_;
};

handle_of<void> user(asio::any_io_executor, pool& p, settle::watcher_of<void> work, int& served) {
  settle::operation const self = co_await settle::this_operation;
  pool::lease const mine = co_await p.acquire(self);
  co_await work;
  ++served;
}

handle_of<void> impatient(asio::any_io_executor, pool& p) {
  settle::operation const self = co_await settle::this_operation;
  auto const got = co_await settle::within(p.acquire(self), 2ms).as_outcome();
  std::puts(got.timed_out() ? "one gave up waiting" : "one was served at once");
}

// Whoever asked is gone when the connection arrives: nobody takes it, and it comes home.
handle_of<void> too_late(asio::any_io_executor, pool& p) {
  settle::operation const self = co_await settle::this_operation;
  settle::operation const dialling = p.acquire(self).detach();
  co_await dialling.released();
  p.report();
}

handle_of<void> everybody(asio::any_io_executor ex, pool& p) {
  co_await too_late(ex, p);
  int served = 0;
  settle::resolver_of<void, settle::error, asio::any_io_executor> work(ex);
  settle::watcher_of<void> const done = work.get_handle().share();
  std::vector<handle_of<void>> users;
  for (int i = 0; i != 6; ++i) users.push_back(user(ex, p, done, served));
  co_await impatient(ex, p);
  p.report();
  users.front().request_cancel();  // in the middle of its work: the connection comes home
  work.complete();
  co_await settle::all_settled(std::move(users));
  std::printf("served: %d\n", served);
  p.report();
}

}  // namespace

int main() {
  asio::io_context io;
  tcp::acceptor in(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));  // its queue is enough of a server
  pool p(io.get_executor(), in.local_endpoint(), 2);
  auto all = everybody(io.get_executor(), p);
  io.run();
}
