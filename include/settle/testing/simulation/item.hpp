// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_SIMULATION_ITEM_HPP
#define SETTLE_TESTING_SIMULATION_ITEM_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "../../policy/single_thread_sync.hpp"
#include "../../time/timer_wheel.hpp"
#include "trace.hpp"

namespace settle::inline v0::testing::sim_detail {

/// When a simulation begins; its wheel needs no clock but that.
struct sim_epoch {
  static std::chrono::steady_clock::time_point now() noexcept { return std::chrono::steady_clock::time_point(std::chrono::hours(1000)); }
};
using sim_wheel = basic_timer_wheel<single_thread_sync, sim_epoch>;

class sim_core;
class sim_item;

/// An executor of a simulation, as the simulation sees it.
struct sim_lane {
  sim_core* core;
  std::uint32_t number;
  bool closed = false;
  std::deque<sim_item*> ready{};
};

/// Work, or a timer. From being submitted or started until it is over its simulation knows it.
class sim_item {
 public:
  enum class phase : std::uint8_t { idle, waiting, ready };

  sim_item(sim_lane& l, sim_wheel& w) noexcept : lane_(&l), wait_(w) {}
  sim_item(sim_item&&) = delete;
  virtual ~sim_item() = default;

  sim_lane& lane() const noexcept { return *lane_; }
  std::uint64_t number() const noexcept { return number_; }
  phase now() const noexcept { return phase_; }

  /// What the trace says when it runs.
  virtual sim_event::what_t ending() const noexcept = 0;
  /// It is over, and known no more: it may destroy itself. It ran, or its executor is gone.
  virtual void run() = 0;
  virtual void discard() noexcept = 0;
  virtual std::string text() const = 0;

 private:
  friend class sim_core;
  friend class sim_items;

  sim_lane* lane_;
  sim_wheel::timer wait_;
  phase phase_ = phase::idle;
  std::uint64_t number_ = 0;
  sim_item* next_ = nullptr;
  sim_item* prev_ = nullptr;
};

/// All that a simulation knows, oldest first, linked through itself.
class sim_items {
 public:
  void push(sim_item& i) noexcept {
    i.number_ = ++last_number_;
    i.next_ = nullptr;
    i.prev_ = last_;
    (last_ == nullptr ? first_ : last_->next_) = &i;
    last_ = &i;
    ++size_;
  }
  void remove(sim_item& i) noexcept {
    (i.prev_ == nullptr ? first_ : i.prev_->next_) = i.next_;
    (i.next_ == nullptr ? last_ : i.next_->prev_) = i.prev_;
    --size_;
  }
  std::size_t size() const noexcept { return size_; }
  /// The oldest of an executor, or null.
  sim_item* first_of(sim_lane const& l) const noexcept {
    sim_item* i = first_;
    while (i != nullptr && &i->lane() != &l) i = i->next_;
    return i;
  }
  std::string text() const {
    std::string out;
    for (sim_item const* i = first_; i != nullptr; i = i->next_) {
      out += "  #" + std::to_string(i->number_) + ", " + i->text() + " of executor " + std::to_string(i->lane().number);
      out += i->phase_ == sim_item::phase::ready ? ", ready\n" : ", waiting\n";
    }
    return out;
  }

 private:
  sim_item* first_ = nullptr;
  sim_item* last_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t last_number_ = 0;
};

}  // namespace settle::inline v0::testing::sim_detail

#endif
