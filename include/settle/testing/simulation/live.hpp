// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_SIMULATION_LIVE_HPP
#define SETTLE_TESTING_SIMULATION_LIVE_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <unordered_map>
#include <vector>

#include "../../detail/exceptions.hpp"
#include "../../observe/census_report.hpp"
#include "../../policy/monitor.hpp"

namespace settle::inline v0::testing::sim_detail {

/// The operations whose executor is one of a simulation's, from created to destroyed.
class sim_live {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  void on_event(monitor_event const& e, time_point now) noexcept {
    if (e.what == monitor_event::destroyed) live_.erase(e.id);
    else settle::detail::guarded([&] { live_.emplace(e.id, record{e, ++last_, now}); }, [](std::exception_ptr const&) {});
  }

  std::size_t size() const noexcept { return live_.size(); }

  /// A line each, oldest first; ages in virtual time.
  std::string text(time_point now) const {
    std::vector<census_entry> found;
    found.reserve(live_.size());
    for (auto const& [id, r] : live_) found.push_back(entry_of(id, r, now));
    std::ranges::sort(found, {}, &census_entry::serial);
    std::string out;
    for (census_entry const& e : found) {
      out += "  operation " + std::to_string(e.serial) + (e.tag.empty() ? "" : " ") + std::string(e.tag) + ", " +
             std::to_string(settle::detail::milliseconds(e.age)) + " ms old, waits for: " + settle::detail::joined(reasons(e)) +
             ", created at " + e.where.file_name() + ':' + std::to_string(e.where.line()) + '\n';
    }
    return out;
  }

 private:
  struct record {
    monitor_event event;
    std::uint64_t serial;
    time_point since;
  };

  static census_entry entry_of(void const* id, record const& r, time_point now) {
    census_entry e;
    e.serial = r.serial;
    e.tag = r.event.tag;
    e.where = r.event.where;
    e.age = now - r.since;
    e.now = r.event.look(id);
    e.phase = !e.now.settled ? census_phase::pending : e.now.holds == 0 ? census_phase::released : census_phase::settled;
    return e;
  }

  std::unordered_map<void const*, record> live_;
  std::uint64_t last_ = 0;
};

}  // namespace settle::inline v0::testing::sim_detail

#endif
