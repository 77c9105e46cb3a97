// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_HTTP2_DETAIL_NGHTTP2_COMPAT_HPP
#define SETTLE_HTTP2_DETAIL_NGHTTP2_COMPAT_HPP

// IWYU pragma: private, include <settle/http2/server.hpp>
// Everything that differs between nghttp2 1.52 and the newest. Features are found by use, never by version: distributions
// backport functions (the reset and continuation limits) without changing the number.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>

#include <nghttp2/nghttp2.h>

#include "../../policy/recycling.hpp"

namespace settle::inline v0::http2::detail {

struct session_delete {
  void operator()(nghttp2_session* s) const noexcept { nghttp2_session_del(s); }
};
struct callbacks_delete {
  void operator()(nghttp2_session_callbacks* c) const noexcept { nghttp2_session_callbacks_del(c); }
};
struct option_delete {
  void operator()(nghttp2_option* o) const noexcept { nghttp2_option_del(o); }
};
using session_ptr = std::unique_ptr<nghttp2_session, session_delete>;
using callbacks_ptr = std::unique_ptr<nghttp2_session_callbacks, callbacks_delete>;
using option_ptr = std::unique_ptr<nghttp2_option, option_delete>;

/// The memory of a session: this thread's recycled storage, since nghttp2 asks for five small blocks for each request. The size
/// stands in front of a block.
class session_memory {
 public:
  static nghttp2_mem* functions() noexcept {
    static constinit nghttp2_mem all{nullptr, &take, &give, &take_zeroed, &resize};
    return &all;
  }

 private:
  static constexpr std::size_t front = alignof(std::max_align_t);

  static std::size_t& size_of(void* p) noexcept {
    return *std::launder(reinterpret_cast<std::size_t*>(static_cast<std::byte*>(p) - front));
  }

  static void* take(std::size_t n, void*) noexcept {
    if (n > std::numeric_limits<std::size_t>::max() - front) return nullptr;
    void* const whole = recycling::try_allocate(front + n, front);
    if (whole == nullptr) return nullptr;
    ::new (whole) std::size_t(n);
    return static_cast<std::byte*>(whole) + front;
  }
  static void give(void* p, void*) noexcept {
    if (p != nullptr) recycling::deallocate(static_cast<std::byte*>(p) - front, front + size_of(p), front);
  }
  static void* take_zeroed(std::size_t n, std::size_t size, void*) noexcept {
    if (size != 0 && n > std::numeric_limits<std::size_t>::max() / size) return nullptr;
    void* const p = take(n * size, nullptr);
    return p == nullptr ? nullptr : std::memset(p, 0, n * size);
  }
  static void* resize(void* p, std::size_t n, void*) noexcept {
    void* const other = take(n, nullptr);
    if (other == nullptr || p == nullptr) return other;
    std::memcpy(other, p, std::min(n, size_of(p)));
    give(p, nullptr);
    return other;
  }
};

template <class O>
concept has_reset_rate_limit = requires(O* o, std::uint64_t n) { nghttp2_option_set_stream_reset_rate_limit(o, n, n); };
template <class O>
concept has_continuation_limit = requires(O* o) { nghttp2_option_set_max_continuations(o, 8); };
template <class S>
concept has_wide_calls = requires(S* s, std::uint8_t const* p, std::size_t n) { nghttp2_session_mem_recv2(s, p, n); };

/// How many RST_STREAM a peer may send at once, and how many a second after that (RFC 9113 10.5; CVE-2023-44487).
template <class O>
void limit_resets(O* o, std::uint64_t burst, std::uint64_t rate) noexcept {
  if constexpr (has_reset_rate_limit<O>) nghttp2_option_set_stream_reset_rate_limit(o, burst, rate);
}

/// How many CONTINUATION frames may follow one HEADERS (CVE-2024-28182).
template <class O>
void limit_continuations(O* o, std::size_t most) noexcept {
  if constexpr (has_continuation_limit<O>) nghttp2_option_set_max_continuations(o, most);
}

/// Feeds input; what it returns is the number of bytes taken, or a negative error.
template <class S>
std::ptrdiff_t mem_recv(S* s, std::span<std::uint8_t const> in) noexcept {
  if constexpr (has_wide_calls<S>) return nghttp2_session_mem_recv2(s, in.data(), in.size());
  else return nghttp2_session_mem_recv(s, in.data(), in.size());
}

/// The next piece of output; valid until the next call.
template <class S>
std::ptrdiff_t mem_send(S* s, std::uint8_t const** out) noexcept {
  if constexpr (has_wide_calls<S>) return nghttp2_session_mem_send2(s, out);
  else return nghttp2_session_mem_send(s, out);
}

/// Names the data of a response body, in whichever provider type the call at hand asks for. `Read` has
/// `static std::ptrdiff_t read(nghttp2_session*, std::uint8_t* to, std::size_t room, std::uint32_t* flags, void* body) noexcept`.
template <class Read>
class body_provider {
 public:
  explicit body_provider(void* body) noexcept : body_(body) {}

  template <class Provider>
  operator Provider const*() noexcept {
    static_assert(sizeof(Provider) <= sizeof(storage_));
    if (body_ == nullptr) return nullptr;
    auto* const p = ::new (static_cast<void*>(storage_)) Provider{};
    p->source.ptr = body_;
    p->read_callback = &call;
    return p;
  }

 private:
  template <class Result>
  static Result call(nghttp2_session* s, std::int32_t, std::uint8_t* to, std::size_t room, std::uint32_t* flags, nghttp2_data_source* from,
                     void*) noexcept {
    return static_cast<Result>(Read::read(s, to, room, flags, from->ptr));
  }

  void* body_;
  alignas(void*) std::byte storage_[4 * sizeof(void*)];
};

/// Queues a response head, and its body when there is one (null: END_STREAM rides on the head). Names and values are copied.
template <class Read, class S>
int submit_response(S* s, std::int32_t id, std::span<nghttp2_nv const> head, void* body) noexcept {
  body_provider<Read> provider(body);
  if constexpr (has_wide_calls<S>) return nghttp2_submit_response2(s, id, head.data(), head.size(), provider);
  else return nghttp2_submit_response(s, id, head.data(), head.size(), provider);
}

}  // namespace settle::inline v0::http2::detail

#endif
