// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SHUTDOWN_NET_UV_HPP
#define SETTLE_TESTS_SHUTDOWN_NET_UV_HPP

#include <settle/settle.hpp>
#include <settle/uv/uv.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net.hpp"

namespace test {

/// Sockets of loopback on libuv: what the swarm needs of a network, as net_asio.hpp has it on Asio.
class uv_net {
  friend class uv_datagrams;
  template <class T>
  using resolver = settle::resolver_of<T, settle::error, settle::uv::loop_executor>;

  static uv_stream_t* stream(uv_tcp_t& t) { return reinterpret_cast<uv_stream_t*>(&t); }
  static sockaddr_in at_port(std::uint16_t port) {
    sockaddr_in at{};
    uv_ip4_addr("127.0.0.1", port, &at);
    return at;
  }

  /// A socket: the one resource of an operation that lasts as long as it is open.
  template <class Raw, int (*Init)(uv_loop_t*, Raw*)>
  struct socket {
    settle::uv::loop_executor ex;
    resolver<void> life{ex};
    Raw& raw;

    explicit socket(settle::uv::loop_executor e) : ex(std::move(e)), raw(settle::uv::own_uv(life, ex, Init)) {}
    ~socket() { close(); }
    void close() {  // what waits in it is its child, and hears of that first
      resolver<void> const gone = std::move(life);
      gone.op().cancel();
    }
  };

  using tcp = socket<uv_tcp_t, &uv_tcp_init>;
  struct counted_tcp : link_count, tcp {
    using tcp::socket;
  };

  struct reading {
    resolver<std::string> result;
    uv_tcp_t& from;
    read_buffer in;

    reading(resolver<std::string>&& r, uv_tcp_t& t) : result(std::move(r)), from(t) {}
    resolver<std::string> end() {
      uv_read_stop(stream(from));
      return std::move(result);
    }
    void cancel() {
      if (result) end().cancel();
    }
    static void allocate(uv_handle_t* h, std::size_t, uv_buf_t* b) {
      auto& self = *static_cast<reading*>(h->data);
      *b = uv_buf_init(self.in.bytes.data(), static_cast<unsigned>(self.in.bytes.size()));
    }
    static void done(uv_stream_t* s, ssize_t n, uv_buf_t const*) {
      auto& self = *static_cast<reading*>(s->data);
      if (n == 0) return;
      std::string text = n > 0 ? std::string(self.in.bytes.data(), static_cast<std::size_t>(n)) : std::string();
      auto r = self.end();
      if (n > 0) r.complete(std::move(text));
      else r.fail(settle::uv::error_code(static_cast<int>(n)));
    }
  };

  struct writing {
    resolver<void> result;
    std::string text;
    uv_write_t request{};

    writing(resolver<void>&& r, std::string t) : result(std::move(r)), text(std::move(t)) { request.data = this; }
    static void done(uv_write_t* w, int status) {
      auto r = std::move(static_cast<writing*>(w->data)->result);
      if (status < 0) r.fail(settle::uv::error_code(status));
      else r.complete();
    }
  };

 public:
  using executor = settle::uv::loop_executor;

  /// A connection; its destructor closes it.
  class link {
   public:
    explicit link(executor ex) : core_(std::make_unique<counted_tcp>(std::move(ex))) {}
    /// What comes next; fails when the other side has closed.
    settle::handle_of<std::string> read() {
      resolver<std::string> r(core_->life.op(), core_->ex);
      settle::handle_of<std::string> h = r.get_handle();
      auto* const p = r.template try_own<reading>(std::move(r), core_->raw);
      p->result.on_cancel([p] { p->cancel(); });
      core_->raw.data = p;
      if (int const status = uv_read_start(stream(core_->raw), &reading::allocate, &reading::done); status < 0)
        p->end().fail(settle::uv::error_code(status));
      return h;
    }
    settle::handle_of<void> write(std::string text) {
      resolver<void> r(core_->ex);
      settle::handle_of<void> h = r.get_handle();
      auto* const p = r.template try_own<writing>(std::move(r), std::move(text));
      uv_buf_t const b = uv_buf_init(p->text.data(), static_cast<unsigned>(p->text.size()));
      if (int const status = uv_write(&p->request, stream(core_->raw), &b, 1, &writing::done); status < 0)
        writing::done(&p->request, status);
      return h;
    }
    void close() { core_->close(); }

