// SPDX-License-Identifier: BSL-1.0
#ifndef SETTLE_TESTING_WEAVE_SCHEDULER_HPP
#define SETTLE_TESTING_WEAVE_SCHEDULER_HPP

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dice.hpp"
#include "fiber.hpp"
#include "memory_model.hpp"
#include "options.hpp"
#include "races.hpp"
#include "schedule.hpp"
#include "search.hpp"
#include "thread_state.hpp"

namespace settle::inline v0::testing::weave {

/// Runs the threads of one execution after the other, each on a fiber, one at a time: who is next is asked before every
/// step on something shared.
class scheduler {
 public:
  explicit scheduler(options o)
      : options_(std::move(o)), memory_(options_), search_(options_, memory_), races_(search_, memory_), dice_(options_.search) {
    given_ = to_schedule(options_.search.schedule);
    threads_.reserve(max_threads);  // they stay where they are
  }
  scheduler(scheduler&&) = delete;

  options const& settings() const noexcept { return options_; }
  weave::schedule const& taken() const noexcept { return taken_; }
  std::string const& failure() const noexcept { return failure_; }
  /// Which execution this is, from 1.
  std::uint64_t serial() const noexcept { return executions_; }
  bool redundant() const noexcept { return draining_; }
  bool orders_additions() const noexcept { return memory_.orders_additions(); }
  bool cut() const noexcept { return search_.cut(); }
  /// On to the next execution of a search. False: there is none.
  bool advance() { return search_.advance(); }

  /// Takes the execution off where it stands, for good. While invariants are checked: as soon as that is through.
  void fail(std::string text) {
    if (failure_.empty()) failure_ = std::move(text);
    if (passive_) return;
    fiber::switch_to(*fibers_[running_], base_);
  }

 protected:
  enum phase_t : std::uint8_t { setting_up, starting, running, checking };

  /// Runs `main` as the thread that sets up and checks; comes back when the execution has ended, one way or the other.
  void run(std::function<void()> main) {
    search_.begin();
    dice_.begin(executions_++, longest_);
    taken_.clear();
    failure_.clear();
    threads_.resize(1);
    threads_[0].begin("main", std::move(main));
    always_.clear();
    memory_.reset();
    phase_ = setting_up;
    running_ = 0;
    steps_ = 0;
    draining_ = passive_ = false;
    start_fiber(0);
    fiber::switch_to(base_, *fibers_[0]);
    longest_ = std::max(longest_, steps_);
  }

  bool solo() const noexcept { return phase_ == setting_up || phase_ == checking; }
  thread_state& me() noexcept { return threads_[running_]; }
  void count_event() {
    constexpr std::uint32_t most = vector_clock::most - 1;
    if (me().count == most) fail("a thread, or what sets up and checks, takes more than " + std::to_string(most) + " steps");
    me().known.set(running_, ++me().count);
  }

  /// The threads that were added run until all of them are through; what they did has happened before what comes then.
  void run_threads() {
    count_event();
    phase_ = starting;
    for (unsigned t = 1; t != threads_.size(); ++t) {
      threads_[t].known = threads_[0].known;
      start_fiber(t);
      hand_over(t);
    }
    phase_ = running;
    reschedule();
    phase_ = checking;
    for (unsigned t = 1; t != threads_.size(); ++t) {
      me().known.join(threads_[t].known);
      me().known.set(t, threads_[t].count + 1);  // what it did after its last step, too
    }
    for (unsigned t = 1; t != threads_.size(); ++t)
      if (threads_[t].phase == thread_state::finished) threads_[t].body = nullptr;
  }
  /// Those that serve the others end when they find that it is over.
  void end_daemons() {
    for (unsigned t = 1; t != threads_.size(); ++t)
      if (threads_[t].phase != thread_state::finished) hand_over(t);
  }

  /// A thread is about to take a step; comes back when it is its turn.
  void arrive(operation const& op) {
    me().pending = op;
    if (phase_ == starting) hand_over(0);
    else if (phase_ == running) reschedule();
    else if (!memory_.enabled(op)) fail("the thread that sets up and checks waits for nobody");
  }

  unsigned choose(unsigned n) {
    unsigned c = 0;
    if (!draining_) c = decide_choice(n);
    count_event();
    taken_.push_back({static_cast<std::uint8_t>(running_), static_cast<std::uint8_t>(c)});
    return c;
  }

  /// A thread need not go on in this execution, unless nobody else can.
  void await(thread_state::phase_t why, std::uint32_t where, std::uint32_t index) {
    thread_state& t = me();
    t.phase = why;
    t.awaited = where;
    t.awaited_index = index;
    reschedule();
    t.phase = thread_state::ready;
  }

  options options_;
  memory_model memory_;
  search search_;
  race_finder races_;
  std::vector<thread_state> threads_;
  std::vector<std::function<void()>> always_;
  phase_t phase_ = setting_up;
  unsigned running_ = 0;
  bool passive_ = false;   // only looking: nothing is a step
  bool draining_ = false;  // known to be redundant: only ends, so that what it owns is given back

