// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_CONNECTION_HPP
#define SETTLE_HTTP2_DETAIL_CONNECTION_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <asio/buffer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>

#include "session_parts.hpp"

namespace settle::inline v0::http2::detail {

struct by_server;

/// One accepted socket and the session on it. Kept alive by what it waits for; idle it holds no buffer.
/// Its operation, a child of the server's, is the parent of its requests.
class connection final : public session, public list_hook<by_server>, public std::enable_shared_from_this<connection> {
 public:
  using socket = asio::ip::tcp::socket;

  connection(std::shared_ptr<service> s, socket sock, resolver<server_policy> self)
      : session(s, self.op()), service_(std::move(s)), socket_(std::move(sock)), self_(std::move(self)) {
    tally::add(service_->counts.connections);
  }
  connection(connection const&) = delete;
  connection& operator=(connection const&) = delete;
  ~connection() {
    shut(cause::disconnect);
    tally::add(service_->counts.connections, ~std::size_t{0});
  }

  void start() {
    asio::error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    op().on_cancel([weak = weak_from_this()] {
      if (auto const me = weak.lock()) me->shut(cause::shutdown);
    });
    if (!open()) return shut(cause::disconnect);
    flush();
    await_input();
  }

  /// Looks at the limits in time; called about every second.
  void tick() noexcept {
    auto const now = service_->now;
    if (phase_ == phase::lingering && now - since_ > linger) return shut(cause::disconnect);
    if (phase_ != phase::open) return;
    if (!stalled_.empty() && now - since_ > service_->limits.write_stall) return shut(cause::deadline);
    auto const keep = weak_from_this().lock();
    if (expired()) return shut(cause::deadline);
    wake();
  }

  /// Ends it now: every request of it is cancelled by force, the socket closed.
  void shut(cause why) noexcept {
    if (phase_ == phase::closed) return;
    auto const keep = weak_from_this().lock();
    bool const was_open = std::exchange(phase_, phase::closed) == phase::open;
    if (was_open && why == cause::shutdown) farewell();
    asio::error_code ignored;
    socket_.close(ignored);
    stalled_ = {};
    end_all(why);
    finish(why);
  }

 private:
  enum class phase : std::uint8_t { open, lingering, closed };
  static constexpr std::size_t block = 65536;
  static constexpr std::size_t frame = 16384 + 9 + 256;
  static constexpr std::size_t most_per_turn = 4 * block;  // then the others are let in
  static constexpr std::chrono::seconds linger{1};

  void wake() noexcept override {
    if (phase_ != phase::open || busy_ || flush_posted_ || writing_) return;
    flush_posted_ = true;
    try {
      asio::post(socket_.get_executor(), [me = shared_from_this()] {
        me->flush_posted_ = false;
        me->flush();
      });
    } catch (...) {
      shut(cause::disconnect);
    }
  }

  void await_input() noexcept {
    if (phase_ == phase::closed) return;
    try {
      socket_.async_wait(socket::wait_read, [me = shared_from_this()](asio::error_code ec) { me->on_input(ec); });
    } catch (...) {  // no memory to wait with
      shut(cause::disconnect);
    }
  }

  void on_input(asio::error_code ec) {
    if (phase_ == phase::closed) return;
    std::size_t n = 0;
    if (!ec) n = socket_.read_some(asio::buffer(service_->input), ec);
    if (ec && ec != asio::error::would_block && ec != asio::error::interrupted) return shut(cause::disconnect);
    if (n != 0 && phase_ == phase::open) {
      busy_ = true;
      bool const fine = feed(std::span(service_->input.data(), n));
      run_events();
      busy_ = false;
      if (phase_ == phase::closed) return;
      if (!fine) return shut(cause::disconnect);
      flush();
    }
    await_input();
  }

  /// Moves output from the session to the socket until one of them has enough, then runs what that brought about.
  void flush() {
    if (phase_ != phase::open || busy_ || writing_) return;
    busy_ = true;
    std::size_t moved = 0;
    bool more = true;
    while (more && moved < most_per_turn && phase_ == phase::open) {
      std::size_t const n = move_block();
      moved += n;
      run_events();
      more = phase_ == phase::open && !writing_ && (n != 0 || has_events());
    }
    busy_ = false;
    if (phase_ != phase::open || writing_) return;
    if (more) return wake();
    if (over()) begin_linger();
  }

  /// One block of output: how much of it the socket took. What it does not take waits for it to become writable.
  std::size_t move_block() {
    auto& out = service_->output;
    out.clear();
    out.reserve(block + frame);
    if (!fill(out, block)) return shut(cause::disconnect), 0;
    std::size_t const n = write_now(out);
    if (phase_ != phase::open) return 0;
    if (n < out.size()) {  // kept before anything runs: the block is everybody's
      stalled_.assign(out.begin() + static_cast<std::ptrdiff_t>(n), out.end());
      since_ = service_->now;
      await_room();
    }
    written(n);
    return n;
  }

  std::size_t write_now(std::span<std::uint8_t const> from) {
    std::size_t done = 0;
    while (done < from.size()) {
      asio::error_code ec;
      done += socket_.write_some(asio::buffer(from.data() + done, from.size() - done), ec);
      if (ec == asio::error::interrupted) continue;
      if (ec == asio::error::would_block) break;
      if (ec) {
        shut(cause::disconnect);
        break;
      }
    }
    return done;
  }

  void await_room() noexcept {
    writing_ = true;
    try {
      socket_.async_wait(socket::wait_write, [me = shared_from_this()](asio::error_code ec) { me->on_room(ec); });
    } catch (...) {
      shut(cause::disconnect);
    }
  }

  void on_room(asio::error_code ec) {
    writing_ = false;
    if (phase_ != phase::open) return;
    if (ec) return shut(cause::disconnect);
    std::size_t const n = write_now(stalled_);
    if (phase_ != phase::open) return;
    if (n != 0) since_ = service_->now;
    stalled_.erase(stalled_.begin(), stalled_.begin() + static_cast<std::ptrdiff_t>(n));
    busy_ = true;
    written(n);
    busy_ = false;
    if (phase_ != phase::open) return;
    if (!stalled_.empty()) return await_room();
    stalled_ = {};
    flush();
  }

  /// Everything was said. The socket stays half open for a moment, or the peer loses what it has not read yet.
  void begin_linger() noexcept {
    phase_ = phase::lingering;
    since_ = service_->now;
    asio::error_code ignored;
    socket_.shutdown(socket::shutdown_send, ignored);
    auto const keep = weak_from_this().lock();
    end_all(cause::disconnect);
    finish(cause::disconnect);
  }

  /// A GOAWAY if it can be had without waiting.
  void farewell() noexcept {
    if (!stalled_.empty()) return;
    terminate(NGHTTP2_NO_ERROR);
    auto& out = service_->output;
    out.clear();
    asio::error_code ignored;
    if (fill(out, block)) socket_.write_some(asio::buffer(out), ignored);
  }

  void finish(cause why) noexcept {
    if (!self_) return;
    resolver<server_policy> last = std::move(*self_);
    self_.reset();
    if (why == cause::disconnect) last.complete();
    else last.op().cancel(why);
  }

  std::shared_ptr<service> service_;
  socket socket_;
  std::optional<resolver<server_policy>> self_;
  std::vector<std::uint8_t> stalled_;  // what the socket did not take
  std::chrono::steady_clock::time_point since_{};
  phase phase_ = phase::open;
  bool busy_ = false;  // inside a turn that ends with a flush
  bool flush_posted_ = false;
  bool writing_ = false;  // waiting for the socket to become writable
};

}  // namespace settle::inline v0::http2::detail

#endif
