// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_UNORDERED_HPP
#define SETTLE_TESTING_WEAVE_UNORDERED_HPP

#include <algorithm>
#include <cstdint>
#include <vector>

#include "additions.hpp"
#include "candidates.hpp"
#include "location.hpp"
#include "thread_state.hpp"

namespace settle::inline v0::testing::weave {

/// Additions that have no order: those around one, up and down to where somebody has read. Who reads finds any set of them that is
/// possible, and has them come before the others.
class unordered {
 public:
  unordered(location const& x, std::uint32_t index) noexcept
      : x_(&x), those_(x, x.end_of_unordered(index), additions::unordered), end_(those_.first + those_.count) {}

  std::uint32_t first() const noexcept { return those_.first; }
  /// The sum that is there, up to `index`.
  unsigned beginning(std::uint32_t index) const noexcept { return those_.all_but_newest(end_ - 1 - index); }

  /// None of them comes after one that is left out.
  bool is_possible(unsigned sum) const noexcept {
    for (std::uint32_t i = those_.first; i != end_; ++i)
      for (std::uint32_t j = those_.first; has(sum, i) && j != end_; ++j)
        if (!has(sum, j) && x_->stores[i].past.covers(x_->stores[j].thread, x_->stores[j].number)) return false;
    return true;
  }

  /// All sums that are possible and have what the thread knows of, but those that are there already. `read`: it knows all up to that index.
  /// `for_nothing`: it may fail where it need not.
  void add_sums(operation const& op, bool for_nothing, std::uint32_t read, unsigned thread, vector_clock const& known,
                candidates& found) const noexcept {
    for (unsigned sum = those_.full(); sum-- > 1;) {
      unsigned const others = those_.full() & ~sum;
      bool const is_there = (others & (others + 1)) == 0;
      if (is_there || knows_one_of(others, read, thread, known) || !is_possible(sum)) continue;
      candidate c = candidate_for(sum, found.room());
      c.spurious = op.kind != op_kind::load && op.succeeds(c.value);
      if (!c.spurious || for_nothing) found.add(c);
    }
  }

  /// `x` is the same location: those of the sum come first. Puts what they come after into `past`, and gives the others back.
  std::vector<store_record> split(location& x, unsigned sum, vector_clock& past) const {
    std::vector<store_record> others;
    bool const all_are_read = x.stores[end_ - 1].is_read;
    std::uint32_t to = those_.first;
    for (std::uint32_t i = those_.first; i != end_; ++i) {
      if (!has(sum, i)) {
        others.push_back(x.stores[i]);
        continue;
      }
      past.join(x.stores[i].past);
      if (i != to) x.stores[to] = x.stores[i];
      ++to;
    }
    std::ranges::copy(others, x.stores.begin() + to);
    for (std::uint32_t i = those_.first; i != end_; ++i) {
      x.stores[i].carry_on(x.stores[i - 1]);
      x.stores[i].is_read = false;
    }
    x.stores[end_ - 1].is_read = all_are_read;
    return others;
  }

 private:
  bool has(unsigned sum, std::uint32_t i) const noexcept { return (sum & those_.mask(i)) != 0; }

  bool knows_one_of(unsigned sum, std::uint32_t read, unsigned thread, vector_clock const& known) const noexcept {
    for (std::uint32_t i = those_.first; i != end_; ++i)
      if (has(sum, i) && (i <= read || x_->is_known(i, thread, known))) return true;
    return false;
  }
  candidate candidate_for(unsigned sum, vector_clock& message) const noexcept {
    store_record const& below = x_->stores[those_.first - 1];
    candidate c{those_.first - 1, x_->latest_up_to(those_.first - 1), sum, true, false, those_.sum_of(sum), nullptr};
    bool has_message = below.has_message;
    message = below.message;
    for (std::uint32_t i = those_.first; i != end_; ++i) {
      if (!has(sum, i)) continue;
      store_record const& s = x_->stores[i];
      ++c.index;
      c.latest = std::max(c.latest, s.serial);
      has_message = has_message || s.releases;
      message.join(s.own);
    }
    if (has_message) c.message = &message;
    return c;
  }

  location const* x_;
  additions those_;
  std::uint32_t end_;
};

}  // namespace settle::inline v0::testing::weave

#endif
