// SPDX-License-Identifier: BSL-1.0
// The bound: nghttp2 and Asio by hand, one thread, nothing around them: bench_http2_bound <port>. Ends with SIGTERM. No limits in
// time, none in memory, no handler that answers later, nobody who cancels; what it does is correct: any GET, flow
// control, clients that do not read, streams that are reset and connections that are dropped.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>

#include "bodies.hpp"

namespace {

using asio::ip::tcp;

constexpr std::size_t block = 65536;
constexpr std::size_t frame = 16384 + 9 + 256;

class connection;

/// A request: its path, and what is left of the answer. Recycled.
struct stream {
  std::array<char, 64> path;
  std::size_t path_size = 0;
  std::string_view left;
  stream* next = nullptr;      // of the open ones, or of the free ones
  stream* previous = nullptr;  // of the open ones
};

/// What connections share: one block for input, one for output, and the streams that are free.
struct common {
  std::vector<std::uint8_t> input = std::vector<std::uint8_t>(block), output;
  std::string const large = std::string(bench::large_bytes, '\0');
  std::vector<std::unique_ptr<stream>> all;
  stream* free = nullptr;
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;

  common();
  common(common const&) = delete;
  ~common() {
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
  }

  stream* take() {
    if (free == nullptr) {
      all.push_back(std::make_unique<stream>());
      return all.back().get();
    }
    return std::exchange(free, free->next);
  }
  void give_back(stream* s) noexcept { s->next = std::exchange(free, s); }
};

nghttp2_nv pair(std::string_view name, std::string_view value) {
  auto const bytes = [](std::string_view v) { return reinterpret_cast<std::uint8_t*>(const_cast<char*>(v.data())); };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

class connection : public std::enable_shared_from_this<connection> {
 public:
  connection(common& c, tcp::socket s) : common_(c), socket_(std::move(s)) {}
  connection(connection const&) = delete;
  ~connection() {
    nghttp2_session_del(session_);  // says nothing about open streams
    while (open_ != nullptr) common_.give_back(std::exchange(open_, open_->next));
  }

  void start() {
    asio::error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(tcp::no_delay(true), ignored);
    if (nghttp2_session_server_new2(&session_, common_.callbacks, this, common_.option) != 0) return;
    std::array<nghttp2_settings_entry, 2> const settings{
        {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}, {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1}}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    if (flush()) await_input();
  }

  // What nghttp2 calls.

  static int on_begin_headers(nghttp2_session* session, nghttp2_frame const* f, void* user) {
    if (f->headers.cat == NGHTTP2_HCAT_REQUEST)
      nghttp2_session_set_stream_user_data(session, f->hd.stream_id, static_cast<connection*>(user)->open_stream());
    return 0;
  }
  static int on_header(nghttp2_session* session, nghttp2_frame const* f, std::uint8_t const* name, std::size_t name_size,
                       std::uint8_t const* value, std::size_t size, std::uint8_t, void*) {
    if (name_size != 5 || std::memcmp(name, ":path", 5) != 0) return 0;
    auto* const s = find(session, f->hd.stream_id);
    if (s == nullptr) return 0;
    s->path_size = std::min(size, s->path.size());
    std::memcpy(s->path.data(), value, s->path_size);
    return 0;
  }
  static int on_frame_recv(nghttp2_session* session, nghttp2_frame const* f, void* user) {
    bool const ends = (f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA) && (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    stream* const s = ends ? find(session, f->hd.stream_id) : nullptr;
    return s == nullptr || static_cast<connection*>(user)->answer(f->hd.stream_id, *s) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  static int on_stream_close(nghttp2_session* session, std::int32_t id, std::uint32_t, void* user) {
    if (stream* const s = find(session, id)) static_cast<connection*>(user)->close_stream(s);
    return 0;
  }

 private:
  static stream* find(nghttp2_session* session, std::int32_t id) {
    return static_cast<stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  stream* open_stream() {
    stream* const s = common_.take();
    s->path_size = 0;
    s->previous = nullptr;
    s->next = open_;
    if (open_ != nullptr) open_->previous = s;
    return open_ = s;
  }
  void close_stream(stream* s) noexcept {
    (s->previous == nullptr ? open_ : s->previous->next) = s->next;
    if (s->next != nullptr) s->next->previous = s->previous;
    common_.give_back(s);
  }

  bool answer(std::int32_t id, stream& s) {
    std::string_view const path(s.path.data(), s.path_size);
    s.left = path == "/tiny" ? bench::tiny_body : path == "/large" ? std::string_view(common_.large) : std::string_view();
    std::string const length = std::to_string(s.left.size());  // fits into itself
    std::array head{pair(":status", s.left.empty() ? "404" : "200"), pair("content-type", bench::content_type),
                    pair("content-length", length)};
    head[2].flags = NGHTTP2_NV_FLAG_NO_COPY_NAME;
    nghttp2_data_provider body;
    body.source.ptr = &s;
    body.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* to, std::size_t room, std::uint32_t* flags,
                            nghttp2_data_source* from, void*) {
      auto& left = static_cast<stream*>(from->ptr)->left;
      std::size_t const n = left.copy(reinterpret_cast<char*>(to), room);
      left.remove_prefix(n);
      if (left.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(n);
    };
    return nghttp2_submit_response(session_, id, head.data(), head.size(), s.left.empty() ? nullptr : &body) == 0;
  }

  void await_input() {
    socket_.async_wait(tcp::socket::wait_read, [me = shared_from_this()](asio::error_code ec) {
      if (!ec && me->read() && me->flush()) return me->await_input();
      me->socket_.close(ec);  // which ends what waits for room
    });
  }

  bool read() {
    asio::error_code ec;
    std::size_t const n = socket_.read_some(asio::buffer(common_.input), ec);
    if (ec) return ec == asio::error::would_block;
    return nghttp2_session_mem_recv(session_, common_.input.data(), n) == static_cast<ssize_t>(n);
  }

  /// False: the connection is over.
  bool flush() {
    while (!writing_) {
      auto& out = common_.output;
      out.clear();
      out.reserve(block + frame);
      while (out.size() < block) {
        std::uint8_t const* piece = nullptr;
        ssize_t const n = nghttp2_session_mem_send(session_, &piece);
        if (n < 0) return false;
        if (n == 0) break;
        out.insert(out.end(), piece, piece + n);
      }
      if (out.empty()) break;
      std::size_t const n = write(out.data(), out.size());
      if (n < out.size()) {
        stalled_.assign(out.begin() + static_cast<std::ptrdiff_t>(n), out.end());
        await_room();
      }
    }
    return writing_ || nghttp2_session_want_read(session_) != 0;
  }

  std::size_t write(std::uint8_t const* from, std::size_t size) {
    std::size_t done = 0;
    asio::error_code ec;
    while (done < size && !ec) done += socket_.write_some(asio::buffer(from + done, size - done), ec);
    return done;  // what is wrong with the socket comes again with the next read
  }

  void await_room() {
    writing_ = true;
    socket_.async_wait(tcp::socket::wait_write, [me = shared_from_this()](asio::error_code ec) {
      if (ec) return;
      std::size_t const n = me->write(me->stalled_.data(), me->stalled_.size());
      me->stalled_.erase(me->stalled_.begin(), me->stalled_.begin() + static_cast<std::ptrdiff_t>(n));
      if (!me->stalled_.empty()) return me->await_room();
      me->writing_ = false;
      me->stalled_ = {};
      if (!me->flush()) me->socket_.close(ec);
    });
  }

  common& common_;
  tcp::socket socket_;
  nghttp2_session* session_ = nullptr;
  stream* open_ = nullptr;
  std::vector<std::uint8_t> stalled_;  // what the socket did not take
  bool writing_ = false;
};

common::common() {
  if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &connection::on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &connection::on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &connection::on_frame_recv);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, &connection::on_stream_close);
  nghttp2_option_set_no_closed_streams(option, 1);
}

void accept(tcp::acceptor& a, common& c) {
  a.async_accept([&a, &c](asio::error_code ec, tcp::socket s) {
    if (ec == asio::error::operation_aborted) return;
    if (!ec) std::make_shared<connection>(c, std::move(s))->start();
    accept(a, c);
  });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  common shared;
  asio::io_context io(1);
  tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), bench::port(argv[1])});
  accept(acceptor, shared);
  asio::signal_set signals(io, SIGTERM);
  signals.async_wait([&io](asio::error_code, int) { io.stop(); });
  io.run();
  return 0;
}
