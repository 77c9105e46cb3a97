// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTS_VALUES_HPP
#define SETTLE_TESTS_VALUES_HPP

#include <array>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <utility>

// Values that notice how they are treated.
namespace test {

/// Counts the objects alive and calls `on_death`, if set, when one that was not moved from dies.
struct tracked {
  static inline std::atomic<long> alive = 0;
  static inline void (*on_death)() = nullptr;
  int value = 0;

  explicit tracked(int v) noexcept : value(v) { ++alive; }
  tracked(tracked&& o) noexcept : value(std::exchange(o.value, 0)) { ++alive; }
  tracked& operator=(tracked&& o) noexcept {
    value = std::exchange(o.value, 0);
    return *this;
  }
  ~tracked() {
    --alive;
    if (value != 0 && on_death != nullptr) on_death();
  }
};

/// 64 bytes that are all the same number, or torn.
struct wide {
  std::array<std::uint64_t, 8> parts{};
  explicit wide(std::uint64_t v) noexcept { parts.fill(v); }
  bool whole() const noexcept {
    for (auto p : parts)
      if (p != parts[0]) return false;
    return parts[0] != 0;
  }
};

struct alignas(128) over_aligned {
  int value;
  bool aligned() const noexcept { return reinterpret_cast<std::uintptr_t>(this) % 128 == 0; }
};

struct huge {
  std::array<unsigned char, 100'000> bytes{};
};

#if defined(__cpp_exceptions)
/// Throws when it is moved or copied for the n-th time (0: never). Counts the objects alive.
struct fragile {
  static inline int throw_at = 0;
  static inline std::atomic<long> alive = 0;
  int value;

  explicit fragile(int v) : value(v) { ++alive; }
  fragile(fragile&& o) : value(o.value) {
    tick();
    o.value = -1;
    ++alive;
  }
  fragile(fragile const& o) : value(o.value) {
    tick();
    ++alive;
  }
  fragile& operator=(fragile&&) = delete;
  ~fragile() { --alive; }

 private:
  static void tick() {
    if (throw_at != 0 && --throw_at == 0) throw std::runtime_error("fragile");
  }
};
#endif

}  // namespace test

#endif
