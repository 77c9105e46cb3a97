// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_POLICY_NOTIFY_HPP
#define SETTLE_POLICY_NOTIFY_HPP

#include <array>
#include <cstdint>

namespace settle::inline v0 {

/// The kinds of user code that one settled operation runs.
enum class notice : std::uint8_t { done, cancel, consumer, cleanup };

/// In which order, and whether observers of one kind run as registered or the other way round.
/// Every kind appears once, cleanups come last: what the others look at must still be there.
template <notice A, notice B, notice C, notice D, bool Reverse = false>
struct notify_order {
  static_assert(D == notice::cleanup,
                "settle: policy `notify` must end with notice::cleanup: observers may look at what cleanups give back "
                "(see docs/policies.md#notify)");
  static_assert(A != B && B != C && A != C && A != notice::cleanup && B != notice::cleanup && C != notice::cleanup,
                "settle: policy `notify` must name done, cancel, consumer and cleanup once each (see docs/policies.md#notify)");
  static constexpr std::array<notice, 3> before_cleanup{A, B, C};  ///< the order; cleanups come after
  static constexpr bool reverse = Reverse;                         ///< observers of one kind: last registered first
};

/// The default: done observers, cancel observers, the consumer, each kind as registered.
struct default_order : notify_order<notice::done, notice::cancel, notice::consumer, notice::cleanup> {};
/// The same kinds, each last registered first.
struct reverse_order : notify_order<notice::done, notice::cancel, notice::consumer, notice::cleanup, true> {};

}  // namespace settle::inline v0

#endif
