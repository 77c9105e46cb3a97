// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_LOCATION_HPP
#define SETTLE_TESTING_WEAVE_LOCATION_HPP

#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "clock.hpp"

namespace settle::inline v0::testing::weave {

/// What an atomic object holds, without its type: up to 16 bytes.
struct bits {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  template <class T>
  static bits of(T const& v) noexcept {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(bits),
                  "settle: weave::atomic<T> takes trivially copyable T of up to 16 bytes");
    bits b;
    std::memcpy(static_cast<void*>(&b), &v, sizeof(T));
    return b;
  }
  template <class T>
  T as() const noexcept {
    std::remove_const_t<T> v;
    std::memcpy(static_cast<void*>(&v), this, sizeof(T));
    return v;
  }
  bool operator==(bits const&) const = default;
};

/// Position of an event in the execution under way; none: it is no event of the threads.
inline constexpr std::int32_t no_event = -1;

/// One value that a location has had.
struct store_record {
  bits value;
  vector_clock message;      // what an acquiring reader comes to know
  bool has_message = false;  // false: nothing
  std::uint8_t thread = 0;
  std::uint32_t number = 0;  // of the event in its thread
  std::int32_t event = no_event;
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

  // For the search: who to look at when an event is to be ordered with those before it.
  std::int32_t last_exclusive = no_event;
  std::array<std::int32_t, max_threads> last_exact_read{};
  std::array<std::int32_t, max_threads> last_weak_read{};

  std::uint32_t newest() const noexcept { return static_cast<std::uint32_t>(stores.size() - 1); }
  bits value() const noexcept { return stores.back().value; }

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
    last_exclusive = no_event;
    last_exact_read.fill(no_event);
    last_weak_read.fill(no_event);
  }

  /// The oldest value that a thread which knows this much may still read.
  std::uint32_t floor(unsigned thread, vector_clock const& known) const noexcept {
    std::uint32_t oldest = readings[thread].empty() ? 0 : readings[thread].back().index;
    for (std::uint32_t i = newest(); i > oldest; --i)
      if (stores[i].thread == thread || known.covers(stores[i].thread, stores[i].number)) oldest = i;
    for (unsigned t = 0; t != max_threads; ++t) {
      if (t == thread) continue;
      for (auto r = readings[t].rbegin(); r != readings[t].rend() && r->index > oldest; ++r)
        if (known.covers(t, r->number)) oldest = r->index;
    }
    return oldest;
  }
  void note_reading(unsigned thread, std::uint32_t number, std::uint32_t index) {
    auto& r = readings[thread];
    if (r.empty() || r.back().index < index) r.push_back({number, index});
  }
};

}  // namespace settle::inline v0::testing::weave

#endif
