// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SHUTDOWN_DATAGRAMS_UV_HPP
#define SETTLE_TESTS_SHUTDOWN_DATAGRAMS_UV_HPP

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "net_uv.hpp"

namespace test {

/// A socket for datagrams of loopback on libuv, as datagrams_asio.hpp has it on Asio.
class uv_datagrams {
  template <class T>
  using resolver = uv_net::resolver<T>;
  struct core : link_count, uv_net::socket<uv_udp_t, &uv_udp_init> {
    using socket::socket;
  };

  struct receiving {
    resolver<datagram> result;
    uv_udp_t& on;
    read_buffer in;

    receiving(resolver<datagram>&& r, uv_udp_t& s) : result(std::move(r)), on(s) {}
    resolver<datagram> end() {
      uv_udp_recv_stop(&on);
      return std::move(result);
    }
    void cancel() {
      if (result) end().cancel();
    }
    static void allocate(uv_handle_t* h, std::size_t, uv_buf_t* b) {
      auto& self = *static_cast<receiving*>(h->data);
      *b = uv_buf_init(self.in.bytes.data(), static_cast<unsigned>(self.in.bytes.size()));
    }
    static void done(uv_udp_t* s, ssize_t n, uv_buf_t const*, sockaddr const* from, unsigned) {
      auto& self = *static_cast<receiving*>(s->data);
      if (n == 0 && from == nullptr) return;
      if (n < 0) return static_cast<void>(self.end().fail(settle::uv::error_code(static_cast<int>(n))));
      std::string text(self.in.bytes.data(), static_cast<std::size_t>(n));
      std::uint16_t const port = ntohs(reinterpret_cast<sockaddr_in const*>(from)->sin_port);
      self.end().complete(datagram{std::move(text), port});
    }
  };
  struct sending {
    resolver<void> result;
    std::string text;
    uv_udp_send_t request{};

    sending(resolver<void>&& r, std::string t) : result(std::move(r)), text(std::move(t)) { request.data = this; }
    static void done(uv_udp_send_t* s, int status) {
      auto r = std::move(static_cast<sending*>(s->data)->result);
      if (status < 0) r.fail(settle::uv::error_code(status));
      else r.complete();
    }
  };

 public:
  explicit uv_datagrams(uv_net& n) : core_(std::make_unique<core>(n.get_executor())) {
    sockaddr_in at = uv_net::at_port(0);
    EXPECT_EQ(uv_udp_bind(&core_->raw, reinterpret_cast<sockaddr*>(&at), 0), 0);
  }
  std::uint16_t port() const {
    sockaddr_in at{};
    int size = sizeof(at);
    uv_udp_getsockname(&core_->raw, reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
  }
  settle::handle_of<datagram> receive() {
    resolver<datagram> r(core_->life.op(), core_->ex);
    settle::handle_of<datagram> h = r.get_handle();
    auto* const p = r.template try_own<receiving>(std::move(r), core_->raw);
    p->result.on_cancel([p] { p->cancel(); });
    core_->raw.data = p;
    if (int const status = uv_udp_recv_start(&core_->raw, &receiving::allocate, &receiving::done); status < 0)
      p->end().fail(settle::uv::error_code(status));
    return h;
  }
  settle::handle_of<void> send(std::string text, std::uint16_t to) {
    resolver<void> r(core_->ex);
    settle::handle_of<void> h = r.get_handle();
    auto* const p = r.template try_own<sending>(std::move(r), std::move(text));
    uv_buf_t const b = uv_buf_init(p->text.data(), static_cast<unsigned>(p->text.size()));
    sockaddr_in const at = uv_net::at_port(to);
    int const status = uv_udp_send(&p->request, &core_->raw, &b, 1, reinterpret_cast<sockaddr const*>(&at), &sending::done);
    if (status < 0) sending::done(&p->request, status);
    return h;
  }

 private:
  std::unique_ptr<core> core_;
};

}  // namespace test

#endif
