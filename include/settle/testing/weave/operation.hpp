// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_OPERATION_HPP
#define SETTLE_TESTING_WEAVE_OPERATION_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>

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

/// What is added to a whole number of so many bits.
struct sum {
  std::uint64_t amount = 0;  // 0: it is something else that is done
  std::uint64_t mask = 0;

  sum() noexcept = default;
  template <class T>
  explicit sum(T n) noexcept : amount(bits::of(n).low), mask(~std::uint64_t{0} >> (64 - 8 * sizeof(T))) {}
  explicit operator bool() const noexcept { return amount != 0; }
  bits to(bits v) const noexcept { return {(v.low + amount) & mask, v.high}; }
};

/// What a thread is about to do to what it shares.
enum class op_kind : std::uint8_t {
  load,
  store,
  exchange,  ///< any read-modify-write that always succeeds
  swap,      ///< compare-and-swap: one that fails is a load
  lock,      ///< sets bits once they are clear, and waits until they are
  take,      ///< decrements what is not zero, and waits until it is not
  wait,      ///< a load that waits until there is something but zero
  resume,    ///< goes on after pause(): waits for a write of another thread
  choose,    ///< nothing shared: one of n
  none,
};

struct operation {
  op_kind kind = op_kind::none;
  bool sequential = false;  // memory_order_seq_cst
  bool exact = false;       // a load that reads the newest value only
  bool may_fail = false;    // a weak compare-and-swap
  bool acquires = false;    // where it only reads
  std::uint32_t where = 0;  // id of the location; for choose: how many
  bits expected{};          // of a lock: the bits that must be clear

  // Of a load, or of a swap that takes more than one value.
  bits (*looks_at)(void const* context, bits value) = nullptr;  // what its thread sees; null: all of it
  bool (*fits)(void const* context, bits value) = nullptr;
  void const* context = nullptr;
  std::size_t context_size = 0;
  sum adds{};  // of one that does no more than that

  bool succeeds(bits value) const noexcept { return fits == nullptr ? value == expected : fits(context, value); }
  bits seen(bits value) const noexcept { return looks_at == nullptr ? value : looks_at(context, value); }
  /// What its thread sees where it succeeds; nothing where it does not.
  std::optional<bits> done_at(bits value) const noexcept { return succeeds(value) ? std::optional<bits>(seen(value)) : std::nullopt; }

  /// `f` is what looks_at and fits are about: it may be asked when the operation is over.
  template <class F>
  void about(F const& f) noexcept {
    static_assert(std::is_trivially_copyable_v<F> && sizeof(F) <= most_context,
                  "settle: what a step of weave::atomic looks for is kept: let it capture little, and by value");
    context = &f;
    context_size = sizeof(F);
  }
  static constexpr std::size_t most_context = 48;
};

/// One that can be asked when it is over.
struct kept_operation {
  explicit kept_operation(operation const& o) noexcept : what(o) {
    if (o.context_size != 0) std::memcpy(context.data(), o.context, o.context_size);
    what.context = context.data();
  }
  kept_operation(kept_operation&&) = delete;

  operation what;
  alignas(std::uint64_t) std::array<std::byte, operation::most_context> context;
};

}  // namespace settle::inline v0::testing::weave

#endif
