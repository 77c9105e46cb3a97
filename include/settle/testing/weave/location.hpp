// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_LOCATION_HPP
#define SETTLE_TESTING_WEAVE_LOCATION_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "clock.hpp"
#include "operation.hpp"

namespace settle::inline v0::testing::weave {

/// Position of an event in the execution under way; none: it is no event of the threads.
inline constexpr std::int32_t no_event = -1;

/// One value that a location has had.
struct store_record {
  bits value;
  vector_clock message;      // what an acquiring reader comes to know
  bool has_message = false;  // false: nothing
  std::uint8_t thread = 0;
  std::uint32_t number = 0;  // of the event in its thread
  std::uint32_t serial = 0;  // so many came before it
  std::int32_t event = no_event;

  // Of an addition that might as well be before or behind others.
  operation const* added = nullptr;  // made this of the value below
  bool releases = false;
  bool is_read = false;  // somebody has found just those up to here: they stay before what else was and will be added
  vector_clock own;      // its part of the message
  vector_clock past;     // what it comes after

  /// A read-modify-write has in its message what the value below has, and in its value, if it adds.
  void carry_on(store_record const& below) noexcept {
    if (added != nullptr) value = added->adds.to(below.value);
    has_message = releases || below.has_message;
    message = own;
    if (below.has_message) message.join(below.message);
  }
};

/// An atomic object: every value it has had, oldest first, and who has read what. The order of its modifications is the
/// order in which they were executed.
struct location {
  struct reading {
    std::uint32_t number;
    std::uint32_t index;
  };

  void const* address = nullptr;
  std::uint32_t id = 0;
  std::uint32_t next_in_block = 0;  // another location in the same block of memory; its id + 1
  bool alive = false;
  std::vector<store_record> stores;
  std::array<std::vector<reading>, max_threads> readings;
  std::array<std::uint32_t, max_threads> last_access{};
  std::uint32_t sc_floor = 0;  // sequentially consistent loads read nothing older
  vector_clock exact_reads;    // what those come after that had to read the newest value: others that add come after them

  // For the search: who to look at when an event is to be ordered with those before it.
  std::int32_t last_exclusive = no_event;
  std::array<std::int32_t, max_threads> last_exact_read{};
  std::array<std::int32_t, max_threads> last_weak_read{};
  std::array<std::int32_t, max_threads> last_addition{};

  std::uint32_t newest() const noexcept { return static_cast<std::uint32_t>(stores.size() - 1); }
  bits value() const noexcept { return stores.back().value; }
  /// The newest that is not an addition which commutes.
  std::uint32_t base() const noexcept {
    std::uint32_t i = newest();
    while (stores[i].added != nullptr) --i;
    return i;
  }

  void begin(void const* at, std::uint32_t with_id, bits initial, unsigned thread, std::uint32_t number) {
    address = at;
    id = with_id;
    next_in_block = 0;
    alive = true;
    stores.clear();
    store_record first;
    first.value = initial;
    first.thread = static_cast<std::uint8_t>(thread);
    first.number = number;
    stores.push_back(first);
    for (auto& r : readings) r.clear();
    last_access.fill(0);
    sc_floor = 0;
    exact_reads = {};
    last_exclusive = no_event;
    last_exact_read.fill(no_event);
    last_weak_read.fill(no_event);
    last_addition.fill(no_event);
  }

  /// Nothing behind it could have come before it.
  bool is_in_order(std::uint32_t index) const noexcept {
    return index == newest() || stores[index + 1].added == nullptr || stores[index].added == nullptr || stores[index].is_read;
  }
  /// The last one that could have come before it, or behind.
  std::uint32_t end_of_unordered(std::uint32_t index) const noexcept {
    while (!is_in_order(index)) ++index;
    return index;
  }
  /// The last one that a new addition cannot come before.
  std::uint32_t last_in_order() const noexcept {
    std::uint32_t i = newest();
    while (stores[i].added != nullptr && !stores[i].is_read) --i;
    return i;
  }
  /// The serial number of the last one up to that index.
  std::uint32_t latest_up_to(std::uint32_t index) const noexcept {
    std::uint32_t latest = stores[index].serial;
    for (; stores[index].added != nullptr; --index) latest = std::max(latest, stores[index].serial);
    return latest;
  }

  /// The oldest value that a thread which knows this much may still read.
  std::uint32_t floor(unsigned thread, vector_clock const& known) const noexcept {
    std::uint32_t oldest = read_floor(thread, known);
    for (std::uint32_t i = newest(); i > oldest; --i)
      if (is_known(i, thread, known)) return i;
    return oldest;
  }
  bool is_known(std::uint32_t i, unsigned thread, vector_clock const& known) const noexcept {
    return stores[i].thread == thread || known.covers(stores[i].thread, stores[i].number);
  }
  /// The newest that is known to have been read.
  std::uint32_t read_floor(unsigned thread, vector_clock const& known) const noexcept {
    std::uint32_t oldest = last_read(thread);
    for (unsigned t = 0; t != max_threads; ++t) {
      if (t == thread) continue;
      for (auto r = readings[t].rbegin(); r != readings[t].rend() && r->index > oldest; ++r)
        if (known.covers(t, r->number)) oldest = r->index;
    }
    return oldest;
  }
  /// Not what it has written: of additions before its own it knows nothing by that.
  std::uint32_t last_read(unsigned thread) const noexcept { return readings[thread].empty() ? 0 : readings[thread].back().index; }
  void note_reading(unsigned thread, std::uint32_t number, std::uint32_t index) {
    auto& r = readings[thread];
    if (r.empty() || r.back().index < index) r.push_back({number, index});
  }
};

}  // namespace settle::inline v0::testing::weave

#endif
