// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_BENCHMARKS_HTTP2_BODIES_HPP
#define SETTLE_BENCHMARKS_HTTP2_BODIES_HPP

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

// What every server answers: /tiny and /large, with the same head.
namespace bench {

inline constexpr std::string_view tiny_body = "hello, world\n";
inline constexpr std::size_t large_bytes = 1u << 20;
inline constexpr char const* content_type = "text/plain";

inline std::uint16_t port(char const* text) { return static_cast<std::uint16_t>(std::strtoul(text, nullptr, 10)); }

}  // namespace bench

#endif
