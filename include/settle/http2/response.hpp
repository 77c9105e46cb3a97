// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_RESPONSE_HPP
#define SETTLE_HTTP2_RESPONSE_HPP

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace settle::inline v0::http2 {

/// Bytes that several responses may share without copying them.
using shared_bytes = std::shared_ptr<std::vector<std::byte> const>;

/// What a handler answers: a status, headers, and a body that is known whole. A plain value, movable and copyable.
///
/// Names are lower-cased here, as HTTP/2 wants them (RFC 9113 8.2.1). `content-length` is added when it is not given.
/// A status outside of 200 to 599, or a name or value with characters that HTTP/2 forbids, answers 500 instead.
/// Throws std::bad_alloc. Threads: a value; one at a time.
///
/// ```cpp
/// return settle::http2::response(200, "hello, world").header("content-type", "text/plain");
/// ```
class response {
 public:
  /// Names and values, in the order in which they are sent.
  using header_list = std::vector<std::pair<std::string, std::string>>;

  /// A status, and a body that is moved in.
  // NOLINTNEXTLINE(google-explicit-constructor): a handler may return a status, or a status and a body
  response(int status = 200, std::string body = {}) : status_(status), text_(std::move(body)) {}

  /// Adds a header. Several of the same name are sent in the order given.
  response& header(std::string name, std::string value) & {
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    headers_.emplace_back(std::move(name), std::move(value));
    return *this;
  }
  /// The same on a temporary: `response(200).header(...)`.
  response&& header(std::string name, std::string value) && { return std::move(header(std::move(name), std::move(value))); }

  /// Replaces the body by bytes that are shared, not copied: they are kept until the stream has taken the last of them.
  response& body(shared_bytes b) & noexcept {
    shared_ = std::move(b);
    return *this;
  }
  /// The same on a temporary.
  response&& body(shared_bytes b) && noexcept { return std::move(body(std::move(b))); }

  /// The status, as it was given.
  int status() const noexcept { return status_; }
  /// The headers so far.
  header_list const& headers() const noexcept { return headers_; }
  /// The body, whichever way it was given; valid while this response lives and is not changed.
  std::string_view body() const noexcept {
    if (shared_) return {reinterpret_cast<char const*>(shared_->data()), shared_->size()};
    return text_;
  }

 private:
  int status_;
  std::string text_;
  shared_bytes shared_;
  header_list headers_;
};

}  // namespace settle::inline v0::http2

#endif
