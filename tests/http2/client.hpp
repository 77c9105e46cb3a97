// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_HTTP2_CLIENT_HPP
#define SETTLE_TESTS_HTTP2_CLIENT_HPP

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A connected loopback socket; throws when nobody listens.
inline int dial(std::uint16_t port) {
  int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr const*>(&to), sizeof to) != 0) {
    if (fd >= 0) ::close(fd);
    throw std::runtime_error("cannot connect");
  }
  int const on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/// Sends bytes that are no HTTP/2, or not all of it. True when the server closes the connection within ten seconds.
inline bool server_hangs_up_on(std::uint16_t port, std::string_view bytes, bool half_close) {
  int const fd = dial(port);
  ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (half_close) ::shutdown(fd, SHUT_WR);
  bool closed = false;
  pollfd p{fd, POLLIN, 0};
  while (!closed && ::poll(&p, 1, 10000) > 0) {
    char buffer[4096];
    closed = ::recv(fd, buffer, sizeof buffer, 0) <= 0;
  }
  ::close(fd);
  return closed;
}

/// A small HTTP/2 client on a loopback socket, for tests: everything it does, it does when told.
class client {
 public:
  using clock = std::chrono::steady_clock;
  using headers = std::vector<std::pair<std::string, std::string>>;

  struct answer {
    int heads = 0;  // how many response heads came
    int status = 0;
    headers fields, trailers;
    std::string body;
    bool closed = false;
    std::uint32_t code = 0;
  };
  struct settings {
    std::uint32_t window = 65535;
    bool reads = true;          // gives the windows back
    std::size_t cut = 1 << 20;  // sends at most so many bytes at once
  };

