// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TIME_TIMEOUT_TEXT_HPP
#define SETTLE_TIME_TIMEOUT_TEXT_HPP

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace settle::inline v0 {

namespace detail {

struct timeout_unit {
  char letter;
  std::int64_t nanoseconds;
};
inline constexpr std::array<timeout_unit, 6> timeout_units{
    {{'n', 1}, {'u', 1'000}, {'m', 1'000'000}, {'S', 1'000'000'000}, {'M', 60'000'000'000}, {'H', 3'600'000'000'000}}};
inline constexpr std::int64_t timeout_limit = 100'000'000;  // at most eight digits

}  // namespace detail

/// What is left of a deadline (`op.remaining()`) as a header says it, the form of gRPC's `grpc-timeout`: at most eight digits
/// and a unit, `H`, `M`, `S`, `m`, `u` or `n`; in the finest unit that has room, rounded down, so that the other side never
/// believes to have more. Nothing left: "0n". Empty: there is no deadline, and no header. Throws std::bad_alloc.
///
/// ```cpp
/// std::string const header = settle::timeout_text(op.remaining());
/// if (auto left = settle::timeout_from_text(header)) op.tighten(std::chrono::steady_clock::now() + *left);
/// ```
inline std::string timeout_text(std::chrono::nanoseconds left) {
  if (left == std::chrono::nanoseconds::max()) return {};
  std::int64_t const n = left.count() < 0 ? 0 : left.count();
  auto unit = detail::timeout_units.begin();
  while (n / unit->nanoseconds >= detail::timeout_limit) ++unit;  // hours always have room
  return std::to_string(n / unit->nanoseconds) + unit->letter;
}

/// What such a header says; nothing when it is malformed. What is too far away to be counted is nanoseconds::max(): never.
inline std::optional<std::chrono::nanoseconds> timeout_from_text(std::string_view text) noexcept {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  std::int64_t n = 0;
  char const* const end = text.data() + text.size() - 1;
  // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): it goes to `end`
  auto const [at, problem] = std::from_chars(text.data(), end, n);
  if (problem != std::errc() || at != end || n < 0) return std::nullopt;
  for (detail::timeout_unit const& unit : detail::timeout_units) {
    if (unit.letter != *end) continue;
    if (n > std::chrono::nanoseconds::max().count() / unit.nanoseconds) return std::chrono::nanoseconds::max();
    return std::chrono::nanoseconds(n * unit.nanoseconds);
  }
  return std::nullopt;
}

}  // namespace settle::inline v0

#endif
