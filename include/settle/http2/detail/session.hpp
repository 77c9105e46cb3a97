// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_SESSION_HPP
#define SETTLE_HTTP2_DETAIL_SESSION_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "../../cause.hpp"
#include "stream.hpp"

namespace settle::inline v0::http2::detail {

struct callbacks;
struct body_reader;

/// One HTTP/2 connection without its socket: bytes in, bytes out, requests in between. nghttp2 is only ever entered from
/// here, and what its callbacks notice is queued and looked at after nghttp2 has returned: user code never runs inside it.
/// Used on the server's executor only.
class session {
 public:
  session(std::shared_ptr<service> s, operation parent) noexcept : service_(std::move(s)), parent_(std::move(parent)) {}
  session(session const&) = delete;
  session& operator=(session const&) = delete;

  /// Fills what every session of a server shares. False: no memory.
  static bool prepare(service& s) noexcept;

  /// Starts: our SETTINGS are queued. False: no memory.
  bool open() noexcept;
  /// Input. False: the connection has to end now, there is nothing more to be said.
  bool feed(std::span<std::uint8_t const> in) noexcept;
  /// Appends output until there is none or `out` holds `enough`. False as above.
  bool fill(std::vector<std::uint8_t>& out, std::size_t enough) noexcept;
  /// The socket took everything up to here: requests whose last byte that was are let go.
  void written(std::size_t bytes) noexcept;
  /// Runs what the callbacks noticed: handlers, ends of streams, room in buffers. User code runs in here.
  void run_events();
  /// The connection is gone: every request of it is cancelled by force.
  void end_all(cause why) noexcept;
  /// Says GOAWAY and takes nothing more (RFC 9113 6.8).
  void terminate(std::uint32_t code) noexcept;
  /// Whether a limit in time was passed by the whole connection; streams that passed theirs are reset.
  bool expired() noexcept;

  /// Nothing is left to be read or written.
  bool over() const noexcept {
    return doomed_ || (nghttp2_session_want_read(session_.get()) == 0 && nghttp2_session_want_write(session_.get()) == 0);
  }
  bool has_events() const noexcept { return !events_.empty(); }
  operation const& op() const noexcept { return parent_; }

  // What answering a request comes down to. All are harmless once the stream is gone.
  enum class body_kind : std::uint8_t { whole, streamed };
  static bool answer(stream& s, response&& r, body_kind kind) noexcept;
  static void resume(stream& s) noexcept;
  static void reset(stream& s, std::uint32_t code, cause why) noexcept;
  static void handler_ended(stream& s, std::optional<error> failure, int status) noexcept;
  static void duty_dropped(stream& s) noexcept;

 protected:
  ~session() = default;
  /// There is output, or an event: somebody from outside has changed something.
  virtual void wake() noexcept = 0;

 private:
  friend struct callbacks;
  friend struct body_reader;
  friend struct stream;

  bool accept_stream(std::int32_t id) noexcept;
  void forget(stream const& s) noexcept {
    if (reading_ == &s) reading_ = nullptr;
    nghttp2_session_set_stream_user_data(session_.get(), s.id, nullptr);
  }
  stream* find(std::int32_t id) const noexcept { return static_cast<stream*>(nghttp2_session_get_stream_user_data(session_.get(), id)); }
  /// The same for what is being read: a header block asks again for each of its fields.
  stream* find_reading(std::int32_t id) const noexcept { return reading_ != nullptr && reading_->id == id ? reading_ : find(id); }
  void note(stream& s) noexcept { events_.push_back(s); }
  int keep_header(stream& s, std::string_view name, std::string_view value) noexcept;
  void arrived(stream& s, bool end) noexcept;
  void sent_end(stream& s) noexcept;
  void spend_reset() noexcept;
  void end_unread(std::chrono::steady_clock::time_point now) noexcept;

  void process(stream& s, settle::pin& keep);
  static void start(stream& s);
  void note_end(stream& s, settle::pin& keep);
  static void gone(stream& s, cause why) noexcept;
  static void settled(stream& s, ending how) noexcept;
  static void try_finish(stream& s, settle::pin* last) noexcept;
  static void cancel_waiters(stream& s, cause why) noexcept;
  static bool stalled(stream const& s, std::chrono::steady_clock::time_point now) noexcept;

  std::shared_ptr<service> service_;
  operation parent_;
  session_ptr session_;
  intrusive_list<stream, by_session> streams_;
  intrusive_list<stream, by_event> events_;
  intrusive_list<stream, by_output> unwritten_;
  stream* reading_ = nullptr;  // the request that came last, while nghttp2 knows it
  std::uint64_t produced_ = 0, written_ = 0;
  std::vector<std::pair<std::int32_t, std::chrono::steady_clock::time_point>> unread_;  // answered before their request ended
  std::size_t resets_ = 0;  // streams that ended badly, less those that ended well
  std::chrono::steady_clock::time_point born_{}, last_frame_{}, head_since_{};
  bool greeted_ = false;    // their SETTINGS came
  bool head_open_ = false;  // a header block has begun and not ended
  bool ours_ = false;       // the GOAWAY is ours
  bool doomed_ = false;     // nghttp2 gave the connection up: flush, then close
};

}  // namespace settle::inline v0::http2::detail

#endif