   private:
    friend uv_net;
    std::unique_ptr<counted_tcp> core_;
  };

  class listener {
   public:
    explicit listener(uv_net& n) : in_(n.get_executor()) {
      sockaddr_in at = at_port(0);
      in_.raw.data = this;
      EXPECT_EQ(uv_tcp_bind(&in_.raw, reinterpret_cast<sockaddr*>(&at), 0), 0);
      EXPECT_EQ(uv_listen(stream(in_.raw), 64, &came), 0);
      idle(true);
    }
    listener(listener&&) = delete;
    std::uint16_t port() const {
      sockaddr_in at{};
      int size = sizeof(at);
      uv_tcp_getsockname(&in_.raw, reinterpret_cast<sockaddr*>(&at), &size);
      return ntohs(at.sin_port);
    }
    settle::handle_of<link> accept() {
      resolver<link> r(in_.life.op(), in_.ex);
      settle::handle_of<link> h = r.get_handle();
      if (waits_ > 0) {
        --waits_;
        r.complete(take());
        return h;
      }
      r.on_cancel([this] {
        if (next_) waiter().cancel();
      });
      next_.emplace(std::move(r));
      idle(false);
      return h;
    }

   private:
    /// Only who waits for a client keeps the loop busy, as with Asio.
    void idle(bool yes) {
      auto* const h = reinterpret_cast<uv_handle_t*>(&in_.raw);
      if (yes) uv_unref(h);
      else uv_ref(h);
    }
    resolver<link> waiter() {
      idle(true);
      resolver<link> r = std::move(*next_);
      next_.reset();
      return r;
    }
    link take() {
      link l(in_.ex);
      EXPECT_EQ(uv_accept(stream(in_.raw), stream(l.core_->raw)), 0);
      return l;
    }
    static void came(uv_stream_t* s, int) {
      auto& self = *static_cast<listener*>(s->data);
      if (!self.next_) {
        ++self.waits_;
        return;
      }
      self.waiter().complete(self.take());
    }

    std::optional<resolver<link>> next_;
    int waits_ = 0;
    tcp in_;
  };

  uv_net() {
    EXPECT_EQ(uv_loop_init(&raw_), 0);
    loop_.emplace(&raw_);
  }
  uv_net(uv_net&&) = delete;
  ~uv_net() {
    loop_.reset();
    EXPECT_EQ(uv_run(&raw_, UV_RUN_DEFAULT), 0);
    EXPECT_EQ(uv_loop_close(&raw_), 0) << "something was left";
  }

  executor get_executor() { return loop_->get_executor(); }
  settle::handle_of<link> dial(std::uint16_t port) {
    resolver<link> r(get_executor());
    settle::handle_of<link> h = r.get_handle();
    auto* const d = r.template try_own<dialing>(std::move(r), get_executor());
    d->result.on_cancel([d] { d->cancel(); });
    sockaddr_in const at = at_port(port);
    int const status = uv_tcp_connect(&d->request, &d->made->core_->raw, reinterpret_cast<sockaddr const*>(&at), &dialing::done);
    if (status < 0) dialing::done(&d->request, status);
    return h;
  }
  /// Until nothing is left to do.
  void run() { loop_->run(); }
  /// Something happens, if there is anything left that can.
  void step() { loop_->run(UV_RUN_ONCE); }

 private:
  struct dialing {
    resolver<link> result;
    std::optional<link> made;
    uv_connect_t request{};

    dialing(resolver<link>&& r, executor ex) : result(std::move(r)), made(std::in_place, std::move(ex)) { request.data = this; }
    void cancel() {
      if (result) made->close();  // done() is called, with UV_ECANCELED
    }
    static void done(uv_connect_t* c, int status) {
      auto& self = *static_cast<dialing*>(c->data);
      auto r = std::move(self.result);
      link l = std::move(*self.made);
      if (status == UV_ECANCELED) r.cancel();
      else if (status < 0) r.fail(settle::uv::error_code(status));
      else r.complete(std::move(l));
    }
  };

  uv_loop_t raw_{};
  std::optional<settle::uv::loop> loop_;
};

}  // namespace test

#endif
