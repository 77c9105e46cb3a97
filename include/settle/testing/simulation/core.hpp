// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_SIMULATION_CORE_HPP
#define SETTLE_TESTING_SIMULATION_CORE_HPP

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "../../detail/exceptions.hpp"
#include "../seed.hpp"
#include "faults.hpp"
#include "item.hpp"
#include "live.hpp"
#include "trace.hpp"

namespace settle::inline v0::testing {

/// The order among the work that is ready on one executor of a simulation. Among executors the seed always decides.
enum class order : std::uint8_t {
  any,                 ///< the seed decides
  first_in_first_out,  ///< as it became ready
};

namespace sim_detail {

/// What happens when in a simulation. Its executors, timers and allocators refer to it.
class sim_core {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  sim_core(std::uint64_t s, order o) noexcept : seed(s), chance(s), order_(o) {}
  sim_core(sim_core&&) = delete;
  ~sim_core() {
    closed_ = true;
    for (auto const& l : lanes_) destroy(*l);
  }

  std::uint64_t const seed;
  dice chance;
  fault_plan faults;
  sim_trace trace;
  sim_items items;
  sim_live live;
  std::size_t bytes = 0;  // out from its allocators
  sim_wheel wheel{std::chrono::nanoseconds(1)};
  std::chrono::nanoseconds close_delay{};

  sim_lane& make_lane() {
    lanes_.push_back(std::make_unique<sim_lane>(sim_lane{this, static_cast<std::uint32_t>(lanes_.size() + 1)}));
    return *lanes_.back();
  }
  sim_lane& first_lane() const noexcept { return *lanes_.front(); }

  time_point now() const noexcept { return now_; }
  bool runs(sim_lane const& l) const noexcept { return current_ == &l; }

  /// Takes work over, or lets happen to it what the plan says.
  void submit(std::unique_ptr<sim_item> work) {
    sim_lane& l = work->lane();
    enter(*work, sim_event::submitted);
    if (!takes(l)) reject(*work, "this executor of the simulation was destroyed");
    fault_plan::fault const f = faults.next_submit(chance);
    if (f.what == submit_fault::reject) reject(*work, "refused, as the fault plan says");
    sim_item& w = *work.release();
    if (f.what == submit_fault::delay) {
      note(sim_event::delayed, w);
      wait_until(w, now_ + f.by);
    } else if (f.what == submit_fault::late) {
      note(sim_event::made_late, w);
      w.phase_ = sim_item::phase::ready;
      late_.push_back(&w);
    } else if (f.what == submit_fault::drop) {
      lose(w);
    } else {
      make_ready(w);
      if (f.what == submit_fault::destroy) destroy(l);
    }
  }

  /// A timer begins. False: it must not.
  bool start(sim_item& t, time_point when) noexcept {
    bool const refused = !takes(t.lane()) || faults.next_timer_fails();
    if (refused) {
      note(sim_event::refused, t);
    } else {
      enter(t, sim_event::started);
      wait_until(t, when);
    }
    return !refused;
  }
  /// A timer is to let go: as soon as its executor comes to it, or later.
  void let_go(sim_item& t) noexcept {
    note(sim_event::stopping, t);
    t.wait_.stop();
    wheel.advance(now_);
    if (close_delay.count() > 0) {
      std::erase(t.lane().ready, &t);
      wait_until(t, now_ + std::chrono::nanoseconds(chance.below(static_cast<std::uint64_t>(close_delay.count()) + 1)));
    }
  }

  /// One piece of what is ready. False: nothing is.
  bool run_one() {
    assert(owner_ == std::this_thread::get_id() && "settle: a simulation belongs to one thread");
    wheel.advance(now_);
    sim_item* const i = pick();
    if (i == nullptr) return false;
    note(i->ending(), *i);
    leave(*i);
    here const inside(*this, i->lane());
    i->run();
    return true;
  }