 private:
  void start_fiber(unsigned t) {
    while (fibers_.size() <= t) fibers_.push_back(std::make_unique<fiber>(std::in_place));
    fibers_[t]->start(&scheduler::enter, this);
  }
  static void enter(void* self) {
    auto& s = *static_cast<scheduler*>(self);
    unsigned const mine = s.running_;
    detail::guarded([&] { s.threads_[mine].body(); },
                    [&](std::exception_ptr const&) { s.fail("an exception left the thread " + s.threads_[mine].name); });
    s.threads_[mine].phase = thread_state::finished;
    if (mine == 0) fiber::switch_to(*s.fibers_[0], s.base_);
    else if (s.phase_ == running) s.reschedule();
    else s.hand_over(0);
  }
  void hand_over(unsigned next) {
    unsigned const mine = std::exchange(running_, next);
    if (mine != next) fiber::switch_to(*fibers_[mine], *fibers_[next]);
  }

  void reschedule() {
    if (!always_.empty()) look();
    hand_over(pick());
  }
  void look() {
    passive_ = true;
    for (auto const& f : always_) f();
    passive_ = false;
    if (!failure_.empty()) fail({});
  }

  std::uint8_t enabled() noexcept {
    std::uint8_t mask = 0;
    std::uint8_t begun = 1;
    for (unsigned t = 1; t != threads_.size(); ++t) {
      if (threads_[t].count != 0) begun |= bit(t);
      bool const after_twin = (begun & bit(threads_[t].twin_of)) != 0;
      if (threads_[t].phase == thread_state::ready && after_twin && memory_.enabled(threads_[t].pending)) mask |= bit(t);
    }
    return mask;
  }

  /// Who runs next; 0 when the threads are through.
  unsigned pick() {
    unsigned const previous = running_;
    for (;;) {
      std::uint8_t const mask = enabled();
      if (mask == 0) {
        if (wake_awaiting()) continue;
        return finish();
      }
      if (++steps_ > options_.max_steps)
        fail("no end after " + std::to_string(options_.max_steps) + " steps: a livelock, or a wait without pause()");
      turn t{};
      if (!decide(mask, previous, t)) {
        draining_ = true;
        continue;
      }
      threads_[t.thread].choice = t.choice;
      taken_.push_back(t);
      return t.thread;
    }
  }

  bool decide(std::uint8_t mask, unsigned previous, turn& t) {
    if (draining_ || (options_.search.kind == method::replay_search && taken_.size() >= given_.size())) {
      t = {static_cast<std::uint8_t>((mask & bit(previous)) != 0 ? previous : static_cast<unsigned>(std::countr_zero(mask))), 0};
      return true;
    }
    if (options_.search.kind == method::replay_search) {
      t = given_[taken_.size()];
      if ((mask & bit(t.thread)) == 0)
        fail("the schedule is not one of this program: at step " + std::to_string(taken_.size()) + " that thread cannot run");
    } else if (by_chance()) {
      t.thread = static_cast<std::uint8_t>(dice_.thread(mask, previous));
      memory_.readable(threads_[t.thread].pending, t.thread, threads_[t.thread], found_);
      t.choice = static_cast<std::uint8_t>(dice_.choice(found_.count, true));
    } else {
      bool diverged = false;
      if (!search_.next(mask, previous, threads_, diverged)) {
        races_.note_who_waits(threads_);
        return false;
      }
      check(diverged);
      t = {search_.current().thread, search_.current().choice};
    }
    return true;
  }
  bool by_chance() const noexcept { return options_.search.kind == method::random_search || options_.search.kind == method::pct_search; }

  unsigned decide_choice(unsigned n) {
    if (options_.search.kind == method::replay_search) return taken_.size() < given_.size() ? given_[taken_.size()].choice : 0;
    if (by_chance()) return dice_.choice(n, false);
    bool diverged = false;
    search_.choose(running_, n, threads_, diverged);
    check(diverged);
    step& s = search_.current();
    s.number = me().count + 1;
    if (!search_.repeats()) {
      s.clock = me().order;
      s.clock.set(running_, s.number);
    }
    me().order = s.clock;
    return s.choice;
  }

  void check(bool diverged) {
    if (diverged) fail("the program did something else than before at the same point: it depends on more than the schedule");
  }

  /// Nobody else can go on: those that wait for a later value than they have read find one, or there is a deadlock.
  bool wake_awaiting() {
    bool any = false;
    for (auto& t : threads_) {
      if (t.phase != thread_state::awaiting && t.phase != thread_state::retrying) continue;
      t.pending = {};
      t.pending.kind = t.phase == thread_state::retrying ? op_kind::none : op_kind::resume;
      t.pending.where = t.awaited;
      t.pending.expected.low = t.awaited_index;
      t.phase = thread_state::ready;
      any = draining_ = true;
    }
    return any;
  }
  unsigned finish() {
    std::string waiting;
    for (unsigned t = 1; t != threads_.size(); ++t)
      if (threads_[t].phase != thread_state::finished && !threads_[t].daemon) waiting += (waiting.empty() ? "" : ", ") + threads_[t].name;
    if (!waiting.empty()) fail("deadlock: nobody can go on who could end the waiting of " + waiting);
    return 0;
  }

  dice dice_;
  weave::schedule given_;
  weave::schedule taken_;
  std::string failure_;
  std::vector<std::unique_ptr<fiber>> fibers_;
  fiber base_;
  candidates found_;
  std::uint64_t executions_ = 0;
  std::size_t steps_ = 0;
  std::size_t longest_ = 0;
};

}  // namespace settle::inline v0::testing::weave

#endif
