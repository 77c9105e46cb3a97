// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_SHUTDOWN_NET_HPP
#define SETTLE_TESTS_SHUTDOWN_NET_HPP

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace test {

/// One of a kind of things that have to come back: how many there are, and how many there ever were.
template <class Tag>
class counted_thing {
 public:
  static inline long live = 0;
  static inline long made = 0;

  counted_thing() noexcept { ++live, ++made; }
  counted_thing(counted_thing&&) noexcept { ++live; }
  counted_thing(counted_thing const&) = delete;
  ~counted_thing() { --live; }
};
using link_count = counted_thing<struct link_tag>;

/// What a read writes into.
struct read_buffer : counted_thing<struct buffer_tag> {
  std::array<char, 64> bytes{};
};

/// What came in one piece, and the port of loopback that it is from.
struct datagram {
  std::string text;
  std::uint16_t port;
};

/// A port of loopback where nobody answers: it refuses, or (deaf) connects to it stay half-open once the queue is full.
class bad_port {
 public:
  enum kind : bool { refusing, deaf };

  explicit bad_port(kind k) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at = here();
    socklen_t size = sizeof(at);
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&at), &size), 0);
    number_ = ntohs(at.sin_port);
    if (k == refusing) return;
    EXPECT_EQ(listen(socket_, 0), 0);
    for (int& s : fill_) s = connect();
  }
  bad_port(bad_port&&) = delete;
  ~bad_port() {
    for (int const s : fill_)
      if (s >= 0) close(s);
    close(socket_);
  }
  std::uint16_t number() const noexcept { return number_; }

 private:
  static sockaddr_in here() noexcept {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }
  int connect() const noexcept {
    int const s = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in at = here();
    at.sin_port = htons(number_);
    static_cast<void>(::connect(s, reinterpret_cast<sockaddr*>(&at), sizeof(at)));
    return s;
  }

  int socket_;
  std::uint16_t number_ = 0;
  std::array<int, 4> fill_{-1, -1, -1, -1};
};

/// While it lives this process opens no descriptor: connects fail before they begin.
class no_descriptors {
 public:
  no_descriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  no_descriptors(no_descriptors&&) = delete;
  ~no_descriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

/// How many descriptors are open.
inline int open_descriptors() noexcept {
  int n = 0;
  for (int fd = 0; fd != 1024; ++fd) n += fcntl(fd, F_GETFD) != -1 ? 1 : 0;
  return n;
}

}  // namespace test

#endif