  /// Moves time on to where something may become ready, but not beyond `limit`. False: there is nothing to wait for.
  bool step(time_point limit) noexcept {
    time_point const next = wheel.next_expiry();
    if (next == time_point::max() || next > limit) return false;
    set_time(next);
    wheel.advance(now_);
    return true;
  }
  void set_time(time_point t) noexcept { now_ = std::max(now_, t); }

  /// An executor ends: its queue is destroyed, its timers are lost, it takes nothing any more.
  void destroy(sim_lane& l) noexcept {
    l.closed = true;
    write({sim_event::destroyed, l.number, 0, since_begin()});
    for (sim_item* i = items.first_of(l); i != nullptr; i = items.first_of(l)) lose(*i);
  }

  void write(sim_event const& e) noexcept {
    settle::detail::guarded([&] { trace.note(e); }, [](std::exception_ptr const&) {});
  }
  std::chrono::nanoseconds since_begin() const noexcept { return now_ - sim_epoch::now(); }

 private:
  /// The executor whose work runs, for a while.
  class here {
   public:
    here(sim_core& c, sim_lane& l) noexcept : core_(&c), outer_(std::exchange(c.current_, &l)) {}
    here(here&&) = delete;
    ~here() { core_->current_ = outer_; }

   private:
    sim_core* core_;
    sim_lane* outer_;
  };

  bool takes(sim_lane const& l) const noexcept { return !closed_ && !l.closed; }
  void note(sim_event::what_t what, sim_item const& i) noexcept { write({what, i.lane().number, i.number(), since_begin()}); }

  void enter(sim_item& i, sim_event::what_t what) noexcept {
    assert(owner_ == std::this_thread::get_id() && "settle: a simulation belongs to one thread");
    items.push(i);
    note(what, i);
  }
  void leave(sim_item& i) noexcept {
    i.phase_ = sim_item::phase::idle;
    items.remove(i);
  }

  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): it is the simulation's act, whatever it touches
  void make_ready(sim_item& i) noexcept {
    i.phase_ = sim_item::phase::ready;
    i.lane().ready.push_back(&i);
  }
  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): it is the simulation's act, whatever it touches
  void wait_until(sim_item& i, time_point when) noexcept {
    i.phase_ = sim_item::phase::waiting;
    i.wait_.start(when, timer_done(
                            [](void* at, timer_end) noexcept {
                              auto& waited = *static_cast<sim_item*>(at);
                              if (waited.phase_ == sim_item::phase::waiting) waited.lane().core->make_ready(waited);
                            },
                            &i));
  }

  [[noreturn]] void reject(sim_item& i, char const* why) {
    note(sim_event::rejected, i);
    leave(i);
    settle::detail::raise(std::runtime_error(why));
  }

  void lose(sim_item& i) noexcept {
    note(sim_event::lost, i);
    std::erase(i.lane().ready, &i);
    std::erase(late_, &i);
    bool const waits = i.phase_ == sim_item::phase::waiting;
    leave(i);
    if (waits) {
      i.wait_.stop();
      wheel.advance(now_);
    }
    i.discard();
  }

  sim_item* pick() noexcept {
    auto left = static_cast<std::size_t>(std::ranges::count_if(lanes_, [](auto const& l) { return !l->ready.empty(); }));
    if (left == 0) return pick_late();
    left = chance.below(left);
    for (auto const& l : lanes_) {
      if (l->ready.empty() || left-- != 0) continue;
      if (order_ == order::any) std::swap(l->ready.front(), l->ready[chance.below(l->ready.size())]);
      sim_item* const i = l->ready.front();
      l->ready.pop_front();
      return i;
    }
    return nullptr;
  }
  sim_item* pick_late() noexcept {
    if (late_.empty()) return nullptr;
    sim_item* const i = late_.front();
    late_.pop_front();
    return i;
  }

  order order_;
  bool closed_ = false;
  time_point now_ = sim_epoch::now();
  sim_lane* current_ = nullptr;
  std::vector<std::unique_ptr<sim_lane>> lanes_;
  std::deque<sim_item*> late_;
  std::thread::id owner_ = std::this_thread::get_id();
};

}  // namespace sim_detail
}  // namespace settle::inline v0::testing

#endif
