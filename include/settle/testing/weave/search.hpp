// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_SEARCH_HPP
#define SETTLE_TESTING_WEAVE_SEARCH_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "memory_model.hpp"
#include "options.hpp"
#include "step.hpp"
#include "thread_state.hpp"

namespace settle::inline v0::testing::weave {

/// A depth-first search without states: the stack of steps says how to come to where it is, and what is left to try.
///
/// Sleep sets are kept down to values: a thread that was tried at a step sleeps, in what is tried there after it, as far as
/// the values go that it could have read; a store it depends on leaves it asleep for those and awake for the new one.
class search {
 public:
  explicit search(options const& o, memory_model& m)
      : options_(&o),
        memory_(&m),
        sleeps_(o.search.kind != method::full_search && !is_bounded(o)),
        reduces_(o.search.kind == method::reduced_search && !is_bounded(o)),
        prunes_(o.search.kind == method::reduced_search) {}

  /// What the method is about to do to one execution after the other.
  bool reduces() const noexcept { return reduces_; }
  /// What waiting loops read for nothing is left out.
  bool prunes() const noexcept { return prunes_; }
  bool cut() const noexcept { return cut_; }

  void begin() noexcept { depth_ = 0; }
  std::size_t depth() const noexcept { return depth_; }
  std::vector<step>& steps() noexcept { return steps_; }
  /// The step that is being taken.
  step& current() noexcept { return steps_[depth_ - 1]; }
  /// It was taken just so in an execution before: nothing new to learn.
  bool repeats() const noexcept { return depth_ <= fixed_; }

  /// Who goes next; false: what is left to do here is known to be redundant. `diverged` when the program did something
  /// else than the last time it came here.
  bool next(std::uint8_t enabled, unsigned previous, std::vector<thread_state> const& threads, bool& diverged) {
    if (depth_ < steps_.size()) {
      step const& s = steps_[depth_++];
      diverged = s.enabled != enabled || s.print[s.thread] != print_of(threads[s.thread].pending);
      return true;
    }
    steps_.emplace_back();
    step& s = steps_.back();
    s.enabled = enabled;
    s.previous = static_cast<std::uint8_t>(previous);
    if (depth_ != 0) {
      inherit(s, steps_[depth_ - 1], threads);
      count_deviations(s, steps_[depth_ - 1]);
    }
    weigh(s, threads);
    if (s.awake == 0) {
      steps_.pop_back();
      return false;
    }
    s.thread = static_cast<std::uint8_t>((s.awake & bit(previous)) != 0 ? previous : static_cast<unsigned>(std::countr_zero(s.awake)));
    s.backtrack = reduces_ ? bit(s.thread) : within_bound(s);
    s.choice = first_choice(s.left[s.thread]);
    ++depth_;
    return true;
  }

  /// One of `n`, with nothing else to be done meanwhile.
  void choose(unsigned thread, unsigned n, std::vector<thread_state> const& threads, bool& diverged) {
    if (depth_ < steps_.size()) {
      step const& s = steps_[depth_++];
      diverged = s.enabled != bit(thread) || s.kind != op_kind::choose || s.where != n;
      return;
    }
    steps_.emplace_back();
    step& s = steps_.back();
    s.enabled = s.backtrack = bit(thread);
    s.thread = s.previous = static_cast<std::uint8_t>(thread);
    s.kind = op_kind::choose;
    s.where = n;
    if (depth_ != 0) inherit(s, steps_[depth_ - 1], threads);
    s.left[thread] = n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1;
    ++depth_;
  }

  /// On to the next execution. False: there is none.
  bool advance() {
    while (!steps_.empty()) {
      step& s = steps_.back();
      std::uint64_t& left = s.left[s.thread];
      left &= left - 1;
      if (left == 0) {
        s.done |= bit(s.thread);
        auto const rest = static_cast<std::uint8_t>(s.backtrack & s.awake & ~s.done);
        if (rest == 0) {
          steps_.pop_back();
          continue;
        }
        s.thread = static_cast<std::uint8_t>(std::countr_zero(rest));
      }
      s.choice = first_choice(s.left[s.thread]);
      fixed_ = steps_.size() - 1;
      return true;
    }
    return false;
  }

  static bool is_exclusive(operation const& op) noexcept {
    return op.kind == op_kind::store || op.kind == op_kind::exchange || op.kind == op_kind::swap || op.kind == op_kind::lock ||
           op.kind == op_kind::take || (op.kind == op_kind::load && op.sequential);
  }

 private:
  static bool is_bounded(options const& o) noexcept { return o.preemptions || o.old_values; }
  static std::uint8_t first_choice(std::uint64_t left) noexcept { return static_cast<std::uint8_t>(std::countr_zero(left)); }
  static std::uint32_t print_of(operation const& op) noexcept { return op.where * 16 + static_cast<std::uint32_t>(op.kind); }

