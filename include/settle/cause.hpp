// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_CAUSE_HPP
#define SETTLE_CAUSE_HPP

#include <cstdint>
#include <source_location>
#include <string_view>

namespace settle::inline v0 {

/// Why an operation was cancelled.
enum class cause : std::uint8_t {
  requested,   ///< somebody asked, and gave no other reason
  parent,      ///< the operation that adopted it was cancelled, asked to, or settled
  sibling,     ///< another input of the same combinator decided the result
  deadline,    ///< its time was over
  disconnect,  ///< the peer is gone
  overload,    ///< shed to protect the rest
  shutdown,    ///< the program, or the part that owns it, ends
  abandoned,   ///< its last producer went away without settling it
  dropped,     ///< its owner went away without waiting for it
};

/// The cause's name, as the enumerator is spelt. Never allocates.
constexpr std::string_view to_string(cause c) noexcept {
  constexpr std::string_view names[] = {"requested", "parent",   "sibling",   "deadline", "disconnect",
                                        "overload",  "shutdown", "abandoned", "dropped"};
  return names[static_cast<std::uint8_t>(c)];
}

/// How a cancellation came about: `why` as this operation saw it, `root` at the top of the tree it came down,
/// `where` the call that started it.
struct cancellation {
  cause why = cause::requested;   ///< as this operation saw it
  cause root = cause::requested;  ///< as it was at the top of the tree it came down
  std::source_location where{};   ///< the call that started it

  constexpr cancellation() noexcept = default;
  /// Begun here: the cause is the root as well.
  constexpr cancellation(cause c, std::source_location at) noexcept : why(c), root(c), where(at) {}
  /// Come down from above.
  constexpr cancellation(cause c, cause top, std::source_location at) noexcept : why(c), root(top), where(at) {}

  /// The time was over, here or further up.
  [[nodiscard]] constexpr bool by_deadline() const noexcept { return why == cause::deadline || root == cause::deadline; }

  /// The same cancellation as a child sees it.
  [[nodiscard]] constexpr cancellation passed_down() const noexcept { return {cause::parent, root, where}; }
};

}  // namespace settle::inline v0

#endif
