// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_BODY_BUFFER_HPP
#define SETTLE_HTTP2_DETAIL_BODY_BUFFER_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../request.hpp"
#include "../response.hpp"

namespace settle::inline v0::http2::detail {

/// The bytes of one response on their way out: a body known whole, or what a handler writes piece by piece.
class body_buffer {
 public:
  using trailer_list = std::vector<std::pair<std::string, std::string>>;

  /// The whole body of r, moved in.
  void set(response&& r) noexcept {
    whole_.emplace(std::move(r));
    finished_ = true;
  }

  /// Appends. The first piece is moved in, not copied.
  void push(std::string&& piece) {
    if (offset_ == text_.size()) {
      text_ = std::move(piece);
      offset_ = 0;
    } else {
      if (offset_ >= text_.size() / 2) text_.erase(0, std::exchange(offset_, 0));
      text_.append(piece);
    }
  }
  void finish(trailer_list trailers) noexcept {
    trailers_ = std::move(trailers);
    finished_ = true;
  }

  /// Copies at most `room` bytes out.
  std::size_t take(std::uint8_t* to, std::size_t room) noexcept {
    std::string_view const left = pending();
    std::size_t const n = std::min(room, left.size());
    if (n != 0) std::memcpy(to, left.data(), n);
    offset_ += n;
    return n;
  }

  std::size_t size() const noexcept { return pending().size(); }
  bool finished() const noexcept { return finished_; }
  bool exhausted() const noexcept { return finished_ && size() == 0; }
  trailer_list const& trailers() const noexcept { return trailers_; }

 private:
  std::string_view pending() const noexcept { return (whole_ ? whole_->body() : std::string_view(text_)).substr(offset_); }

  std::string text_;
  std::optional<response> whole_;
  std::size_t offset_ = 0;
  trailer_list trailers_;
  bool finished_ = false;
};

}  // namespace settle::inline v0::http2::detail

#endif
