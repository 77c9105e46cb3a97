// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_THREAD_STATE_HPP
#define SETTLE_TESTING_WEAVE_THREAD_STATE_HPP

#include <cstdint>
#include <functional>
#include <string>

#include "clock.hpp"
#include "fiber.hpp"
#include "step.hpp"

namespace settle::inline v0::testing::weave {

/// A thread of the world in one execution.
struct thread_state {
  enum phase_t : std::uint8_t {
    ready,     ///< about to do what `pending` says
    awaiting,  ///< spins on a value that it has read: another execution, in which it reads a later one, goes on in its place
    retrying,  ///< its compare-and-swap failed, and it tries again: another execution, in which the first look found that value, does
    finished,
  };

  std::string name;
  std::function<void()> body;
  bool daemon = false;        // serves the others and ends with them
  std::uint32_t twin_of = 0;  // an equal thread before this one, its number; 0: none
  phase_t phase = ready;
  operation pending;
  std::uint8_t choice = 0;
  vector_clock known;       // what happened before, by the memory model
  vector_clock order;       // what the search must keep in this order
  vector_clock past;        // what must come before, however additions are ordered
  std::uint32_t count = 0;  // events so far
  op_kind last_kind = op_kind::none;
  std::uint32_t last_where = 0;
  bool failed_for_nothing = false;  // a weak compare-and-swap has: once is enough
  std::uint32_t exact_at = 0;       // the location (id + 1) whose newest value the next load must read
  bool has_failed = false;          // a compare-and-swap, just now, that saw this; nothing was done since
  bits seen;
  std::uint32_t awaited = 0;  // the location of an awaiting one, and the value it has read
  std::uint32_t awaited_index = 0;

  void begin(std::string with_name, std::function<void()> f) {
    name = std::move(with_name);
    body = std::move(f);
    daemon = false;
    twin_of = 0;
    phase = ready;
    pending = {};
    known = {};
    order = {};
    past = {};
    count = 0;
    last_kind = op_kind::none;
    exact_at = 0;
    has_failed = false;
    failed_for_nothing = false;
  }
};

constexpr std::uint8_t bit(unsigned thread) noexcept { return static_cast<std::uint8_t>(1U << thread); }

}  // namespace settle::inline v0::testing::weave

#endif
