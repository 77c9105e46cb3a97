// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_SIMULATION_TRACE_HPP
#define SETTLE_TESTING_SIMULATION_TRACE_HPP

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <string>

namespace settle::inline v0::testing {

/// One thing that happened in a simulation. No address in it: the same seed gives the same events.
struct sim_event {
  /// What happened.
  enum what_t : std::uint8_t {
    submitted,
    ran,
    started,  ///< a timer
    fired,
    stopping,
    let_go,
    lost,  ///< work or a timer whose executor went down, or that was dropped
    rejected,
    delayed,
    made_late,
    refused,  ///< a timer that was to be started
    no_memory,
    destroyed,  ///< an executor's queue
  };

  what_t what = submitted;        ///< what happened
  std::uint32_t executor = 0;     ///< counted from 1; 0: none
  std::uint64_t item = 0;         ///< the work's or the timer's number
  std::chrono::nanoseconds at{};  ///< since the simulation began
  /// All of it alike.
  bool operator==(sim_event const&) const = default;
};

/// What happened, the latest part of it, and a fingerprint of all of it.
class sim_trace {
 public:
  /// Keeps the latest `keep`.
  explicit sim_trace(std::size_t keep = 10'000) noexcept : keep_(keep) {}

  /// Adds one. Throws std::bad_alloc.
  void note(sim_event const& e) {
    for (std::uint64_t const part : {std::uint64_t{e.what}, std::uint64_t{e.executor}, e.item, static_cast<std::uint64_t>(e.at.count())})
      hash_ = (hash_ ^ part) * 0x100000001b3U;
    events_.push_back(e);
    if (events_.size() > keep_) events_.pop_front();
  }

  /// Those that are kept, oldest first.
  std::deque<sim_event> const& events() const noexcept { return events_; }
  /// Of all events, also those that are kept no more.
  std::uint64_t hash() const noexcept { return hash_; }

  /// The last n of them, a line each.
  std::string text(std::size_t n) const {
    std::string out;
    std::size_t i = events_.size() > n ? events_.size() - n : 0;
    for (; i != events_.size(); ++i) out += line(events_[i]);
    return out;
  }

 private:
  static std::string line(sim_event const& e) {
    constexpr std::array<char const*, 13> names{"submitted",    "ran",       "timer started",  "timer fired", "timer stopping",
                                                "timer let go", "lost",      "rejected",       "delayed",     "made late",
                                                "refused",      "no memory", "queue destroyed"};
    std::array<char, 128> text{};
    std::snprintf(text.data(), text.size(), "%14.6f ms  executor %u  #%llu %s\n", std::chrono::duration<double, std::milli>(e.at).count(),
                  static_cast<unsigned>(e.executor), static_cast<unsigned long long>(e.item), names[e.what]);
    return text.data();
  }

  std::deque<sim_event> events_;
  std::size_t keep_;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

}  // namespace settle::inline v0::testing

#endif
