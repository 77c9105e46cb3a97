// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_SERVER_CORE_HPP
#define SETTLE_HTTP2_DETAIL_SERVER_CORE_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <asio/execution/outstanding_work.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/prefer.hpp>
#include <asio/steady_timer.hpp>

#include "connection.hpp"

namespace settle::inline v0::http2::detail {

/// The acceptors, the clock and the list of connections of one server. Used on its executor only.
class server_core final : public service {
 public:
  using tcp = asio::ip::tcp;

  server_core(loop_executor ex, options const& o, operation const& parent) : service(ex, o), clock_(ex.any()) {
    if (!prepare()) throw std::bad_alloc();
    auto self = parent ? resolver<server_policy>(parent, ex) : resolver<server_policy>(ex);
    root_ = self.op();
    self_.emplace(std::move(self));
    work_ = asio::prefer(ex.any(), asio::execution::outstanding_work_t::tracked);
  }

  void start() {
    root_.on_cancel([weak = weak_from_this()] {
      if (auto const me = std::static_pointer_cast<server_core>(weak.lock())) me->stop(cause::shutdown);
    });
  }

  std::uint16_t listen(std::string_view address, std::uint16_t port) {
    tcp::endpoint const where(asio::ip::make_address(std::string(address)), port);
    tcp::acceptor a(executor.any());
    a.open(where.protocol());
    a.set_option(tcp::acceptor::reuse_address(true));
    a.bind(where);
    a.listen();
    acceptors_.push_back(std::move(a));
    accept(acceptors_.back());
    return acceptors_.back().local_endpoint().port();
  }

  void stop_accepting() noexcept {
    asio::error_code ignored;
    for (auto& a : acceptors_) a.close(ignored);
  }

  void stop(cause why) noexcept {
    if (std::exchange(stopped, true)) return;
    stop_accepting();
    while (connection* const c = connections_.pop_front()) c->shut(why);
    cancel_clock();
    root_.cancel(why);
    self_.reset();
    if (counts.live.load(std::memory_order_relaxed) == 0) idle();
  }

  operation root() const noexcept { return root_; }

 protected:
  /// Nothing is in hand; when stopped the executor may run out of work.
  void idle() noexcept override {
    if (stopped) work_ = asio::any_io_executor();
  }

 private:
  bool prepare() noexcept { return session::prepare(*this); }
  std::shared_ptr<server_core> shared() { return std::static_pointer_cast<server_core>(shared_from_this()); }

  void accept(tcp::acceptor& a) {
    a.async_accept([me = shared(), &a](asio::error_code ec, tcp::socket s) { me->accepted(a, ec, std::move(s)); });
  }

  void accepted(tcp::acceptor& a, asio::error_code ec, tcp::socket s) {
    if (stopped || !a.is_open()) return;
    if (!ec) {
      try {
        admit(std::move(s));
      } catch (std::bad_alloc const&) {  // this connection is closed; the server goes on
      }
      return accept(a);
    }
    if (ec == asio::error::connection_aborted || ec == asio::error::interrupted) return accept(a);
    // Out of descriptors or memory: whoever waits in the backlog is served when some have been given back.
    auto pause = std::make_shared<asio::steady_timer>(executor.any(), back_off);
    pause->async_wait([me = shared(), pause, &a](asio::error_code) {
      if (!me->stopped && a.is_open()) me->accept(a);
    });
  }

  void admit(tcp::socket s) {
    now = std::chrono::steady_clock::now();
    auto const c = std::make_shared<connection>(shared(), std::move(s), resolver<server_policy>(root_, executor));
    connections_.push_back(*c);
    c->start();
    if (!ticking_) tick_later();
  }

  /// One coarse timer for every limit of every connection, asleep when there is none.
  void tick_later() {
    ticking_ = true;
    clock_.expires_after(period());
    clock_.async_wait([me = shared()](asio::error_code ec) {
      me->ticking_ = false;
      if (!ec && !me->stopped) me->tick();
    });
  }
  void tick() {
    now = std::chrono::steady_clock::now();
    sweep();
    if (!connections_.empty() && !stopped) tick_later();
  }

  /// What a tick cancels runs user code, which may end any connection: each is visited once through a second list.
  void sweep() noexcept {
    intrusive_list<connection, by_server> seen;
    while (connection* const c = connections_.pop_front()) {
      seen.push_back(*c);
      c->tick();
    }
    while (connection* const c = seen.pop_front()) {
      if (stopped) c->shut(cause::shutdown);
      else connections_.push_back(*c);
    }
  }

  std::chrono::milliseconds period() const noexcept {
    auto const least = std::min({limits.header, limits.idle, limits.write_stall}) / 4;
    return std::clamp(least, std::chrono::milliseconds(10), std::chrono::milliseconds(1000));
  }
  void cancel_clock() noexcept {
    try {
      clock_.cancel();
    } catch (...) {
    }
  }

  static constexpr std::chrono::milliseconds back_off{100};

  std::list<tcp::acceptor> acceptors_;  // stable addresses: each is named by its pending accept
  intrusive_list<connection, by_server> connections_;
  asio::steady_timer clock_;
  asio::any_io_executor work_;
  std::optional<resolver<server_policy>> self_;
  operation root_;
  bool ticking_ = false;
};

}  // namespace settle::inline v0::http2::detail

#endif
