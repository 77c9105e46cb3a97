// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_REQUEST_HPP
#define SETTLE_HTTP2_REQUEST_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory_resource>
#include <optional>
#include <span>
#include <string_view>

#include <asio/any_io_executor.hpp>

#include "../memory/arena.hpp"
#include "../operation.hpp"

namespace settle::inline v0::http2 {

/// The executor a server runs on, whichever it was given.
using any_executor = asio::any_io_executor;

/// A header field: a view of a name and a value.
struct field {
  std::string_view name;   ///< lower case, as HTTP/2 sends them
  std::string_view value;  ///< as it came
};

/// Bytes that belong to somebody else.
using bytes = std::span<std::byte const>;

namespace detail {
class session;
struct stream;
struct callbacks;
}  // namespace detail

/// A request as its handler sees it: whole, headers and body, kept in an arena of its own.
///
/// Ownership: the server's. The request, and every view it hands out, is there while op() is pinned: a responder, a
/// stream_body and the handler's own handle pin it. The arena goes back to the pool when op() is released, which is when
/// the handler has ended, the last byte of the response has been written to the socket (or the stream is gone), and nobody pins.
///
/// Settles: op() completes when the response has been sent and the handler's handle has a value, fails when the handler
/// failed, and is cancelled by force when the client goes away or resets the stream (cause disconnect), when a limit in time
/// is passed (deadline) or when the server stops (shutdown). Whatever the handler waits for is a child of it.
///
/// Threads: const members from any thread while pinned; arena() by one at a time. Cost: header() looks at each field.
///
/// ```cpp
/// settle::http2::response hello(settle::http2::request& q) {
///   return {200, "you asked for " + std::string(q.path())};
/// }
/// ```
class request {
 public:
  request(request const&) = delete;
  request& operator=(request const&) = delete;

  /// `GET`, `POST`, ..., as it came.
  std::string_view method() const noexcept { return method_; }
  /// With the query, as it came: `/slow?ms=10`.
  std::string_view path() const noexcept { return path_; }
  /// `:authority`, or `host` when there is none.
  std::string_view authority() const noexcept { return authority_; }

  /// The first header of that name (lower case, as HTTP/2 sends them), if there is one.
  std::optional<std::string_view> header(std::string_view name) const noexcept {
    for (entry const* e = first_; e != nullptr; e = e->next)
      if (e->it.name == name) return e->it.value;
    return std::nullopt;
  }

  /// The whole body. It had to fit into the arena: a larger one is answered 413 before the handler is called. Without a
  /// content-length it is moved as it grows, which may take twice its size.
  http2::bytes body() const noexcept { return {reinterpret_cast<std::byte const*>(body_), body_size_}; }

  /// The request as an operation: what to make children of, to register on, to pin.
  operation op() const noexcept { return op_; }
  /// The request's own memory: bounded, freed as a whole when op() is released. Full: std::bad_alloc.
  std::pmr::memory_resource& arena() noexcept { return *arena_; }
  /// Where the handler was called, and where everything of this request runs.
  any_executor get_executor() const noexcept { return *executor_; }

 private:
  friend class detail::session;
  friend struct detail::stream;
  friend struct detail::callbacks;

  struct entry {
    field it;
    entry* next;
  };

  /// The server's executor, which is there for as long as a request is.
  request(settle::arena& memory, any_executor const& ex) noexcept : arena_(&memory), executor_(&ex) {}
  ~request() = default;

  /// Copies a field into the arena; false when it is full.
  bool store(std::string_view name, std::string_view value) noexcept {
    if (name.starts_with(':')) return store_pseudo(name, value);
    void* const at = arena_->try_allocate(sizeof(entry) + name.size() + value.size(), alignof(entry));
    if (at == nullptr) return false;
    char* const text = static_cast<char*>(at) + sizeof(entry);
    std::memcpy(text, name.data(), name.size());
    if (!value.empty()) std::memcpy(text + name.size(), value.data(), value.size());
    field const kept{{text, name.size()}, {text + name.size(), value.size()}};
    last_ = (last_ == nullptr ? first_ : last_->next) = ::new (at) entry{kept, nullptr};
    if (authority_.empty() && kept.name == "host") authority_ = kept.value;
    return true;
  }

  bool store_pseudo(std::string_view name, std::string_view value) noexcept {
    std::string_view* const to = name == ":method" ? &method_ : name == ":path" ? &path_ : name == ":authority" ? &authority_ : nullptr;
    if (to == nullptr || value.empty()) return true;  // nobody asks for the others
    auto* const text = static_cast<char*>(arena_->try_allocate(value.size(), 1));
    if (text == nullptr) return false;
    std::memcpy(text, value.data(), value.size());
    *to = {text, value.size()};
    return true;
  }

  /// Room for a body of n bytes in one piece; false when the arena has none.
  bool reserve(std::size_t n) noexcept {
    if (n <= body_room_) return true;
    auto* const at = static_cast<char*>(arena_->try_allocate(n, 1));
    if (at == nullptr) return false;
    if (body_size_ != 0) std::memcpy(at, body_, body_size_);
    if (body_ != nullptr) arena_->deallocate(body_, body_room_, 1);
    body_ = at;
    body_room_ = n;
    return true;
  }

  /// Appends to the body. One whose length was not declared grows by doubling, while that fits. False when the arena is full.
  bool append(std::span<std::uint8_t const> more) noexcept {
    if (more.empty()) return true;
    std::size_t const needed = body_size_ + more.size();
    if (needed > body_room_ && !reserve(std::max(needed, 2 * body_room_)) && !reserve(needed)) return false;
    std::memcpy(body_ + body_size_, more.data(), more.size());
    body_size_ = needed;
    return true;
  }

  std::string_view method_, path_, authority_;
  entry* first_ = nullptr;
  entry* last_ = nullptr;
  char* body_ = nullptr;
  std::size_t body_size_ = 0, body_room_ = 0;
  settle::arena* arena_;
  any_executor const* executor_;
  operation op_;
};

}  // namespace settle::inline v0::http2

#endif