  explicit client(std::uint16_t port) : client(port, settings()) {}
  client(std::uint16_t port, settings s) : fd_(dial(port)), cut_(s.cut) {
    nghttp2_session_callbacks* c = nullptr;
    nghttp2_session_callbacks_new(&c);
    nghttp2_session_callbacks_set_on_header_callback(c, &on_header);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, &on_begin_headers);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, &on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, &on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, &on_frame);
    nghttp2_option* o = nullptr;
    nghttp2_option_new(&o);
    nghttp2_option_set_no_auto_window_update(o, s.reads ? 0 : 1);
    nghttp2_session_client_new2(&session_, c, this, o);
    nghttp2_option_del(o);
    nghttp2_session_callbacks_del(c);
    nghttp2_settings_entry const window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, s.window};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &window, 1);
  }
  client(client const&) = delete;
  client& operator=(client const&) = delete;
  ~client() {
    nghttp2_session_del(session_);
    leave();
  }

  std::int32_t get(std::string_view path, headers const& more = {}) { return submit("GET", path, more, nullptr); }
  std::int32_t head(std::string_view path) { return submit("HEAD", path, {}, nullptr); }
  /// The body is sent when the server lets us; a content-length only when asked for in `more`.
  std::int32_t post(std::string_view path, std::string body, headers const& more = {}) {
    bodies_.push_back(std::make_unique<upload>(upload{std::move(body), 0, true}));
    return submit("POST", path, more, bodies_.back().get());
  }
  /// A request that never ends.
  std::int32_t post_open(std::string_view path, std::string begin) {
    bodies_.push_back(std::make_unique<upload>(upload{std::move(begin), 0, false}));
    return submit("POST", path, {}, bodies_.back().get());
  }
  void reset(std::int32_t id, std::uint32_t code = NGHTTP2_CANCEL) { nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, code); }
  void ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }
  /// Gives back what a client that does not read by itself has received.
  void consume(std::int32_t id, std::size_t n) { nghttp2_session_consume(session_, id, n); }

  /// Sends everything that is queued.
  void flush() {
    for (;;) {
      std::uint8_t const* p = nullptr;
      auto const n = nghttp2_session_mem_send(session_, &p);
      if (n <= 0) return;
      send_raw({reinterpret_cast<char const*>(p), static_cast<std::size_t>(n)});
    }
  }
  void send_raw(std::string_view bytes) {
    while (!bytes.empty() && fd_ >= 0) {
      auto const n = ::send(fd_, bytes.data(), std::min(cut_, bytes.size()), MSG_NOSIGNAL);
      if (n <= 0) {
        ended_ = true;
        return;
      }
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  /// Talks until `done()` or for ten seconds; false: it took too long, or the server closed the connection before.
  template <class F>
  bool until(F done, std::chrono::milliseconds limit = std::chrono::seconds(10)) {
    auto const end = clock::now() + limit;
    for (flush(); !done();) {
      flush();  // what done() brought about
      auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock::now()).count();
      if (left <= 0 || ended_) return done();
      pollfd p{fd_, POLLIN, 0};
      if (::poll(&p, 1, static_cast<int>(left)) <= 0) continue;
      char buffer[65536];
      auto const n = ::recv(fd_, buffer, sizeof buffer, 0);
      if (n <= 0) {
        ended_ = true;
        continue;
      }
      if (nghttp2_session_mem_recv(session_, reinterpret_cast<std::uint8_t const*>(buffer), static_cast<std::size_t>(n)) < 0) ended_ = true;
    }
    return true;
  }
  /// The answer to one request, closed or given up.
  answer const& wait(std::int32_t id) {
    until([&] { return answers[id].closed; });
    return answers[id];
  }
  answer const& fetch(std::string_view path) { return wait(get(path)); }
  /// Everything sent so far was seen by the server.
  bool seen() {
    flush();  // a PING would overtake what is queued
    std::size_t const before = pongs_;
    ping();
    return until([&] { return pongs_ > before; });
  }
  bool closed_by_server() {
    return until([&] { return ended_; });
  }

  /// Leaves in the middle of things.
  void drop_by_fin() { leave(); }
  void drop_by_rst() {
    linger const now{1, 0};
    if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    leave();
  }

  std::map<std::int32_t, answer> answers;
  std::int64_t goaway = -1;  // the code, when the server sent one

 private:
  struct upload {
    std::string text;
    std::size_t offset;
    bool ends;
  };

  void leave() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    ended_ = true;
  }

  std::int32_t submit(std::string_view method, std::string_view path, headers const& more, upload* body) {
    std::vector<nghttp2_nv> nv;
    auto const add = [&nv](std::string_view n, std::string_view v) {
      auto const bytes = [](std::string_view t) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(t.data())); };
      nv.push_back({bytes(n), bytes(v), n.size(), v.size(), NGHTTP2_NV_FLAG_NONE});
    };
    add(":method", method);
    add(":scheme", "http");
    add(":path", path);
    add(":authority", "localhost");
    for (auto const& [n, v] : more) add(n, v);
    nghttp2_data_provider provider{};
    provider.source.ptr = body;
    provider.read_callback = &read_body;
    return nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(), body == nullptr ? nullptr : &provider, nullptr);
  }

  static client& self(void* user) { return *static_cast<client*>(user); }
  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t room, std::uint32_t* flags,
                           nghttp2_data_source* from, void*) {
    auto& u = *static_cast<upload*>(from->ptr);
    std::size_t const n = u.text.copy(reinterpret_cast<char*>(to), room, u.offset);
    u.offset += n;
    if (u.offset == u.text.size() && u.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (n == 0 && !u.ends) return NGHTTP2_ERR_DEFERRED;
    return static_cast<ssize_t>(n);
  }
  static int on_begin_headers(nghttp2_session*, nghttp2_frame const* f, void* user) {
    if (f->headers.cat == NGHTTP2_HCAT_RESPONSE) ++self(user).answers[f->hd.stream_id].heads;
    return 0;
  }
  static int on_header(nghttp2_session*, nghttp2_frame const* f, std::uint8_t const* n, std::size_t nn, std::uint8_t const* v,
                       std::size_t vn, std::uint8_t, void* user) {
    answer& a = self(user).answers[f->hd.stream_id];
    std::string const name(reinterpret_cast<char const*>(n), nn), value(reinterpret_cast<char const*>(v), vn);
    if (name == ":status") a.status = std::stoi(value);
    else (f->headers.cat == NGHTTP2_HCAT_RESPONSE ? a.fields : a.trailers).emplace_back(name, value);
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, std::uint8_t const* p, std::size_t n, void* user) {
    self(user).answers[id].body.append(reinterpret_cast<char const*>(p), n);
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    answer& a = self(user).answers[id];
    a.closed = true;
    a.code = code;
    return 0;
  }
  static int on_frame(nghttp2_session*, nghttp2_frame const* f, void* user) {
    if (f->hd.type == NGHTTP2_PING && (f->hd.flags & NGHTTP2_FLAG_ACK) != 0) ++self(user).pongs_;
    if (f->hd.type == NGHTTP2_GOAWAY) self(user).goaway = f->goaway.error_code;
    return 0;
  }

  int fd_;
  std::size_t cut_;
  nghttp2_session* session_ = nullptr;
  std::vector<std::unique_ptr<upload>> bodies_;
  std::size_t pongs_ = 0;
  bool ended_ = false;
};

#endif
