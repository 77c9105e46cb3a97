// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_STEP_HPP
#define SETTLE_TESTING_WEAVE_STEP_HPP

#include <array>
#include <cstdint>

#include "clock.hpp"
#include "location.hpp"

namespace settle::inline v0::testing::weave {

/// How an event is ordered with others of its location.
enum class effect : std::uint8_t {
  none,
  weak_read,   ///< may read old values: commutes with every store but the one it reads
  exact_read,  ///< reads the newest: commutes with other reads
  adding,      ///< as exclusive, but commutes with its like
  exclusive,   ///< commutes with nothing but weak reads
};

/// One step of an execution, and what the search knows about its alternatives.
struct step {
  std::uint8_t thread = 0;
  std::uint8_t choice = 0;   // 0 the newest value, 1 the one before, ...
  std::uint8_t enabled = 0;  // masks of threads
  std::uint8_t backtrack = 0;
  std::uint8_t done = 0;
  std::uint8_t asleep = 0;                        // those up to `bound` of their values
  std::uint8_t awake = 0;                         // has choices that do not sleep
  std::uint8_t preemptions = 0;                   // so far
  std::uint8_t old_values = 0;                    // read so far
  std::uint8_t previous = 0;                      // who ran before
  std::array<std::uint64_t, max_threads> left{};  // choices of each thread that are yet to be tried, and do not sleep
  std::array<std::uint32_t, max_threads> bound{};
  std::array<std::uint32_t, max_threads> newest{};
  std::array<std::uint32_t, max_threads> print{};  // what each thread was about to do: must be the same when replayed

  // The event that was executed.
  effect what = effect::none;
  op_kind kind = op_kind::none;
  std::uint32_t where = 0;
  std::uint32_t number = 0;
  std::uint32_t index = 0;               // of the value that was read
  bool splits = false;                   // of additions, of which there are others that might have been before these
  operation const* read = nullptr;       // of one that may read old values
  std::int32_t earlier_read = no_event;  // of the same object, by the same thread
  vector_clock clock;                    // what it depends on: the order of the search, not of the memory model
};

}  // namespace settle::inline v0::testing::weave

#endif
