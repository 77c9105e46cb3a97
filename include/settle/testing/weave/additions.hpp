// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_ADDITIONS_HPP
#define SETTLE_TESTING_WEAVE_ADDITIONS_HPP

#include <array>
#include <cstdint>

#include "location.hpp"

namespace settle::inline v0::testing::weave {

/// Those at the end of what a location has been up to `last`, few enough to look at each set of them. None has seen a difference to any
/// order they might have come in. Each set is a mask, in which the newest one is the first bit.
class additions {
 public:
  static constexpr unsigned most = 5;
  enum reach : std::uint8_t {
    all,        ///< down to a value that is no sum
    unordered,  ///< down to what somebody has read
  };

  additions(location const& x, std::uint32_t last, reach r = all) noexcept : first(last + 1), below_(x.stores[last].value) {
    while (count != most && x.stores[first - 1].added != nullptr && (count == 0 || r == all || !x.stores[first - 1].is_read)) {
      --first;
      all_[count++] = x.stores[first].added;
      below_ = x.stores[first - 1].value;
    }
  }
  additions with(operation const& next) const noexcept {
    additions more = *this;
    more.all_[more.count++] = &next;
    return more;
  }

  /// The one at `index`, as a mask.
  unsigned mask(std::uint32_t index) const noexcept { return 1U << (first + count - 1 - index); }
  unsigned full() const noexcept { return (1U << count) - 1; }
  unsigned all_but_newest(unsigned n) const noexcept { return full() >> n << n; }

  bits sum_of(unsigned done) const noexcept {
    bits v = below_;
    for (unsigned i = 0; i != count; ++i)
      if ((done & (1U << i)) != 0) v = all_[i]->adds.to(v);
    return v;
  }

  /// None of them sees a difference, whichever of the others came before it.
  bool are_alike() const noexcept {
    for (unsigned one = 0; one != count; ++one) {
      auto const alone = all_[one]->done_at(below_);
      if (!alone || any_sum([&](bits v) { return all_[one]->done_at(v) != alone; }, 1U << one)) return false;
    }
    return true;
  }
  /// Is any value that could stand there between them such a one? `without`: some that are not done by then.
  template <class F>
  bool any_sum(F f, unsigned without = 0) const noexcept {
    for (unsigned done = 0; done != 1U << count; ++done)
      if ((done & without) == 0 && f(sum_of(done))) return true;
    return false;
  }

  unsigned count = 0;
  std::uint32_t first;  // index of the oldest

 private:
  bits below_;
  std::array<operation const*, most> all_{};
};

}  // namespace settle::inline v0::testing::weave

#endif
