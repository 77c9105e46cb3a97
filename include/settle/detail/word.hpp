// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_DETAIL_WORD_HPP
#define SETTLE_DETAIL_WORD_HPP

#include <cstdint>

#include "outcome_head.hpp"

namespace settle::inline v0::detail {

/// The word: what an operation has come to, and the bit that guards its rings.
namespace word {
enum : std::uint32_t {
  locked = 1u << 0,      // held for a few instructions, never while user code runs
  claimed = 1u << 1,     // a shared producer writes the outcome
  settled = 1u << 2,     // the outcome is whole and stays
  requested = 1u << 3,   // asked to cancel; sticky
  forced = 1u << 4,      // settled by a forced cancel
  walking = 1u << 5,     // one thread runs the structural part
  lost = 1u << 6,        // its executor is gone: nothing more is submitted there
  owned = 1u << 7,       // a handle, or the consumer it was given to, may still take the value
  watched = 1u << 8,     // a watcher may read the value as long as it likes
  offered = 1u << 9,     // the sequence is past the point where a lost value is dealt with
  releasers = 1u << 10,  // user code waits for released
  below = 1u << 11,      // children or cancel observers were registered
  failure = 1u << 12,    // how it settled: neither bit is a value
  cancelled = 1u << 13,
  no_value = failure | cancelled,
  handled = 1u << 14,     // the handle was given out
  tentative = 1u << 15,   // claimed by a producer whose move may throw: rivals wait
  disposal = 1u << 16,    // the value lost its owner late: the releaser destroys it
  kept = 1u << 17,        // a registration may withdraw its hook: it holds no reference, so plain stores will not do
  cold = 1u << 18,        // a coroutine that waits for an owner
  context = 1u << 19,     // it has one, which goes with it
  inputs = 1u << 20,      // combinators wait for it
  linked = 1u << 21,      // parents, or others who wait for its release, were told to wait
  blocks = 1u << 22,      // cleanups were registered in blocks of their own
  embedded = 1u << 24,    // hooks stand on the rings whose owners may take them off until they start
  errand = 1u << 25,      // the state is queued to run the cancel observers of a request
  owed = 1u << 26,        // and settled meanwhile: its sequence comes right after them
  given = 1u << 27,       // the handle was moved into the consumer: its reference is the sequence's to give back
  initiating = 1u << 28,  // the function that was given the resolver runs: dropped there, it is not abandoned yet
  forsaken = 1u << 29,    // and it was dropped
  taker = 1u << 30,       // a function waits for a value that nobody takes
};
/// What it says of how it settled.
constexpr std::uint32_t ended_with(outcome_head::kind_t k) noexcept {
  return k == outcome_head::failure ? failure : k == outcome_head::cancelled ? cancelled : 0u;
}
}  // namespace word

/// The count: references above, holds below. Every hold comes with a reference.
namespace count {
inline constexpr std::uint64_t hold = 1;
inline constexpr std::uint64_t ref = std::uint64_t{1} << 32;
inline constexpr std::uint64_t both = ref + hold;
inline constexpr std::uint64_t releasing = std::uint64_t{1} << 30;  // cleanups run: pinning fails
inline constexpr std::uint64_t late = std::uint64_t{1} << 31;       // something was registered beside the releaser
constexpr std::uint64_t holds(std::uint64_t c) { return c & (releasing - 1); }
/// Without the references: the holds and the marks.
constexpr std::uint64_t without_refs(std::uint64_t c) { return c & (ref - 1); }
/// More holds than one are many.
inline constexpr auto last_hold = [](std::uint64_t c) { return holds(c) > 1 ? 2 : without_refs(c); };
/// More references than two are many.
inline constexpr auto few_refs = [](std::uint64_t c) { return c < 3 * ref ? c : 3 * ref + without_refs(c); };
}  // namespace count

}  // namespace settle::inline v0::detail

#endif
