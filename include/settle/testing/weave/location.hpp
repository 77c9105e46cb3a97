// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_LOCATION_HPP
#define SETTLE_TESTING_WEAVE_LOCATION_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
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

/// What the caller of a step sees of the value, and which values it takes: asked of other values than the one it has found, even when it
/// is over.
struct view {
  static constexpr std::size_t most = 48;
  bits (*looks_at)(void const* context, bits value) = nullptr;  // null: all of it
  bool (*fits)(void const* context, bits value) = nullptr;
  alignas(std::uint64_t) std::array<std::byte, most> context;  // both's

  view() noexcept {}  // NOLINT(modernize-use-equals-default,cppcoreguidelines-pro-type-member-init): nobody reads it yet
  template <class F>
  explicit view(F const& both) noexcept {
    static_assert(std::is_trivially_copyable_v<F> && sizeof(F) <= most,
                  "settle: what a step of weave::atomic looks for is kept: let it capture little, and by value");
    std::memcpy(context.data(), &both, sizeof both);
  }
  bits seen(bits v) const noexcept { return looks_at == nullptr ? v : looks_at(context.data(), v); }
};

/// What is added to a whole number of so many bits.
struct sum {
  std::uint64_t amount = 0;  // 0: it is something else that is done
  std::uint64_t mask = 0;

  sum() noexcept = default;
  template <class T>
  explicit sum(T n) noexcept : amount(bits::of(n).low), mask(~std::uint64_t{0} >> (64 - 8 * sizeof(T))) {}
  explicit operator bool() const noexcept { return amount != 0; }
  bits to(bits v) const noexcept { return {(v.low + amount) & mask, v.high}; }
  bits from(bits s) const noexcept { return {(s.low - amount) & mask, s.high}; }
};

/// A read-modify-write that adds to the values that fit.
struct addition {
  sum what;
  view how;

  explicit operator bool() const noexcept { return bool(what); }
  /// Done where the value is `v`: what its caller sees; nothing: it is not done there.
  std::optional<bits> at(bits v) const noexcept {
    return how.fits(how.context.data(), v) ? std::optional<bits>(how.seen(v)) : std::nullopt;
  }
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
  addition added;  // made this of the value below, and might as well have been before or behind others that did
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
  std::array<std::int32_t, max_threads> last_addition{};

  std::uint32_t newest() const noexcept { return static_cast<std::uint32_t>(stores.size() - 1); }
  bits value() const noexcept { return stores.back().value; }
  /// The newest that is not an addition which commutes.
  std::uint32_t base() const noexcept {
    std::uint32_t i = newest();
    while (stores[i].added) --i;
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
    last_exclusive = no_event;
    last_exact_read.fill(no_event);
    last_weak_read.fill(no_event);
    last_addition.fill(no_event);
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
