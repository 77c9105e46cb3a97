// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_OBSERVE_CENSUS_HPP
#define SETTLE_OBSERVE_CENSUS_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../detail/exceptions.hpp"
#include "../policy/monitor.hpp"
#include "../policy/sync.hpp"
#include "census_report.hpp"

namespace settle::inline v0 {

/// A monitor that keeps the live set: every operation of its policies from created to destroyed, with its tag, its age,
/// where it was created, who adopted it, under which child of a supervisor, and why it is not released as far as it can tell when asked.
/// One set for each Tag; `census` is the one without.
///
/// Threads: any. Cost: a lock and a node of a hash table for each operation; policies without a census pay nothing.
/// Throws nothing while operations come and go: one that there is no memory to note down is counted in `missed()`.
/// Asking for operations of `unsynchronized_terminal` is for their own thread.
///
/// ```cpp
/// struct rpc : settle::default_policy {
///   using monitor = settle::census;
///   static constexpr std::string_view tag = "rpc";
/// };
/// std::puts(settle::census::text().c_str());
/// ```
template <class Tag = void>
class basic_census {
 public:
  /// What makes it a monitor; called by operations.
  static void on_event(monitor_event const& e) noexcept {
    books& b = here();
    std::lock_guard const guard(b.lock);
    if (e.what == monitor_event::created) {
      ++b.missed;  // until it is noted down
      detail::guarded([&] { b.note(e); }, [](std::exception_ptr const&) {});
      return;
    }
    auto const at = b.live.find(e.id);
    if (at == b.live.end()) return;  // missed
    if (e.what == monitor_event::destroyed) {
      b.live.erase(at);
    } else if (e.what == monitor_event::adopted) {
      auto const parent = b.live.find(e.parent);
      at->second.parent = parent == b.live.end() ? 0 : parent->second.serial;
      name(at->second, e);
    } else {
      at->second.released = e.what == monitor_event::released;
      at->second.event = e;
    }
  }

  /// How many operations exist, released ones that somebody still refers to included.
  static std::size_t size() noexcept {
    std::lock_guard const guard(here().lock);
    return here().live.size();
  }
  /// Nothing is left: every operation is released, and nobody refers to one.
  static bool is_quiescent() noexcept { return size() == 0; }
  /// How many operations there was no memory to note down.
  static std::uint64_t missed() noexcept {
    std::lock_guard const guard(here().lock);
    return here().missed;
  }

  /// Everything that lives, oldest first. Throws std::bad_alloc.
  static std::vector<census_entry> entries() {
    std::vector<census_entry> found;
    {
      books& b = here();
      std::lock_guard const guard(b.lock);
      found.reserve(b.live.size());
      clock::time_point const now = clock::now();  // one for all: their ages compare
      for (auto const& [id, r] : b.live) found.push_back(entry_of(id, r, now));
    }
    std::sort(found.begin(), found.end(), [](census_entry const& x, census_entry const& y) { return x.serial < y.serial; });
    for (census_entry const& child : found) {
      auto const at =
          std::lower_bound(found.begin(), found.end(), child.parent, [](census_entry const& x, std::uint64_t n) { return x.serial < n; });
      if (at != found.end() && at->serial == child.parent && child.phase != census_phase::released) ++at->children;
    }
    detail::hand_names_down(found);
    return found;
  }

  /// How many there are of what. Throws std::bad_alloc.
  static census_counts counts() {
    return counts_of(entries(), [](census_entry const&) { return true; });
  }
  /// As text for people: a line for each tag, then one for each operation. Throws std::bad_alloc.
  static std::string text() { return census_text(entries()); }
  /// As JSON: an array with an object for each operation. Throws std::bad_alloc.
  static std::string json() { return census_json(entries()); }

 private:
  using clock = std::chrono::steady_clock;

  struct record {
    monitor_event event;
    std::uint64_t serial;
    std::uint64_t parent;
    clock::time_point since;
    bool released;
    std::string name{};
  };
  struct books {
    std_sync::mutex lock;
    std::unordered_map<void const*, record> live;
    std::uint64_t last = 0;
    std::uint64_t missed = 0;

    void note(monitor_event const& e) {
      live.emplace(e.id, record{e, last + 1, 0, clock::now(), false, {}});
      ++last;
      --missed;
    }
  };

  /// Never destroyed: operations of other static objects may outlive every other.
  static books& here() noexcept {
    static books& b = *new books;
    return b;
  }

  /// Without memory it stays nameless.
  static void name(record& r, monitor_event const& e) noexcept {
    if (!e.child.empty()) detail::guarded([&] { r.name = e.child; }, [](std::exception_ptr const&) {});
  }

  /// Under the lock: the call that says destroyed waits for it, so the operation is there.
  static census_entry entry_of(void const* id, record const& r, clock::time_point now) {
    census_entry e;
    e.serial = r.serial;
    e.id = id;
    e.parent = r.parent;
    e.tag = r.event.tag;
    e.name = r.name;
    e.where = r.event.where;
    e.age = now - r.since;
    e.how = r.event.how;
    e.why = r.event.why;
    e.now = r.event.look(id);
    e.phase = r.released ? census_phase::released : e.now.settled ? census_phase::settled : census_phase::pending;
    return e;
  }
};

using census = basic_census<>;

}  // namespace settle::inline v0

#endif