  /// Who sleeps after a step: who slept before it or was tried instead of it, and does not depend on it.
  // NOLINTNEXTLINE(readability-make-member-function-const): it changes what it is given
  void inherit(step& s, step const& before, std::vector<thread_state> const& threads) noexcept {
    if (!sleeps_) return;
    auto const sleepers = static_cast<std::uint8_t>((before.asleep | before.done) & ~bit(before.thread));
    for (unsigned t = 1; t != threads.size(); ++t) {
      if ((sleepers & bit(t)) == 0 || wakes(threads[t].pending, before)) continue;
      s.asleep |= bit(t);
      s.bound[t] = (before.done & bit(t)) != 0 ? before.newest[t] : before.bound[t];
      if (stays_asleep(threads[t].pending, before, s.bound[t])) s.bound[t] = memory_->at(before.where).newest();
    }
  }
  /// It slept for all values before that step, and might as well add before it, which was tried.
  bool stays_asleep(operation const& op, step const& e, std::uint32_t bound) noexcept {
    if (!reduces_ || e.what != effect::adding || e.where != op.where) return false;
    location const& x = memory_->at(op.where);
    return bound + 1 == x.newest() && memory_->commutes(op, x);
  }
  /// A store leaves others asleep for what they could read before it.
  static bool wakes(operation const& op, step const& e) noexcept {
    if (op.where != e.where || e.kind == op_kind::choose || e.what == effect::none || e.what == effect::weak_read) return false;
    if (e.what == effect::exact_read) return is_exclusive(op);
    if (e.kind == op_kind::load) return is_exclusive(op) || op.exact;
    return op.kind == op_kind::load && op.sequential;
  }

  /// What each thread may do here that does not sleep.
  void weigh(step& s, std::vector<thread_state> const& threads) noexcept {
    for (unsigned t = 1; t != threads.size(); ++t) {
      if ((s.enabled & bit(t)) == 0) continue;
      operation const& op = threads[t].pending;
      s.print[t] = print_of(op);
      s.newest[t] = memory_->at(op.where).newest();
      memory_->readable(op, t, threads[t], found_);
      cut_ = cut_ || found_.cut;
      bool const sleeps = (s.asleep & bit(t)) != 0;
      s.left[t] = 0;
      for (unsigned i = 0; i != found_.count; ++i)
        if ((!sleeps || found_.all[i].latest > s.bound[t]) && !(reduces_ && is_subsumed(op, found_.all[i], t, threads[t], s)))
          s.left[t] |= std::uint64_t{1} << i;
      if (options_->old_values && s.old_values >= *options_->old_values) s.left[t] &= 1;
      if (s.left[t] != 0) s.awake |= bit(t);
    }
  }
  /// An older value that leaves as much possible, and is tried here as well, stands for a newer one.
  bool is_subsumed(operation const& op, candidate const& c, unsigned t, thread_state const& state, step const& s) noexcept {
    if (op.sequential || c.spurious || (op.kind != op_kind::load && op.kind != op_kind::swap)) return false;
    if (op.kind == op_kind::swap && op.succeeds(c.value)) return false;
    bool const sleeps = (s.asleep & bit(t)) != 0;
    for (unsigned j = 0; j != found_.count; ++j)
      if ((!sleeps || found_.all[j].latest > s.bound[t]) && memory_->subsumes(found_.all[j], c, op, state)) return true;
    return false;
  }

  static void count_deviations(step& s, step const& before) noexcept {
    bool const preempted = before.thread != before.previous && (before.enabled & bit(before.previous)) != 0;
    s.preemptions = static_cast<std::uint8_t>(before.preemptions + (preempted ? 1 : 0));
    bool const old = before.choice != 0 && before.kind != op_kind::choose;
    s.old_values = static_cast<std::uint8_t>(before.old_values + (old ? 1 : 0));
  }
  /// Where a thread that could go on may still be taken off.
  std::uint8_t within_bound(step const& s) const noexcept {
    bool const goes_on = (s.awake & bit(s.previous)) != 0;
    return options_->preemptions && goes_on && s.preemptions >= *options_->preemptions ? bit(s.previous) : s.awake;
  }

  options const* options_;
  memory_model* memory_;
  bool sleeps_;
  bool reduces_;
  bool prunes_;
  bool cut_ = false;
  std::vector<step> steps_;
  std::size_t depth_ = 0;
  std::size_t fixed_ = 0;  // so many steps are as in the execution before
  candidates found_;
};

}  // namespace settle::inline v0::testing::weave

#endif
